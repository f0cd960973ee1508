"""symbreak.supports: the order of the trials, what each says, and which is chosen."""

import math
from dataclasses import replace

import pytest
import torch

import symbreak
from symbreak.cross_validation import cross_validated_error
from symbreak.data import beamstop, crystals, poisson_amplitude
from symbreak.supports import SupportTrial, best_of, choose, next_rule, try_support

BASE = symbreak.Shrinkwrap(every=7, sigma=2, sigma_min=1.2, decay=0.9)
SCHEDULE = "60*HIO+10*ER"


def trial(crossed, pixels, rule=BASE):
    return SupportTrial(
        rule, torch.tensor(crossed, dtype=torch.float64), torch.tensor(pixels, dtype=torch.int64)
    )


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


def test_without_a_determined_support_no_area_is_tried():
    trials = [trial([math.inf], [9000])]
    assert next_rule(trials, 10_000, BASE, (0.1,), (1.0,)) is None
    with pytest.raises(ValueError, match="less than half the measured pixels, got none in 1"):
        best_of(trials)


def test_the_lowest_start_decides():
    trials = [trial([0.5, 0.5], [5, 5]), trial([0.4, 9.0], [6, 8]), trial([math.inf] * 2, [9, 9])]
    found = best_of(trials)
    assert (found.best, found.shrinkwrap) == (1, BASE)
    assert [t.lowest for t in found.trials] == [0.5, 0.4, math.inf]
    assert [t.median for t in found.trials] == [0.5, 0.4, math.inf]
    assert [t.size for t in found.trials] == [5, 6, 0]


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
    assert found.trials[found.best].lowest == min(one.lowest for one in found.trials)


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
        ({"thresholds": ("a",)}, TypeError, r"thresholds must be numbers, got \('a',\)"),
        ({"thresholds": 0.1}, TypeError, "thresholds must be numbers, got 0.1"),
        ({"factors": (0,)}, ValueError, r"factors must be above 0 and finite, got \(0,\)"),
        ({"factors": (math.nan,)}, ValueError, r"factors must be above 0 and finite, got \(nan,"),
        ({"factors": None}, TypeError, "factors must be numbers, got None"),
        ({"starts": 0}, ValueError, "starts must be at least 1, got 0"),
        ({"shrinkwrap": None}, TypeError, "shrinkwrap must be a Shrinkwrap, got NoneType"),
        ({"amplitude": torch.ones(2, 8, 8, 8)}, ValueError, "amplitude must be one pattern, 2D or"),
        ({"progress": "no"}, TypeError, "progress must be"),
    ],
)
def test_bad_arguments(changed, error, text):
    with pytest.raises(error, match=text):
        choose(**{"amplitude": torch.ones(8, 8), "schedule": "3*ER", **changed})
