"""Photons dealt out to two halves, the patterns of both, and the comparison of their objects."""

import math

import numpy as np
import pytest
import torch
from detector_frames import peak
from hypothesis import given, settings
from hypothesis import strategies as st

import symbreak
from symbreak.data import ArrayStack, crystals, prepare_halves, prepare_pattern, split_counts
from symbreak.data.detector.layouts import HOT, SATURATED
from symbreak.data.detector.stacks import EVERYTHING
from symbreak.halves import compare_halves


@pytest.mark.parametrize("dtype", ["u1", "i2", "u4", "i8", "f4", "f8"])
def test_halves_add_up_and_are_whole_numbers(dtype):
    counts = np.random.default_rng(3).poisson(40, (30, 20)).astype(dtype)
    first, second = split_counts(counts)
    np.testing.assert_array_equal(first + second, counts)
    for half in (first, second):
        assert half.dtype == np.float64
        assert half.min() >= 0
        np.testing.assert_array_equal(half, np.floor(half))
    np.testing.assert_array_equal(first, split_counts(counts)[0])
    assert not np.array_equal(first, split_counts(counts, seed=1)[0])
    assert not np.array_equal(first, split_counts(counts, frame=1)[0])


def test_halves_of_poisson_counts_are_independent_poisson():
    counts = np.random.default_rng(5).poisson(6.0, 400_000)
    first, second = split_counts(counts)
    for half in (first, second):
        assert half.mean() == pytest.approx(3, abs=0.02)
        assert half.var() == pytest.approx(3, abs=0.04)
        assert (half == 0).mean() == pytest.approx(math.exp(-3), abs=0.002)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.007


def test_what_is_no_photon_is_refused():
    for wrong, told in ((1.5, "1.5"), (-1.0, "-1"), (math.nan, "nan"), (2.0**54, "1.80144e")):
        with pytest.raises(ValueError, match=f"whole numbers from 0 to 2\\^53, got {told}"):
            split_counts(np.array([1.0, wrong, 3.0]))
    with pytest.raises(TypeError, match="counts must be a real array, got complex128"):
        split_counts(np.ones(3, complex))
    with pytest.raises(TypeError, match="got list"):
        split_counts([1, 2])
    with pytest.raises(ValueError, match="seed must be at least 0"):
        split_counts(np.ones(3), seed=-1)


