"""R factor, transfer function, and the comparison of starts."""

import math

import pytest
import torch
from conftest import blob

import symbreak
from symbreak.cross_validation import cross_validated_error
from symbreak.evaluation import compare_starts
from symbreak.ops.frequencies import frequency_radius
from symbreak.transfer import (
    TransferFunction,
    counting_log_likelihood,
    counting_r_factor,
    r_factor,
    transfer_function,
)

GRID = (24, 20)


def measured(generator, grid=GRID):
    x = blob(grid, ndim=len(grid), generator=generator, fill=0.4)
    return x, torch.fft.fftn(x).abs(), torch.ones(grid, dtype=torch.bool)


def test_r_factor_is_the_share_of_the_amplitude_that_is_wrong(generator):
    x, a, valid = measured(generator)
    assert r_factor(x, a, valid) < 1e-14
    assert r_factor(0 * x, a, valid) == 1
    stack = torch.stack([1.5 * x, 0.75 * x])
    torch.testing.assert_close(r_factor(stack, a, valid), torch.tensor([0.5, 0.25]).double())


@pytest.mark.parametrize("counts", [0.3, 1e4])
def test_what_chance_makes_of_the_r_factor(generator, counts):
    """The true object against counts drawn from its pattern, by a sum over the Poisson law."""
    x, a, valid = measured(generator, (48, 40))
    x = x * (counts / a.square().mean()).sqrt()
    mean = torch.fft.fftn(x).abs().double().square().flatten()
    if counts < 1:
        n = torch.arange(200, dtype=torch.float64)
        law = torch.exp(n * mean[:, None].log() - mean[:, None] - torch.lgamma(n + 1))
        roots = n.sqrt()
        expected = (law * (roots - mean[:, None].sqrt()).abs()).sum() / (law * roots).sum()
    else:  # sqrt(n) is nearly normal, of variance 1/4
        expected = len(mean) * math.sqrt(1 / (2 * math.pi)) / mean.sqrt().sum()
    found = counting_r_factor(x, valid)
    assert found == pytest.approx(float(expected), rel=0.05)
    assert found == counting_r_factor(x, valid)  # another run says the same
    assert found != counting_r_factor(x, valid, seed=1)


@pytest.mark.parametrize("counts", [0.3, 1e4])
def test_what_chance_makes_of_the_free_log_likelihood(generator, counts):
    x, a, free = measured(generator, (48, 40))
    x = x * (counts / a.square().mean()).sqrt()
    free[:5] = False
    mean = torch.fft.fftn(x).abs().double().square()[free]
    expected = 0.5
    if counts < 1:
        n = torch.arange(1, 200, dtype=torch.float64)
        law = torch.exp(n * mean[:, None].log() - mean[:, None] - torch.lgamma(n + 1))
        expected = float((law * n * (n.log() - mean[:, None].log())).sum() / len(mean))
    found = counting_log_likelihood(x, free)
    assert found == pytest.approx(expected, rel=0.1)
    assert found == counting_log_likelihood(x, free)
    assert found != counting_log_likelihood(x, free, seed=1)


@pytest.mark.parametrize("blur", [None, torch.tensor([0.3, 0.0])])
def test_dark_pixels_do_not_spoil_the_gradient(blur):
    """A square has columns of zeros in its pattern, also where it is blurred along them."""
    x = torch.zeros(64, 64, dtype=torch.complex128)
    x[:8, :8] = 1
    a = torch.full((64, 64), 3.0, dtype=torch.float64)
    everything = x.clone().requires_grad_()
    r_factor(everything, a, torch.ones(64, 64, dtype=torch.bool), blur=blur).backward()
    assert everything.grad.isfinite().all()
    valid = torch.fft.fft2(x).abs() > 1e-3  # near a zero differences say nothing about the slope
    expected = x.clone().requires_grad_()
    r_factor(expected, a, valid, blur=blur).backward()
    step = torch.zeros_like(x)
    step[:8, :8] = 1e-6 * torch.exp(1j * torch.linspace(0, 3, 64)).reshape(8, 8)
    change = r_factor(x + step, a, valid, blur=blur) - r_factor(x - step, a, valid, blur=blur)
    along = 2 * (expected.grad.conj() * step).real.sum()
    assert float(change) == pytest.approx(float(along), rel=1e-3)


