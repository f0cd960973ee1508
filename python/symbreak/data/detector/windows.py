"""Windows of a detector: lengths with fast transforms, cropping with padding, binning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHORTEST, LONGEST = 16, 2048
PRIMES = (2, 3, 5, 7, 11, 13)


def is_fast(length: int) -> bool:
    """Whether the fused engines have transforms of this length.

    These are the products of 2, 3, 5, 7, 11 and 13 from 16 to 2048 (``axis_transformable`` in
    ``csrc/cpu/engine/plan.cpp``); other lengths work too, by torch's FFT, and slower.
    """
    rest = length
    for prime in PRIMES:
        while rest > 0 and rest % prime == 0:
            rest //= prime
    return rest == 1 and SHORTEST <= length <= LONGEST


def fast_length(limit: int) -> int:
    """The largest even fast length that is at most ``limit``; 0 where there is none."""
    start = min(limit, LONGEST)
    return next((n for n in range(start, SHORTEST - 1, -1) if n % 2 == 0 and is_fast(n)), 0)


def covering_length(least: int) -> int:
    """The smallest even fast length that is at least ``least``; beyond the longest, ``least``."""
    candidates = range(max(least, SHORTEST), LONGEST + 1)
    return next((n for n in candidates if n % 2 == 0 and is_fast(n)), least)


@dataclass(frozen=True)
class Window:
    """Part of one axis: ``size`` bins of ``bin`` pixels, zero frequency in bin ``size // 2``."""

    center: int
    """Pixel of the axis that is zero frequency."""
    size: int
    """Bins."""
    bin: int = 1
    """Pixels per bin."""

    @property
    def start(self) -> int:
        """First pixel; negative where the window begins outside."""
        return self.center - (self.size // 2) * self.bin - self.bin // 2

    @property
    def stop(self) -> int:
        """Pixel after the last one; may lie outside too."""
        return self.start + self.size * self.bin

    def inside(self, length: int) -> slice:
        """The part of an axis of ``length`` pixels that the window shows."""
        return slice(min(max(self.start, 0), length), min(max(self.stop, 0), length))

    def positions(self) -> NDArray[np.float64]:
        """Middle of each bin in pixels of the axis, float64 ``(size,)``."""
        first = self.start + (self.bin - 1) / 2
        positions: NDArray[np.float64] = first + self.bin * np.arange(self.size, dtype=np.float64)
        return positions


def largest_inside(center: int, length: int, bins: int = 1) -> int:
    """The largest even fast size of a window around ``center`` that stays inside; 0 if none."""
    size = fast_length(length // bins)
    while size:
        window = Window(center, size, bins)
        if window.start >= 0 and window.stop <= length:
            break
        size = fast_length(size - 1)
    return size


def smallest_covering(center: int, length: int, bins: int = 1) -> int:
    """The smallest even fast size of a window around ``center`` that leaves nothing out."""
    size = covering_length(-(-length // bins))
    while Window(center, size, bins).start > 0 or Window(center, size, bins).stop < length:
        size = covering_length(size + 1)
    return size


def pad(part: NDArray[Any], windows: Sequence[Window], lengths: Sequence[int], fill: int) -> Any:
    """Put what a window shows of an array into the whole window, ``fill`` outside the array.

    Args:
        part: ``array[tuple(window.inside(length) ...)]``.
        windows: One per axis.
        lengths: Of the array's axes.
        fill: What lies outside the array.
    """
    margins = []
    for window, length in zip(windows, lengths, strict=True):
        inside = window.inside(length)
        before = min(max(-window.start, 0), window.size * window.bin)
        margins.append((before, window.size * window.bin - before - (inside.stop - inside.start)))
    return np.pad(part, margins, constant_values=fill)


def bin_blocks(
    counts: NDArray[np.float64], bits: NDArray[np.uint32], bins: Sequence[int]
) -> tuple[NDArray[np.float64], NDArray[np.uint32]]:
    """Sum blocks of pixels; a block counts as measured if all of its pixels were.

    The sum over part of a block would be an estimate, biased wherever the intensity varies within
    it; phasing does well without some pixels, but takes what it gets for measured.

    Args:
        counts: ``(*shape)``, a multiple of ``bins`` along every axis.
        bits: CXI bits, 0 = measured, ``(*shape)``.
        bins: Pixels per block, per axis.

    Returns:
        Sums, 0 where not measured, and the union of the bits of each block.
    """
    if all(b == 1 for b in bins):
        return counts, bits
    split: list[int] = []
    for size, b in zip(counts.shape, bins, strict=True):
        split += [size // b, b]
    within = tuple(range(1, 2 * counts.ndim, 2))
    reasons = np.bitwise_or.reduce(bits.reshape(split), axis=within)
    sums = counts.reshape(split).sum(axis=within)
    return np.where(reasons == 0, sums, 0), reasons.astype(np.uint32)
