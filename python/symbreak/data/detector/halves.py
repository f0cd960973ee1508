"""The photons of raw frames dealt out at random to two halves, and the patterns of these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.data.detector.cleaning import Bits, Counts
from symbreak.data.detector.layouts import HOT
from symbreak.data.detector.prepare import Prepared, prepare_pattern
from symbreak.data.detector.prepare_checks import Combine
from symbreak.data.detector.stacks import EVERYTHING, Box, Cleaner, Stack
from symbreak.ops.checks import check_count

MOST = 2.0**53  # counts beyond are not told apart in float64


def split_counts(
    counts: NDArray[Any], *, seed: int = 0, frame: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Deal every photon out to one of two halves, by the toss of a coin.

    Halves of Poisson counts are independent, Poisson and of half the mean: two measurements of half
    the exposure. Phase each and compare them (:func:`symbreak.halves.compare_halves`).

    Args:
        counts: Photons, whole numbers >= 0 of any real type, ``(*shape)``.
        seed: Of the tosses, >= 0.
        frame: Which of several arrays it is, >= 0: other tosses for each.

    Returns:
        Two float64 arrays ``(*shape)`` whose sum is ``counts``.

    Raises:
        TypeError: ``counts`` is no real array, or ``seed`` or ``frame`` no integer.
        ValueError: It holds something else than whole numbers from 0 to 2^53, or ``seed`` or
            ``frame`` is negative.

    Cost: one binomial number per pixel with photons.
    """
    seed = check_count("split_counts", "seed", seed, 0)
    frame = check_count("split_counts", "frame", frame, 0)
    if not isinstance(counts, np.ndarray) or counts.dtype.kind not in "iuf":
        given = getattr(counts, "dtype", type(counts).__name__)
        raise TypeError(f"split_counts: counts must be a real array, got {given}.")
    whole = counts.astype(np.float64)
    wrong = ~((whole >= 0) & (whole <= MOST) & (whole == np.floor(whole)))
    if wrong.any():
        raise ValueError(
            "split_counts: counts must be photons, whole numbers from 0 to 2^53, got "
            f"{counts[wrong][0]:g}: halves are made of raw counts."
        )
    generator = np.random.default_rng((seed, frame))
    first = generator.binomial(whole.astype(np.int64), 0.5).astype(np.float64)
    return first, whole - first


def prepare_halves(
    stack: Stack,
    prepared: Prepared,
    *,
    background: float | Counts = 0.0,
    flat: float | Counts = 1.0,
    saturation: float | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Prepared, Prepared]:
    """Prepare two patterns out of halves of the photons, as one was prepared out of all of them.

    Centre, window, bins and what counts as measured are those of ``prepared``. The photons of the
    raw frames are dealt out (`split_counts`), before half the background is subtracted from each
    half; both add up to ``prepared`` where neither is below 0 in the end.

    Args:
        stack: The frames that ``prepared`` is of.
        prepared: What `prepare_pattern` made of them.
        background: As it was given there.
        flat: As it was given there.
        saturation: As it was given there.
        seed: Of the tosses, >= 0.
        progress: Called with (frames read, frames to read), of both halves together.

    Returns:
        Two `Prepared`; their ``survey`` is of the window alone.

    Raises:
        TypeError: ``stack`` holds no frames, or ``seed`` is no integer.
        ValueError: A frame holds something else than photons where it was measured, a half has none
            of them, or ``seed`` is negative.

    Cost: per half that of `prepare_pattern`, of the window alone, and one or two binomial numbers
    per pixel with photons. Not differentiable.
    """
    if not hasattr(stack, "rejected"):
        raise TypeError(
            "prepare_halves: stack must be frames, as ArrayStack(counts), got "
            f"{type(stack).__name__}."
        )
    whole = Cleaner(background, flat, saturation)
    seen: Box = tuple(  # type: ignore[assignment]
        window.inside(length)
        for window, length in zip(prepared.windows[-2:], stack.shape[1:], strict=True)
    )
    first = (0,) * (len(prepared.windows) - 2) + tuple(part.start for part in seen)
    combine: Combine = "mean" if prepared.averaged else "sum"
    if len(prepared.windows) == 3:
        combine = "volume"
    found = []
    for which in (0, 1):

        def tell(done: int, total: int, before: int = which) -> None:
            if progress is not None:
                progress(before * total + done, 2 * total)

        half = prepare_pattern(
            _Half(stack, whole, prepared.survey.hot, seen, which, seed),
            combine=combine,
            center=[c - start for c, start in zip(prepared.center, first, strict=True)],
            shape=[window.size for window in prepared.windows],
            bins=[window.bin for window in prepared.windows],
            background=_part(background, seen) / 2,
            flat=_part(flat, seen),
            progress=tell,
        )
        # Of the photons of a saturated pixel nothing more is known than half of the least.
        found.append(replace(half, windows=prepared.windows, least=prepared.least / np.float32(2)))
    return found[0], found[1]


def _part(values: float | Counts, box: Box) -> float | Counts:
    return values[box] if isinstance(values, np.ndarray) else values


@dataclass(frozen=True)
class _Half:
    """Half of the photons of a part of every frame; what was measured is told by all of them."""

    stack: Stack
    whole: Cleaner
    hot: NDArray[np.bool_]
    seen: Box
    """The part: photons elsewhere need not be dealt out."""
    which: int
    seed: int

    @property
    def shape(self) -> tuple[int, int, int]:
        count, *detector = self.stack.shape
        rows, columns = (
            len(range(*part.indices(n))) for part, n in zip(self.seen, detector, strict=True)
        )
        return count, rows, columns

    def read(self, frame: int, box: Box) -> NDArray[Any]:
        # All of the part, whatever is asked for: the tosses are the same each time.
        measured = self.rejected(frame, EVERYTHING) == 0
        counts = np.where(measured, self.stack.read(frame, self.seen), 0)
        return split_counts(counts, seed=self.seed, frame=frame)[self.which][box]

    def rejected(self, frame: int, box: Box) -> Bits:
        bits = self.whole(self.stack, frame, self.seen)[1]
        bits = bits | np.where(self.hot[self.seen], HOT, 0).astype(np.uint32)
        return bits[box]
