"""What the options of `symbreak prepare` say."""

from __future__ import annotations

import math

import typer

from symbreak.cli import options
from symbreak.data.files.arrays import Source


def single(numbers: tuple[int, ...]) -> int | tuple[int, ...]:
    """One number as such, several as they are."""
    return numbers[0] if len(numbers) == 1 else numbers


def numbers(text: str, option: str, words: str = "", *, lowest: int = 0) -> tuple[int, ...]:
    """Parse ``N``, ``ROW,COLUMN`` or ``FRAME,ROW,COLUMN``, none of them below ``lowest``."""
    least = 2 if words else 1
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not least <= len(found) <= 3:
        expected = f"{words} or [FRAME,]ROW,COLUMN" if words else "N or [FRAMES,]ROWS,COLUMNS"
        raise typer.BadParameter(f"expected {expected}, got {text!r}", param_hint=option)
    if min(found) < lowest:
        raise typer.BadParameter(f"expected numbers >= {lowest}, got {text!r}", param_hint=option)
    return found


def frames(text: str | None, *, together: bool) -> list[slice] | None:
    """Parse ``K`` and ``START:STOP``, several of them joined by commas.

    Args:
        text: As it was given.
        together: Whether the frames must follow each other, as those of a volume.
    """
    if text is None:
        return None
    parts = [_frames(part) for part in text.split(",")]
    if any(part is None for part in parts):
        wanted = "K or START:STOP, several joined by commas"
        raise typer.BadParameter(f"expected {wanted}, got {text!r}", param_hint="--frames")
    if together and len(parts) > 1:
        raise typer.BadParameter(
            f"the frames of a volume follow each other, expected K or START:STOP, got {text!r}",
            param_hint="--frames",
        )
    return [part for part in parts if part is not None]


def _frames(text: str) -> slice | None:
    try:
        ends = [int(part) if part else None for part in text.split(":")]
    except ValueError:
        return None
    if len(ends) == 1 and ends[0] is not None and ends[0] >= 0:
        return slice(ends[0], ends[0] + 1)
    return slice(*ends) if len(ends) == 2 else None


def background(text: str | None) -> float | Source:
    """Parse a number of counts, or the name of a file; none is 0."""
    if text is None:
        return 0.0
    try:
        counts = float(text)
    except ValueError:
        return options.source(text)
    if not 0 <= counts < math.inf:
        raise typer.BadParameter(
            f"expected a finite number >= 0 or a file, got {text!r}", param_hint="--background"
        )
    return counts


def corner(text: str | None) -> tuple[int, int] | None:
    """Parse ``ROW,COLUMN``."""
    if text is None:
        return None
    try:
        row, column = (int(part) for part in text.split(","))
    except ValueError:
        row = column = -1
    if row < 0 or column < 0:
        raise typer.BadParameter(f"expected ROW,COLUMN, got {text!r}", param_hint="--corner")
    return row, column
