"""Write an instrument as the TOML file that `read_instrument` reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields

from symbreak.geometry.circles import Circle
from symbreak.geometry.instrument import Instrument
from symbreak.geometry.instrument_file import DETECTOR, TOP


def instrument_text(instrument: Instrument, comments: Iterable[str] = ()) -> str:
    """The whole instrument; what is as by default is left out.

    Args:
        instrument: What to write.
        comments: Lines before it.
    """
    default = {field.name: field.default for field in fields(Instrument)}

    def entries(names: Sequence[str]) -> list[str]:
        values = ((name, getattr(instrument, name)) for name in names)
        return [f"{name} = {_value(value)}" for name, value in values if value != default[name]]

    lines = [f"# {_printable(comment)}" for comment in comments]
    lines += [*entries(TOP), "", "[detector]", *entries(DETECTOR), *_circles(instrument.detector)]
    if instrument.sample:
        lines += ["", "[sample]", *_circles(instrument.sample)]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    if isinstance(value, str):
        # JSON's text is TOML's, but for one character that TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    return repr(float(value))  # type: ignore[arg-type]


def _circles(circles: tuple[Circle, ...]) -> list[str]:
    rows = [
        f"    {{name = {_value(c.name)}, axis = {_value(c.axis)}, angle = {_value(c.angle)}}},"
        for c in circles
    ]
    return ["circles = [", *rows, "]"] if rows else []


def _printable(comment: str) -> str:
    """A comment's line: TOML allows no control characters in it."""
    return "".join(letter if letter.isprintable() else "?" for letter in comment)
