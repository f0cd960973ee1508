"""Try shrinkwraps one after another, and choose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from symbreak.ops.checks import check_beside, check_flag, check_mask, check_tensor, measured, shown
from symbreak.ops.numbers import is_number, plain
from symbreak.ops.phasing_checks import check_amplitude, check_result, check_starts
from symbreak.ops.ranking import NoSupportError
from symbreak.ops.schedule import SCHEDULE, Schedule
from symbreak.ops.shrinkwrap import Shrinkwrap
from symbreak.supports.trials import SupportTrial, check_blur, judge, phase_trial

THRESHOLDS = {"max": (0.1, 0.15, 0.2, 0.3, 0.4), "rms": (0.3, 0.35, 0.4, 0.45, 0.5, 0.8)}
FACTORS = (0.7, 0.85, 1.0, 1.2, 1.5)


@dataclass(frozen=True)
class SupportChoice:
    """What :func:`choose` returns."""

    shrinkwrap: Shrinkwrap
    """The rule to phase with, that of the trial ``best``."""
    trials: tuple[SupportTrial, ...]
    """All that were tried, in the order of trying: thresholds, then areas."""
    best: int
    """Index of the trial with the smallest ``criterion``."""


def choose(
    amplitude: Tensor,
    schedule: Schedule = SCHEDULE,
    *,
    shrinkwrap: Shrinkwrap = Shrinkwrap(),
    thresholds: Sequence[float] | None = None,
    factors: Sequence[float] = FACTORS,
    beta: float = 0.9,
    phase_limit: float | None = None,
    valid: Tensor | None = None,
    saturated: Tensor | None = None,
    support: Tensor | None = None,
    starts: int = 8,
    seed: int = 0,
    partly_coherent: bool = False,
    blur: Tensor | None = None,
    progress: bool = False,
) -> SupportChoice:
    """Try shrinkwraps from loose to tight on one pattern, and choose one.

    The error of phasing favours loose supports, which leave more unknowns to fit with. So the rule
    wins whose starts do two things best: predict what they were not fitted to, by the smallest
    cross-validated error of a start (:func:`symbreak.cross_validation.cross_validated_error`), and
    agree, by the error of the mean of half of them. Ranked is the geometric mean of the two, the
    first counted twice. Either alone is misled: the one where supports are so loose that iterations
    get stuck, or the data hold more than the object; the other where there are few photons, or all
    starts got stuck in one place. First ``thresholds`` are tried; then
    areas, ``factors`` times the size of the support that the best threshold led to, approached from
    twice as many pixels. What it is worth is measured in bench/supports.py.

    Args:
        amplitude: Measured amplitudes of one pattern, square roots of counts, DC at index 0,
            float32 or float64 ``(*grid)``, 2D or 3D.
        schedule: As :func:`symbreak.reconstruct` takes it.
        shrinkwrap: All but its ``threshold`` and ``area`` hold for all trials.
        thresholds: Each in (0, 1), of what ``shrinkwrap.relative_to`` says; at least one. None:
            those that suit it, ``THRESHOLDS[shrinkwrap.relative_to]``.
        factors: Each > 0; none for thresholds alone.
        beta: As :func:`symbreak.reconstruct` takes it.
        phase_limit: As :func:`symbreak.reconstruct` takes it.
        valid: bool ``(*grid)``, False = not measured; default: all were.
        saturated: As :func:`symbreak.reconstruct` takes it, ``(*grid)``; None where
            ``partly_coherent``.
        support: The first support, bool ``(*grid)``; default: from the autocorrelation.
        starts: Random starts of each trial.
        seed: Of the starts.
        partly_coherent: Whether to phase by :func:`symbreak.coherence.reconstruct`.
        blur: As that takes it, ``(ndim,)``; None: it is found. Only with ``partly_coherent``.
        progress: True draws a progress bar for every trial.

    Returns:
        SupportChoice: the rule, and all trials. Phase again with it; equal seeds give equal starts.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument is out of range, the data are not to be phased, or no trial leaves
            a support of less than one pixel for two measured ones.
        MemoryError: The result is larger than the memory of the device.

    Not differentiable. Cost: a `reconstruct` of all starts for each threshold and factor.
    """
    check_tensor("choose", "amplitude", amplitude)
    if amplitude.dim() not in (2, 3):
        raise ValueError(
            f"choose: amplitude must be one pattern, 2D or 3D, got shape {tuple(amplitude.shape)}."
        )
    if not isinstance(shrinkwrap, Shrinkwrap):
        raise TypeError(
            f"choose: shrinkwrap must be a Shrinkwrap, got {type(shrinkwrap).__name__}."
        )
    for name, flag in (("progress", progress), ("partly_coherent", partly_coherent)):
        check_flag("choose", name, flag)
    check_blur("choose", partly_coherent, blur)
    check_amplitude(amplitude, amplitude.dim())
    check_result(amplitude, check_starts(starts, 0)[0], 0, amplitude.dim())
    valid = measured(valid, amplitude, amplitude.dim())
    check_mask("choose", "valid", valid)
    options: dict[str, Tensor] = {}
    if saturated is not None:
        check_beside("choose", "saturated", saturated, amplitude, amplitude.dim())
        check_mask("choose", "saturated", saturated)
        if partly_coherent:
            raise ValueError("choose: saturated must be None where partly_coherent is True.")
        options, valid = {"saturated": saturated}, valid & ~saturated
    trials: list[SupportTrial] = []
    while (
        rule := next_rule(trials, amplitude.numel(), shrinkwrap, thresholds, factors)
    ) is not None:
        found = phase_trial(
            amplitude,
            rule,
            schedule,
            beta=beta,
            phase_limit=phase_limit,
            valid=valid,
            support=support,
            starts=starts,
            seed=seed,
            partly_coherent=partly_coherent,
            blur=blur,
            progress=progress,
            **options,
        )
        trials.append(judge(rule, found, amplitude, valid))
    return best_of(trials)


def next_rule(
    trials: Sequence[SupportTrial],
    pixels: int,
    shrinkwrap: Shrinkwrap = Shrinkwrap(),
    thresholds: Sequence[float] | None = None,
    factors: Sequence[float] = FACTORS,
) -> Shrinkwrap | None:
    """The rule to try after these trials, so that a search can be interrupted and continued.

    Args:
        trials: Those that are done, in their order.
        pixels: Of the pattern.
        shrinkwrap: As :func:`choose` takes it, like the following.
        thresholds: Tried first.
        factors: Of the size to which the best threshold led; not tried if no threshold leaves a
            determined support.

    Returns:
        Shrinkwrap: The next rule, or None at the end.

    Raises:
        TypeError: ``thresholds`` or ``factors`` holds what is no number.
        ValueError: One of them is out of range, or there is no threshold.
    """
    if thresholds is None:
        thresholds = THRESHOLDS[shrinkwrap.relative_to]
    thresholds, factors = plain(thresholds), plain(factors)
    _check(thresholds, factors)
    done = len(trials)
    if done < len(thresholds):
        return replace(shrinkwrap, threshold=thresholds[done], area=None)
    by_threshold = trials[: len(thresholds)]
    size = min(by_threshold, key=lambda trial: trial.criterion).size
    if not size or done == len(thresholds) + len(factors):
        return None
    # Three digits, so that the numbers which a command prints give the same rule again.
    last = float(f"{min(factors[done - len(thresholds)] * size / pixels, 1.0):.3g}")
    return replace(shrinkwrap, area=(float(f"{min(2 * last, 1.0):.3g}"), last))


def best_of(trials: Sequence[SupportTrial]) -> SupportChoice:
    """Choose among trials the one of the smallest criterion.

    Args:
        trials: At least one.

    Returns:
        SupportChoice.

    Raises:
        ValueError: No trial has a start that counts.
    """
    best = min(range(len(trials)), key=lambda k: trials[k].criterion, default=None)
    if best is None or trials[best].criterion == math.inf:
        raise NoSupportError(
            "choose: a trial must leave a support of less than half the measured pixels, got "
            f"none in {len(trials)}; higher thresholds, or an area, keep supports small."
        )
    return SupportChoice(trials[best].shrinkwrap, tuple(trials), best)


def _check(thresholds: Sequence[float], factors: Sequence[float]) -> None:
    for name, values, most in (("thresholds", thresholds, 1.0), ("factors", factors, math.inf)):
        several = isinstance(values, (tuple, list))
        if not several or not all(is_number(value) for value in values):
            raise TypeError(f"choose: {name} must be a sequence of numbers, got {shown(values)}.")
        if not all(0 < value < most for value in values):
            limit = "in (0, 1)" if most == 1 else "above 0 and finite"
            raise ValueError(f"choose: {name} must be {limit}, got {shown(values)}.")
    if not thresholds:
        raise ValueError(f"choose: thresholds must hold at least one, got {shown(thresholds)}.")
