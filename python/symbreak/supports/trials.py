"""Starts under one shrinkwrap: how well they predict what they were not fitted to, and agree."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

import symbreak
from symbreak import coherence
from symbreak.cross_validation import cross_validated_error
from symbreak.ops.blur import expected_amplitude
from symbreak.ops.checks import measured, shown
from symbreak.ops.schedule import SCHEDULE, Schedule
from symbreak.ops.shrinkwrap import Shrinkwrap


@dataclass(frozen=True)
class SupportTrial:
    """What starts under one shrinkwrap gave."""

    shrinkwrap: Shrinkwrap
    """The rule that was tried."""
    cross_validated: Tensor
    """float64 ``(starts,)``: :func:`symbreak.cross_validation.cross_validated_error`; infinite
    where the support fits anything, or the start is not finite."""
    pixels: Tensor
    """int64 ``(starts,)``: pixels of each support."""
    mean_error: float
    """The error of the mean of the best start and those most like it, half of the finite ones, at
    least two, aligned: near that of the best where they agree, larger where they do not."""

    @property
    def lowest(self) -> float:
        """The smallest cross-validated error, infinite if no start has one."""
        return float(self.cross_validated.min())

    @property
    def criterion(self) -> float:
        """What ranks the trials: the geometric mean of ``lowest``, twice, and ``mean_error``."""
        lowest = self.lowest
        return (lowest**2 * self.mean_error) ** (1 / 3) if lowest < math.inf else math.inf

    @property
    def size(self) -> int:
        """The median number of pixels of the starts that count, 0 if none does."""
        known = self.pixels[self.cross_validated.isfinite()]
        return int(known.median()) if len(known) else 0


class TrialStarts(NamedTuple):
    """Starts under one shrinkwrap; those of several calls can be put together."""

    objects: Tensor
    """complex ``(starts, *grid)``, 0 outside their supports."""
    cross_validated: Tensor
    """As `SupportTrial` has it."""
    pixels: Tensor
    """As `SupportTrial` has it."""
    blur: Tensor | None
    """float64 ``(starts, ndim)``, for a partly coherent beam."""


def phase_trial(
    amplitude: Tensor,
    shrinkwrap: Shrinkwrap,
    schedule: Schedule = SCHEDULE,
    *,
    valid: Tensor | None = None,
    partly_coherent: bool = False,
    blur: Tensor | None = None,
    **options: object,
) -> TrialStarts:
    """Phase one pattern under one rule.

    Args:
        amplitude: Amplitudes of one pattern, DC at index 0, float32 or float64 ``(*grid)``.
        shrinkwrap: The rule to try.
        schedule: As :func:`symbreak.reconstruct` takes it.
        valid: bool ``(*grid)``, False = not measured; None: all were.
        partly_coherent: Whether to phase by :func:`symbreak.coherence.reconstruct`.
        blur: As that takes it, ``(ndim,)``; None: it is found. Only with ``partly_coherent``.
        options: Further ones of :func:`symbreak.reconstruct`.

    Returns:
        TrialStarts: what :func:`judge` asks for.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument is out of range, or the data are not to be phased.
    """
    check_blur("phase_trial", partly_coherent, blur)
    ndim = amplitude.dim()
    given: dict[str, Any] = {"valid": valid, "shrinkwrap": shrinkwrap, "ndim": ndim, **options}
    widths = None
    if partly_coherent:
        found, widths = coherence.reconstruct(amplitude, schedule, blur=blur, **given)
    else:
        found = symbreak.reconstruct(amplitude, schedule, **given)
    crossed = cross_validated_error(found.error, found.support, valid, ndim=ndim)
    return TrialStarts(
        torch.where(found.support, found.object, 0),
        torch.where(crossed.isfinite(), crossed, torch.inf),
        found.support.flatten(1).sum(1),
        widths,
    )


def check_blur(function: str, partly_coherent: bool, blur: Tensor | None) -> None:
    """Check that a blur is not given for a beam that is to be coherent, where none is looked at."""
    if blur is not None and not partly_coherent:
        raise ValueError(
            f"{function}: blur must be None unless partly_coherent is True, got {shown(blur)}."
        )


def judge(
    shrinkwrap: Shrinkwrap,
    starts: TrialStarts,
    amplitude: Tensor,
    valid: Tensor | None = None,
) -> SupportTrial:
    """Say how well starts under one rule predict and agree.

    Args:
        shrinkwrap: The rule.
        starts: All its starts.
        amplitude: Measured amplitudes, ``(*grid)``.
        valid: bool ``(*grid)``, False = not measured; None: all were.

    Returns:
        SupportTrial: on the CPU.

    Not differentiable. Cost: an `align` of all starts.
    """
    x, ndim = starts.objects, amplitude.dim()
    finite = torch.view_as_real(x).flatten(1).isfinite().all(1)
    mean_error = math.inf
    if bool(finite.any()):
        several = x[finite]
        best = several[int(starts.cross_validated[finite].argmin())]
        many = best.expand_as(several).contiguous()
        found = symbreak.align(several, many, wrap=True, ndim=ndim)
        # Half of them: where the others got stuck is no fault of the rule, and several rules whose
        # starts all get stuck in one place agree better than one that half of them get out of.
        half = max(2, (len(several) + 1) // 2)
        nearest = found.sa_mse.argsort(stable=True)[:half]
        mean = found.object[nearest].mean(0)
        blur = None if starts.blur is None else starts.blur[finite][nearest].mean(0)
        expected = expected_amplitude(mean, blur, ndim=ndim)
        valid = measured(valid, amplitude, ndim)
        a = torch.where(valid, amplitude, 0).double()
        missed = torch.where(valid, expected - a, 0)
        mean_error = float(missed.norm() / a.norm())
    return SupportTrial(shrinkwrap, starts.cross_validated.cpu(), starts.pixels.cpu(), mean_error)
