"""Rotations of a diffractometer: signed axes, circles that carry one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.geometry.checks import check_number
from symbreak.ops.checks import shown

Vector = NDArray[np.float64]  # (3,)
Matrix = NDArray[np.float64]  # (3, 3)
AXES = tuple(letter + sign for letter in "xyz" for sign in "+-")


def direction(axis: str) -> Vector:
    """The unit vector of ``x+``, ``x-``, ``y+`` ... in the laboratory."""
    vector: Vector = np.eye(3)["xyz".index(axis[0])]
    return vector if axis[1] == "+" else -vector


def check_axis(what: str, axis: Any) -> None:
    """Refuse what is no signed axis.

    Raises:
        ValueError: ``axis`` is none of x+, x-, y+, y-, z+, z-.
    """
    if not isinstance(axis, str) or axis not in AXES:
        raise ValueError(f"{what} must be one of {', '.join(AXES)}, got {shown(axis)}.")


@dataclass(frozen=True)
class Circle:
    """One rotation of a diffractometer.

    Raises:
        TypeError: ``angle`` is not a number, or ``name`` not a text.
        ValueError: ``axis`` is not a signed axis, or ``angle`` not finite.
    """

    name: str
    """What it is called at the instrument: theta, delta ..."""
    axis: str
    """Axis it turns about while all circles that carry it are at 0, with its sense: ``y+`` turns
    z towards x, ``y-`` x towards z."""
    angle: float = 0.0
    """Degrees."""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(f"Circle: name must be a text, got {type(self.name).__name__}.")
        check_axis(f"Circle: axis of {self.name}", self.axis)
        check_number(f"Circle: angle of {self.name}", self.angle, "degrees")

    def rotation(self) -> Matrix:
        """The rotation by its angle, right-handed about its signed axis (Rodrigues).

        Returns:
            ``(3, 3)``, for columns.
        """
        x, y, z = direction(self.axis)
        across = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        turn = np.radians(self.angle)
        rotation: Matrix = np.eye(3) + np.sin(turn) * across + (1 - np.cos(turn)) * across @ across
        return rotation


def rotation(circles: Sequence[Circle]) -> Matrix:
    """What all of them together do to what the last one carries; the first carries the others."""
    product: Matrix = np.eye(3)
    for circle in circles:
        product = product @ circle.rotation()
    return product


def axis_of(circles: Sequence[Circle], name: str) -> Vector:
    """The axis of one circle in the laboratory, where those that carry it have taken it."""
    place = [circle.name for circle in circles].index(name)
    axis: Vector = rotation(circles[:place]) @ direction(circles[place].axis)
    return axis
