"""Argument checks of prepare_pattern."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from symbreak.data.detector.centering import METHODS
from symbreak.data.detector.cleaning import Counts
from symbreak.ops.checks import shown
from symbreak.ops.numbers import integers, is_number, whole

LEAST_PIXELS = 4
"""Of a pattern, per axis."""
Combine = Literal["sum", "mean", "volume"]


def is_volume(count: int, combine: str | None) -> bool:
    """Whether the frames are one 3D pattern."""
    if combine is not None and combine not in get_args(Combine):
        raise ValueError(
            f"prepare_pattern: combine must be one of sum, mean, volume, got {combine!r}."
        )
    if combine is None and count > 1:
        raise ValueError(
            f"prepare_pattern: combine (--stack) must say what the {count} frames are: sum or mean "
            "of repeated exposures, or volume of a rocking curve."
        )
    if combine == "volume" and count < 4:
        raise ValueError(f"prepare_pattern: combine = volume needs at least 4 frames, got {count}.")
    return combine == "volume"


OPTION = {"bins": "bin", "shape": "size", "center": "center"}  # what the command line calls them


def whole_numbers(
    name: str, given: int | Sequence[int], ndim: int, *, least: int
) -> tuple[int, ...]:
    """Two numbers, or of a volume also three; one number stands for rows and columns."""
    number = whole(given)
    numbers = integers(given) if number is None else [number, number]
    if numbers is None or len(numbers) not in (2, ndim) or min(numbers) < least:
        count = "2" if ndim == 2 else "2 or 3"
        raise ValueError(
            f"prepare_pattern: {name} (--{OPTION[name]}) must be {count} whole numbers >= {least}, "
            f"got {given!r}."
        )
    return tuple(numbers)


def check_corrections(
    shape: tuple[int, int, int],
    given: tuple[int, ...],
    method: str,
    background: float | Counts,
    flat: float | Counts,
    saturation: float | None,
) -> None:
    """Check the centre that was given, and what the counts are corrected by."""
    if saturation is not None and (not is_number(saturation) or np.isnan(saturation)):
        raise ValueError(
            f"prepare_pattern: saturation must be a count or None, got {shown(saturation)}."
        )
    if method not in METHODS:
        raise ValueError(f"prepare_pattern: center must be max, mass or a pixel, got {method!r}.")
    if any(c >= n for c, n in zip(given, shape[-len(given) :], strict=False)):
        raise ValueError(
            f"prepare_pattern: center must lie inside the frames, {shape[-len(given) :]}, got "
            f"{given}."
        )
    for name, values in (("background", background), ("flat", flat)):
        if np.asarray(values).dtype.kind not in "biuf":
            raise ValueError(f"prepare_pattern: {name} must be real, got {shown(values)}.")
        if np.ndim(values) and np.shape(values) != shape[1:]:
            raise ValueError(
                f"prepare_pattern: {name} must be a number or have the shape of a frame, "
                f"{shape[1:]}, got {np.shape(values)}."
            )
    if np.ndim(background) == 0 and not (0 <= float(background) < np.inf):
        raise ValueError(
            f"prepare_pattern: background must be finite and >= 0, got {background!r}."
        )
    if (np.asarray(flat) <= 0).any() or not np.isfinite(flat).any():
        raise ValueError("prepare_pattern: flat must be > 0, NaN where nothing was measured.")
