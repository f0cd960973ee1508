"""Blurred patterns in the fused engine: the same as piece by piece, whatever the machine."""

import os
import subprocess
import sys

import pytest
import torch
from conftest import threads
from hypothesis import given
from hypothesis import strategies as st
from phasing_problems import objects, relative
from test_engine import ISAS

import symbreak
from symbreak.coherence import blurred_intensity, phasing, reconstruct
from symbreak.coherence.target import dark_amplitude

DOUBLE = torch.float64
GRIDS = [(24, 24), (32, 40), (16, 22), (26, 50), (16, 18, 20), (20, 16, 22)]
WIDTHS = torch.tensor([[0.3, 0.5, 0.4], [0.6, 0.2, 0.1]], dtype=DOUBLE)


def problem(grid, dtype, seed=1):
    """Patterns of two objects, blurred, five per cent wrong, a tenth not measured."""
    ndim = len(grid)
    generator = torch.Generator().manual_seed(seed)
    x, _ = objects(2, grid, generator=generator)
    a = blurred_intensity(x, WIDTHS[:, :ndim], ndim=ndim).sqrt()
    a = (a * (1 + 0.05 * torch.rand(a.shape, generator=generator, dtype=DOUBLE))).to(dtype)
    valid = torch.rand(a.shape, generator=generator) > 0.1
    return a.where(valid, torch.nan), {"valid": valid, "ndim": ndim}


def in_pieces(*args, **options):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phasing, "is_reached", lambda *_: False)
        return reconstruct(*args, **options)


