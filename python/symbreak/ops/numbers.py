"""What counts as a number: Python's and NumPy's alike, and never a bool, which is a slip."""

from __future__ import annotations

import numbers
import operator
from typing import TypeGuard

import numpy as np
import torch


def whole(value: object) -> int | None:
    """A count, a size or a seed as an integer of Python, or None if it is not a whole number.

    Whole is what Python itself takes for an index (``__index__``): an integer of NumPy or a tensor
    of one, but no float, be it 2.0. As Python's it neither overflows nor wraps: -np.uint8(2) is
    254.
    """
    # First what torch.compile can trace; an unknown size is kept as one.
    if isinstance(value, (int, torch.SymInt)):
        return None if isinstance(value, bool) else value  # type: ignore[return-value]
    if isinstance(value, torch.Tensor) and value.dtype == torch.bool:
        return None
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except Exception:  # not only TypeError: a tensor without data has its own
        return None


def integers(values: object) -> list[int] | None:
    """A tuple, list or one-axis array of whole numbers, as integers of Python, else None."""
    if not isinstance(values, (tuple, list)) and not (
        isinstance(values, np.ndarray) and values.ndim == 1
    ):
        return None
    found = [whole(value) for value in values]
    kept = [value for value in found if value is not None]
    return kept if len(kept) == len(found) else None


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a real number, one of NumPy's included; ``float`` may still overflow."""
    if isinstance(value, (int, float)):
        return not isinstance(value, bool)
    return isinstance(value, numbers.Real)
