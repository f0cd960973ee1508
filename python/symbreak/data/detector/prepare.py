"""From detector frames to a pattern that can be phased: clean, combine, centre, crop, bin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from symbreak.data.detector.advice import AROUND, advice, little_kept
from symbreak.data.detector.centering import Method, find_center
from symbreak.data.detector.cleaning import Bits, Counts, only_saturated
from symbreak.data.detector.layouts import HOT, MISSING, SATURATED
from symbreak.data.detector.looks import look_at_negatives, look_at_plateau
from symbreak.data.detector.prepare_checks import (
    LEAST_PIXELS,
    Combine,
    check_corrections,
    is_volume,
    whole_numbers,
)
from symbreak.data.detector.stacks import EVERYTHING, Cleaner, Stack, Survey, survey
from symbreak.data.detector.windows import (
    Window,
    bin_blocks,
    largest_inside,
    pad,
    smallest_covering,
)
from symbreak.ops.memory import check_memory

SMALLEST = 32  # side of a window that is chosen here, in pixels of the result


@dataclass(frozen=True)
class Prepared:
    """What :func:`prepare_pattern` returns."""

    intensity: NDArray[np.float32]
    """Counts ``(*grid)``, zero frequency at index ``M // 2``; 0 where not measured."""
    mask: Bits
    """CXI bits ``(*grid)``: 0 = measured, else why not."""
    least: NDArray[np.float32]
    """Counts ``(*grid)`` that there were at least where the mask is 2, saturated alone; else 0."""
    windows: tuple[Window, ...]
    """Where each axis of the grid lies on the detector: (frame,) row, column."""
    survey: Survey
    """All frames together, before cropping."""
    kept: float
    """Sum of the grid before what is below 0 became 0: an estimate of its photons without bias."""
    averaged: bool
    """Whether ``intensity`` is the mean of the frames, not their sum."""
    notes: tuple[str, ...]
    """What the user should know."""

    @property
    def center(self) -> tuple[int, ...]:
        """Pixel of the detector taken as zero frequency: (frame,) row, column."""
        return tuple(window.center for window in self.windows)

    @property
    def valid(self) -> NDArray[np.bool_]:
        """True where the grid was measured."""
        valid: NDArray[np.bool_] = self.mask == 0
        return valid


