"""The two commands of a script that measures for a table of the documentation."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from scale_data import machine, read_csv, write_csv

Row = dict[str, str]
PHASING = Path(__file__).parent.parent / "docs" / "phasing"  # the pages that the tables are on


class Problem(Protocol):
    """One row to be, a NamedTuple of what it is known by."""

    def _asdict(self) -> dict[str, Any]: ...


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


def fill(
    path: Path,
    columns: Sequence[str],
    problems: Iterable[Problem],
    measured: Callable[[Any], Mapping[str, object]],
) -> None:
    """Measure what the CSV lacks; every row is saved as it is found."""
    rows = read_csv(path) if path.exists() else []
    for problem in problems:
        key = {name: str(value) for name, value in problem._asdict().items()}
        if not any(key.items() <= row.items() for row in rows):
            found = measured(problem)
            rows.append({name: _text(found[name]) for name in columns})
            write_csv(path, machine(), columns, rows)
            print(*rows[-1].values(), flush=True)


def _text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
