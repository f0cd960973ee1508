"""reconstruct: the iteration against the reference, over sizes, types and masks."""

from dataclasses import asdict
from functools import partial

import pytest
import torch
from conftest import strided
from phasing_problems import (
    FIRST_SUPPORTS,
    first_support,
    in_parts,
    noisy_patterns,
    oracle,
    relative,
    relative_each,
)

import symbreak
from symbreak.ops.shrinkwrap import Shrinkwrap
from symbreak.reference.reconstruct import update_support

TYPES = (torch.float32, torch.float64)
# After 10 iterations, or 100 of ER; HIO, RAAR and DM are chaotic, and part later.
TOLERANCE = {torch.float32: 1e-3, torch.float64: 1e-10}
GRIDS = [(24, 24), (15, 22), (13, 9), (8, 9, 10)]


@pytest.fixture
def measured(generator):
    return partial(noisy_patterns, generator=generator)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("schedule", ["10*HIO", "10*RAAR", "10*DM", "100*ER", "4*HIO+3*ER+3*DM"])
def test_equals_the_reference(device, measured, dtype, grid, schedule):
    ndim = len(grid)
    a, valid, inside = measured(grid, dtype)
    a[~valid] = torch.nan  # whatever stands there is ignored
    expected = oracle(
        a, schedule, valid=valid, support=inside.expand(2, 3, *grid), shrinkwrap=None, starts=3,
        seed=7, ndim=ndim, record_every=4, beta=0.8,
    )  # fmt: skip
    found = symbreak.reconstruct(
        a.to(device), schedule, valid=valid.to(device), support=inside.to(device),
        shrinkwrap=None, starts=3, seed=7, ndim=ndim, record_every=4, beta=0.8,
    )  # fmt: skip
    object_, support, error, history = (x.cpu() for x in found)
    assert object_.dtype == torch.complex(a, a).dtype
    assert error.dtype == history.dtype == dtype
    # Where an image has a dark pixel in its spectrum, rounding errors grow a hundredfold there.
    differences = relative_each(object_, expected[0], ndim)
    assert differences.median() < TOLERANCE[dtype]
    assert differences.max() < 100 * TOLERANCE[dtype]
    assert torch.equal(support, expected[1])
    torch.testing.assert_close(error.double(), expected[2], rtol=20 * TOLERANCE[dtype], atol=1e-9)
    torch.testing.assert_close(history.double(), expected[3], rtol=20 * TOLERANCE[dtype], atol=1e-9)


@pytest.mark.parametrize("grid", [*GRIDS, (24, 20, 16)])
def test_without_zero_frequency_first_supports_are_small(device, measured, grid):
    ndim = len(grid)
    a, valid, _ = measured(grid, torch.float64)
    a, valid = a.to(device), valid.to(device)
    for rule, zero, part in FIRST_SUPPORTS:
        valid[(..., *(0,) * ndim)] = zero
        options = {"valid": valid, "shrinkwrap": rule, "starts": 2}
        found = symbreak.reconstruct(a, "ER", ndim=ndim, **options)
        assert torch.equal(found.support, first_support(a, valid, part, 2, ndim))
        assert oracle(a.cpu(), "ER", **options | {"valid": valid.cpu()}, ndim=ndim)[1].equal(
            found.support.cpu()
        )


def test_where_zero_frequency_is_saturated_the_first_support_is_large(device, measured):
    a, valid, _ = measured((24, 24), torch.float64)
    a, valid = a.to(device), valid.to(device)
    saturated = torch.zeros_like(valid)
    saturated[..., 0, 0] = True
    found = symbreak.reconstruct(a, "ER", valid=valid & ~saturated, saturated=saturated)
    assert torch.equal(found.support, first_support(a, valid | saturated, 0.04, 1, 2))