@pytest.mark.parametrize("function", [counting_r_factor, counting_log_likelihood])
def test_chance_is_told_of_one_object(function):
    message = rf"{function.__name__}: estimate must be one object, got shape \(2, 8, 8\)"
    with pytest.raises(ValueError, match=message):
        function(torch.ones(2, 8, 8, dtype=torch.complex64), torch.ones(8, 8, dtype=torch.bool))


def test_r_factor_ignores_what_was_not_measured(generator):
    x, a, valid = measured(generator)
    valid[2:5] = False
    a[~valid] = float("nan")
    assert r_factor(x, a, valid) < 1e-14


@pytest.mark.parametrize("grid", [GRID, (9, 8, 7)])
def test_transfer_is_one_for_equal_starts_and_the_shells_are_complete(generator, grid):
    x, a, valid = measured(generator, grid)
    found = transfer_function(torch.stack([x, x]), a, valid, ndim=len(grid))
    torch.testing.assert_close(found.transfer, torch.ones_like(found.transfer))
    assert found.pixels.sum() == (frequency_radius(grid) <= 0.5).sum()
    assert found.frequency[0] == 0
    assert bool((found.frequency.diff() > 0).all())
    assert found.resolution() == 0.5


def test_transfer_of_random_phases_falls_with_the_root_of_their_number(generator):
    count, grid = 100, (64, 64)
    a = torch.ones(grid, dtype=torch.float64)
    phases = 2 * math.pi * torch.rand(count, *grid, dtype=torch.float64, generator=generator)
    starts = torch.fft.ifftn(torch.polar(torch.ones_like(phases), phases), dim=(-2, -1))
    found = transfer_function(starts, a, torch.ones(grid, dtype=torch.bool))
    # The mean of |sum of many random unit vectors| / count: Rayleigh, sqrt(pi / 4 / count).
    expected = math.sqrt(math.pi / 4 / count)
    assert float(found.transfer[5:].mean()) == pytest.approx(expected, rel=0.02)
    assert found.resolution() < 0.05


def test_transfer_sees_only_measured_pixels(generator):
    x, a, valid = measured(generator)
    valid[0, 0] = False
    a[0, 0] = float("nan")
    found = transfer_function(torch.stack([x, x]), a, valid)
    assert found.frequency[0] > 0
    torch.testing.assert_close(found.transfer, torch.ones_like(found.transfer))


def test_resolution_is_interpolated():
    frequency = torch.tensor([0.1, 0.2, 0.3, 0.4]).double()
    transfer = torch.tensor([1.0, float("nan"), 0.6, 0.2]).double()
    curve = TransferFunction(frequency, transfer, torch.ones(4))
    assert curve.resolution(0.5) == pytest.approx(0.325)
    assert curve.resolution(1.1) == pytest.approx(0.1)


def starts_of(x, generator):
    """Five members of x's orbit on the periodic grid, two of them twins, and a bad start."""
    flipped = torch.tensor([False, True, False, True, False])
    shift = torch.randint(-9, 10, (5, x.dim()), generator=generator)
    phase = torch.rand(5, dtype=torch.float64, generator=generator)
    objects = symbreak.apply_symmetry(
        x.expand(5, *x.shape), shift=shift, flipped=flipped, phase=phase, wrap=True, ndim=x.dim()
    )
    bad = torch.roll(torch.rot90(x, 2, (-2, -1)).abs() + 0j, 3, -1)
    return torch.cat([objects, bad[None]]), flipped


@pytest.mark.parametrize("grid", [GRID, (9, 8, 7)])
def test_starts_are_aligned_twins_told_and_the_good_ones_averaged(generator, grid):
    x, a, valid = measured(generator, grid)
    objects, flipped = starts_of(x, generator)
    feedback = objects.clone()
    feedback[objects == 0] = 5j  # outside the supports, as HIO leaves it
    error = torch.tensor([0.105, 0.1, 0.1001, 0.109, 0.104, 0.3])
    found = compare_starts(feedback, objects != 0, error, a, valid, ndim=len(grid))
    assert found.best == 1
    assert found.good.tolist() == [True] * 5 + [False]
    assert found.twin[:5].tolist() == (flipped != flipped[1]).tolist()
    assert bool((found.distance[:5] < 1e-20).all())
    assert found.distance[5] > 0.1
    torch.testing.assert_close(found.objects[:5], found.objects[1].expand(5, *grid))
    torch.testing.assert_close(found.mean, found.objects[1])
    assert bool((found.supports[:5] == (found.objects[1].abs() > 1e-9)).all())
    assert bool((found.r_factor[:5] < 1e-13).all())
    torch.testing.assert_close(found.transfer.transfer, torch.ones_like(found.transfer.transfer))


