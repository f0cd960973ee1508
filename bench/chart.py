"""Draw a results file: ``python bench/chart.py results/FILE.csv OUT.png``, ratios to symbreak."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def main(source: Path, target: Path) -> None:
    header, rows = read(source)
    cases = list(dict.fromkeys(row["case"] for row in rows))
    variants = [v for v in dict.fromkeys(row["variant"] for row in rows) if v != "symbreak"]
    figure, axes = plt.subplots(figsize=(8, 0.45 * len(cases) + 1.4), layout="constrained")
    height = 0.8 / len(variants)
    for k, variant in enumerate(variants):
        ratios = {row["case"]: float(row["ratio"]) for row in rows if row["variant"] == variant}
        shown = [(y, ratios[case]) for y, case in enumerate(cases) if case in ratios]
        places = [y + (k - (len(variants) - 1) / 2) * height for y, _ in shown]
        bars = axes.barh(places, [ratio for _, ratio in shown], height, label=variant)
        axes.bar_label(bars, fmt="%.1f", padding=3, fontsize=8)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.margins(x=0.08, y=0.01)
    axes.set_xlim(0.8, None)
    axes.set_yticks(range(len(cases)), cases)
    axes.invert_yaxis()
    axes.set_xlabel("median time relative to symbreak (log scale; more than 1: symbreak is faster)")
    axes.set_title(
        f"{header['device']}, {header['threads']} threads, torch {header['torch']}", fontsize=10
    )
    figure.legend(loc="outside upper center", ncols=len(variants), fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(target, dpi=120)


def read(path: Path) -> tuple[dict[str, str], list[dict[str, str]]]:
    lines = path.read_text().splitlines()
    notes = [line[1:].split(":", 1) for line in lines if line.startswith("#")]
    header = {name.strip(): value.strip() for name, value in notes}
    return header, list(csv.DictReader(line for line in lines if not line.startswith("#")))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
