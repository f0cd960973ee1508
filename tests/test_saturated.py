"""Saturated pixels, whose amplitude is the least that it can be: against the reference."""

import pytest
import torch
from phasing_problems import amplitudes, objects, oracle, relative

import symbreak
from symbreak.cross_validation import cross_validated_error
from symbreak.data import crystals
from symbreak.ops.shrinkwrap import Shrinkwrap
from symbreak.supports import choose

GRIDS = [(24, 24), (16, 20), (15, 22), (8, 9, 10), (16, 18, 16)]
SCHEDULES = ["6*ER", "6*HIO", "6*RAAR", "6*DM", "3*HIO+2*DM+2*RAAR+3*ER"]


def problem(grid, generator, items=2, dtype=torch.float64):
    """Amplitudes of which a tenth is saturated at a level, some not measured, and the supports."""
    x, inside = objects(items, grid, generator=generator)
    a = amplitudes(x, len(grid))
    a = a * (1 + 0.05 * torch.rand(a.shape, dtype=a.dtype, generator=generator))
    level = a.flatten(-len(grid)).quantile(0.9, -1).reshape(-1, *[1] * len(grid))
    saturated = a > level
    valid = torch.rand(a.shape, generator=generator) > 0.05
    a = torch.where(saturated, level, a)
    a[~valid & ~saturated] = torch.nan
    return a.to(dtype), valid, saturated, inside


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("limit", [None, 1.0])
def test_equals_the_reference(device, generator, grid, schedule, limit):
    a, valid, saturated, _ = problem(grid, generator)
    options = {"starts": 2, "ndim": len(grid), "record_every": 2, "phase_limit": limit}
    options["shrinkwrap"] = Shrinkwrap(every=4, sigma=1.0, sigma_min=0.5, threshold=0.3)
    expected = oracle(a, schedule, valid=valid, saturated=saturated, **options)
    found = symbreak.reconstruct(
        a.to(device), schedule, valid=valid.to(device), saturated=saturated.to(device), **options
    )
    assert torch.equal(found.support.cpu(), expected[1])
    assert relative(found.object.cpu(), expected[0], len(grid)) < 1e-8
    torch.testing.assert_close(found.error.cpu(), expected[2], rtol=1e-7, atol=0)
    torch.testing.assert_close(found.history.cpu(), expected[3], rtol=1e-7, atol=0)


def test_the_least_holds_whatever_valid_says(device, generator):
    a, valid, saturated, _ = (x.to(device) for x in problem((24, 24), generator))
    options = {"shrinkwrap": None, "starts": 2, "saturated": saturated}
    one, other = (
        symbreak.reconstruct(a, "9*HIO", valid=v, **options) for v in (valid, valid & ~saturated)
    )
    assert torch.equal(one.object, other.object)
    assert torch.equal(one.error, other.error)


def test_where_nothing_is_saturated_nothing_changes(device, generator):
    a, valid, _, _ = (x.to(device) for x in problem((24, 24), generator, dtype=torch.float32))
    nothing = torch.zeros_like(valid)
    options = {"valid": valid, "starts": 2}
    for schedule in ("9*HIO", "4*DM"):
        plain = symbreak.reconstruct(a, schedule, **options)
        found = symbreak.reconstruct(a, schedule, saturated=nothing, **options)
        assert torch.equal(found.object, plain.object)


def test_a_least_of_0_says_nothing(device, generator):
    a, valid, saturated, _ = (x.to(device) for x in problem((24, 24), generator))
    options = {"shrinkwrap": None, "starts": 2}
    free = symbreak.reconstruct(a, "9*HIO", valid=valid & ~saturated, **options)
    none = symbreak.reconstruct(
        a.where(~saturated, 0), "9*HIO", valid=valid, saturated=saturated, **options
    )
    assert torch.equal(free.object, none.object)


