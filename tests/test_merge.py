"""Repeated measurements of one pattern, added up."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import symbreak
from symbreak.data import crystals, merge_patterns
from symbreak.data.detector.layouts import HOT, MISSING, SATURATED

UNIT = 2e6  # photons


@dataclass
class Scan:
    intensity: Any
    mask: Any
    least: Any

    @classmethod
    def of(cls, counts, mask=None, least=None):
        counts = np.asarray(counts, np.float32)
        mask = np.zeros(counts.shape, np.uint32) if mask is None else np.asarray(mask, np.uint32)
        least = np.zeros_like(counts) if least is None else np.asarray(least, np.float32)
        return cls(counts, mask, least)


def scattered(x):
    """The pattern of an object on twice its grid, zero frequency in the middle."""
    padded = torch.nn.functional.pad(x, (0, x.shape[-1]) * x.dim())
    return torch.fft.fftshift(torch.fft.fftn(padded)).abs().square().double().numpy()


def expected(ndim, photons=UNIT):
    """What a crystal scatters into the pixels, zero frequency in the middle."""
    size = 32 if ndim == 2 else 12
    (x,) = crystals(1, size, 9, ndim=ndim)
    pattern = scattered(x)
    return pattern * photons / pattern.sum()


@pytest.mark.parametrize("ndim", [2, 3])
def test_moved_scans_are_put_on_one_another(ndim):
    rng, mean = np.random.default_rng(1), expected(ndim, 2e4)
    shifts = [(0,) * ndim, *(tuple(rng.integers(-3, 4, ndim)) for _ in range(3))]
    scans = [
        Scan.of(rng.poisson(np.roll(mean * part, shift, range(ndim))))
        for shift, part in zip(shifts, (1, 1, 0.2, 1), strict=True)
    ]
    merged = merge_patterns(scans, align="whole", halves=True)
    assert merged.shifts == tuple(tuple(-int(step) for step in shift) for shift in shifts)
    np.testing.assert_allclose(merged.exposures, np.array([1, 1, 0.2, 1]) / 3.2, rtol=0.05)
    counted, there = merged.total.intensity.astype(float), merged.total.mask == 0
    assert there.all()  # the first one was not moved
    # Poisson: the squared deviation is the mean, here of 3.2 exposures, but at edges of fewer.
    inner = (slice(4, -4),) * ndim
    bright = 3.2 * mean[inner] > 5
    deviation = (counted[inner] - 3.2 * mean[inner]) ** 2 / (3.2 * mean[inner])
    assert 0.8 < deviation[bright].mean() < 1.2
    for half, part in zip(merged.halves, (1.2, 2), strict=True):
        assert half.intensity.sum() == pytest.approx(part * mean.sum(), rel=0.03)
    still = merge_patterns(scans, align="none")
    assert still.shifts == ((0,) * ndim,) * 4
    assert max(still.differences) > 3 * max(merged.differences)


def test_the_formula():
    """I = sum_k I_k / sum_k w_k over those that measured it, in the counts of all of them."""
    first = Scan.of([[8, 0], [4, 4]], mask=[[0, HOT], [0, 0]])
    second = Scan.of([[0, 6], [2, 2]], mask=[[MISSING, 0], [0, 0]])
    total = merge_patterns([first, second], align="none").total
    # Both measured the lower row, 8 and 4 counts there: w = 2/3, 1/3.
    np.testing.assert_allclose(total.intensity, [[8 / (2 / 3), 6 / (1 / 3)], [6, 6]], rtol=1e-6)
    assert not total.mask.any()


def test_the_formula_of_halves():
    one = Scan.of([[8, 0], [4, 4]])
    two = Scan.of([[0, 6], [2, 2]], mask=[[MISSING, 0], [0, 0]])
    four = Scan.of([[5, 0], [1, 1]], mask=[[0, HOT], [0, 0]])
    first, second = merge_patterns([one, two, one, four], align="none", halves=True).halves
    np.testing.assert_allclose(first.intensity, [[16, 0], [8, 8]], rtol=1e-6)
    # Of the lower row's 22 counts the second has 4 and the fourth 2.
    np.testing.assert_allclose(second.intensity, [[5 * 6 / 2, 6 * 6 / 4], [3, 3]], rtol=1e-6)


def test_what_none_measured():
    mask = [[HOT, SATURATED], [0, 0]]
    first = Scan.of([[0, 0], [6, 6]], mask, [[0, 90], [0, 0]])
    second = Scan.of([[0, 0], [2, 2]], [[MISSING, HOT], [0, 0]])
    total = merge_patterns([first, second], align="none").total
    np.testing.assert_array_equal(total.mask, [[HOT | MISSING, SATURATED], [0, 0]])
    # The first had 3/4 of all counts, and 90 or more of this pixel.
    np.testing.assert_allclose(total.least, [[0, 120], [0, 0]], rtol=1e-6)
    np.testing.assert_array_equal(total.intensity, [[0, 0], [8, 8]])


def test_a_short_exposure_fills_in_what_saturates():
    rng, mean = np.random.default_rng(3), expected(2, 1e7)
    counts = rng.poisson(mean)
    level = np.sort(counts.ravel())[-40]
    full = counts >= level
    long = Scan.of(
        np.where(full, 0, counts), np.where(full, SATURATED, 0), np.where(full, level, 0)
    )
    merged = merge_patterns([long, Scan.of(rng.poisson(mean / 10))])
    assert not merged.total.mask.any()
    assert not merged.total.least.any()
    np.testing.assert_allclose(merged.total.intensity[full], 1.1 * mean[full], rtol=0.1)
    assert max(merged.differences) < 0.02


def test_differences_tell_another_crystal_and_not_noise():
    rng, mean = np.random.default_rng(2), expected(2)
    (x,) = crystals(1, 32, 9, first=1)
    other = scattered(x)
    scans = [Scan.of(rng.poisson(mean)) for _ in range(4)]
    assert max(merge_patterns(scans).differences) < 0.01
    scans.append(Scan.of(rng.poisson(other * UNIT / other.sum())))
    differences = merge_patterns(scans, align="none").differences
    assert differences[-1] > 0.5
    assert max(differences[:-1]) < differences[-1] / 2


def drifted(x, by):
    """The pattern of an object moved by any parts of a pixel: a ramp of its phase."""
    size = x.shape[-1]
    n = torch.arange(size, dtype=torch.float64)
    for axis, step in enumerate(by):
        along = [1] * x.dim()
        along[axis] = -1
        ramp = torch.polar(torch.ones_like(n), torch.pi * n * step / size).reshape(along)
        x = x * ramp.to(x.dtype)
    return scattered(x)


def missed(total, mean):
    """How far the amplitudes of a sum are from those that were meant, where it has any."""
    measured = total.mask == 0
    off = np.sqrt(total.intensity[measured]) - np.sqrt(mean[measured])
    return np.sqrt((off**2).sum() / mean[measured].sum())


@pytest.mark.parametrize("gap", [0, 2])
@pytest.mark.parametrize("ndim", [2, 3])
def test_parts_of_a_pixel(ndim, gap):
    """The gap is the detector's, so it lies elsewhere on the pattern in each scan."""
    (x,) = crystals(1, 32 if ndim == 2 else 12, 9, ndim=ndim)
    x = x.to(torch.complex128)
    shifts = [(0.0,) * ndim, (0.5, -1.3, 2.2)[:ndim], (-2.4, 0.7, -0.5)[:ndim]]
    patterns = [drifted(x, shift) for shift in shifts]
    unit = 1e7 / patterns[0].sum()
    mask = np.zeros(patterns[0].shape, np.uint32)
    middle = mask.shape[-1] // 2
    mask[..., middle + 8 : middle + 8 + gap] = HOT
    mask[(middle + 1,) * ndim] = HOT if gap else 0
    rng = np.random.default_rng(1)
    counts = [rng.poisson(pattern * unit) for pattern in patterns]
    scans = [Scan.of(np.where(mask == 0, count, 0), mask) for count in counts]
    merged, whole = merge_patterns(scans), merge_patterns(scans, align="whole")
    np.testing.assert_allclose(merged.shifts, -np.array(shifts), atol=0.02 + 0.02 * gap)
    inner = (slice(4, -4),) * ndim
    assert (merged.total.mask[inner] == 0).mean() > 0.9
    mean = 3 * patterns[0] * unit
    assert missed(merged.total, mean) < (0.018 if ndim == 2 else 0.0205)
    assert missed(whole.total, mean) > 4 * missed(merged.total, mean)
    assert max(merged.differences) < min(whole.differences)


