"""Read a stack of diffraction patterns chunk by chunk, each as `read_pattern` reads one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from symbreak.data.detector.cleaning import only_saturated
from symbreak.data.detector.layouts import find_mask, rejected
from symbreak.data.detector.looks import Origin, Values, look_at_origin, look_at_values
from symbreak.data.detector.patterns import MASK_NAMES, hint_at_saturated, marked_values
from symbreak.data.files.arrays import ArrayLike, DataError, OpenArray, Source, open_array, read

# As many patterns, from the first on, are looked at to tell whether the user described them right,
# but no more pixels than that, which holds a single volume at least.
LOOKED_AT, PIXELS = 16, 2**22


@dataclass(frozen=True)
class StackMask:
    """A mask of one pattern or of every one, and where its values say that a pixel was measured."""

    array: ArrayLike
    source: Source
    measured: Callable[[NDArray[Any]], NDArray[np.bool_]]
    saturated: Callable[[NDArray[Any]], NDArray[np.bool_]]
    """Where there was more than could be counted; it is not measured then."""


@dataclass(frozen=True)
class PatternStack:
    """Patterns ``(items, *grid)`` that are read as long as their file is open."""

    opened: OpenArray
    values: Values
    origin: Origin
    masks: tuple[StackMask, ...]
    saturated: StackMask | None
    """Counts whatever the masks say of a pixel."""
    own_saturated: bool
    """Whether what the masks call saturated counts as well."""
    notes: tuple[str, ...]
    """What the user should know of the choices made."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Items, and pixels per axis."""
        return self.opened.array.shape

    @property
    def every_mask(self) -> tuple[StackMask, ...]:
        """Also the one of saturated pixels."""
        return self.masks if self.saturated is None else (*self.masks, self.saturated)

    def read(self, rows: slice) -> dict[str, NDArray[Any]]:
        """Read some patterns.

        Not measured are pixels that a mask says so of, NaN, infinity, the largest value of an
        integer type, 2^32 - 1, and negative intensities of a signed integer type. Those of a
        floating type count as 0. A dark pattern, without a measured pixel above 0, is no error.

        Returns:
            ``amplitude``, float32 ``(items, *grid)``, DC at index 0, ``valid``, bool likewise, and
            ``least``, what saturated pixels have at least, 0 elsewhere.

        Raises:
            DataError: The file is damaged, or an amplitude is negative.
        """
        amplitude, good, least = self._measured(rows, own=self.own_saturated)
        if self.values == "intensities":
            amplitude, least = np.sqrt(np.maximum(amplitude, 0)), np.sqrt(least)
        elif (amplitude < 0).any():
            item = rows.start + int(np.argwhere(amplitude < 0)[0, 0])
            raise DataError(
                f"{self.opened.source}: amplitudes must be >= 0, pattern {item} has negative ones."
            )
        if self.origin == "center":
            axes = tuple(range(1, amplitude.ndim))
            amplitude, least = np.fft.ifftshift(amplitude, axes), np.fft.ifftshift(least, axes)
            good = np.fft.ifftshift(good, axes)
        return {
            "amplitude": amplitude.astype(np.float32),
            "valid": good,
            "least": least.astype(np.float32),
        }

    def looks(self) -> list[str]:
        """Look at the first patterns, and say so if they are otherwise than the user said.

        Raises:
            DataError: The file is damaged.
        """
        count = max(1, min(LOOKED_AT, PIXELS // math.prod(self.shape[1:])))
        data, good, least = self._measured(slice(0, count), own=True)
        seen = good.sum(0)
        mean = data.sum(0) / np.maximum(seen, 1)  # in a single pattern anything may be brightest
        found = look_at_values(data, good, self.values)
        found += look_at_origin(mean, seen > 0, self.origin)
        if self.saturated is None and not self.own_saturated:
            found += hint_at_saturated(int((least > 0).sum()))
        return [f"in the first patterns {line}" for line in found]

    def _measured(
        self, rows: slice, *, own: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
        """Values, 0 where not measured; where they were; those of saturated pixels, else 0."""
        data = read(self.opened.array, self.opened.source, rows)
        usable = np.isfinite(data) & ~marked_values(data, self.values)
        good, over = usable.copy(), np.zeros(data.shape, dtype=bool)
        allowed = np.ones(data.shape, dtype=bool)  # measured or saturated
        for mask in self.masks:
            values = self._of(mask, rows)
            good &= mask.measured(values)
            if own:
                over |= mask.saturated(values)
            allowed &= mask.measured(values) | mask.saturated(values)
        over &= allowed
        if self.saturated is not None:
            over |= np.broadcast_to(
                self.saturated.saturated(self._of(self.saturated, rows)), data.shape
            )
            good &= ~over
        least: NDArray[np.float64] = np.where(over & usable & (data > 0), data, 0)
        return np.where(good, data, 0).astype(np.float64), good, least.astype(np.float64)

    def _of(self, mask: StackMask, rows: slice) -> NDArray[Any]:
        every = mask.array.shape == self.shape
        return read(mask.array, mask.source, rows if every else ())


@contextmanager
def open_stack(
    source: Source,
    *,
    ndim: int = 2,
    values: Values = "intensities",
    origin: Origin = "center",
    valid: Source | None = None,
    mask: Source | None = None,
    saturated: Source | None = None,
    own_mask: bool = True,
    own_saturated: bool = False,
) -> Iterator[PatternStack]:
    """Open patterns ``(items, *grid)`` without reading them.

    Args:
        source: The file and, optionally, the dataset.
        ndim: Axes of one pattern, 2 or 3.
        values: Whether the file holds intensities (counts) or amplitudes, their square roots.
        origin: Where the file has zero frequency: the middle, index M // 2, or the corner.
        valid: Not 0 where a pixel was measured; of the shape of one pattern or of all.
        mask: The opposite: 0 where a pixel was measured.
        saturated: Likewise, not 0 where the file holds the least that there was, whatever the masks
            say.
        own_mask: Whether a mask of the same file is used as well, where its layout says what it
            means: CXI's ``mask``, NeXus' ``pixel_mask``.
        own_saturated: As `read_pattern` takes it.

    Raises:
        DataError: The file does not hold one such stack, or a mask does not fit it.
        OSError: A file cannot be read.
    """

    def wanted(name: str, array: ArrayLike) -> bool:
        return array.dtype.kind in "iuf" and len(array.shape) == ndim + 1

    with open_array(source, what="stack of patterns", wanted=wanted, never=MASK_NAMES) as opened:
        shape = opened.array.shape
        if opened.array.dtype.kind not in "iuf" or len(shape) != ndim + 1 or min(shape[1:]) < 4:
            raise DataError(
                f"{opened.source}: a stack of patterns must be real numbers with {ndim + 1} axes, "
                f"at least 4 pixels along the last {ndim}, got {opened.array.dtype} {shape}."
            )
        if not shape[0]:
            raise DataError(f"{opened.source}: it is empty, shape {shape}.")
        with (
            _open_mask(valid, opened) as first,
            _open_mask(mask, opened) as second,
            _open_mask(saturated, opened) as third,
        ):
            masks = []
            if first is not None:
                masks.append(StackMask(first.array, first.source, _is_set, _nowhere))
            if second is not None:
                masks.append(StackMask(second.array, second.source, _is_clear, _nowhere))
            over = None
            if third is not None:
                over = StackMask(third.array, third.source, _is_clear, _is_set)
            notes = opened.notes
            if own_mask and (own := _own_mask(opened)) is not None:
                masks.append(own)
                notes = (*notes, f"{own.source.path}: using its mask {own.source.dataset}.")
            if _is_prepared_volume(opened.array):
                notes = (
                    *notes,
                    f"{opened.source}: one volume, of which every frame is taken as a pattern of "
                    "its own; `symbreak reconstruct` phases the volume.",
                )
            yield PatternStack(opened, values, origin, tuple(masks), over, own_saturated, notes)


def _is_prepared_volume(array: ArrayLike) -> bool:
    """Whether `symbreak.data.detector.pattern_file` wrote it, of frames that belong together."""
    if not isinstance(array, h5py.Dataset):
        return False
    program = array.file.get("entry_1/program_name")
    made_here = program is not None and bytes(program[()]).startswith(b"symbreak")
    return made_here and list(array.parent.attrs.get("axes", ()))[:1] == ["frame"]


def _own_mask(patterns: OpenArray) -> StackMask | None:
    fitting = (patterns.array.shape, patterns.array.shape[1:])
    others = {name: array for name, array in patterns.others.items() if array.shape in fitting}
    name = find_mask(others, patterns.array.shape)
    if name is None:
        return None
    source = Source(patterns.source.path, name)
    return StackMask(
        others[name],
        source,
        lambda values: rejected(name, values) == 0,
        lambda values: only_saturated(rejected(name, values)),
    )


def _is_set(values: NDArray[Any]) -> NDArray[np.bool_]:
    where: NDArray[np.bool_] = values != 0
    return where


def _is_clear(values: NDArray[Any]) -> NDArray[np.bool_]:
    return ~_is_set(values)


def _nowhere(values: NDArray[Any]) -> NDArray[np.bool_]:
    return np.zeros(values.shape, dtype=bool)


@contextmanager
def _open_mask(source: Source | None, patterns: OpenArray) -> Iterator[OpenArray | None]:
    """Open a mask; an empty path means the patterns' file."""
    if source is None:
        yield None
        return
    source = source.within(patterns.source)
    fitting = (patterns.array.shape, patterns.array.shape[1:])
    with open_array(source, what="mask", wanted=lambda n, a: a.shape in fitting) as mask:
        if mask.array.shape not in fitting:
            raise DataError(
                f"{mask.source}: shape {mask.array.shape} is neither that of the patterns nor of "
                f"one of them, {fitting[1]}."
            )
        yield mask
