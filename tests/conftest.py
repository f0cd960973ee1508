"""Devices, seeds, tolerances and sample objects shared by the tests."""

import os

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
