"""Schedules: which algorithm runs for how many iterations, as text or as a list of steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from symbreak import _C
from symbreak.ops.checks import shown
from symbreak.ops.numbers import whole

Schedule: TypeAlias = "str | Sequence[tuple[str, int]]"
"""``"3*(20*ER+180*HIO)+20*ER"``, or steps like ``[("ER", 20), ("HIO", 180)]``."""

SCHEDULE = "3*(20*ER+180*HIO)+20*ER"
"""What is run where none is given."""


def schedule_text(schedule: Schedule) -> str:
    """Write a schedule as text; what the text means is checked by :func:`parse_schedule`."""
    if isinstance(schedule, str):
        return schedule
    if not isinstance(schedule, (list, tuple)):
        raise TypeError(
            "reconstruct: schedule must be a string like '20*ER+180*HIO' or a list of steps like "
            f"[('ER', 20), ('HIO', 180)], got {type(schedule).__name__}."
        )
    terms = []
    for step in schedule:
        named = isinstance(step, (list, tuple)) and len(step) == 2 and isinstance(step[0], str)
        count = whole(step[1]) if named else None
        if count is None:
            raise TypeError(
                "reconstruct: each step of schedule must be a name and a count like ('HIO', 180), "
                f"got {shown(step)}."
            )
        # The parser refuses what is cut off here; Python cannot print every integer.
        terms.append(f"{max(-1, min(count, 2**62))}*{step[0]}")
    return "+".join(terms)


def parse_schedule(text: str) -> list[tuple[str, int]]:
    """Write a schedule out as steps, equal neighbours merged.

    Terms ``n*ALG`` are joined by ``+``; ``k*( ... )`` repeats what is in the parentheses; ALG is
    ER, HIO, RAAR or DM in upper or lower case, and without a count it runs once.

    Raises:
        ValueError: The text is not a schedule; the message points at the offending character.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        whole = False
    else:
        whole = "\0" not in text
    if not whole:  # what C++ cannot take, or not show
        raise ValueError(f"schedule: expected text, got {shown(text)}.")
    return _C.parse_schedule(text)


def cut(
    steps: Sequence[tuple[str, int]], lengths: Iterable[int]
) -> Iterator[list[tuple[str, int]]]:
    """A schedule in pieces of so many iterations each; what remains is the last."""
    pending, rooms = list(reversed(steps)), iter(lengths)
    while pending:
        piece, room = [], next(rooms, None)
        while pending and room != 0:
            name, count = pending.pop()
            taken = count if room is None else min(count, room)
            piece.append((name, taken))
            if room is not None:
                room -= taken
            if count > taken:
                pending.append((name, count - taken))
        yield piece


def total_iterations(text: str) -> int:
    return sum(count for _, count in parse_schedule(text))
