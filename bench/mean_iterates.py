"""What the mean of iterates is worth, as object and as support, before the last ER.

    python bench/mean_iterates.py measure [--crystals 12] [--csv FILE]
    python bench/mean_iterates.py page [--csv FILE]

The patterns of bench/shrinkwraps.py, 16 starts each by the command line's schedule and shrinkwrap,
with the support held for the last 120 ER; these go on from the last iterate, or from the mean of
those before (`--average-iterates`). The squared distance of the mean of the good starts to the
truth, over the truth's, the best start's, the size of its support in pixels and the number of good
starts stand in the file for every end; patterns that are in it are not measured again. `page`
writes the table of docs/faq.md: geometric means, over the patterns, of the distance over that
without a mean.

Why: from the truth itself ER within the support that phasing finds ends at half of the squared
distance that phasing ends at, and within the true support at a third (24 crystals in 2D, four in 3D
with 1e6 photons). So what is wrong is not the counts but the minimum, and the support, that noisy
iterates lead to. Expected, after a trial with 24 other crystals in 2D and two in 3D with 1e4
photons, every fifth iterate in the mean, its blur 1 pixel:

1. The mean of 80 is 0.5 to 1 of the distance without in every group, 0.95 to 1 with 1e4 photons in
   2D, 0.5 to 0.8 with 1e5 there; the best start 0.6 to 1.05.
2. 40 gain nine tenths of that, and 200 RAAR with 160 in the mean as much, within 5 %.
3. 60 ER in the place of 120 are within 5 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import geometric_mean, mean

import torch
from halves import Problem, distance, simulated
from measured_page import Row, fill, measure_or_write
from scale_data import RESULTS, markdown, replace_between_marks
from schedules import End
from shrinkwraps import KEY, PAGE, groups, problems
from subpixel import STARTS

import symbreak
from symbreak.cli.phasing_options import DEFAULT, SCHEDULE
from symbreak.evaluation import compare_starts

CSV = RESULTS / "mean_iterates.csv"
ENDS = {
    "held": End(SCHEDULE, 120, "120 ER"),
    "mean_80": End(SCHEDULE, 120, "80 of 100 RAAR, 120 ER", 80),  # the command line's
    "mean_40": End(SCHEDULE, 120, "40 of 100 RAAR, 120 ER", 40),
    "mean_160": End("3*(20*ER+180*HIO)+200*RAAR+120*ER", 120, "160 of 200 RAAR, 120 ER", 160),
    "mean_60_er": End("3*(20*ER+180*HIO)+100*RAAR+60*ER", 60, "80 of 100 RAAR, 60 ER", 80),
}
WHAT = ("mean", "best", "support", "good")
COLUMNS = (*KEY, *(f"{what}_{end}" for what in WHAT for end in ENDS))


def measured(problem: Problem) -> dict[str, object]:
    """Phase one pattern with every end."""
    truth, amplitude = simulated(*problem)
    valid, ndim = torch.ones(amplitude.shape, dtype=torch.bool), truth.dim()
    row: dict[str, object] = {**problem._asdict()}
    for name, end in ENDS.items():
        found = symbreak.reconstruct(
            amplitude,
            end.schedule,
            shrinkwrap=end.of(DEFAULT),
            starts=STARTS,
            seed=problem.item,
            ndim=ndim,
        )
        starts = compare_starts(
            found.object, found.support, found.error, amplitude, valid, ndim=ndim
        )
        row |= {
            f"mean_{name}": distance(truth, starts.mean),
            f"best_{name}": distance(truth, starts.objects[starts.best]),
            f"support_{name}": int(starts.supports[starts.best].sum()),
            f"good_{name}": int(starts.good.sum()),
        }
    return row


def ratio(rows: Sequence[Row], what: str, end: str) -> float:
    """Geometric mean of a figure over that without a mean."""
    return geometric_mean(float(row[f"{what}_{end}"]) / float(row[f"{what}_held"]) for row in rows)


def nearer(rows: Sequence[Row], what: str, end: str) -> int:
    return sum(float(row[f"{what}_{end}"]) < float(row[f"{what}_held"]) for row in rows)


def table(rows: Sequence[Row]) -> str:
    """Kind by kind, and in brackets how many of the patterns get nearer."""
    others = [name for name in ENDS if name != "held"]
    head = ["pattern", "photons", "patterns", *(f"mean: {ENDS[name].title}" for name in others)]
    head += ["best start: 80", "support: 80", "good starts: none", "80"]
    lines = []
    for (data, photons), own in groups(rows).items():
        line = [data, f"{int(photons):.0e}", str(len(own))]
        line += [f"{ratio(own, 'mean', name):.2f} ({nearer(own, 'mean', name)})" for name in others]
        line.append(f"{ratio(own, 'best', 'mean_80'):.2f} ({nearer(own, 'best', 'mean_80')})")
        line.append(f"{ratio(own, 'support', 'mean_80'):.2f}")
        line += [
            f"{mean(int(row[f'good_{name}']) for row in own):.1f}" for name in ("held", "mean_80")
        ]
        lines.append(line)
    return markdown(head, lines)


def measure(count: int, path: Path) -> None:
    fill(path, COLUMNS, problems(count), measured)


def write_page(page: Path, rows: Sequence[Row]) -> None:
    replace_between_marks(page, "mean iterates", table(rows))


if __name__ == "__main__":
    measure_or_write(str(__doc__), measure, write_page, csv=CSV, page=PAGE)
