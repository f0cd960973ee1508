"""Where there is crystal: what a support has beyond it is noise."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.ops.checks import shown
from symbreak.ops.numbers import is_number

LEVEL = 0.4


def crystal_mask(
    object: NDArray[np.complexfloating[Any, Any]],
    support: NDArray[np.bool_],
    level: float = LEVEL,
) -> NDArray[np.bool_]:
    """Tell the voxels of a crystal from those that its support has beyond it.

    The crystal is where the magnitude is above ``level`` times the magnitude above which half of
    sum |x|^2 lies: neither a few bright voxels nor many dim ones move that. A support goes a voxel
    or two beyond the crystal, where phases are noise and strain is large for no reason.

    Args:
        object: complex ``(*grid)``.
        support: bool ``(*grid)``, where it is taken.
        level: In [0, 1). 0: all of the support where the object is not 0.

    Returns:
        bool ``(*grid)``, within the support.

    Raises:
        TypeError: ``object`` is not a complex array, ``support`` not a boolean one, or ``level``
            not a number.
        ValueError: The two are not of one shape, or ``level`` is not in [0, 1).

    Not differentiable. Cost: a sort of the support's magnitudes.

    Example:
        >>> x = np.array([[1, 0.9, 0.2, 0.1, 0]], complex)
        >>> crystal_mask(x, np.full((1, 5), True))
        array([[ True,  True, False, False, False]])
    """
    check_kinds("crystal_mask", object, support)
    if object.shape != support.shape:
        raise ValueError(
            "crystal_mask: object and support must be of one shape, got "
            f"{object.shape} and {support.shape}."
        )
    check_level("crystal_mask", level)
    magnitude = np.abs(object)
    inside: NDArray[np.bool_] = support & (magnitude > 0)
    if inside.any():
        inside &= magnitude > level * _typical(magnitude[inside])
    return inside


def check_kinds(function: str, object: NDArray[Any], support: NDArray[Any]) -> None:
    """Check that the object is complex and the support boolean.

    Raises:
        TypeError: One of them is not.
    """
    check_complex(function, "object", object)
    if not isinstance(support, np.ndarray) or support.dtype.kind != "b":
        raise TypeError(f"{function}: support must be a boolean array, got {_kind(support)}.")


def check_complex(function: str, name: str, array: NDArray[Any]) -> None:
    """Check that an array is complex.

    Raises:
        TypeError: It is not.
    """
    if not isinstance(array, np.ndarray) or array.dtype.kind != "c":
        raise TypeError(f"{function}: {name} must be a complex array, got {_kind(array)}.")


def _kind(array: Any) -> Any:
    return getattr(array, "dtype", type(array).__name__)


def check_level(function: str, level: float) -> None:
    """Check a level for `crystal_mask`.

    Raises:
        TypeError, ValueError: As said there.
    """
    if not is_number(level):
        raise TypeError(f"{function}: level must be a number, got {shown(level)}.")
    if not 0 <= level < 1:
        raise ValueError(f"{function}: level must be in [0, 1), got {level!r}.")


def _typical(magnitude: NDArray[Any]) -> float:
    """The magnitude above which half of the power lies."""
    ordered = np.sort(magnitude.astype(np.float64))
    power = np.cumsum(ordered**2)
    return float(ordered[np.searchsorted(power, power[-1] / 2)])
