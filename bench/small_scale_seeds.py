"""The small scale of the tables over seeds: collect runs, and write their tables into the page.

    symbreak experiment tables --scale small --seed 1 -o FOLDER   # for every seed
    python bench/small_scale_seeds.py FOLDER ...

reads the finished cells of the folders into docs/experiments/small/seeds.csv (a seed given again
replaces its rows) and, as without folders, writes the tables of that file, of candidates.csv and of
the paper's own cells between their marks in docs/experiments/small-scale.md.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import mean, stdev
from typing import NamedTuple

from scale_data import markdown, read_csv, replace_between_marks, write_csv

DOCS = Path(__file__).parent.parent / "docs" / "experiments"
PAGE, SMALL = DOCS / "small-scale.md", DOCS / "small"
BEFORE, AFTER = "before", "after"
# Of a cell, over the zero predictor's: the column's name, then where a record keeps it.
MEASURES = {
    "test_sa_mse": ("test_best", "sa_mse_ratio"),
    "test_mse": ("test_final", "label_mse_ratio"),
    "train_sa_mse": ("train_best", "sa_mse_ratio"),
    "train_mse": ("train_final", "mse_ratio"),
}
TITLES = {
    "test_sa_mse": "test SA-MSE",
    "test_mse": "test MSE",
    "train_sa_mse": "training SA-MSE",
    "train_mse": "training MSE",
}
COLUMNS = ("seed", "network", "set", "variant", "epochs", "cpu_seconds", *MEASURES)
# Table 5 of the paper, test SA-MSE in its own normalisation; 500, 1000, 1500, 5000 pairs.
PAPER_SETS = ("500", "1000", "1500", "5000")
PAPER = {
    ("UNet", BEFORE): (0.1393, 0.2103, 0.2483, 0.2496),
    ("UNet", AFTER): (0.0513, 0.0478, 0.0465, 0.0407),
    ("SiSPRNet", BEFORE): (0.3206, 0.3246, 0.3244, 0.2511),
    ("SiSPRNet", AFTER): (0.0458, 0.0405, 0.0355, 0.0289),
}
# The zero predictor's: its training MSE, the plateau 0.139, times the ratio 2.58 of SA-MSE to MSE
# that all of the paper's SiSPRNet cells after breaking share.
PAPER_ZERO = 2.58 * 0.139

Row = dict[str, str]


class Curve(NamedTuple):
    """One measure against the size of the training set, of one seed."""

    before: list[float]
    after: list[float]


SA_MSE, MSE = "test_sa_mse", "test_mse"
# What is claimed, of which measures. In MSE a network that learned raw pairs by heart is worse than
# the zero predictor, so there more pairs let before fall, towards 1; there it must not go below.
CLAIMS: dict[str, tuple[tuple[str, ...], Callable[[Curve], bool]]] = {
    "after is below before at every size": (
        (SA_MSE, MSE),
        lambda c: all(a < b for a, b in zip(c.after, c.before, strict=True)),
    ),
    "after falls at every step to more pairs": (
        (SA_MSE, MSE),
        lambda c: all(b < a for a, b in pairwise(c.after)),
    ),
    "before is no lower with the most pairs than with the fewest": (
        (SA_MSE,),
        lambda c: c.before[-1] >= c.before[0],
    ),
    "before falls at no step to more pairs": (
        (SA_MSE,),
        lambda c: all(b >= a for a, b in pairwise(c.before)),
    ),
    "before is within 0.1 of the zero predictor with the most pairs": (
        (SA_MSE, MSE),
        lambda c: abs(c.before[-1] - 1) <= 0.1,
    ),
    "before is never below 0.98": ((MSE,), lambda c: min(c.before) >= 0.98),
}


def main(folders: Sequence[str]) -> None:
    """Collect, then write the page."""
    path = SMALL / "seeds.csv"
    rows = read_csv(path) if path.exists() else []
    new = [row for folder in folders for row in collect(Path(folder))]
    seeds = {row["seed"] for row in new}
    rows = [row for row in rows if row["seed"] not in seeds] + new
    rows.sort(key=lambda row: int(row["seed"]))
    write_csv(path, {}, COLUMNS, rows)
    write_page(PAGE, rows, read_csv(SMALL / "candidates.csv"))


def write_page(page: Path, rows: list[Row], candidates: list[Row]) -> None:
    """Write every table that this program keeps."""
    replace_between_marks(page, "candidates", candidates_table(candidates))
    replace_between_marks(page, "seeds", seeds_table(rows))
    replace_between_marks(page, "claims", claims_table(rows))
    replace_between_marks(page, "paper", paper_table(rows))


def collect(folder: Path) -> list[Row]:
    """The rows of a run's cells, in the order of its networks, sets and variants."""
    found = [json.loads(p.read_text()) for p in sorted(folder.glob("cells/*/result.json"))]
    if not found:
        raise SystemExit(f"{folder} holds no finished cells.")
    scale = found[0]["scale"]
    networks = list(scale["options"])
    found.sort(key=lambda r: (networks.index(r["network"]), r["set"], r["variant"] != BEFORE))
    rows = []
    for record in found:
        row = {name: record[name] for name in COLUMNS[1:5]}
        values = {name: f"{record[part][key]:.4f}" for name, (part, key) in MEASURES.items()}
        seconds = f"{record['cpu_seconds']:.1f}"
        rows.append({"seed": scale["seed"], **row, "cpu_seconds": seconds, **values})
    return [{name: str(value) for name, value in row.items()} for row in rows]


