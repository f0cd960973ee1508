"""Open detector frames in files: one frame or a stack, in one file or many, with their masks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.data.detector.cleaning import Bits
from symbreak.data.detector.corrections import Corner, open_whole
from symbreak.data.detector.header import Header, read_header
from symbreak.data.detector.layouts import (
    BAD,
    find_mask,
    find_saturation,
    fits,
    mask_hint,
    numbered_parts,
    rejected,
    unexplained_masks,
)
from symbreak.data.detector.series import open_frame, open_next, series_notes
from symbreak.data.detector.stacks import EVERYTHING, Box
from symbreak.data.detector.virtual import check_sources
from symbreak.data.files.arrays import (
    ArrayLike,
    DataError,
    OpenArray,
    Source,
    read,
    without_ones,
)

Reason = Callable[[NDArray[Any]], Bits]


@dataclass(frozen=True)
class Part:
    """An array of some of the frames, ``(rows, columns)`` or ``(frames, rows, columns)``."""

    array: ArrayLike
    source: Source

    @property
    def count(self) -> int:
        """How many frames it holds."""
        return self.array.shape[0] if len(self.array.shape) == 3 else 1

    def read(self, frame: int, box: Box) -> NDArray[Any]:
        """A part of one frame; a frame that holds for all stands for any."""
        key = box if len(self.array.shape) == 2 else (frame, *box)
        return read(self.array, self.source, key)


@dataclass(frozen=True)
class Mask:
    """A mask of one frame or of every frame, and how to read what it says."""

    part: Part
    reason: Reason
    """Values of the mask to CXI bits, 0 = measured."""


@dataclass(frozen=True)
class Frames:
    """Frames in files that are open; a `symbreak.data.detector.stacks.Stack`."""

    parts: tuple[Part, ...]
    masks: tuple[Mask, ...]
    chosen: Sequence[int]
    """Which of all frames these are."""
    saturation: float | None
    """Largest count to trust as the first file says it (NXdetector), None if it does not."""
    header: Header
    """What the first file says of beam and detector."""
    notes: tuple[str, ...]
    """What the user should know of the choices made."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Frames, rows, columns."""
        rows, columns = self.parts[0].array.shape[-2:]
        return len(self.chosen), rows, columns

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the counts in the first file."""
        return self.parts[0].array.dtype

    def read(self, frame: int, box: Box) -> NDArray[Any]:
        """Counts of a part of one frame."""
        index = self.chosen[frame]
        for part in self.parts:
            if index < part.count:
                return part.read(index, box)
            index -= part.count
        raise IndexError(frame)

    def rejected(self, frame: int, box: Box) -> Bits:
        """What all masks say of a part of one frame, as CXI bits."""
        shape = tuple(
            len(range(*where.indices(n))) for where, n in zip(box, self.shape[1:], strict=True)
        )
        bits = np.zeros(shape, dtype=np.uint32)
        for mask in self.masks:
            bits |= mask.reason(mask.part.read(self.chosen[frame], box))
        return bits


@contextmanager
def open_frames(
    sources: Sequence[Source | Path | str],
    *,
    valid: Source | None = None,
    mask: Source | None = None,
    own_mask: bool = True,
    chosen: slice | Sequence[slice] | None = None,
    corner: Corner | None = None,
) -> Iterator[Frames]:
    """Open detector frames; the layouts that are found by themselves are those of `layouts`.

    Axes of length 1 in front are dropped. HDF5 files are read when a frame is asked for, through
    external links and virtual datasets; other files at once and, of a series, those beyond `KEPT`
    bytes again whenever a frame of theirs is asked for. Of the numbered parts of an Eiger master
    file all are taken, unless one is named.

    Args:
        sources: One file, or several whose frames follow each other, as `read_pattern` takes one.
        valid: An array of the frames' shape or that of one, not 0 where a pixel was measured.
        mask: The opposite, 0 where a pixel was measured. Both may be given.
        own_mask: Whether the mask of the first file is used, beside those given, where its layout
            says what it means.
        chosen: Which of the frames to take, one part or several; None for all.
        corner: Where frames begin on the whole detector (row, column), for a mask of all of it.

    Raises:
        DataError: No frames are there, they differ in shape, data behind a link are missing, or a
            mask does not fit.
        TypeError: ``sources`` holds something that names no file.
        OSError: A file cannot be read.
    """
    several = [sources] if isinstance(sources, str | Path | Source) else sources
    named = [Source.of(source) for source in several]
    with ExitStack() as files:
        parts: list[Part] = []
        first = files.enter_context(open_frame(named[0]))
        kept = 0
        for source in named:
            found = first if source is named[0] else open_next(files, source, kept)
            kept += found.array.nbytes if isinstance(found.array, np.ndarray) else 0
            parts += _parts(found, alone=_named(source, found))
        _check(parts)
        rows, columns = parts[0].array.shape[-2:]
        total = sum(part.count for part in parts)
        where = _where(chosen, total)
        if not where:
            raise DataError(f"{named[0]}: no frame is chosen, there are {total}.")
        masks: list[Mask] = []
        notes = [*first.notes, *series_notes(named)]
        if len(parts) > len(named):
            notes.append(f"{named[0]}: {total} frames in {len(parts)} parts.")
        shape = (total, rows, columns)
        for given, reason in ((valid, _not_valid), (mask, _masked)):
            if given is not None:
                masks.append(_given(files, given, first, shape, reason, corner))
        if own_mask:
            own, more = _own(first, shape, unexplained=not masks)
            masks += own
            notes += more
        saturation = _saturation(first)
        header = read_header(first, where, total)
        yield Frames(tuple(parts), tuple(masks), where, saturation, header, tuple(notes))


def _where(chosen: slice | Sequence[slice] | None, total: int) -> list[int]:
    """Numbers of the frames to take, in their order, none twice."""
    parts = [slice(None)] if chosen is None else chosen
    several = [parts] if isinstance(parts, slice) else parts
    return sorted({frame for part in several for frame in range(total)[part]})


def _named(source: Source, found: OpenArray) -> bool:
    """Whether the user named the very dataset that was taken."""
    name, taken = source.dataset, found.source.dataset
    return name is not None and taken is not None and name.strip("/") == taken.strip("/")


def _parts(found: OpenArray, *, alone: bool) -> list[Part]:
    """The dataset found, and those that its name says follow it."""
    name = found.source.dataset or ""
    names = [name] if alone else numbered_parts(name, [*found.others, *found.broken])
    parts = []
    for part in names:
        source = Source(found.source.path, found.source.dataset and part)
        if part in found.broken:
            raise DataError(f"{source}: it is in {found.broken[part]}, which is not there.")
        array = found.array if part == name else found.others[part]
        check_sources(array, source)
        parts.append(Part(without_ones(array, source), source))
    return parts


def _check(parts: Sequence[Part]) -> None:
    """Make sure that the parts are frames of one shape."""
    for part in parts:
        array = part.array
        if array.dtype.kind not in "iuf" or len(array.shape) not in (2, 3) or 0 in array.shape:
            hint = " Modules must be assembled first." if len(array.shape) > 3 else ""
            raise DataError(
                f"{part.source}: frames must be real and (rows, columns) or (frames, rows, "
                f"columns), got {array.dtype} {array.shape}.{hint}"
            )
        if array.shape[-2:] != parts[0].array.shape[-2:]:
            raise DataError(
                f"{part.source}: its frames are {array.shape[-2:]}, those of {parts[0].source} "
                f"{parts[0].array.shape[-2:]}."
            )


def _given(
    files: ExitStack,
    source: Source,
    first: OpenArray,
    shape: tuple[int, ...],
    reason: Reason,
    corner: Corner | None,
) -> Mask:
    """Open a mask that the user named; an empty path means the file of the frames."""
    source = source.within(first.source)
    opened, box = files.enter_context(open_whole(source, "mask", (shape[-2], shape[-1]), corner))
    array = without_ones(opened.array, opened.source)
    if box != EVERYTHING:
        array = read(array, opened.source, (..., *box))
    if not fits(array.shape, shape):
        raise DataError(
            f"{opened.source}: shape {array.shape} differs from the frames', {shape[-2:]}."
        )
    return Mask(Part(array, opened.source), reason)


def _own(
    found: OpenArray, shape: tuple[int, ...], *, unexplained: bool
) -> tuple[list[Mask], list[str]]:
    """The mask that the file itself brings, and a note about it, or on masks that say nothing."""
    name = find_mask(found.others, shape)
    if name is None:
        masks = unexplained_masks(found.others, shape) if unexplained else {}
        return [], [mask_hint(found.source.path, masks)] if masks else []
    source = Source(found.source.path, name)
    mask = Mask(
        Part(without_ones(found.others[name], source), source),
        lambda values: rejected(name, values),
    )
    return [mask], [f"{found.source.path}: using the detector mask {name}."]


def _saturation(found: OpenArray) -> float | None:
    name = find_saturation(found.others)
    if name is None:
        return None
    value = float(read(found.others[name], Source(found.source.path, name)).reshape(()))
    return value if value > 0 else None  # 0 and -1 say "unknown"


def _masked(values: NDArray[Any]) -> Bits:
    return np.where(values != 0, BAD, 0).astype(np.uint32)


def _not_valid(values: NDArray[Any]) -> Bits:
    return np.where(values == 0, BAD, 0).astype(np.uint32)
