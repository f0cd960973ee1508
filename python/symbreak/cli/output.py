"""What the commands print: results on stdout, notes and progress on stderr."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console, ConsoleOptions, RenderResult
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

UNCUT = 1000  # columns, more than any table needs


def out() -> Console:
    """Results: on stdout, so that they can be piped. A file named a:v:.h5 holds no emoji.

    A pipe or a file has no edge at which a table would have to be made narrower.
    """
    edge = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(highlight=False, emoji=False, width=None if edge else UNCUT)


def err() -> Console:
    """Notes and progress: on stderr."""
    return Console(stderr=True, highlight=False, emoji=False)


def note(lines: Iterable[str]) -> None:
    """Tell what the user should know but did not ask for."""
    for line in lines:
        err().print(f"note: {line}", style="yellow", markup=False, soft_wrap=True)


def wrote(path: Path, what: str) -> None:
    """Tell where a result lies."""
    out().print(f"{what}: {path}", markup=False, soft_wrap=True)


def command_line() -> str:
    """The command as it was typed, for the record in files."""
    return shlex.join(["symbreak", *sys.argv[1:]])


@contextmanager
def progress(text: str, total: int | None) -> Iterator[Progress]:
    """Show a progress bar on stderr while the block runs; its one task has the id 0."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err()) as bar:
        bar.add_task(text, total=total)
        yield bar


def element(ndim: int) -> str:
    """What a grid of so many axes consists of."""
    return "voxel" if ndim == 3 else "pixel"


def counted(count: int, ndim: int) -> str:
    """So many of them."""
    return f"{count} {element(ndim)}{'' if count == 1 else 's'}"


class _Whole(Table):
    """A table that cuts no word, and so no number, as long as there is any room for it."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        widest = options.update(width=UNCUT)
        if self.__rich_measure__(console, widest).minimum > options.max_width:
            self.padding = 0
        return super().__rich_console__(console, options)


def table(title: str, *columns: str) -> Table:
    """An empty table; the first column is left-aligned, the others right.

    In a narrow terminal cells go on in the next line rather than lose their end.
    """
    result = _Whole(title=title, title_justify="left", title_style="bold")
    for k, column in enumerate(columns):
        result.add_column(column, justify="left" if k == 0 else "right", overflow="fold")
    return result