@pytest.mark.parametrize("grid", [(32, 32), (15, 44), (20, 20, 16)])
@pytest.mark.parametrize("width", [1.0, 1.5, 2.0, 3.0])
def test_a_spike_is_no_first_support(device, grid, width):
    """The autocorrelation is one bright pixel on a foot of this width."""
    ndim = len(grid)
    n = torch.meshgrid(*(torch.fft.fftfreq(n).double() * n for n in grid), indexing="ij")
    autocorrelation = 0.08 * torch.exp(-torch.stack(n).square().sum(0) / 2 / width**2)
    autocorrelation[(0,) * ndim] = 1
    a = torch.fft.fftn(autocorrelation).real.sqrt().to(device).expand(2, *grid).contiguous()
    valid = torch.ones(grid, dtype=torch.bool, device=device)
    valid[(0,) * ndim] = False
    small, large = (first_support(a, valid, part, 2, ndim) for part in (0.15, 0.04))
    is_spike = 10 * int(small.sum()) < int(large.sum())
    assert int(small.sum()) == 4
    assert is_spike == (width > 1.5 or (width, ndim) == (1.5, 3))
    found = symbreak.reconstruct(a, "ER", valid=valid, starts=2, ndim=ndim)
    assert torch.equal(found.support, large if is_spike else small)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize(
    "rule",
    [
        Shrinkwrap(every=3, sigma=1.2, sigma_min=0.7, decay=0.5, threshold=0.3),
        Shrinkwrap(every=2, sigma=0.8, sigma_min=0.0, area=0.2),
        Shrinkwrap(every=3, sigma=1.0, sigma_min=1.0, area=(0.4, 0.1)),
        Shrinkwrap(every=10, area=0.1),  # never: not after the last iteration
        Shrinkwrap(every=6, sigma_min=1.0, area=(0.3, 0.2)),  # a lone update
        Shrinkwrap(every=2, sigma=1.0, sigma_min=0.5, area=(0.4, 0.1), hold=4),
        Shrinkwrap(every=3, sigma=1.2, sigma_min=0.7, decay=0.5, threshold=0.5, hold=5),
        Shrinkwrap(every=1, area=0.1, hold=10),  # never
        Shrinkwrap(every=3, sigma=0.8, sigma_min=0.4, threshold=0.6, relative_to="rms"),
        Shrinkwrap(every=2, sigma=4.0, sigma_min=0.4, decay=0.3, threshold=0.95, relative_to="rms"),
        Shrinkwrap(every=2, sigma=1.0, sigma_min=0.5, area=0.3, relative_to="rms"),
    ],
)
def test_shrinkwrap_equals_the_reference(device, measured, grid, rule):
    a, valid, _ = measured(grid, torch.float64)
    options = {"valid": valid, "shrinkwrap": rule, "starts": 2, "ndim": len(grid)}
    expected = oracle(a, "10*HIO", **options)
    found = symbreak.reconstruct(a.to(device), "10*HIO", **{**options, "valid": valid.to(device)})
    assert torch.equal(found.support.cpu(), expected[1])
    assert relative(found.object.cpu(), expected[0], len(grid)) < TOLERANCE[torch.float64]
    torch.testing.assert_close(found.error.cpu(), expected[2], rtol=1e-9, atol=0)


@pytest.mark.parametrize("grid", [(24, 24), (13, 9)])
@pytest.mark.parametrize("counts", [(3, 4, 3), (1, 5, 4), (9, 1)])
@pytest.mark.parametrize("hold", [0, 4])
def test_parts_of_a_schedule_make_the_whole(device, measured, grid, counts, hold):
    a, valid, _ = measured(grid, torch.float64)
    rule = Shrinkwrap(every=3, sigma=1.2, sigma_min=0.2, decay=0.5, area=(0.4, 0.1), hold=hold)
    options = {"valid": valid, "shrinkwrap": rule, "starts": 2}
    expected = oracle(a, "10*HIO", **options)
    options["valid"] = valid.to(device)
    found = in_parts(symbreak.reconstruct, a.to(device), "HIO", counts, **options)
    assert torch.equal(found.support.cpu(), expected[1])
    assert relative(found.object.cpu(), expected[0]) < TOLERANCE[torch.float64]
    torch.testing.assert_close(found.error.cpu(), expected[2], rtol=1e-9, atol=0)