def check_same(done, expected, ndim, tolerance):
    images = (x.found.object.flatten(0, 1) for x in (done, expected))
    assert relative(*images, ndim) < tolerance
    assert torch.equal(done.found.support, expected.found.support)
    for name in ("error", "history"):
        mine, theirs = getattr(done.found, name), getattr(expected.found, name)
        torch.testing.assert_close(mine, theirs, rtol=tolerance, atol=0)
    torch.testing.assert_close(done.blur, expected.blur, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("fit", [True, False])
@pytest.mark.parametrize("dtype", [DOUBLE, torch.float32])
@pytest.mark.parametrize("grid", GRIDS)
def test_it_is_the_phasing_in_pieces(grid, dtype, fit):
    a, options = problem(grid, dtype)
    if not fit:
        options["blur"] = WIDTHS[:, None, : len(grid)]
    options |= {"first": 4, "every": 2, "starts": 2, "seed": 3}
    schedule = "9*ER+5*HIO+3*RAAR+2*DM+2*ER"  # the last record is not at the end
    rule = {"every": 3, "sigma": 1.0, "sigma_min": 0.5, "decay": 0.8, "area": (0.4, 0.2)}
    rule = symbreak.Shrinkwrap(**rule, hold=8)
    done = reconstruct(a, schedule, shrinkwrap=rule, **options)
    expected = in_pieces(a, schedule, shrinkwrap=rule, **options)
    assert done.found.history.shape == (2, 2, 10)
    check_same(done, expected, len(grid), 1e-10 if dtype == DOUBLE else 1e-3)


@pytest.mark.parametrize("schedule", ["8*ER", "7*ER", "4*ER", "3*ER", "9*ER"])
def test_it_ends_like_them_wherever_the_schedule_does(schedule):
    a, options = problem((24, 24), DOUBLE)
    options |= {"first": 4, "every": 4}
    done, expected = (f(a, schedule, **options) for f in (reconstruct, in_pieces))
    check_same(done, expected, 2, 1e-10)


@given(seed=st.integers(0, 2**31), first=st.integers(1, 3), every=st.integers(1, 5))
def test_corrections_come_when_they_are_asked_for(seed, first, every):
    a, options = problem((16, 18), DOUBLE, seed)
    options |= {"first": first * every, "every": every, "shrinkwrap": None}
    done, expected = (f(a, "14*ER", **options) for f in (reconstruct, in_pieces))
    check_same(done, expected, 2, 1e-8)


@pytest.mark.parametrize("grid", [(24, 26), (16, 18, 20)])
def test_no_step_of_the_widths_is_long(grid):
    ndim = len(grid)
    x, inside = objects(1, grid, generator=torch.Generator().manual_seed(1))
    a = blurred_intensity(x, torch.tensor([1.5, 1.2, 0.3][:ndim], dtype=DOUBLE), ndim=ndim).sqrt()
    options = {"support": inside, "initial": x, "shrinkwrap": None, "ndim": ndim}
    options |= {"first": 1, "every": 1}
    for count in (2, 3, 4):
        done, expected = (f(a, f"{count}*ER", **options) for f in (reconstruct, in_pieces))
        check_same(done, expected, ndim, 1e-9)
        if count == 2:  # of the first correction, from 0.0025
            assert float(done.blur.square().max()) == pytest.approx(0.5025)


def test_units_to_the_end_of_the_range_change_nothing():
    a, options = problem((24, 20), torch.float32)
    one = reconstruct(a, "12*ER", first=4, every=2, **options)
    for power in (-120, 120):
        other = reconstruct(2.0**power * a, "12*ER", first=4, every=2, **options)
        assert torch.equal(one.blur, other.blur)
        assert torch.equal(one.found.history, other.found.history)


def test_an_object_that_is_zero_is_held_to_what_was_measured():
    # A point keeps its place under P_M of a flat pattern; the support does not hold it. Later
    # rounding is all that the support holds, which tells nothing.
    a = torch.full((16, 16), 3.0)
    initial = torch.zeros(16, 16, dtype=torch.complex64)
    initial[0, 0] = 3
    inside = torch.ones(16, 16, dtype=torch.bool)
    inside[0, 0] = False
    options = {"initial": initial, "support": inside, "shrinkwrap": None}
    done = reconstruct(a, "2*HIO", first=1, every=1, **options)
    torch.testing.assert_close(done.found.error, torch.ones(1))
    torch.testing.assert_close(done.blur, torch.full((1, 2), 0.05, dtype=DOUBLE))
    expected = symbreak.reconstruct(a, "2*HIO", **options).object
    assert abs(complex(expected[0, 0, 0]) + 2.4) < 1e-5
    assert torch.equal(done.found.object, expected)


def test_the_number_of_threads_changes_no_bit():
    for grid in ((48, 40), (16, 24, 18)):
        a, options = problem(grid, torch.float32)
        options |= {"first": 4, "every": 2, "starts": 2}
        found = []
        for count in (1, 2, 3):
            with threads(count):  # three: one image is left to share
                found.append(reconstruct(a, "8*ER+6*HIO", **options))
        for other in found[1:]:
            assert torch.equal(found[0].blur, other.blur)
            assert all(map(torch.equal, found[0].found, other.found))


PROGRAM = """
import torch, symbreak
from symbreak.coherence import blurred_intensity, reconstruct
torch.manual_seed(0)
for size, padded in (((9, 12), (20, 26)), ((6, 5, 7), (16, 18, 20))):
    for dtype in (torch.float32, torch.float64):
        ndim = len(size)
        x = torch.zeros(2, *padded, dtype=dtype.to_complex())
        x[(slice(None), *(slice(n) for n in size))] = torch.randn(2, *size, dtype=x.dtype)
        a = blurred_intensity(x, torch.tensor([0.5] * ndim), ndim=ndim).sqrt()
        r = reconstruct(
            a, "9*ER+5*HIO", first=4, every=2, seed=1, support=x != 0, shrinkwrap=None, ndim=ndim
        )
        numbers = [*r.found.history.flatten().tolist(), *r.blur.flatten().tolist()]
        print(symbreak.build_info()["cpu_isa"], *numbers)
"""


def run_program(**environment):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        # One thread: beside other tests, torch's threads mostly wait for one another.
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return [line.split() for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def general():
    return run_program(SYMBREAK_CPU_ENGINE="general")


@pytest.mark.parametrize("isa", ISAS)
def test_every_instruction_set_of_this_machine_gives_the_same(general, isa):
    if isa not in symbreak.build_info()["cpu_isas"]:
        pytest.skip(f"this machine or build has no {isa}")
    for mine, theirs in zip(run_program(SYMBREAK_CPU_ISA=isa), general, strict=True):
        assert mine[0] == isa
        expected = pytest.approx([float(value) for value in theirs[1:]], rel=1e-3)
        assert [float(value) for value in mine[1:]] == expected


def op_arguments():
    a, _ = problem((16, 18), torch.float32)
    a = a.nan_to_num(0.0)
    variances = torch.full((2, 1, 2), 0.1, dtype=DOUBLE)
    dark = torch.stack([dark_amplitude(x) for x in a]).double()
    return [a, variances, dark, "4*ER"], {"first": 2, "every": 2}


def test_the_op_is_one_to_torch_and_its_arguments_stay_as_they_are():
    arguments, options = op_arguments()
    before = [x.clone() for x in arguments[:3]]
    op = torch.ops.symbreak.reconstruct_blurred.default
    torch.library.opcheck(op, arguments, options)
    assert all(map(torch.equal, arguments[:3], before))


def test_it_has_no_gradient():
    arguments, options = op_arguments()
    arguments[0].requires_grad_()
    error = torch.ops.symbreak.reconstruct_blurred(*arguments, **options)[2]
    with pytest.raises(RuntimeError, match="reconstruct_blurred is not differentiable"):
        error.sum().backward()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"first": 3}, "every must be at least 1, and first a multiple of it"),
        ({"every": 0}, "every must be at least 1"),
        ({"first": 0}, "first a multiple of it"),
        ({"variances": torch.ones(2, 1, 3, dtype=DOUBLE)}, "variances has the wrong device, shape"),
        ({"variances": torch.ones(2, 1, 2)}, "variances has the wrong device, shape or type"),
        ({"dark": torch.ones(3, dtype=DOUBLE)}, "dark has the wrong device, shape or type"),
        ({"starts": 0}, "starts must be at least 1"),
        ({"amplitude": torch.ones(2, 17, 18)}, "the grid has no fused transforms"),
    ],
)
def test_what_the_op_is_given_wrongly_is_refused(change, message):
    arguments, options = op_arguments()
    for place, name in enumerate(("amplitude", "variances", "dark")):
        arguments[place] = change.pop(name, arguments[place])
    with pytest.raises(RuntimeError, match=message):
        torch.ops.symbreak.reconstruct_blurred(*arguments, **{**options, **change})
