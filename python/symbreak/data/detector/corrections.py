"""Read what a detector's frames are corrected by: dark frames and a flat field, cut to the frames.

Detectors read out in part (a region of interest) come with masks, dark frames and flat fields of
the whole detector; ``corner`` says where on it the frames begin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from symbreak.data.detector.cleaning import Counts, marked
from symbreak.data.detector.stacks import Box
from symbreak.data.files.arrays import (
    ArrayLike,
    DataError,
    OpenArray,
    Source,
    open_array,
    read,
    without_ones,
)

Corner = tuple[int, int]
# Of the median of a flat field; where it is lower, a pixel is dead, not insensitive.
DEAD = 0.1


def read_background(source: Source, shape: Corner, corner: Corner | None = None) -> Counts:
    """Read a dark frame; of a stack of them the mean.

    Args:
        source: File and dataset.
        shape: Of a frame.
        corner: Row and column of the whole detector where the frames begin.

    Returns:
        float64 ``shape``; NaN where a dark frame has the mark of pixels that were not measured.

    Raises:
        DataError: It has another shape, or is not real.
        OSError: The file cannot be read.
    """
    with open_whole(source, "background", shape, corner) as (opened, box):
        return _mean(opened, box)


def read_flat(source: Source, shape: Corner, corner: Corner | None = None) -> Counts:
    """Read a flat field, what every pixel counts under even light; of a stack the mean.

    Args:
        source: File and dataset.
        shape: Of a frame.
        corner: Row and column of the whole detector where the frames begin.

    Returns:
        float64 ``shape``, relative to its median over the frame; NaN, to be counted as not
        measured, where it is below a tenth of that or has the mark of such pixels.

    Raises:
        DataError: It has another shape, is not real, or nowhere above 0.
        OSError: The file cannot be read.
    """
    with open_whole(source, "flat field", shape, corner) as (opened, box):
        flat, name = _mean(opened, box), opened.source
    bright = np.isfinite(flat) & (flat > 0)
    if not bright.any():
        raise DataError(f"{name}: the flat field is nowhere above 0.")
    flat = flat / np.median(flat[bright])
    return np.where(bright & (flat >= DEAD), flat, np.nan)


@contextmanager
def open_whole(
    source: Source, what: str, shape: Corner, corner: Corner | None
) -> Iterator[tuple[OpenArray, Box]]:
    """Open images of the frames' detector, and tell which part of them the frames are.

    Args:
        source: File and dataset.
        what: What is looked for, for messages.
        shape: Of a frame.
        corner: Row and column where the frames begin on images that are larger.

    Raises:
        DataError: There is none, or it is larger and ``corner`` does not say where the frames lie.
    """

    def wanted(name: str, array: ArrayLike) -> bool:
        sides = array.shape[-2:]
        covers = len(sides) == 2 and all(n >= m for n, m in zip(sides, shape, strict=True))
        stack = [n for n in array.shape[:-2] if n != 1]
        return array.dtype.kind in "iufb" and covers and len(stack) <= 1

    def exact(arrays: Mapping[str, ArrayLike]) -> list[str]:
        return [n for n, array in arrays.items() if array.shape[-2:] == shape] or list(arrays)

    with open_array(
        source, what=f"{what} of frames {shape}", wanted=wanted, prefer=exact
    ) as opened:
        array = opened.array
        if not wanted("", array):
            raise DataError(
                f"{opened.source}: a {what} must be real with the shape of a frame, {shape}, "
                f"got {array.dtype} {array.shape}."
            )
        yield opened, _box(opened, what, shape, corner)


def _box(opened: OpenArray, what: str, shape: Corner, corner: Corner | None) -> Box:
    sides = opened.array.shape[-2:]
    if sides == shape:
        return slice(None), slice(None)
    if corner is None:
        raise DataError(
            f"{opened.source}: the {what} is {sides[0]} x {sides[1]}, the frames {shape[0]} x "
            f"{shape[1]}: if it is of the whole detector, corner (--corner ROW,COLUMN) must say "
            "where on it the frames begin."
        )
    if any(c < 0 or c + m > n for c, m, n in zip(corner, shape, sides, strict=True)):
        raise DataError(
            f"{opened.source}: frames {shape[0]} x {shape[1]} that begin at {corner} reach over "
            f"the edge of the {what}, {sides[0]} x {sides[1]}."
        )
    rows, columns = (slice(c, c + m) for c, m in zip(corner, shape, strict=True))
    return rows, columns


def _mean(opened: OpenArray, box: Box) -> Counts:
    """Mean of the images, NaN where one has the mark of pixels that were not measured."""
    array = without_ones(opened.array, opened.source)
    stacked = len(array.shape) == 3
    total: Any = 0.0
    count = array.shape[0] if stacked else 1
    for k in range(count):
        image = read(array, opened.source, (k, *box) if stacked else box)
        total = total + np.where(marked(image), np.nan, image)
    mean: Counts = total / count
    return mean