@pytest.mark.parametrize("hold", [1, 4, 5])
def test_the_last_iterations_hold_the_support(device, measured, hold):
    a, _, _ = measured((24, 24), torch.float64)
    a = a.to(device)
    rule = {"every": 2, "sigma": 1.0, "sigma_min": 0.5, "decay": 0.8}
    found = symbreak.reconstruct(a, "11*HIO", shrinkwrap=Shrinkwrap(**rule, hold=hold))
    begin = 11 - hold
    first = symbreak.reconstruct(a, f"{begin}*HIO", shrinkwrap=Shrinkwrap(**rule), part=(0, hold))
    last = symbreak.reconstruct(
        a[:, None], f"{hold}*HIO", shrinkwrap=None, support=first.support, initial=first.object
    )
    assert torch.equal(found.support, first.support)
    assert relative(found.object.cpu(), last.object[:, 0].cpu()) < TOLERANCE[torch.float64]
    going_on = symbreak.reconstruct(a, "11*HIO", shrinkwrap=Shrinkwrap(**rule))
    assert torch.equal(found.support, going_on.support) == (hold == 1)


def test_a_part_records_its_own_iterations(device, measured):
    a, _, _ = measured((15, 22), torch.float64)
    options = {"shrinkwrap": None, "record_every": 2, "part": (3, 5)}
    found = symbreak.reconstruct(a.to(device), "5*HIO", **options)
    torch.testing.assert_close(found.history.cpu(), oracle(a, "5*HIO", **options)[3])
    assert found.history.shape == (2, 1, 2)


@pytest.mark.parametrize("dtype", TYPES)
def test_area_keeps_exactly_the_pixels(device, measured, dtype):
    a, _, _ = measured((15, 22), dtype)
    for area, kept in ((0.1, 33), (0.5, 165), (1.0, 330), (1e-6, 1)):
        rule = Shrinkwrap(every=2, area=area)
        found = symbreak.reconstruct(a.to(device), "3*HIO", shrinkwrap=rule, starts=4)
        assert found.support.sum((-2, -1)).unique().tolist() == [kept]


def test_error_of_er_never_increases(device, measured):
    a, valid, inside = measured((24, 24), torch.float64)
    found = symbreak.reconstruct(
        a.to(device), "200*ER", valid=valid.to(device), support=inside.to(device), starts=8,
        shrinkwrap=None, record_every=1,
    )  # fmt: skip
    # With every pixel measured this is a theorem (Fienup 1982); a pixel that is free drops out of
    # the error, not of the distance, so the theorem is asked of the complete pattern.
    complete = symbreak.reconstruct(
        a.to(device), "200*ER", support=inside.to(device), starts=8, shrinkwrap=None, record_every=1
    )
    assert complete.history.shape == (2, 8, 200)
    steps = complete.history.diff(dim=-1)
    assert steps.max() <= 1e-14
    assert (complete.history[..., -1] < 0.9 * complete.history[..., 0]).all()
    assert (found.history[..., -1] < found.history[..., 0]).all()


def test_history_is_the_error_of_shorter_runs(device, measured):
    a, valid, _ = measured((15, 22), torch.float32)
    a, valid = a.to(device), valid.to(device)
    rule = Shrinkwrap(every=4, sigma=1.5, sigma_min=1.5)
    options = {"valid": valid, "shrinkwrap": rule, "starts": 2}
    whole = symbreak.reconstruct(a, "3*(3*HIO+2*ER)", record_every=4, **options)
    assert whole.history.shape == (2, 2, 3)
    for j, schedule in enumerate(("3*HIO+ER", "3*HIO+2*ER+3*HIO", "2*(3*HIO+2*ER)+2*HIO")):
        part = symbreak.reconstruct(a, schedule, **options)
        assert torch.equal(whole.history[..., j], part.error)
        assert part.history.shape == (2, 2, 0)


def test_error_is_what_its_definition_says(device, measured):
    a, valid, _ = measured((15, 22), torch.float64)
    found = symbreak.reconstruct(a.to(device), "7*HIO", valid=valid.to(device), starts=2)
    inside = torch.where(found.support, found.object, 0).cpu()
    residual = (torch.fft.fft2(inside).abs() - a[:, None])[valid[:, None].expand(2, 2, 15, 22)]
    power = a.where(valid, 0).square().sum((-2, -1))
    expected = (residual**2).reshape(-1).sum() / power[0]
    alone = (found.error.cpu() ** 2 * (power / power[0])[:, None]).sum()
    torch.testing.assert_close(alone, expected)


