"""symbreak.supports: the order of the trials, what each says, and which is chosen."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import symbreak
from symbreak.coherence import blurred_intensity
from symbreak.cross_validation import cross_validated_error
from symbreak.data import beamstop, crystals, poisson_amplitude
from symbreak.supports import (
    SupportTrial,
    TrialStarts,
    best_of,
    choose,
    judge,
    next_rule,
    phase_trial,
)

BASE = symbreak.Shrinkwrap(every=7, sigma=2, sigma_min=1.2, decay=0.9)
SCHEDULE = "60*HIO+10*ER"


def try_support(amplitude, rule, schedule, *, valid, **options):
    starts = phase_trial(amplitude, rule, schedule, valid=valid, **options)
    return judge(rule, starts, amplitude, valid)


def trial(crossed, pixels, mean_error=1.0):
    sizes = torch.tensor(pixels, dtype=torch.int64)
    return SupportTrial(BASE, torch.tensor(crossed, dtype=torch.float64), sizes, mean_error)


@pytest.fixture(scope="module", params=[2, 3])
def amplitude(request):
    ndim = request.param
    (crystal,) = crystals(1, 16 if ndim == 2 else 10, seed=3, ndim=ndim)
    a = symbreak.fourier_amplitude(crystal, ndim=ndim)
    return poisson_amplitude(a * (3e4 / a.square().sum()).sqrt(), 3e4, 1, ndim=ndim)


def test_thresholds_are_tried_then_areas_of_the_size_of_the_best():
    thresholds, factors, trials, rules = (0.1, 0.3), (0.5, 1.25), [], []
    given = [
        trial([3.0, 0.5, 4.0, math.inf], [100, 300, 50, 7]),  # median of those that count: 100
        trial([0.6, 0.7, 0.8], [1, 2, 3]),
        trial([0.1], [50]),
        trial([0.2], [60]),
    ]
    for found in given:
        rules.append(next_rule(trials, 10_000, BASE, thresholds, factors))
        trials.append(found)
    assert rules[:2] == [replace(BASE, threshold=t, area=None) for t in thresholds]
    assert rules[2:] == [replace(BASE, area=area) for area in ((0.01, 0.005), (0.025, 0.0125))]
    assert next_rule(trials, 10_000, BASE, thresholds, factors) is None
    assert next_rule(trials[:2], 10_000, BASE, thresholds, ()) is None


def test_areas_are_printed_with_all_their_digits_and_never_above_one():
    wide = next_rule([trial([1.0], [700])], 1000, BASE, (0.1,), (1 / 0.7 * 1.9,))
    assert wide.area == (1.0, 1.0)
    odd = next_rule([trial([1.0], [12345])], 1_000_000, BASE, (0.1,), (1.0,))
    assert odd.area == (0.0246, 0.0123)


def test_arrays_serve_as_sequences():
    given = next_rule([], 100, BASE, np.linspace(0.1, 0.3, 3), np.array([1.0]))
    assert given == replace(BASE, threshold=0.1, area=None)
    assert type(given.threshold) is float


def test_a_trial_of_a_coherent_beam_takes_no_blur(amplitude):
    valid, blur = torch.ones_like(amplitude, dtype=torch.bool), torch.ones(amplitude.dim())
    with pytest.raises(ValueError, match="phase_trial: blur must be None unless partly_coherent"):
        phase_trial(amplitude, BASE, "ER", valid=valid, blur=blur)


def test_without_a_determined_support_no_area_is_tried():
    trials = [trial([math.inf], [9000])]
    assert next_rule(trials, 10_000, BASE, (0.1,), (1.0,)) is None
    with pytest.raises(ValueError, match="less than half the measured pixels, got none in 1"):
        best_of(trials)


def test_the_lowest_start_and_the_mean_decide_together():
    trials = [
        trial([0.5, 0.6], [5, 5], 0.8),
        trial([0.4, 9.0], [6, 8], 0.9),
        trial([0.3, 9.0], [7, 8], 1.7),  # its starts do not agree
        trial([math.inf] * 2, [9, 9], 0.1),
    ]
    found = best_of(trials)
    assert (found.best, found.shrinkwrap) == (1, BASE)
    assert [t.lowest for t in found.trials] == [0.5, 0.4, 0.3, math.inf]
    criteria = [0.2 ** (1 / 3), 0.144 ** (1 / 3), 0.153 ** (1 / 3), math.inf]
    assert [t.criterion for t in found.trials] == pytest.approx(criteria)
    assert [t.size for t in found.trials] == [5, 6, 7, 0]


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_mean_is_that_of_the_half_most_like_the_best(ndim):
    grid = (20, 24) if ndim == 2 else (12, 10, 14)
    generator = torch.Generator().manual_seed(0)
    x = torch.zeros(grid, dtype=torch.complex128)
    inside = tuple(slice(0, n // 3) for n in grid)
    part = torch.randn(2, *x[inside].shape, dtype=torch.float64, generator=generator)
    x[inside] = torch.complex(*part)
    y = x.clone()
    y[inside] += torch.complex(*part.flip(0))  # another object
    a, valid = torch.fft.fftn(x).abs(), torch.rand(grid, generator=generator) > 0.1
    shift = torch.arange(2 * ndim).reshape(2, ndim)
    moved = symbreak.apply_symmetry(
        torch.stack([x, y]), shift=shift, flipped=torch.tensor([True, False]), phase=0.4,
        wrap=True, ndim=ndim,
    )  # fmt: skip
    broken = torch.full((1, *grid), torch.nan, dtype=x.dtype)
    far = torch.stack([4 * x + y, 9 * y])  # of five finite starts three count
    objects = torch.cat([far, x[None], moved, broken])
    crossed = torch.tensor([0.2, 0.3, 0.1, 0.2, 0.3, math.inf], dtype=torch.float64)
    sizes = torch.tensor([5, 6, 7, 8, 9, 10])
    widths = torch.tensor([2.0, 3.0, 0.2, 0.4, 0.6, 9.0], dtype=torch.float64)
    widths = widths[:, None].expand(-1, ndim)
    measured = a.where(valid, torch.nan)
    for blur in (None, widths):
        found = judge(BASE, TrialStarts(objects, crossed, sizes, blur), measured, valid)
        aligned = symbreak.align(y, x, wrap=True, ndim=ndim).object
        mean = (2 * x + aligned) / 3
        pattern = torch.fft.fftn(mean).abs()
        if blur is not None:
            pattern = blurred_intensity(mean, torch.full((ndim,), 0.4), ndim=ndim).sqrt()
        expected = (pattern - a)[valid].norm() / a[valid].norm()
        assert found.mean_error == pytest.approx(float(expected), rel=1e-6)
        assert torch.equal(found.cross_validated, crossed)
    one = judge(BASE, TrialStarts(x[None], crossed[2:3], sizes[:1], None), measured, valid)
    assert one.mean_error < 1e-12
    none = judge(BASE, TrialStarts(broken, crossed[5:], sizes[5:], None), measured, valid)
    assert none.criterion == math.inf


def test_a_trial_says_what_the_public_functions_say(amplitude):
    ndim = amplitude.dim()
    valid = beamstop(amplitude.shape, 1.5)
    rule = symbreak.Shrinkwrap(threshold=0.03)  # loose: some starts fit anything
    found = try_support(amplitude, rule, SCHEDULE, valid=valid, starts=4, seed=2)
    expected = symbreak.reconstruct(
        amplitude, SCHEDULE, valid=valid, shrinkwrap=rule, starts=4, seed=2, ndim=ndim
    )
    crossed = cross_validated_error(expected.error, expected.support, valid, ndim=ndim)
    assert torch.equal(found.cross_validated, crossed)
    assert torch.equal(found.pixels, expected.support.flatten(1).sum(1))
    inside = expected.object * expected.support
    again = judge(rule, TrialStarts(inside, crossed, found.pixels, None), amplitude, valid)
    assert found.mean_error == again.mean_error


def test_a_support_that_fits_anything_does_not_count(amplitude):
    everywhere = torch.ones(amplitude.shape, dtype=torch.bool)
    found = try_support(
        amplitude, symbreak.Shrinkwrap(area=0.9), SCHEDULE, valid=everywhere, starts=2
    )
    assert found.cross_validated.tolist() == [math.inf] * 2
    assert found.pixels.min() > amplitude.numel() / 2
    assert found.size == 0


def test_choose_does_the_trials_in_turn(amplitude):
    valid = beamstop(amplitude.shape, 1.5)
    options = {"valid": valid, "starts": 3, "seed": 5, "beta": 0.8}
    found = choose(
        amplitude,
        SCHEDULE,
        shrinkwrap=BASE,
        thresholds=(0.15, 0.3),
        factors=(1.0, 1.4),
        **options,
    )
    assert len(found.trials) == 4
    for k, one in enumerate(found.trials):
        rule = next_rule(found.trials[:k], amplitude.numel(), BASE, (0.15, 0.3), (1.0, 1.4))
        assert one.shrinkwrap == rule
        again = try_support(amplitude, rule, SCHEDULE, **options)
        assert torch.equal(again.cross_validated, one.cross_validated)
    assert found.shrinkwrap == found.trials[found.best].shrinkwrap
    assert found.trials[found.best].criterion == min(one.criterion for one in found.trials)


def test_supports_far_too_loose_or_tight_are_not_chosen():
    (crystal,) = crystals(1, 32, seed=3)
    a = symbreak.fourier_amplitude(crystal)
    a = poisson_amplitude(a * (1e6 / a.square().sum()).sqrt(), 1e6, 1)
    found = choose(a, thresholds=(0.05, 0.2), factors=(0.3, 0.7, 1.0, 4.0), starts=4)
    sizes = [one.size / int((crystal != 0).sum()) for one in found.trials]
    assert min(sizes) < 0.7
    assert max(sizes) > 3
    assert 0.8 < sizes[found.best] < 2


@pytest.mark.parametrize(
    ("changed", "error", "text"),
    [
        ({"amplitude": [1.0]}, TypeError, "amplitude must be a torch.Tensor, got list"),
        ({"valid": torch.ones(8, 8)}, TypeError, "valid must be bool, got float32"),
        ({"thresholds": ()}, ValueError, r"thresholds must hold at least one, got \(\)"),
        ({"thresholds": (0.1, 1)}, ValueError, r"thresholds must be in \(0, 1\), got \(0.1, 1\)"),
        ({"amplitude": torch.ones(8, 8, dtype=torch.int32)}, TypeError, "float64, got int32"),
        ({"blur": torch.tensor([0.5, 0.5])}, ValueError, "blur must be None unless partly_coh"),
        ({"thresholds": ("a",)}, TypeError, r"a sequence of numbers, got \('a',\)"),
        ({"thresholds": 0.1}, TypeError, "thresholds must be a sequence of numbers, got 0.1"),
        ({"factors": (0,)}, ValueError, r"factors must be above 0 and finite, got \(0,\)"),
        ({"factors": (math.nan,)}, ValueError, r"factors must be above 0 and finite, got \(nan,"),
        ({"factors": None}, TypeError, "factors must be a sequence of numbers, got None"),
        ({"starts": 0}, ValueError, "starts must be at least 1, got 0"),
        ({"shrinkwrap": None}, TypeError, "shrinkwrap must be a Shrinkwrap, got NoneType"),
        ({"amplitude": torch.ones(2, 8, 8, 8)}, ValueError, "amplitude must be one pattern, 2D or"),
        ({"progress": "no"}, TypeError, "progress must be"),
    ],
)
def test_bad_arguments(changed, error, text):
    with pytest.raises(error, match=text):
        choose(**{"amplitude": torch.ones(8, 8), "schedule": "3*ER", **changed})
