"""Read a FIO file, as DESY's beamlines write one for each scan.

The layout is that of Sardana's recorder: lines that begin with ``!`` are comments, ``%p`` begins
the motors before the scan, ``name = position``, ``%d`` the columns, first ``Col 1 name DOUBLE`` and
so on, then their rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from symbreak.data.files.readers import DataError

SECTIONS = ("%c", "%p", "%d")
MOTOR = re.compile(r"\s*(\S.*?)\s*=\s*(.*)")
COLUMN = re.compile(r"\s*Col\s+\d+\s+(\S.*?)\s+[A-Z]\w*\s*")


def read_fio(path: Path) -> tuple[dict[str, float], dict[str, NDArray[np.float64]]]:
    """Read where the motors were before the scan, and what was recorded at its points.

    Args:
        path: The file.

    Returns:
        Positions and columns by their names; what is no number is NaN.

    Raises:
        DataError: Not a FIO file, or its rows and columns do not fit.
        OSError: The file cannot be read.
    """
    before: dict[str, float] = {}
    names: list[str] = []
    rows: list[list[float]] = []
    seen = False
    for section, line in _lines(path):
        seen = seen or section in ("%p", "%d")
        if section == "%p" and (motor := MOTOR.fullmatch(line)):
            before.setdefault(motor[1], _number(motor[2]))
        elif section == "%d" and (column := COLUMN.fullmatch(line)):
            names.append(column[1])
        elif section == "%d":
            rows.append([_number(word) for word in line.split()])
    if not seen:
        raise DataError(f"{path}: not a FIO file: no section %p or %d.")
    wrong = next((len(row) for row in rows if len(row) != len(names)), None)
    if wrong is not None:
        raise DataError(f"{path}: a row of {wrong} values, there are {len(names)} columns.")
    values = np.array(rows).reshape(len(rows), len(names)).T
    columns: dict[str, NDArray[np.float64]] = {}
    for name, column in zip(names, values, strict=True):
        columns.setdefault(name, column)
    return before, columns


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Every line that says something, and its section."""
    section = ""
    with open(path, encoding="latin-1") as file:
        for line in file:
            text = line.strip()
            if text in SECTIONS:
                section = text
            elif text and not text.startswith("!"):
                yield section, text


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return float("nan")
