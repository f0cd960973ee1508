"""The two commands of a script that measures for a table of the documentation."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from scale_data import read_csv

Row = dict[str, str]


def measure_or_write(
    description: str,
    measure: Callable[[int, Path], None],
    write_page: Callable[[Path, Sequence[Row]], None],
    *,
    csv: Path,
    page: Path,
) -> None:
    """``SCRIPT measure`` fills the CSV, ``SCRIPT page`` writes its table into the page."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("what", choices=("measure", "page"))
    parser.add_argument("--crystals", type=int, default=16)
    parser.add_argument("--csv", type=Path, default=csv)
    given = parser.parse_args()
    if given.what == "measure":
        measure(given.crystals, given.csv)
    else:
        write_page(page, read_csv(given.csv))