def prepare_pattern(
    stack: Stack,
    *,
    combine: Combine | None = None,
    center: Method | Sequence[int] = "max",
    shape: int | Sequence[int] | None = None,
    bins: int | Sequence[int] = 1,
    background: float | Counts = 0.0,
    flat: float | Counts = 1.0,
    saturation: float | None = None,
    hot: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Prepared:
    """Make a pattern that `reconstruct` can phase out of raw detector frames.

    In this order: every frame is cleaned, its background subtracted, and it is divided by the flat
    field (`clean`); the frames are summed, averaged or kept as a volume; hot pixels are marked; the
    centre is found (`find_center`); a window around it is cut out, and what of it lies outside the
    detector counts as not measured; blocks of pixels are summed (`bin_blocks`); what is below 0
    after all this becomes 0.

    A pixel of a sum or mean counts as measured if it was in every frame, so that nothing is biased
    by the frames that lack it.

    Args:
        stack: The frames, an `ArrayStack` or what
            ``symbreak.data.detector.frames.open_frames`` gives.
        combine: "sum", "mean" (repeated exposures), or "volume": one 3D pattern whose first axis
            is the frames (a rocking curve). Has to be given where there are several frames.
        center: "max", "mass", or the pixel that is zero frequency: row, column of the detector,
            of a volume also frame, row, column.
        shape: Pixels of the result per axis, after binning; one number holds for rows and columns.
            None: rows and columns the largest square inside the detector, frames the smallest
            length that leaves none out; all of them even, with fast transforms.
        bins: Detector pixels per pixel of the result; one number holds for rows and columns, the
            frames of a volume then stay as they are.
        background: Counts to subtract from every frame: a number or ``(rows, columns)``.
        flat: Relative sensitivity of the pixels, likewise, > 0; where it is not finite, nothing was
            measured.
        saturation: Largest count of one frame that can be trusted; None for no limit.
        hot: Mark pixels more than this many times, > 1, brighter than all around them
            (`hot_pixels`); None: none.
        progress: Called with (frames read, frames to read).

    Returns:
        Prepared: ``intensity``, float32 counts with zero frequency in the middle, and ``mask``; see
        there. For `reconstruct` take the square root of ``intensity + least``, DC to index 0 by
        ``ifftshift``, and ``saturated = least > 0``, or write it (`write_pattern`) and read it
        (`read_pattern`), which does that.

    Raises:
        TypeError: ``stack`` holds no frames.
        ValueError: An argument is out of its range, or nothing was measured.
        MemoryError: ``shape`` is larger than the memory.
        ImportError: SciPy is not installed.

    Example:
        >>> frames = numpy.random.default_rng(0).poisson(5, (10, 128, 160))
        >>> frames[:, 59:62, 89:92] += 1000
        >>> stack = symbreak.data.ArrayStack(frames)
        >>> pattern = symbreak.data.prepare_pattern(stack, combine="sum", shape=96)
        >>> pattern.intensity.shape, pattern.center
        ((96, 96), (60, 90))
        >>> amplitude = torch.fft.ifftshift(torch.from_numpy(pattern.intensity).sqrt())
        >>> valid = torch.fft.ifftshift(torch.from_numpy(pattern.valid))

    Note:
        Memory: a few frames and the result, since frames are read one by one, those of a volume
        twice. Not differentiable.
    """
    if not hasattr(stack, "rejected"):
        raise TypeError(
            "prepare_pattern: stack must be frames, as ArrayStack(counts), got "
            f"{type(stack).__name__}."
        )
    count, *detector = stack.shape
    volume = is_volume(count, combine)
    ndim = 3 if volume else 2
    factors = whole_numbers("bins", bins, ndim, least=1)
    sizes = () if shape is None else whole_numbers("shape", shape, ndim, least=LEAST_PIXELS)
    given = () if isinstance(center, str) else whole_numbers("center", center, ndim, least=0)
    method: Method = center if isinstance(center, str) else "max"
    check_corrections(stack.shape, given, method, background, flat, saturation)
    if sizes:
        window = [s * f for s, f in zip(sizes[-2:], factors[-2:], strict=True)]
        cause = f"shape (--size) = {sizes} in bins (--bin) of {factors}"
        check_memory("prepare_pattern", cause, window, torch.float64, torch.device("cpu"))

    def tell(done: int) -> None:
        if progress is not None:
            progress(done, 2 * count if volume else count)

    cleaner = Cleaner(background, flat, saturation)
    seen = survey(stack, cleaner, hot, tell)
    if not volume and 0 < len(seen.unmeasured) < count:
        lost = ", ".join(map(str, seen.unmeasured[:10]))
        raise ValueError(
            f"prepare_pattern: of frame {lost}, the first being 0, no pixel was measured, so none "
            "of all frames together: leave it out (--frames)."
        )
    bits = seen.always if volume else seen.ever
    middle = given[-2:] or find_center(
        seen.image, bits == 0, method=method, saturated=(seen.ever & SATURATED) != 0
    )
    hints = look_at_plateau(seen.image) if saturation is None else []
    if min(detector) < SMALLEST < count:
        hints.append("rows and columns are to be the last two axes, frames the first.")
    sides = sizes[-2:] or [_square(middle, detector, factors[-2:], hints)] * 2
    windows = [Window(*axis) for axis in zip(middle, sides, factors[-2:], strict=True)]
    if volume:
        counts, least, marks = _planes(stack, cleaner, seen.hot, windows, lambda k: tell(count + k))
        along = _along_frames(counts, marks, given, sizes, factors, method)
        cut = [along, *_whole(windows)]
        windows = [along, *windows]
    else:
        each = count if combine == "mean" else 1
        counts, least, marks, cut = seen.image / each, seen.least / each, bits, windows
    intensity, mask = _cut(counts, marks, cut)
    least = _least(_cut(least, _but_saturated(marks), cut)[0], mask)
    kept = float(intensity.sum())
    # Only now: noise around the background has cancelled out as far as sums go (`clean`).
    intensity = np.maximum(intensity, 0)
    if not (intensity > 0).any():
        raise ValueError("prepare_pattern: no measured pixel of the window is above 0.")
    return Prepared(
        intensity=intensity.astype(np.float32),
        mask=mask,
        least=least.astype(np.float32),
        windows=tuple(windows),
        survey=seen,
        kept=kept,
        averaged=combine == "mean",
        notes=(
            *look_at_negatives(stack.read(0, EVERYTHING)),
            *advice(windows, seen, bits, given, saturation),
            *little_kept(kept * (count if combine == "mean" else 1), seen, middle),
        ),
    )


def _cut(counts: Counts, bits: Bits, windows: Sequence[Window]) -> tuple[Counts, Bits]:
    """Crop, pad with `MISSING`, bin."""
    box = tuple(window.inside(n) for window, n in zip(windows, counts.shape, strict=True))
    return _framed(counts[box], bits[box], windows, counts.shape)


def _framed(
    part: Counts, bits: Bits, windows: Sequence[Window], lengths: Sequence[int]
) -> tuple[Counts, Bits]:
    """Pad what windows show of axes of these ``lengths``, and bin it."""
    bits = pad(bits, windows, lengths, MISSING)
    counts = np.where(bits == 0, pad(part, windows, lengths, 0), 0)
    return bin_blocks(counts, bits, [window.bin for window in windows])


def _but_saturated(bits: Bits) -> Bits:
    others: Bits = bits & ~np.uint32(SATURATED)
    return others


def _least(counts: Counts, bits: Bits) -> Counts:
    return np.where(only_saturated(bits), np.maximum(counts, 0), 0)


def _planes(
    stack: Stack,
    cleaner: Cleaner,
    hot: NDArray[np.bool_],
    windows: Sequence[Window],
    tell: Callable[[int], None],
) -> tuple[Counts, Counts, Bits]:
    """Counts, least counts and bits of every frame, cut and binned, ``(frames, *grid)``."""
    count, *detector = stack.shape
    box = (windows[0].inside(detector[0]), windows[1].inside(detector[1]))
    marks_hot = np.where(hot[box], HOT, 0).astype(np.uint32)
    counts = np.empty((count, *(window.size for window in windows)))
    least, marks = np.empty_like(counts), np.empty(counts.shape, dtype=np.uint32)
    for k in range(count):
        part, bits, at_least = cleaner(stack, k, box)
        bits = bits | marks_hot
        counts[k], marks[k] = _framed(part, bits, windows, detector)
        least[k] = _framed(at_least, _but_saturated(bits), windows, detector)[0]
        tell(k + 1)
    return counts, least, marks


def _whole(windows: Sequence[Window]) -> list[Window]:
    """The windows of axes that are cut already: all of them, unbinned."""
    return [Window(window.size // 2, window.size) for window in windows]


def _along_frames(
    counts: Counts,
    marks: Bits,
    given: tuple[int, ...],
    sizes: tuple[int, ...],
    factors: tuple[int, ...],
    method: Method,
) -> Window:
    """The window along the frames, by the profile of the counts around the centre."""
    count, *sides = counts.shape
    bin_ = factors[0] if len(factors) == 3 else 1
    if len(given) == 3:
        middle = given[0]
    else:
        near = AROUND if method == "max" else max(sides)
        rows, columns = (slice(max(n // 2 - near, 0), n // 2 + near + 1) for n in sides)
        good = (marks == 0)[:, rows, columns].sum(axis=(1, 2))
        profile = counts[:, rows, columns].sum(axis=(1, 2)) / np.maximum(good, 1)
        middle = find_center(profile, good > 0, method=method, blur=1.0)[0]
    size = sizes[0] if len(sizes) == 3 else smallest_covering(middle, count, bin_)
    return Window(middle, size, bin_)


def _square(
    middle: Sequence[int], detector: Sequence[int], factors: Sequence[int], hints: Sequence[str]
) -> int:
    """Side of the largest square window inside the detector."""
    side = min(map(largest_inside, middle, detector, factors))
    if side < SMALLEST:
        where = ", ".join(map(str, middle))
        raise ValueError(
            f"prepare_pattern: around the centre ({where}) no window of {SMALLEST} pixels lies "
            f"inside the detector, {detector[0]} x {detector[1]}: give shape (--size); what lies "
            "outside then counts as not measured." + "".join(f" But {hint}" for hint in hints)
        )
    return side
