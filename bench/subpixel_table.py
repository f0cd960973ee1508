"""Put what bench/subpixel.py measured into docs/phasing/starts.md.

    python bench/subpixel_table.py

Simulated patterns are gathered by how far their good starts lie apart, which a user sees too (the
column "distance to best" of `symbreak reconstruct`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from statistics import median

from measured_page import PHASING
from scale_data import RESULTS, replace_between_marks

PAGE = PHASING / "starts.md"
MEASURED = RESULTS / "subpixel.csv"
BOUNDS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.4, float("inf"))
CONTROL = "control: random phases"
Row = dict[str, str]


def main() -> None:
    write_page(PAGE, MEASURED)


def write_page(page: Path, measured: Path) -> None:
    """Write both tables between their marks."""
    with measured.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if int(row["good"]) >= 2]
    replace_between_marks(page, "subpixel", simulated_table(rows))
    replace_between_marks(page, "subpixel-measured", measured_table(rows))


def simulated_table(rows: list[Row]) -> str:
    """Medians over the patterns whose good starts lie so far from the best, and the worst."""
    known = [row for row in rows if row["distance_best"] and row["data"] != CONTROL]
    lines = [
        "| good starts lie from the best | patterns | shifts left, rms pixels | squared distance "
        "of the mean to the truth, after / before: median | worst | PRTF at the edge | "
        "correlation with the truth at the edge |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for low, high in pairwise(BOUNDS):
        chosen = [row for row in known if low <= float(row["apart"]) < high]
        name = f"{low:g} to {high:g}" if high < float("inf") else f"more than {low:g}"
        lines.append(_line([name, *_medians(chosen)]))
    lines.append(_line(["random phases (control)", *_medians(of(rows, CONTROL))]))
    return "\n".join(lines)


def measured_table(rows: list[Row]) -> str:
    """One row a pattern; the truth is not known."""
    lines = [
        "| pattern | good starts | from the best, median | shifts left, rms pixels | largest | "
        "PRTF at the edge |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for data, name in (("ring", "ring, seed {}"), ("volume", "crystal at APS 34-ID-C")):
        lines += [
            _line(
                [
                    name.format(row["item"]),
                    row["good"],
                    f"{float(row['apart']):.2f}",
                    f"{float(row['shift_rms']):.2f}",
                    f"{float(row['shift_largest']):.2f}",
                    _change(row["prtf_whole"], row["prtf_refined"]),
                ]
            )
            for row in of(rows, data)
        ]
    return "\n".join(lines)


def of(rows: list[Row], data: str) -> list[Row]:
    return [row for row in rows if row["data"] == data]


def _medians(rows: list[Row]) -> list[str]:
    ratios = [float(row["distance_refined"]) / float(row["distance_whole"]) for row in rows]

    def middle(name: str) -> float:
        return median(float(row[name]) for row in rows)

    return [
        str(len(rows)),
        f"{middle('shift_rms'):.2f}",
        f"{median(ratios):.2f}",
        f"{max(ratios):.2f}",
        _change(middle("prtf_whole"), middle("prtf_refined")),
        _change(middle("agreement_whole"), middle("agreement_refined")),
    ]


def _change(before: float | str, after: float | str) -> str:
    return f"{float(before):.2f} → {float(after):.2f}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
