"""What the commands print: results on stdout, notes and progress on stderr."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table


def out() -> Console:
    """Results: on stdout, so that they can be piped. A file named a:v:.h5 holds no emoji."""
    return Console(highlight=False, emoji=False)


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


def table(title: str, *columns: str) -> Table:
    """An empty table; the first column is left-aligned, the others right."""
    result = Table(title=title, title_justify="left", title_style="bold")
    for k, column in enumerate(columns):
        result.add_column(column, justify="left" if k == 0 else "right")
    return result
