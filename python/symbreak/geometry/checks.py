"""Numbers that describe an instrument, checked."""

from __future__ import annotations

from math import isfinite
from numbers import Real
from typing import Any

from symbreak.ops.checks import shown


def check_number(what: str, value: Any, unit: str, *, positive: bool = False) -> None:
    """Refuse what is not a finite number.

    Raises:
        TypeError: ``value`` is not a real number.
        ValueError: ``value`` is not finite, or has to be positive and is not.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{what} must be a number ({unit}), got {shown(value)}.")
    try:
        good = isfinite(value) and (float(value) > 0 or not positive)
    except OverflowError:  # an integer beyond every float
        good = False
    if not good:
        kind = "> 0 and finite" if positive else "finite"
        raise ValueError(f"{what} must be {kind} ({unit}), got {shown(value)}.")