def test_the_least_between_two_pixels_is_that_of_the_lesser():
    """And where one of the two was not measured, nothing is known."""
    x, y = np.meshgrid(np.arange(24.0), np.arange(24.0))
    pattern = 1e4 * np.exp(-((x - 11.6) ** 2 + (y - 12) ** 2) / 8)
    moved = 1e4 * np.exp(-((x - 12) ** 2 + (y - 12) ** 2) / 8)
    full = pattern > 6000
    first = Scan.of(
        np.where(full, 0, moved), np.where(full, HOT, 0)
    )  # hidden there, so that the second one tells
    mask, least = np.where(full, SATURATED, 0), np.where(full, 6000, 0)
    second = Scan.of(np.where(full, 0, pattern), mask, least)
    merged = merge_patterns([first, second])
    assert merged.shifts[1] == pytest.approx((0, 0.4), abs=0.1)
    bounded = merged.total.least > 0
    assert bounded.any()
    assert (merged.total.mask[bounded] == SATURATED).all()
    shares = merged.exposures[1]
    assert (merged.total.least[bounded] * shares <= 6000 * 1.001).all()
    assert (merged.total.least[bounded] <= 2 * moved[bounded] * 1.02).all()


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    shift=st.tuples(st.integers(-5, 5), st.integers(-5, 5)),
    hidden=st.integers(0, 200),
)
def test_nothing_is_lost_or_made_up(seed, shift, hidden):
    """The sum of two exposures without noise is twice the pattern, wherever one measured."""
    rng, whole = np.random.default_rng(seed), expected(2)
    y, x = (slice(8 + step, 56 + step) for step in shift)
    mean, other = whole[8:56, 8:56], Scan.of(whole[y, x])
    mask = np.zeros(mean.shape, np.uint32)
    mask.flat[rng.choice(mean.size, hidden, replace=False)] = HOT
    first = Scan.of(np.where(mask == 0, mean, 0), mask)
    merged = merge_patterns([first, other], align="whole")
    assert merged.shifts[1] == shift
    measured = merged.total.mask == 0
    assert (~measured).sum() <= hidden
    np.testing.assert_allclose(merged.total.intensity[measured], 2 * mean[measured], rtol=1e-5)
    assert not merged.total.intensity[~measured].any()