def curves(rows: Iterable[Row], network: str, measure: str) -> dict[str, Curve]:
    """By seed."""
    found: dict[str, Curve] = {}
    for row in sorted(rows, key=lambda row: int(row["set"])):
        if row["network"] == network and row["variant"] in (BEFORE, AFTER):
            curve = found.setdefault(row["seed"], Curve([], []))
            getattr(curve, row["variant"]).append(float(row[measure]))
    return found


def seeds_table(rows: list[Row]) -> str:
    """Mean over the seeds, and their standard deviation."""
    table = []
    for measure in MEASURES:
        for network in _names(rows, "network"):
            by_seed = curves(rows, network, measure).values()
            for variant in (BEFORE, AFTER):
                columns = zip(*(getattr(curve, variant) for curve in by_seed), strict=True)
                cells = [_mean_and_spread(column) for column in columns]
                table.append([f"{TITLES[measure]}, {network}, {variant}", *cells])
    sets = [f"{count} pairs" for count in sorted(_names(rows, "set"), key=int)]
    seeds = _names(rows, "seed")
    return markdown([f"seeds {', '.join(seeds)}", *sets], table)


def _mean_and_spread(values: Sequence[float]) -> str:
    spread = f" ± {stdev(values):.3f}" if len(values) > 1 else ""
    return f"{mean(values):.3f}{spread}"


def claims_table(rows: list[Row]) -> str:
    """In how many seeds each claim holds, and where not."""
    networks = _names(rows, "network")
    asked = [(measure, network) for measure in (SA_MSE, MSE) for network in networks]
    heads = [f"{network}, {TITLES[measure]}" for measure, network in asked]
    table = []
    for claim, (measures, holds) in CLAIMS.items():
        cells = []
        for measure, network in asked:
            by_seed = curves(rows, network, measure)
            failed = [seed for seed, curve in by_seed.items() if not holds(curve)]
            count = f"{len(by_seed) - len(failed)} of {len(by_seed)}"
            cells.append(count + (f" (not {', '.join(failed)})" if failed else ""))
            if measure not in measures:
                cells[-1] = "-"
        table.append([claim, *cells])
    return markdown(["holds in seeds", *heads], table)


def paper_table(rows: list[Row]) -> str:
    """The paper's Table 5 over its zero predictor's error, beside the means here."""
    table = []
    for (network, variant), values in PAPER.items():
        by_seed = curves(rows, network, SA_MSE).values()
        columns = zip(*(getattr(curve, variant) for curve in by_seed), strict=True)
        here = [f"{mean(column):.2f}" for column in columns]
        paper = [f"{value / PAPER_ZERO:.2f}" for value in values]
        table.append([f"{network}, {variant}", *paper, *here])
    sets = sorted(_names(rows, "set"), key=int)
    heads = [*(f"paper, {n}" for n in PAPER_SETS), *(f"here, {n}" for n in sets)]
    return markdown(["test SA-MSE", *heads], table)


def candidates_table(rows: list[Row]) -> str:
    """Before and after of every candidate: training MSE and SA-MSE on new crystals."""
    measures = ("train_final_mse", "validation_best_sa_mse")
    table = []
    for name in sorted(_names(rows, "candidate")):
        for network in _names([r for r in rows if r["candidate"] == name], "network"):
            cells = []
            for measure in measures:
                for variant in (BEFORE, AFTER):
                    keys = {"candidate": name, "network": network, "variant": variant}
                    chosen = [r for r in rows if keys.items() <= r.items()]
                    chosen.sort(key=lambda r: int(r["pairs"]))
                    cells.append(", ".join(f"{float(r[measure]):.2f}" for r in chosen))
            table.append([name, network, *cells])
    heads = [
        f"{title}, {variant}"
        for title in ("training MSE", "SA-MSE of new crystals")
        for variant in (BEFORE, AFTER)
    ]
    return markdown(["candidate", "network", *heads], table)


def _names(rows: Iterable[Row], column: str) -> list[str]:
    return list(dict.fromkeys(row[column] for row in rows))


if __name__ == "__main__":
    main(sys.argv[1:])
