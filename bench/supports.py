"""What choosing the support is worth: the default shrinkwrap beside the chosen one, and the truth.

    python bench/supports.py measure [--crystals 16] [--csv FILE]
    python bench/supports.py page [--csv FILE]

Simulated crystals, none of which was looked at when the way to choose was chosen, Poisson counts, 8
starts. Each pattern is phased with the default shrinkwrap, and as `symbreak reconstruct
--choose-support` does. Distances to the truth are SA-MSE over the mean square of the truth, of the
best start and of the mean of the good ones. `measure` adds to the CSV what is not in it yet, `page`
puts the table into docs/faq.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import mean

import torch
from free_log_likelihood import PAGE, nearer, pattern, title
from measured_page import Row, measure_or_write
from scale_data import RESULTS, machine, markdown, read_csv, replace_between_marks, write_csv
from torch import Tensor

import symbreak
from symbreak.data import crystals
from symbreak.evaluation import compare_starts
from symbreak.ops.schedule import SCHEDULE, total_iterations
from symbreak.supports import choose

CSV = RESULTS / "supports.csv"
SEED, STARTS, MOST_3D = 400, 8, 6
# Axes, side of the crystal's window (half of the pattern's), photons, repeats of the schedule.
Trial = tuple[int, int, float, int]
TRIALS: list[Trial] = [
    *((2, 48, photons, repeats) for photons in (1e3, 1e4, 1e5, 1e6) for repeats in (1, 3)),
    *((3, 24, photons, 1) for photons in (1e4, 1e5, 1e6)),
]
WAYS = ("default", "chosen")
KEY = ("ndim", "size", "photons", "repeats", "crystal")
FIELDS = (
    *(*KEY, "rule"),
    *(f"{way}_{name}" for way in WAYS for name in ("distance", "mean", "support")),
)


def distance(x: Tensor, truth: Tensor) -> str:
    many = symbreak.sa_mse(x, truth, wrap=True, ndim=truth.dim()) / truth.abs().square().mean()
    return f"{float(many):.5f}"


def measured(truth: Tensor, a: Tensor, repeats: int) -> Row:
    ndim, schedule = truth.dim(), f"{repeats}*({SCHEDULE})"
    choice = choose(a, schedule, starts=STARTS).shrinkwrap
    row = {"rule": f"{choice.threshold:g}"}
    if choice.areas is not None:
        row = {"rule": ",".join(f"{fraction:g}" for fraction in choice.areas)}
    for way, rule in zip(WAYS, (symbreak.Shrinkwrap(), choice), strict=True):
        found = symbreak.reconstruct(a, schedule, starts=STARTS, shrinkwrap=rule, ndim=ndim)
        everywhere = torch.ones_like(a, dtype=torch.bool)
        compared = compare_starts(
            found.object, found.support, found.error, a, everywhere, ndim=ndim
        )
        size = compared.supports[compared.best].sum() / (truth != 0).sum()
        row[f"{way}_distance"] = distance(compared.objects[compared.best], truth)
        row[f"{way}_mean"] = distance(compared.mean, truth)
        row[f"{way}_support"] = f"{float(size):.5f}"
    return row


def measure(count: int, path: Path) -> None:
    rows = read_csv(path) if path.exists() else []
    done = {tuple(row[name] for name in KEY) for row in rows}
    for ndim, size, photons, repeats in TRIALS:
        for k in range(count if ndim == 2 else min(count, MOST_3D)):
            key = (str(ndim), str(size), f"{photons:g}", str(repeats), str(k))
            if key in done:
                continue
            (crystal,) = crystals(1, size, SEED, ndim=ndim, first=k)
            truth, a = pattern(crystal, photons, k)
            found = dict(zip(KEY, key, strict=True)) | measured(truth, a, repeats)
            rows.append(found)
            write_csv(path, machine(), FIELDS, rows)
            print(*found.values(), flush=True)


def table(rows: Sequence[Row]) -> str:
    lines = []
    for ndim, size, photons, repeats in TRIALS:
        key = (str(ndim), str(size), f"{photons:g}", str(repeats))
        own = [row for row in rows if tuple(row[name] for name in KEY[:-1]) == key]
        cells = [
            f"{mean(float(row[f'{way}_{name}']) for row in own):.{digits}f}"
            for name, digits in (("distance", 3), ("mean", 3), ("support", 1))
            for way in WAYS
        ]
        pairs = [{f"{way}_distance": row[f"{way}_mean"] for way in WAYS} for row in own]
        counted = nearer(pairs, *reversed(WAYS))
        name = title((ndim, size, photons, 0.0, 0))
        lines.append(
            [name, str(repeats * total_iterations(SCHEDULE)), str(len(own)), *cells, counted]
        )
    head = ("photons", "iterations", "crystals")
    names = ("best start", "mean", "support")
    ways = [f"{name}: {way}" for name in names for way in WAYS]
    return markdown((*head, *ways, "mean nearer : farther"), lines)


def write_page(page: Path, rows: Sequence[Row]) -> None:
    replace_between_marks(page, "supports", table(rows))


if __name__ == "__main__":
    measure_or_write(str(__doc__), measure, write_page, csv=CSV, page=PAGE)
