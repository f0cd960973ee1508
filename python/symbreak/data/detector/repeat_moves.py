"""A pattern moved on its grid, by whole pixels or parts of one, and what is known of its pixels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.data.detector.cleaning import Bits, Counts, scipy_ndimage
from symbreak.data.detector.layouts import MISSING, SATURATED

ORDER = 5  # of the splines: nearly the interpolation of a band-limited pattern, and local


@dataclass(frozen=True)
class Part:
    """One of several patterns on the same grid."""

    counts: Counts
    bits: Bits
    least: Counts

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Where it was measured."""
        valid: NDArray[np.bool_] = self.bits == 0
        return valid

    def moved(self, shift: Sequence[int]) -> Part:
        """What comes in at the edges was not measured."""
        if not any(shift):
            return self
        bits = _moved(self.bits, shift, MISSING)
        return Part(_moved(self.counts, shift, 0), bits, _moved(self.least, shift, 0))


def interpolated(part: Part, shift: Sequence[float], expected: Counts) -> Part:
    """A pattern moved by parts of a pixel.

    Args:
        part: As it was measured.
        shift: By how much to move it.
        expected: About what it counts once it is moved; fills in what it has not measured.
    """
    if all(step == round(step) for step in shift):
        return part.moved([round(step) for step in shift])
    move = scipy_ndimage().shift
    filled = part.counts
    if not part.valid.all():
        back = move(expected, [-step for step in shift], order=ORDER, mode="nearest")
        filled = np.where(part.valid, filled, back)
    counts = move(filled, shift, order=ORDER, mode="nearest")
    bits, bound = _touched(part, shift)
    return Part(np.where(bits == 0, counts, 0), bits, np.where(bits == SATURATED, bound, 0))


def _touched(part: Part, shift: Sequence[float]) -> tuple[Bits, Counts]:
    """Why a pixel between others was not measured, and the least that it has: of its neighbours."""
    bits = np.zeros_like(part.bits)
    bound = np.full(part.counts.shape, np.inf)
    known = np.where(part.valid, part.counts, part.least)
    corners = [sorted({int(np.floor(step)), int(np.ceil(step))}) for step in shift]
    for corner in itertools.product(*corners):
        bits |= _moved(part.bits, corner, MISSING)
        bound = np.minimum(bound, _moved(known, corner, 0))
    return bits, bound


def _moved(array: NDArray[Any], shift: Sequence[int], empty: int) -> NDArray[Any]:
    """The array moved, ``empty`` where nothing comes in."""
    moved = np.full_like(array, empty)
    to = tuple(slice(max(0, s), n + min(0, s)) for s, n in zip(shift, array.shape, strict=True))
    of = tuple(slice(max(0, -s), n - max(0, s)) for s, n in zip(shift, array.shape, strict=True))
    moved[to] = array[of]
    return moved
