"""The arguments that all ops of phasing share, checked and in the form the ops take them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from symbreak.ops import phasing_checks as checks
from symbreak.ops.autograd import refuse_tangent
from symbreak.ops.progress import is_capturing
from symbreak.ops.schedule import Schedule, schedule_text
from symbreak.ops.shrinkwrap import Shrinkwrap


@dataclass(frozen=True)
class PhasingCall:
    """A call of an op whose arguments have the right types and shapes."""

    amplitude: Tensor
    schedule: str
    options: dict[str, Any]
    """Keyword arguments of the op, among them tensors that were broadcast."""
    shrinkwrap: Shrinkwrap | None
    """The rule that is among the options too."""
    saturated: Tensor | None = None
    """Of the amplitude's shape; not among the options."""

    @property
    def images(self) -> int:
        """Items times starts."""
        count: int = self.options["seed"].numel() * self.options["starts"]
        return count

    def check(self, records: int) -> None:
        """Check that the result can be held, and the data themselves where they can be read."""
        options = self.options
        checks.check_result(self.amplitude, options["starts"], records, options["ndim"])
        if not is_capturing(self.amplitude.device):
            valid, support, initial = (options[name] for name in ("valid", "support", "initial"))
            checks.check_values(
                self.amplitude, valid, support, initial, self.saturated, options["ndim"]
            )


def phasing_call(
    amplitude: Tensor,
    schedule: Schedule,
    *,
    beta: float,
    phase_limit: float | None,
    valid: Tensor | None,
    support: Tensor | None,
    initial: Tensor | None,
    shrinkwrap: Shrinkwrap | None,
    starts: int,
    first_start: int,
    seed: int | Tensor,
    ndim: int,
    saturated: Tensor | None = None,
) -> PhasingCall:
    """Check types and shapes; :func:`symbreak.reconstruct` describes the arguments."""
    ndim = checks.check_amplitude(amplitude, ndim)
    checks.check_beta(beta)
    checks.check_phase_limit(phase_limit)
    starts, first_start = checks.check_starts(starts, first_start)
    text = schedule_text(schedule)
    if valid is not None:
        checks.check_like("valid", valid, torch.bool, amplitude)
        valid = checks.broadcast("valid", valid, amplitude.shape)
    if saturated is not None:
        checks.check_like("saturated", saturated, torch.bool, amplitude)
        saturated = checks.broadcast("saturated", saturated, amplitude.shape)
    if support is not None:
        checks.check_like("support", support, torch.bool, amplitude)
        support = checks.per_start("support", support, amplitude, starts, ndim)
    if initial is not None:
        checks.check_like("initial", initial, checks.COMPLEX_OF[amplitude.dtype], amplitude)
        initial = checks.per_start("initial", initial, amplitude, starts, ndim)
    refuse_tangent("reconstruct", amplitude, initial)
    options = {
        "beta": float(beta),
        "phase_limit": math.pi if phase_limit is None else float(phase_limit),
        "valid": valid,
        "support": support,
        "initial": initial,
        "seed": checks.seeds(seed, amplitude, ndim),
        "starts": starts,
        "first_start": first_start,
        "ndim": ndim,
        **_shrinkwrap_options(shrinkwrap),
    }
    return PhasingCall(amplitude, text, options, shrinkwrap, saturated)


def _shrinkwrap_options(
    rule: Shrinkwrap | None,
) -> dict[str, int | float | bool | list[float] | None]:
    if rule is None:
        return {"shrinkwrap_every": 0}
    if not isinstance(rule, Shrinkwrap):
        raise TypeError(
            f"reconstruct: shrinkwrap must be a Shrinkwrap or None, got {type(rule).__name__}."
        )
    return {
        "shrinkwrap_every": rule.every,
        "shrinkwrap_sigma": float(rule.sigma),
        "shrinkwrap_sigma_min": float(rule.sigma_min),
        "shrinkwrap_decay": float(rule.decay),
        "shrinkwrap_threshold": float(rule.threshold),
        "shrinkwrap_area": rule.areas,
        "shrinkwrap_hold": rule.hold,
        "shrinkwrap_of_rms": rule.relative_to == "rms",
    }
