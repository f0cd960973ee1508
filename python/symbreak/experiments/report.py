"""The tables as CSV (one row a cell) and as Markdown (the paper's five, and ratios)."""

from __future__ import annotations

import csv
from pathlib import Path

import symbreak
from symbreak.data.files.atomic import replacing
from symbreak.experiments.cells import Record
from symbreak.experiments.refinement import SOLVED
from symbreak.experiments.scales import Scale

HEAD = ("network", "set", "variant", "pairs", "epochs", "seconds", "cpu_seconds")
MEASURED = ("train_final", "train_best", "test_final", "test_best", "test_positions")
TABLES = (
    ("Table 1: training MSE, final model", "train_final", "mse"),
    ("Table 2: training SA-MSE, final model", "train_final", "sa_mse"),
    ("Table 3: training MSE, best-validated model", "train_best", "mse"),
    ("Table 4: training SA-MSE, best-validated model", "train_best", "sa_mse"),
    ("Table 5: test SA-MSE, best-validated model", "test_best", "sa_mse"),
    ("Test SA-MSE over the zero predictor's, best-validated model", "test_best", "sa_mse_ratio"),
    (
        "Test SA-MSE over the zero predictor's, best-validated model, patterns in eight positions",
        "test_positions",
        "sa_mse_ratio",
    ),
    (
        "Test MSE over the zero predictor's, labels prepared as for training, final model",
        "test_final",
        "label_mse_ratio",
    ),
)


def write_csv(path: Path, records: list[Record]) -> None:
    """One row a cell, every number."""
    found = {
        (part, name) for record in records for part in MEASURED for name in record.get(part, {})
    }
    names = list(records[-1]["test_best"])
    numbers = [(part, name) for part in MEASURED for name in names if (part, name) in found]
    columns = ["_".join(pair) for pair in numbers]
    with replacing(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*HEAD, *columns])
        for record in records:
            head = [record.get(name, "") for name in HEAD]
            values = [record.get(part, {}).get(name, "") for part, name in numbers]
            writer.writerow([*head, *values])


def write_markdown(path: Path, scale: Scale, records: list[Record], refined: list[Record]) -> None:
    """The tables for people."""
    baseline, cells = records[0], records[1:]
    heads = list(dict.fromkeys((r["network"], r["variant"]) for r in cells))
    zero = baseline["test_best"]
    lines = [
        "# Learning before and after symmetry breaking",
        "",
        f"Simulated crystals of {scale.size} x {scale.size} with "
        f"{scale.crystals.defects[0]} to {scale.crystals.defects[1]} defects, "
        f"{scale.validation} for validation, "
        f"{scale.test} for the test, seed {scale.seed}; symbreak {symbreak.__version__}. MSE is "
        "the mean over pixels and both channels, SA-MSE that over pixels up to symmetries. The "
        f"zero predictor's test MSE is {zero['zero_sa_mse'] / 2:.4f}, its SA-MSE "
        f"{zero['zero_sa_mse']:.4f}.",
        "",
        f"Baseline: `reconstruct`, schedule `{scale.schedule}`, {scale.starts} starts, "
        f"{scale.shrinkwrap}: test SA-MSE {zero['sa_mse']:.4f}, "
        f"{zero['sa_mse_ratio']:.3f} of the zero predictor's.",
    ]
    for title, part, name in TABLES:
        lines += ["", f"## {title}", ""]
        lines.append("| pairs | " + " | ".join(f"{n}, {v}" for n, v in heads) + " |")
        lines.append("|---" * (len(heads) + 1) + "|")
        for count in scale.sets:
            row = {(r["network"], r["variant"]): r[part][name] for r in cells if r["set"] == count}
            lines.append(f"| {count} | " + " | ".join(f"{row[h]:.4f}" for h in heads) + " |")
    lines += ["", *_refinement(scale, refined)]
    with replacing(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _refinement(scale: Scale, rows: list[Record]) -> list[str]:
    """Test SA-MSE after every number of iterations, one column each."""
    counts = sorted({row["iterations"] for row in rows})
    by_start: dict[str, dict[int, Record]] = {}
    for row in rows:
        by_start.setdefault(row["start"], {})[row["iterations"]] = row
    lines = [
        f"## Refined by rounds of `{scale.refine}`, {max(scale.sets)} training pairs",
        "",
        "Test SA-MSE over the zero predictor's, and in brackets the share of patterns solved "
        f"(below {SOLVED} of it), after so many iterations with shrinkwrap, from the network's "
        "estimate or from random phases. Times: `refinement.csv`.",
        "",
        "| start | " + " | ".join(map(str, counts)) + " |",
        "|---" * (len(counts) + 1) + "|",
    ]
    for start, found in by_start.items():
        cells = [
            f"{found[n]['sa_mse_ratio']:.3f} ({found[n]['solved']:.0%})" if n in found else ""
            for n in counts
        ]
        lines.append(f"| {start} | " + " | ".join(cells) + " |")
    return lines