def test_the_twin_that_is_shown_does_not_depend_on_the_starts(generator):
    x, a, valid = measured(generator)
    objects, _ = starts_of(x, generator)
    shown = []
    for best in range(4):
        error = torch.full((6,), 0.2)
        error[best] = 0.1
        shown.append(compare_starts(objects, objects != 0, error, a, valid).objects[best])
    for other in shown[1:]:
        torch.testing.assert_close(other, shown[0])


def test_a_support_with_more_unknowns_than_data_is_never_best(generator):
    x, a, valid = measured(generator)
    objects, _ = starts_of(x, generator)
    supports = objects != 0
    supports[3] = True
    error = torch.tensor([0.2, 0.2, 0.2, 0.0, 0.2, 0.2])
    found = compare_starts(objects, supports, error, a, valid)
    assert found.determined.tolist() == [True, True, True, False, True, True]
    assert found.best == 0
    assert not found.good[3]
    alone = compare_starts(objects[3:4], supports[3:4], error[3:4], a, valid)
    assert alone.best == 0
    assert alone.good.tolist() == [True]


def free_problem(generator):
    """Starts of which each misses the pattern more than the one before it, and free pixels."""
    x, a, valid = measured(generator)
    valid[3] = False
    free = symbreak.free_pixels(GRID, valid=valid, radius=1, fraction=0.2)
    objects = torch.stack([x * (1 + 0.05 * k) for k in range(5)])
    return objects, objects != 0, a, valid, free


def test_the_cross_validated_error_ranks_the_starts(generator):
    objects, supports, a, valid, free = free_problem(generator)
    supports[4, :4] = True  # a loose support, of the smallest error
    error = torch.tensor([0.5, 0.4, 0.21, 0.2, 0.19])
    for hidden in (None, free):
        found = compare_starts(objects, supports, error, a, valid, free=hidden)
        seen = valid if hidden is None else valid & ~hidden
        expected = cross_validated_error(error, supports, seen)
        assert torch.equal(found.criterion, expected)
        assert torch.equal(found.cross_validated, expected)
        assert (error.argmin(), expected.argmin(), found.best) == (4, 3, 3)
        assert found.good.tolist() == (expected <= 1.1 * expected[3]).tolist()
        assert found.good.tolist() == [False, False, True, True, False]
    assert torch.equal(found.free_log_likelihood, symbreak.free_log_likelihood(objects, a, free))


def test_free_pixels_are_not_seen_by_the_other_figures(generator):
    objects, supports, a, valid, free = free_problem(generator)
    error = torch.arange(1.0, 6.0)
    alone = compare_starts(objects, supports, error, a, valid & ~free)
    found = compare_starts(objects, supports, error, a, valid, free=free)
    assert alone.free_log_likelihood is None
    assert alone.counting_free is None
    assert torch.equal(found.r_factor, alone.r_factor)
    assert torch.equal(found.transfer.transfer, alone.transfer.transfer)
    assert found.counting_r == alone.counting_r
    expected = counting_log_likelihood(alone.objects[alone.best], free)
    assert found.counting_free == pytest.approx(expected, rel=1e-3)


def test_a_start_that_is_not_finite_loses(generator):
    x, a, valid = measured(generator)
    objects, _ = starts_of(x, generator)
    objects[0] = float("nan")
    error = torch.tensor([float("nan"), 0.2, 0.1, 0.1, 0.1, 0.9])
    found = compare_starts(objects, objects != 0, error, a, valid)
    assert found.best == 2
    assert not found.good[0]
    assert bool(found.mean.isfinite().all())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"objects": torch.ones(4, 4, dtype=torch.complex64)}, r"must be \(starts, \*grid\)"),
        ({"factor": 0.5}, "factor must be >= 1, got 0.5"),
        ({"error": torch.tensor([float("nan")])}, "no start has a finite error"),
        ({"valid": torch.ones(3, 4, dtype=torch.bool)}, "valid must have the grid of objects"),
    ],
)
def test_bad_arguments(change, message):
    arguments = {
        "objects": torch.ones(1, 4, 4, dtype=torch.complex64),
        "supports": torch.ones(1, 4, 4, dtype=torch.bool),
        "error": torch.zeros(1),
        "amplitude": torch.ones(4, 4),
        "valid": torch.ones(4, 4, dtype=torch.bool),
        **change,
    }
    with pytest.raises(ValueError, match=message):
        compare_starts(**arguments)