def test_a_larger_amplitude_is_left_alone_and_a_smaller_one_raised(device):
    x = torch.randn(16, 16, dtype=torch.complex128, generator=torch.Generator().manual_seed(3))
    spectrum = torch.fft.fft2(x)
    a, saturated = spectrum.abs(), torch.zeros(16, 16, dtype=torch.bool)
    saturated[2, 3] = saturated[4, 5] = saturated[0, 0] = True
    a[2, 3] *= 0.5  # |X| is twice the least
    a[4, 5] *= 3.0
    a[0, 0] = 1e9  # far above all that was measured
    expected = spectrum.clone()
    expected[4, 5] *= 3
    expected[0, 0] *= 1e9 / spectrum[0, 0].abs()
    found = symbreak.reconstruct(
        a.to(device),
        "ER",
        saturated=saturated.to(device),
        initial=x.to(device),
        support=torch.ones_like(saturated, device=device),
        shrinkwrap=None,
    )
    torch.testing.assert_close(
        torch.fft.fft2(found.object[0].cpu()), expected, rtol=1e-9, atol=1e-5
    )
    # It is no part of the error, neither of the misfit nor of what that is divided by.
    assert found.error < 1e-6


@pytest.mark.parametrize("grid", [(16, 16), (15, 22)])
def test_a_least_far_above_all_that_was_measured_is_within_range(device, generator, grid):
    a, valid, saturated, _ = problem(grid, generator, dtype=torch.float32)
    a = torch.where(saturated, a.new_tensor(1e25), a).to(device)
    options = {"valid": valid.to(device), "saturated": saturated.to(device), "starts": 2}
    found = symbreak.reconstruct(a, "20*HIO+5*ER", shrinkwrap=None, **options)
    assert found.object.isfinite().all()
    spectrum = torch.fft.fft2(found.object / 1e25)  # within what squares can be of
    assert spectrum.abs()[saturated[:, None].expand(spectrum.shape)].max() > 0.1


def test_wrong_arguments(device, generator):
    a, valid, saturated, _ = (x.to(device) for x in problem((16, 16), generator))
    phase = symbreak.reconstruct
    with pytest.raises(TypeError, match=r"reconstruct: saturated must be bool, got float32"):
        phase(a, saturated=saturated.float())
    with pytest.raises(ValueError, match=r"saturated must be broadcastable to \(2, 16, 16\)"):
        phase(a, saturated=saturated[:, :8])
    with pytest.raises(ValueError, match=r"valid and saturated must leave at least one measured"):
        phase(a.nan_to_num(1), saturated=torch.ones_like(saturated))
    for wrong in (-1.0, torch.nan, torch.inf):
        broken = a.clone()
        broken[1][saturated[1]] = wrong
        with pytest.raises(ValueError, match=r"that a saturated pixel has at least, .* in item 1"):
            phase(broken, valid=valid, saturated=saturated)
    with pytest.raises(RuntimeError, match="saturated has the wrong device, shape or type"):
        torch.ops.symbreak.reconstruct(a, "ER", saturated=saturated[0])


def test_compiled_code_and_a_shared_mask(device, generator):
    a, _, saturated, _ = (x.to(device) for x in problem((16, 16), generator))
    a, over = a.nan_to_num(1), saturated[0]

    def phase(a):
        return symbreak.reconstruct(a, "9*ER", saturated=over).object.abs()

    compiled = torch.compile(phase, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(a), phase(a))
    alone = symbreak.reconstruct(a[1], "9*ER", saturated=over).object.abs()
    assert torch.equal(alone, phase(a)[1])


def test_the_support_is_chosen_with_the_least():
    a = symbreak.fourier_amplitude(crystals(1, 24)[0])
    over = a > a.flatten().topk(40).values[-1]
    a = torch.where(over, a[over].min(), a)
    schedule, options = "60*HIO+20*ER", {"starts": 2, "thresholds": (0.2, 0.3), "factors": ()}
    chosen = choose(a, schedule, saturated=over, **options)
    rule = chosen.trials[0].shrinkwrap
    found = symbreak.reconstruct(a, schedule, saturated=over, shrinkwrap=rule, starts=2)
    assert torch.equal(chosen.trials[0].pixels, found.support.flatten(1).sum(1))
    free = symbreak.reconstruct(a, schedule, valid=~over, shrinkwrap=rule, starts=2)
    assert not torch.equal(free.support, found.support)
    crossed = cross_validated_error(found.error, found.support, ~over)
    torch.testing.assert_close(chosen.trials[0].cross_validated, crossed.double())
    with pytest.raises(ValueError, match="saturated must be None where partly_coherent is True"):
        choose(a, saturated=over, partly_coherent=True)