@pytest.mark.parametrize(
    ("patterns", "error", "message"),
    [
        ("ab", TypeError, "must be a list, got 'ab'"),
        ([Scan.of(np.ones((8, 8)))], ValueError, "two patterns or more are needed, got 1"),
        ([Scan.of(np.ones((8, 8))), np.ones((8, 8))], TypeError, "pattern 2 must have intensity"),
        (
            [Scan.of(np.ones((8, 8))), Scan.of(np.ones((8, 9)))],
            ValueError,
            r"on one grid, got \(8, 9\) for pattern 2 and \(8, 8\) for the first",
        ),
        ([Scan.of(np.ones(8))] * 2, ValueError, "must be 2D or 3D"),
        (
            [Scan.of(np.ones((8, 8))), Scan.of(np.zeros((8, 8)))],
            ValueError,
            "pattern 2 has no counts",
        ),
        (
            [
                Scan.of(np.eye(8), mask=1 - np.eye(8)),
                Scan.of(np.ones((8, 8)), mask=np.eye(8)),
            ],
            ValueError,
            "pattern 1 has no counts where all of them measured",
        ),
    ],
)
def test_what_cannot_be_merged(patterns, error, message):
    with pytest.raises(error, match=message):
        merge_patterns(patterns, align="none")


@pytest.mark.parametrize("align", [True, "parts of a pixel", None])
def test_how_scans_cannot_be_aligned(align):
    with pytest.raises(ValueError, match="align must be one of parts, whole, none, got"):
        merge_patterns([Scan.of(np.ones((8, 8)))] * 2, align=align)


def test_nothing_to_align_by():
    edge = np.zeros((600, 600))
    edge[:4] = 9
    with pytest.raises(ValueError, match="pattern 2 or the first one has no counts in its middle"):
        merge_patterns([Scan.of(edge), Scan.of(edge)])


def test_the_sum_is_phased_nearer_to_the_truth_than_one_scan():
    """Eight scans have eight times the photons."""
    rng, size = np.random.default_rng(4), 32
    (x,) = crystals(1, size, 9)
    truth = torch.nn.functional.pad(x, (0, size) * 2)
    mean = expected(2, 3e3)
    scans = [Scan.of(rng.poisson(mean)) for _ in range(8)]

    def distance(pattern):
        a = torch.from_numpy(np.fft.ifftshift(pattern.intensity)).sqrt()
        found = symbreak.reconstruct(a, starts=8, seed=1).best().object
        scale = truth.norm() / found.norm()
        return float(symbreak.align(found * scale, truth, wrap=True).sa_mse)

    one = np.median([distance(scan) for scan in scans[:3]])
    assert distance(merge_patterns(scans).total) < 0.75 * one
