"""Devices, seeds, tolerances and sample objects shared by the tests."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import hypothesis
import pytest
import torch

hypothesis.settings.register_profile(
    "symbreak", deadline=None, derandomize=True, max_examples=60, print_blob=True
)
hypothesis.settings.load_profile("symbreak")

SEED = int(os.environ.get("SYMBREAK_TEST_SEED", "2024"))
DTYPES = (torch.complex64, torch.complex128)
# Values of order one, compared between two orders of summation.
TOLERANCE = {torch.complex64: 1e-5, torch.complex128: 1e-12}

# SYMBREAK_TEST_DEVICES=cuda runs on the GPU alone and fails where there is none.
DEVICES = os.environ.get(
    "SYMBREAK_TEST_DEVICES", "cpu,cuda" if torch.cuda.is_available() else "cpu"
).split(",")


def pytest_report_header() -> str:
    if "cuda" in DEVICES:
        return f"symbreak: tests run on the CPU and on {torch.cuda.get_device_name()}"
    return "symbreak: no CUDA device here, so every test runs on the CPU only"


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(SEED)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """So many threads for torch and for the operators."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


# Where processes share the tests (pytest -n), threads of one wait for cores that another has, and
# small operations of torch take many times as long with two threads as with one. So tests that are
# not about the operators (which share their work among threads) have one thread, and so have the
# commands that they start.
ONE_THREAD = (
    "test_bad_input_cli",
    "test_chunks",
    "test_cli",
    "test_coherence_cli",
    "test_combine_cli",
    "test_cross_validation",
    "test_crystals",
    "test_distribute",
    "test_docs",
    "test_dying_workers",
    "test_interrupted_phasing",
    "test_interruption",
    "test_learning",
    "test_models",
    "test_notebooks",
    "test_plotting",
    "test_resolution_cli",
    "test_supports_cli",
)


@pytest.fixture(autouse=True, scope="module")
def one_thread(request: pytest.FixtureRequest) -> Iterator[None]:
    shared = "PYTEST_XDIST_WORKER" in os.environ and "OMP_NUM_THREADS" not in os.environ
    if not (shared and request.module.__name__.startswith(ONE_THREAD)):
        yield
        return
    with threads(1), pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


def blob(
    shape: tuple[int, ...],
    *,
    ndim: int = 2,
    dtype: torch.dtype = torch.complex128,
    generator: torch.Generator,
    fill: float = 0.6,
) -> torch.Tensor:
    """Random complex content in a random box of about ``fill`` of each axis, black around it."""
    x = torch.zeros(shape, dtype=torch.complex128)
    for item in x.reshape(-1, *shape[-ndim:]):
        box = []
        for size in shape[-ndim:]:
            extent = max(1, min(size, round(size * fill)))
            lo = int(torch.randint(size - extent + 1, (), generator=generator))
            box.append(slice(lo, lo + extent))
        part = item[tuple(box)]
        part += torch.complex(
            torch.randn(part.shape, dtype=torch.float64, generator=generator),
            torch.randn(part.shape, dtype=torch.float64, generator=generator),
        )
    return x.to(dtype)


def strided(x: torch.Tensor) -> torch.Tensor:
    """The same values with other strides: not contiguous, with gaps between the elements."""
    wide = torch.zeros((*x.shape[:-1], 2 * x.shape[-1]), dtype=x.dtype, device=x.device)
    view = wide.transpose(-1, -2)[..., ::2, :].transpose(-1, -2)
    view.copy_(x)
    return view
