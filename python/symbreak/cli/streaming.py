"""Progress and notes of a data set that is worked through chunk by chunk."""

from __future__ import annotations

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
