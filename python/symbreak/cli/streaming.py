"""Progress and notes of a data set that is worked through chunk by chunk."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from symbreak.cli.output import note, progress

Report = Callable[[int, tuple[str, ...]], None]


@contextmanager
def reporting(text: str, total: int, done: int = 0, *, items: int = 1) -> Iterator[Report]:
    """Show a progress bar; give what `symbreak.data.streaming.chunks.Chunks` reports its chunks to.

    Args:
        text: What is being done.
        total: Rows in all.
        done: Rows that were done before.
        items: Items of a row.
    """
    said: set[str] = set()
    with progress(text, total * items) as bar:
        bar.update(bar.task_ids[0], completed=done * items)

        def report(rows: int, notes: tuple[str, ...]) -> None:
            bar.advance(bar.task_ids[0], rows * items)
            note(line for line in notes if line not in said)
            said.update(notes)  # of several workers each says the same

        yield report


def volume_notes(source: object, shape: tuple[int, ...], ndim: int) -> tuple[str, ...]:
    """Tell where the image of a CXI file, one object of its own, is about to be taken as a stack.

    Args:
        source: ``FILE:DATASET``, as `symbreak.data` names what it has opened.
        shape: The shape of the dataset.
        ndim: Axes of one object, as the user said.
    """
    if ndim != 2 or len(shape) != 3 or not re.search(r"/(image|data)_\d+/data$", str(source)):
        return ()
    count, rows, columns = shape
    return (f"{source}: {count} objects of {rows} x {columns}; if it is one volume: --ndim 3.",)
