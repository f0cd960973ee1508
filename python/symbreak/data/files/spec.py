"""Read one scan of a SPEC file: where the motors were before it, and its columns.

The format is that of certif.com/spec_manual, "Standard data files": ``#O0``, ``#O1``, ... name the
motors of the file, two spaces between them, ``#S`` begins a scan, ``#P0``, ``#P1``, ... say where
they are, ``#L`` names the columns, numbers follow. Read here, line by line, and not by silx, whose
parser in C (3.1.3) corrupted memory at a file in which bytes had been changed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from symbreak.data.files.readers import DataError

NAMED = 8  # scans that a message lists


@dataclass
class SpecScan:
    """What a file says of a scan."""

    key: str
    """Its number and, since numbers can come again, which of them it is: ``12.1``."""
    motors: list[str] = field(default_factory=list)
    labels: str = ""
    positions: list[float] = field(default_factory=list)
    rows: list[list[float]] = field(default_factory=list)

    def before(self) -> dict[str, float]:
        """Where motors were before the scan.

        Raises:
            ValueError: There are more names than positions, or fewer.
        """
        return dict(zip(self.motors, self.positions, strict=True))

    def columns(self) -> dict[str, NDArray[np.float64]]:
        """What was recorded at every point; of columns with one name the first.

        Raises:
            ValueError: Rows differ in length from one another or from the names.
        """
        if not self.rows:
            return {}
        values = np.array(self.rows)
        names = _names(self.labels)
        if len(names) != values.shape[-1]:
            names = self.labels.split()
        columns: dict[str, NDArray[np.float64]] = {}
        for name, column in zip(names, values.T, strict=True):
            columns.setdefault(name, column)
        return columns


def read_spec(path: Path, wanted: str) -> SpecScan:
    """Read a scan.

    Args:
        path: The file.
        wanted: Number of the scan, ``12``, or ``12.2`` for the second of this number.

    Raises:
        DataError: Not a SPEC file, no such scan, or several.
        OSError: The file cannot be read.
    """
    keys: list[str] = []
    found: list[SpecScan] = []
    for key, lines in _scans(path):
        keys.append(key)
        if wanted in (key, key.partition(".")[0]):
            found.append(_parse(path, key, lines))
    if len(found) == 1:
        return found[0]
    if not keys:
        raise DataError(f"{path}: neither a SPEC nor a FIO file, nor HDF5.")
    if found:
        raise DataError(
            f"{path}: several scans; there are {', '.join(scan.key for scan in found)}."
        )
    missing = f"no scan {wanted!r}" if wanted else "say which scan, FILE:NUMBER"
    more = ", ..." if len(keys) > NAMED else ""
    raise DataError(f"{path}: {missing}; there are {', '.join(keys[:NAMED])}{more}.")


def _scans(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Every scan's key and lines, those of all headers before it that name motors first."""
    header: list[str] = []
    counts: Counter[str] = Counter()
    key, lines = "", header
    with open(path, encoding="latin-1") as file:
        if file.read(1) != "#":  # not SPEC's, maybe without any end of a line
            return
        file.seek(0)
        for line in file:
            if key and re.match(r"#[SEF] ", line):
                yield key, lines
                key, lines = "", []
            if line.startswith("#S "):
                number = [*line.split(), "?"][1]
                counts[number] += 1
                key, lines = f"{number}.{counts[number]}", list(header)
            elif re.match(r"#O\d", line):
                (lines if key else header).append(line)
            elif key:
                lines.append(line)
    if key:
        yield key, lines


def _parse(path: Path, key: str, lines: list[str]) -> SpecScan:
    scan = SpecScan(key)
    continued = False
    for line in lines:
        spectrum, continued = continued or line.startswith("@"), False
        if spectrum:  # @A 1 2 3 \
            continued = line.rstrip().endswith("\\")
        elif re.match(r"#O\d", line):
            if line.startswith("#O0"):  # of a header: SPEC was begun again
                scan.motors.clear()
            scan.motors += _names(line.partition(" ")[2])
        elif re.match(r"#P\d", line):
            scan.positions += _numbers(line.partition(" ")[2], path, key)
        elif line.startswith("#L "):
            scan.labels = line[3:].strip()
        elif line.strip() and not line.startswith("#"):
            scan.rows.append(_numbers(line, path, key))
    return scan


def _names(text: str) -> list[str]:
    return re.split(r"\s{2,}|\t", text.strip()) if text.strip() else []


def _numbers(text: str, path: Path, key: str) -> list[float]:
    try:
        return [float(word) for word in text.split()]
    except ValueError as error:
        raise DataError(f"{path}: scan {key}: not a row of numbers ({error}).") from error
