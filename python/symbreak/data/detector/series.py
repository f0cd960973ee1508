"""Many files of one scan, a frame in each: their order, and how much of them is kept in memory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.data.detector.layouts import NOT_FRAMES, can_be_frames, prefer_frames
from symbreak.data.files.arrays import OpenArray, Source, open_array

# Frames of files that are read at once (all but HDF5) are kept up to so many bytes.
KEPT = 2**30


@dataclass(frozen=True)
class Reread:
    """An array that is read from its file again whenever a part of it is asked for."""

    source: Source
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Read the file, give a part of it."""
        with open_frame(self.source) as opened:
            part = np.asarray(opened.array)[key]
            return part.copy() if isinstance(part, np.ndarray) else np.asarray(part)


def open_frame(source: Source) -> AbstractContextManager[OpenArray]:
    """Open what holds frames; see `open_array`."""
    return open_array(
        source, what="frame", wanted=can_be_frames, prefer=prefer_frames, never=NOT_FRAMES
    )


def open_next(files: ExitStack, source: Source, kept: int) -> OpenArray:
    """Open a further file of a series; without its data, if `KEPT` bytes are in memory already.

    Args:
        files: What closes the file in the end.
        source: The file.
        kept: Bytes of the files before it that are in memory.
    """
    with ExitStack() as here:
        opened = here.enter_context(open_frame(source))
        array = opened.array
        if isinstance(array, np.ndarray) and kept + array.nbytes > KEPT:
            again = Reread(source, array.shape, array.dtype)
            return OpenArray(again, opened.source, {}, opened.notes)
        files.push(here.pop_all())
        return opened


def series_notes(sources: Sequence[Source]) -> list[str]:
    """What is odd in the numbers with which the names of files end: their order, and gaps.

    A shell puts ``scan_10.tif`` before ``scan_2.tif``, and a rocking curve with frames out of
    order, or with one missing, is another crystal.
    """
    names = [source.path.name for source in sources]
    parts = [re.fullmatch(r"(.*?)(\d+)(\D*)", name) for name in names]
    found = [int(part[2]) for part in parts if part is not None]
    stems = {(part[1], part[3]) for part in parts if part is not None}
    if len(found) < len(names) or len(names) < 3 or len(stems) > 1:
        return []
    for k in range(len(found) - 1):
        if found[k] > found[k + 1]:
            return [
                f"{names[k]} comes before {names[k + 1]}: frames are taken in the order given; "
                "`ls -v` sorts by number."
            ]
    step = min(b - a for a, b in pairwise(found))
    gaps = [k for k in range(len(found) - 1) if found[k + 1] - found[k] > step]
    if step < 1 or not gaps:
        return []
    first = f"{names[gaps[0]]} and {names[gaps[0] + 1]}"
    more = f", and in {len(gaps) - 1} other places" if len(gaps) > 1 else ""
    return [f"files seem to be missing between {first}{more}: of a volume none may."]