def frames(count=5, shape=(60, 70)):
    """Counts of a peak in the middle of a background, one saturated and one hot pixel."""
    rng = np.random.default_rng(11)
    counts = rng.poisson(peak(shape, (30, 36), 5, 900) + 40, (count, *shape)).astype(np.uint32)
    counts[-1, 20, 30] = 50_000  # in one frame
    counts[:, 12, 40] = 4_000
    counts[count // 2, 40, 41] = 2**32 - 1  # not measured
    return counts


CASES = {
    "one frame": ({"combine": "sum"}, {}),
    "sum": ({"combine": "sum", "shape": 48}, {}),
    "mean": ({"combine": "mean", "shape": (64, 48)}, {}),
    "binned": ({"combine": "sum", "shape": 24, "bins": 2}, {"flat": 2.0}),
    "volume": ({"combine": "volume", "shape": (8, 48, 40)}, {}),
    "binned volume": ({"combine": "volume", "shape": (4, 24, 24), "bins": (2, 2, 2)}, {}),
    "background": ({"combine": "sum", "shape": 32}, {"background": 0.25}),
    "dark frame and flat": (
        {"combine": "sum", "shape": 32},
        {"background": np.full((60, 70), 0.5), "flat": np.linspace(0.5, 2, 4200).reshape(60, 70)},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_halves_of_frames_add_up_to_the_pattern(name):
    choices, corrections = CASES[name]
    stack = ArrayStack(frames(1 if name == "one frame" else 5))
    corrections = {**corrections, "saturation": 40_000}
    whole = prepare_pattern(stack, hot=10, center="max", **choices, **corrections)
    done = []
    halves = prepare_halves(
        stack, whole, progress=lambda *told: done.append(told), seed=4, **corrections
    )
    for half in halves:
        assert half.windows == whole.windows
        assert half.averaged == whole.averaged
        np.testing.assert_array_equal(half.mask, whole.mask)
    first, second = (half.intensity.astype(np.float64) for half in halves)
    assert (first[whole.valid] != second[whole.valid]).mean() > 0.5
    np.testing.assert_allclose(first + second, whole.intensity, rtol=1e-6)
    assert abs(first.sum() / whole.intensity.sum() - 0.5) < 0.01
    other = prepare_halves(stack, whole, seed=5, **corrections)[0]
    assert not np.array_equal(other.intensity, halves[0].intensity)
    assert [told[0] for told in done] == list(range(1, len(done) + 1))
    assert done[-1] == (len(done), len(done))


def test_what_is_saturated_or_hot_is_told_by_all_photons():
    """Half of a saturated count is below the limit, and half of a hot one is not as hot."""
    stack = ArrayStack(frames())
    choices = {"combine": "sum", "shape": 48, "center": (30, 36)}
    whole = prepare_pattern(stack, hot=70, saturation=40_000, **choices)
    half, _ = prepare_halves(stack, whole, saturation=40_000)
    start = [window.start for window in whole.windows]
    assert half.mask[20 - start[0], 30 - start[1]] & SATURATED
    assert half.mask[12 - start[0], 40 - start[1]] & HOT
    alone = prepare_pattern(ArrayStack(frames() // 2), hot=70, saturation=40_000, **choices)
    assert not alone.mask[20 - start[0], 30 - start[1]] & SATURATED


def test_a_part_of_a_frame_is_dealt_out_as_the_whole():
    """Which part of a frame is read does not change where its photons go."""
    from symbreak.data.detector.halves import _Half
    from symbreak.data.detector.stacks import Cleaner

    counts = frames()
    seen = (slice(0, 55), slice(4, 70))
    for which in (0, 1):
        half = _Half(ArrayStack(counts), Cleaner(), np.zeros((60, 70), bool), seen, which, 0)
        box = (slice(10, 45), slice(3, 50))
        np.testing.assert_array_equal(half.read(2, box), half.read(2, EVERYTHING)[box])
        assert half.shape == (5, 55, 66)


def test_frames_that_hold_no_photons_are_refused():
    counts = frames()[:1].astype(np.float64)
    whole = prepare_pattern(ArrayStack(counts / 3), center=(30, 36))
    with pytest.raises(ValueError, match="halves are made of raw counts"):
        prepare_halves(ArrayStack(counts / 3), whole)
    counts[0, 20, 20] = np.nan  # not measured: does not matter
    whole = prepare_pattern(ArrayStack(counts), center=(30, 36))
    prepare_halves(ArrayStack(counts), whole)
    with pytest.raises(TypeError, match="stack must be frames, as ArrayStack"):
        prepare_halves(counts, whole)


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_second_is_aligned_and_the_phase_error_is_half_the_difference(ndim, generator):
    x = torch.nn.functional.pad(crystals(1, 16, 2, ndim=ndim)[0], [5, 11] * ndim).to(
        torch.complex128
    )
    x = x * torch.linspace(0.1, 1.5, x.shape[-1], dtype=torch.float64)  # dim and bright places
    off = 0.1 * torch.randn(x.shape, dtype=torch.float64, generator=generator)
    weight = x.abs() ** 2
    off = off - (weight * off).sum() / weight.sum()  # a global phase is taken out
    shift = tuple(range(3, 3 + ndim))
    other = symbreak.apply_symmetry(
        (x * torch.polar(torch.ones_like(off), off))[None],
        shift=torch.tensor([shift]),
        flipped=torch.tensor([True]),
        phase=torch.tensor([1.2], dtype=torch.float64),
        wrap=True,
        ndim=ndim,
    )[0]
    found = compare_halves(x, other, ndim=ndim)
    assert found.flipped
    expected = float(((weight * off**2).sum() / weight.sum()).sqrt()) / 2
    assert found.phase_error == pytest.approx(expected, rel=0.02)
    assert not compare_halves(x, x, ndim=ndim).flipped
    assert compare_halves(x, x, ndim=ndim).phase_error < 1e-6


def test_parts_of_a_pixel_are_taken_out():
    from symbreak.subpixel import shift_by

    x = torch.nn.functional.pad(crystals(1, 32, 3)[0], (16, 16, 16, 16))
    moved = shift_by(x, torch.tensor([0.3, -0.4]).double())
    found = compare_halves(x, moved)
    assert float(found.correlation.correlation.min()) > 0.999
    assert found.phase_error < 0.01


def test_the_independent_pixels_are_those_of_the_object():
    x = torch.nn.functional.pad(crystals(1, 32, 3)[0], (16, 16, 16, 16))
    found = compare_halves(x, x).correlation
    expected = symbreak.shells.half_bit((x != 0).double().mean() * found.pixels)
    torch.testing.assert_close(found.threshold, expected, equal_nan=True)


@settings(max_examples=25)
@given(
    shift=st.tuples(st.integers(-30, 30), st.integers(-30, 30)),
    flipped=st.booleans(),
    phase=st.floats(0, 6.28),
    seed=st.integers(0, 20),
)
def test_no_symmetry_of_the_second_changes_anything(shift, flipped, phase, seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.nn.functional.pad(crystals(1, 16, seed)[0], (8, 8, 8, 8))
    noise = 0.3 * torch.randn(2, 32, 32, dtype=torch.complex64, generator=generator)
    a, b = x + noise * (x != 0)
    other = symbreak.apply_symmetry(
        b[None],
        shift=torch.tensor([shift]),
        flipped=torch.tensor([flipped]),
        phase=torch.tensor([phase]),
        wrap=True,
    )[0]
    expected, found = compare_halves(a, b), compare_halves(a, other)
    torch.testing.assert_close(found.second, expected.second, atol=2e-3, rtol=0)
    torch.testing.assert_close(
        found.correlation.correlation, expected.correlation.correlation, atol=2e-3, rtol=0
    )
    assert found.phase_error == pytest.approx(expected.phase_error, abs=1e-3)


def test_no_gradient_is_asked_for():
    x = crystals(1, 16)[0]
    found = compare_halves(x.clone().requires_grad_(), x.flip(0).requires_grad_())
    assert not found.second.requires_grad
    assert found.phase_error == compare_halves(x, x.flip(0)).phase_error


def test_objects_that_are_zero_agree_on_nothing():
    zero = torch.zeros(16, 16, dtype=torch.complex64)
    found = compare_halves(zero, zero)
    assert bool(found.correlation.correlation.isnan().all())
    assert math.isnan(found.phase_error)
