"""The fused CPU engine against the general one, on every instruction set this machine has."""

import os
import subprocess
import sys

import pytest
import torch
from conftest import SEED, threads

import symbreak
from symbreak.data import crystals

# Whole vectors and tiles, then every other radix at the tail, before it and first; long lines too.
GRIDS = [(32, 32), (64, 64), (128, 64), (96, 160), (48, 320), (256, 256), (80, 240), (512, 32)]
ROUNDED = [(16, 18), (98, 98), (75, 81), (99, 130), (121, 22), (169, 20), (147, 40), (36, 735)]
VOLUMES = [(16, 16, 16), (32, 48, 64), (18, 25, 28), (49, 16, 33)]
ISAS = ("baseline", "avx2", "avx512vl", "avx512")


def problem(grid, dtype, items=2):
    """Amplitudes of compact objects on this grid, with some pixels that were not measured."""
    generator = torch.Generator().manual_seed(SEED)
    if len(grid) == 2:
        objects = crystals(items, size=min(grid) // 2, seed=SEED)
    else:
        size = (items, *(n // 4 for n in grid))
        objects = 1 + torch.randn(size, dtype=torch.complex128, generator=generator)
    amplitude = symbreak.fourier_amplitude(objects, shape=grid, ndim=len(grid)).to(dtype)
    valid = torch.rand(grid, generator=generator) > 0.02
    return amplitude, {"valid": valid, "starts": 2, "seed": 3, "ndim": len(grid)}


def both(monkeypatch, amplitude, schedule, **options):
    results = []
    for name in ("", "general"):
        monkeypatch.setenv("SYMBREAK_CPU_ENGINE", name)
        results.append(symbreak.reconstruct(amplitude, schedule, **options))
    return results


def relative(a, b):
    return float((a - b).abs().max() / b.abs().max())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("grid", GRIDS + ROUNDED + VOLUMES)
@pytest.mark.parametrize("algorithm", ["HIO", "RAAR", "DM", "ER"])
def test_a_few_iterations_agree(monkeypatch, grid, dtype, algorithm):
    # Rounding errors grow from iteration to iteration: ten in double precision, three in single.
    schedule = f"{10 if dtype == torch.float64 else 3}*{algorithm}"
    amplitude, options = problem(grid, dtype)
    support = torch.zeros(grid, dtype=torch.bool)
    support[tuple(slice(n // 2) for n in grid)] = True
    fused, general = both(
        monkeypatch,
        amplitude,
        schedule,
        support=support,
        shrinkwrap=None,
        record_every=2,
        **options,
    )
    assert not torch.equal(fused.object, general.object)  # or the engine was not taken
    assert torch.equal(fused.support, general.support)
    if dtype == torch.float64:
        assert relative(fused.object, general.object) < 1e-10
        assert relative(fused.error, general.error) < 1e-10
        assert relative(fused.history, general.history) < 1e-10
    else:
        options |= {"support": support, "shrinkwrap": None}
        exact = symbreak.reconstruct(amplitude.double(), schedule, **options)
        norm = exact.object.norm()
        errors = [float((x.object - exact.object).norm() / norm) for x in (fused, general)]
        # A Fourier value near 0 makes a large angle of a rounding error, and a few decide the norm.
        assert errors[0] < 30 * errors[1] + 1e-6


@pytest.mark.parametrize("grid", [(64, 96), (75, 98), (160, 16), (24, 20, 18)])
@pytest.mark.parametrize("rows", [slice(7, 8), slice(5, 11), slice(3, 15)])
@pytest.mark.parametrize("limit", [None, 1.0])
def test_rows_outside_the_support_stay_zero_where_they_are_left_out(monkeypatch, grid, rows, limit):
    # ER passes over blocks of rows, and planes, without support: HIO goes on from zeros there.
    amplitude, options = problem(grid, torch.float64)
    support = torch.zeros(grid, dtype=torch.bool)
    support[(slice(4, 13), rows, slice(2, 9))[-len(grid) :]] = True
    schedule = "3*HIO+2*ER+2*HIO+ER+2*RAAR+ER"
    options |= {"support": support, "shrinkwrap": None, "phase_limit": limit, "record_every": 1}
    fused, general = both(monkeypatch, amplitude, schedule, **options)
    assert not torch.equal(fused.object, general.object)  # or the engine was not taken
    assert relative(fused.object, general.object) < 1e-9
    assert relative(fused.history, general.history) < 1e-9


@pytest.mark.parametrize(
    "rule",
    [
        {"threshold": 0.3},
        {"threshold": 0.5, "relative_to": "rms"},
        {"area": (0.3, 0.08)},
        {"area": 0.1},
    ],
)
@pytest.mark.parametrize(
    "grid", [(64, 64), (96, 160), (256, 256), (75, 98), (24, 32, 40), (21, 18, 26)]
)
def test_shrinkwrap_finds_the_same_support(monkeypatch, grid, rule):
    amplitude, options = problem(grid, torch.float64)
    fused, general = both(
        monkeypatch,
        amplitude,
        "61*ER",
        shrinkwrap=symbreak.Shrinkwrap(every=20, **rule),
        **options,
    )
    assert 0 < int(general.support.sum()) < general.support.numel() / 2
    assert torch.equal(fused.support, general.support)
    assert relative(fused.object, general.object) < 1e-8


@pytest.mark.parametrize("grid", [(64, 96), (75, 98), (24, 20, 18)])
@pytest.mark.parametrize("rule", [{}, {"area": 0.2}, {"threshold": 0.4, "relative_to": "rms"}])
def test_neither_threads_nor_neighbours_change_a_bit(grid, rule):
    amplitude, options = problem(grid, torch.float32, items=5)
    options["shrinkwrap"] = symbreak.Shrinkwrap(every=10, **rule)
    results = []
    for count in (1, 2, 3, 7):
        with threads(count):
            results.append(symbreak.reconstruct(amplitude, "30*HIO+30*ER", **options))
            alone = symbreak.reconstruct(amplitude[3], "30*HIO+30*ER", **options)
            assert torch.equal(alone.object, results[-1].object[3])
            assert torch.equal(alone.support, results[-1].support[3])
            assert torch.equal(alone.error, results[-1].error[3])
    for result in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(result, results[0], strict=True))


PROGRAM = """
import torch, symbreak
torch.manual_seed(0)
for dtype in (torch.float32, torch.float64):
    for size in ((24, 40), (21, 49), (8, 10, 9)):
        ndim = len(size)
        x = torch.randn(2, *size, dtype=torch.complex128)
        a = symbreak.fourier_amplitude(x, ndim=ndim).to(dtype)
        support = torch.zeros(a.shape, dtype=torch.bool)
        support[(slice(None), *(slice(n) for n in size))] = True
        r = symbreak.reconstruct(
            a, "4*HIO+4*RAAR+2*DM+5*ER", seed=1, support=support, shrinkwrap=None, ndim=ndim
        )
        print(symbreak.build_info()["cpu_isa"], *r.error.flatten().tolist())
"""


def run_program(**environment):
    # One thread: beside other tests, torch's threads mostly wait for one another.
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def general():
    return run_program(SYMBREAK_CPU_ENGINE="general")


@pytest.mark.parametrize("isa", ISAS)
def test_every_instruction_set_of_this_machine_gives_the_same(general, isa):
    here = run_program(SYMBREAK_CPU_ISA=isa)
    if isa not in symbreak.build_info()["cpu_isas"]:
        assert here.returncode != 0
        assert f"SYMBREAK_CPU_ISA={isa}: not available here" in here.stderr
        return
    assert here.returncode == 0, here.stderr
    assert general.returncode == 0, general.stderr
    for line, expected in zip(here.stdout.splitlines(), general.stdout.splitlines(), strict=True):
        name, *errors = line.split()
        assert name == isa
        expected_errors = [float(value) for value in expected.split()[1:]]
        assert [float(value) for value in errors] == pytest.approx(expected_errors, rel=1e-3)


def test_an_unknown_instruction_set_is_a_clear_error():
    done = run_program(SYMBREAK_CPU_ISA="sse9")
    assert done.returncode != 0
    assert "SYMBREAK_CPU_ISA must be baseline, avx2, avx512vl or avx512, got 'sse9'" in done.stderr
