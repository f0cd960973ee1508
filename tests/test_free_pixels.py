"""Free pixels are islands of measured pixels off the middle; their likelihood is Poisson's."""

import math

import numpy as np
import pytest
import torch
from conftest import DEVICES, DTYPES, blob
from hypothesis import assume, given
from hypothesis import strategies as st

import symbreak
from symbreak.data import crystals, poisson_amplitude

SHAPES = st.lists(st.integers(6, 24), min_size=2, max_size=3).map(tuple)


def ball(radius, ndim):
    """Offsets of the pixels of an island from its centre."""
    steps = np.indices((2 * radius + 1,) * ndim).reshape(ndim, -1).T - radius
    return [step for step in steps if (step**2).sum() <= radius**2]


def allowed_pixels(shape, valid, exclude):
    """With zero frequency in the middle: measured, and at |k / M| >= exclude."""
    place = np.indices(shape)
    radius = sum(((p - n // 2) / n) ** 2 for p, n in zip(place, shape, strict=True)) ** 0.5
    return np.fft.fftshift(valid) & (radius >= exclude)


def island(centre, allowed, offsets):
    """The allowed pixels of the island around a centre; none across the edge of the pattern."""
    places = [tuple(centre + step) for step in offsets]
    inside = [p for p in places if all(0 <= i < n for i, n in zip(p, allowed.shape, strict=True))]
    return {p for p in inside if allowed[p]}


@given(
    shape=SHAPES,
    radius=st.integers(1, 3),
    fraction=st.floats(0.01, 0.1),
    exclude=st.sampled_from([0.0, 0.05, 0.2]),
    seed=st.integers(0, 2**40),
    measured=st.sampled_from([0.5, 0.9, 1.0]),
)
def test_islands_of_allowed_pixels(shape, radius, fraction, exclude, seed, measured):
    valid = np.random.default_rng(seed).random(shape) < measured
    assume(allowed_pixels(shape, valid, exclude).mean() > 0.3)
    given = {"fraction": fraction, "radius": radius, "exclude": exclude, "seed": seed}
    found = symbreak.free_pixels(shape, valid=torch.from_numpy(valid), **given)
    assert found.shape == shape
    free = np.fft.fftshift(found.numpy())
    allowed = allowed_pixels(shape, valid, exclude)
    assert not (free & ~allowed).any()
    offsets = ball(radius, len(shape))
    # Every free pixel lies in an island that is free as a whole.
    covered = set()
    for centre in np.argwhere(free):
        whole = island(centre, allowed, offsets)
        if all(free[p] for p in whole):
            covered |= whole
    assert covered == set(map(tuple, np.argwhere(free)))
    assert free.any()
    few = free.sum() <= len(offsets)  # one island, there is always one
    assert few or abs(free.sum() - fraction * valid.sum()) <= len(offsets) / 2
    again = symbreak.free_pixels(shape, valid=torch.from_numpy(valid), **given)
    assert torch.equal(again, found)


@pytest.mark.parametrize("shape", [(64, 50), (33, 31), (20, 24, 22)])
def test_defaults_and_seeds(shape):
    free = symbreak.free_pixels(shape)
    assert torch.equal(free, symbreak.free_pixels(shape, valid=torch.ones(shape).bool()))
    assert free.float().mean().item() == pytest.approx(0.05, abs=0.015)
    assert not free[(0,) * len(shape)]
    assert not torch.equal(free, symbreak.free_pixels(shape, seed=1))


@pytest.mark.parametrize("shape", [(16, 15), (9, 8, 7)])
def test_every_part_of_the_pattern_takes_its_turn(shape):
    """Over many seeds all pixels but the excluded ones are free about equally often."""
    often = sum(symbreak.free_pixels(shape, radius=1, seed=k).double() for k in range(400)) / 400
    often = often[
        torch.from_numpy(np.fft.ifftshift(allowed_pixels(shape, np.ones(shape, bool), 0.05)))
    ]
    assert often.mean() == pytest.approx(0.05, rel=0.3)
    assert often.min() > 0.2 * often.mean()
    assert often.max() < 3 * often.mean()


def test_measured_pixels_are_what_the_fraction_is_of():
    valid = torch.zeros(64, 64, dtype=torch.bool)
    valid[20:30] = True
    free = symbreak.free_pixels((64, 64), valid=valid, fraction=0.1)
    assert not (free & ~valid).any()
    assert free.sum().item() == pytest.approx(64, abs=15)


def problem(grid, generator, dtype=torch.complex128, batch=(), counts=20.0):
    """Objects, amplitudes of integer counts that they roughly predict, and free pixels."""
    x = blob((*batch, *grid), ndim=len(grid), generator=generator, fill=0.4)
    axes = tuple(range(-len(grid), 0))
    expected = torch.fft.fftn(x, dim=axes).abs().square()
    x = x * (counts / expected.mean()).sqrt()
    n = torch.poisson(torch.fft.fftn(x, dim=axes).abs().square(), generator=generator)
    free = symbreak.free_pixels(grid, radius=1, fraction=0.2)
    return x.to(dtype), n.sqrt().to(torch.float32 if dtype == DTYPES[0] else torch.float64), free


def poisson_law(n, c):
    """log of the probability of n counts where c are expected."""
    return n * math.log(c) - c - math.lgamma(n + 1) if n else -c


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("grid", [(12, 9), (7, 6, 8)])
@pytest.mark.parametrize("counts", [0.3, 200.0])
def test_likelihood_against_the_law(generator, grid, dtype, device, counts):
    x, a, free = problem(grid, generator, dtype, counts=counts)
    found = symbreak.free_log_likelihood(
        x.to(device), a.to(device), free.to(device), ndim=len(grid)
    )
    expected = np.abs(np.fft.fftn(x.numpy().astype(complex))) ** 2
    counted = np.rint(a.numpy().astype(float) ** 2)
    terms = [
        poisson_law(n, n) - poisson_law(n, c)
        for n, c in zip(counted[free.numpy()], expected[free.numpy()], strict=True)
    ]
    assert found.dtype == torch.float64
    assert found.device.type == device
    tolerance = 1e-4 if dtype == torch.complex64 else 1e-10
    assert found.item() == pytest.approx(np.mean(terms), rel=tolerance)


@pytest.mark.parametrize("grid", [(12, 9), (7, 6, 8)])
def test_starts_and_batches(generator, grid):
    ndim = len(grid)
    x, a, free = problem(grid, generator, batch=(2, 3))
    masks = torch.stack([symbreak.free_pixels(grid, radius=1, seed=k) for k in range(6)])
    masks = masks.reshape(2, 3, *grid)
    starts = torch.stack([x, 1.1 * x, x.conj(), 0 * x], dim=2)
    found = symbreak.free_log_likelihood(starts, a, masks, ndim=ndim)
    assert found.shape == (2, 3, 4)
    for i in range(2):
        for j in range(3):
            for k in range(4):
                alone = symbreak.free_log_likelihood(
                    starts[i, j, k], a[i, j], masks[i, j], ndim=ndim
                )
                assert alone == found[i, j, k]
    one = symbreak.free_log_likelihood(x, a, free, ndim=ndim)
    assert one.shape == (2, 3)
    assert one[1, 2] == symbreak.free_log_likelihood(x[1, 2], a[1, 2], free, ndim=ndim)
    spread = symbreak.free_log_likelihood(starts[0, 0], a[0, 0], free, ndim=ndim)
    assert spread[0] == one[0, 0]
    assert spread.argmin() == 0


@given(
    unit=st.floats(1e-3, 1e3),
    shift=st.tuples(st.integers(-9, 9), st.integers(-9, 9)),
    phase=st.floats(-3, 3),
    flipped=st.booleans(),
)
def test_symmetries_leave_it_and_units_multiply_it(unit, shift, phase, flipped):
    x, a, free = problem((12, 10), torch.Generator().manual_seed(5))
    before = symbreak.free_log_likelihood(x, a, free)
    copy = symbreak.apply_symmetry(x, shift=shift, flipped=flipped, phase=phase, wrap=True)
    after = symbreak.free_log_likelihood(unit**0.5 * copy, unit**0.5 * a, free)
    assert after.item() == pytest.approx(unit * before.item(), rel=1e-9)


def test_only_free_pixels_count(generator):
    x, a, free = problem((12, 9), generator)
    before = symbreak.free_log_likelihood(x, a, free)
    a[~free] = float("nan")
    assert symbreak.free_log_likelihood(x, a, free) == before
    spoiled = torch.stack([x, x * float("nan")])
    assert symbreak.free_log_likelihood(spoiled, a, free).isnan().tolist() == [False, True]


def test_no_counts_and_nothing_expected(generator):
    x, a, free = problem((12, 9), generator)
    expected = torch.fft.fftn(x).abs().square()[free].mean()
    nothing = symbreak.free_log_likelihood(x, 0 * a, free)
    assert nothing.item() == pytest.approx(expected.item(), rel=1e-12)
    black = symbreak.free_log_likelihood(0 * x, a, free)
    assert nothing < black < float("inf")


@pytest.mark.parametrize("counts", [0.3, 1e3, 1e8])
def test_what_is_predicted_exactly_gives_zero(generator, counts):
    x, _, free = problem((12, 9), generator, counts=counts)
    found = symbreak.free_log_likelihood(x, torch.fft.fft2(x).abs(), free)
    assert 0 <= found.item() < 1e-13 * counts


def test_the_true_object_gives_one_half_of_many_counts(generator):
    x, a, _ = problem((80, 80), generator, counts=1e4)
    everything = torch.ones(80, 80, dtype=torch.bool)
    assert symbreak.free_log_likelihood(x, a, everything).item() == pytest.approx(0.5, abs=0.05)


def test_gradient(generator):
    x, a, free = problem((5, 6), generator)
    a[free.nonzero().unbind(1)[0][0], free.nonzero().unbind(1)[1][0]] = 0  # a pixel without counts
    x.requires_grad_()
    assert torch.autograd.gradcheck(lambda z: symbreak.free_log_likelihood(z, a, free), x)


def test_a_loose_support_lowers_the_error_and_not_the_free_log_likelihood():
    x = torch.nn.functional.pad(crystals(1, 24, seed=3)[0], (0, 24, 0, 24))
    a = torch.fft.fft2(x).abs()
    photons = 2e4
    a = poisson_amplitude(a * (photons / a.square().sum()).sqrt(), photons)
    free = symbreak.free_pixels(a.shape)
    tight = x != 0
    loose = torch.zeros_like(tight)
    loose[:32, :32] = True
    found = symbreak.reconstruct(
        a,
        "100*HIO+50*ER",
        valid=~free,
        support=torch.stack([tight, loose]),
        shrinkwrap=None,
        starts=2,
    )
    likelihood = symbreak.free_log_likelihood(found.object * found.support, a, free)
    assert found.error[1] < 0.7 * found.error[0]
    assert likelihood[1] > 1.3 * likelihood[0]