def test_initial_support_and_valid_broadcast(device, measured):
    a, valid, inside = (x.to(device) for x in measured((15, 22), torch.float32))
    x = torch.randn(15, 22, dtype=torch.complex64, device=device)
    run = lambda **options: symbreak.reconstruct(a, "5*HIO", shrinkwrap=None, **options)  # noqa: E731
    full = run(
        initial=x.expand(2, 3, 15, 22), support=inside.expand(2, 3, 15, 22), starts=3,
        valid=valid[0].expand(2, 15, 22),
    )  # fmt: skip
    short = run(initial=x, support=inside[None], valid=strided(valid[0]), starts=3)
    assert torch.equal(short.object, full.object)
    per_start = torch.stack([x, 2 * x, -x])
    assert torch.equal(
        run(initial=per_start[None], support=inside, starts=3).object[:, 1],
        run(initial=2 * x, support=inside).object[:, 0],
    )
    per_item = torch.stack([x, 1j * x])
    assert torch.equal(
        run(initial=per_item, support=inside, starts=2).object[1, 1],
        symbreak.reconstruct(a[1], "5*HIO", shrinkwrap=None, initial=1j * x, support=inside).object[
            0
        ],
    )


@pytest.mark.parametrize("scale", [2.0**-100, 2.0**100])
def test_units_do_not_matter(device, measured, scale):
    # Squares of such amplitudes are no float32 numbers.
    a, valid, _ = (x.to(device) for x in measured((13, 9), torch.float32))
    here = symbreak.reconstruct(a, "9*HIO+3*DM", valid=valid, starts=2)
    there = symbreak.reconstruct(scale * a, "9*HIO+3*DM", valid=valid, starts=2)
    assert torch.equal(there.object, scale * here.object)
    assert torch.equal(there.error, here.error)


def test_black_spectrum_stays_black(device):
    a = torch.ones(6, 6, device=device)
    x = torch.ones(6, 6, dtype=torch.complex64, device=device)  # F x = 0 but at the origin
    full = torch.ones(6, 6, dtype=torch.bool, device=device)
    found = symbreak.reconstruct(a, "ER", initial=x, support=full, shrinkwrap=None)
    torch.testing.assert_close(found.object[0], x / 36)


def supported_by(device, x, **rule):
    """The support that one update makes of ``x``, which ER leaves as it is."""
    inside = x != 0
    found = symbreak.reconstruct(
        torch.fft.fftn(x).abs().to(device),
        "2*ER",
        initial=x.to(device)[None],
        support=inside.to(device)[None],
        shrinkwrap=Shrinkwrap(**{"every": 1, **rule}),
    )
    return found.support[0].cpu()


def test_a_bright_pixel_moves_the_maximum_and_not_the_root_mean_square(device):
    x = torch.zeros(24, 24, dtype=torch.complex128)
    x[4:14, 4:14] = 1
    plain, rule = x.abs() > 0, {"sigma": 0.6, "sigma_min": 0.6, "threshold": 0.4}
    for relative_to in ("max", "rms"):
        assert torch.equal(supported_by(device, x, **rule, relative_to=relative_to), plain)
    x[8, 8] = 6
    assert supported_by(device, x, **rule).sum() < 10
    assert torch.equal(supported_by(device, x, **rule, relative_to="rms"), plain)


def test_relative_to_the_root_mean_square_a_support_is_never_empty(device):
    x = torch.zeros(24, 24, dtype=torch.complex128)
    x[8, 9] = 1  # blurred to less than 0.02
    rule = {"sigma": 3.0, "sigma_min": 3.0, "threshold": 0.4}
    small = supported_by(device, x, **rule, relative_to="rms")
    assert 0 < small.sum() < 60
    assert torch.equal(small, supported_by(device, x, **rule))


def test_relative_to_the_root_mean_square_a_loose_support_does_not_stay_loose(device):
    x = torch.full((24, 24), 0.01, dtype=torch.complex128)  # inside all of it
    x[8, 8], x[16, 4] = 30, 10
    rule = {"sigma": 0.6, "sigma_min": 0.6, "relative_to": "rms"}
    least = supported_by(device, x, sigma=0.6, sigma_min=0.6, threshold=0.6 / 3)
    assert 1 < least.sum() < 10
    rule = Shrinkwrap(every=1, threshold=0.6, **rule)
    assert torch.equal(supported_by(device, x, **asdict(rule)), least)
    assert torch.equal(update_support(x, x != 0, rule, 0, 1), least)
