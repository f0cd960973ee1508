"""What counts as a number: Python's and NumPy's alike, and never a bool, which is a slip."""

from __future__ import annotations

import numbers
import operator
from dataclasses import fields
from typing import Any, TypeGuard

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


def plain(value: Any) -> Any:
    """The value with NumPy's numbers and flags as Python's own, as files and checkpoints want them.

    Also those within tuples, lists, dictionaries and arrays of one axis, which become tuples. What
    is neither stays as it is, whether it makes sense or not.
    """
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if type(value) in (tuple, list):
        return type(value)(map(plain, value))
    if isinstance(value, np.ndarray) and value.ndim == 1:
        return tuple(value.tolist())
    if isinstance(value, np.bool_):
        return bool(value)
    number = whole(value)
    if number is not None:
        return number
    try:
        return float(value) if is_number(value) else value
    except OverflowError:  # a fraction beyond all floats: for the checks to name
        return value


def keep_plain(settings: Any) -> None:
    """Make every field of a frozen dataclass `plain`: first of all in its ``__post_init__``.

    A list becomes a tuple, so that settings of the same values are equal and have a hash.
    """
    for field in fields(settings):
        value = plain(getattr(settings, field.name))
        object.__setattr__(settings, field.name, tuple(value) if isinstance(value, list) else value)
