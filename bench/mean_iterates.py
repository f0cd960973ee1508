"""What the mean of iterates is worth, as object and as support, before the last ER.

    python bench/mean_iterates.py measure [--crystals 12] [--csv FILE]
    python bench/mean_iterates.py page [--csv FILE]

The patterns of bench/shrinkwraps.py, in 3D the first six of a kind, 16 starts each by the command
line's schedule and shrinkwrap, with the support held for the last 120 ER; these go on from the last
iterate, or from the mean of those before (`--average-iterates`). The squared distance of the mean
of the good starts to the truth, over the truth's, the best start's, the size of its support in
pixels and the number of good starts stand in the file for every end; patterns that are in it are
not measured again. `page` writes the table of docs/phasing/schedule.md: geometric means, over the
patterns, of the distance over that without a mean.

Why: begun at the truth itself, ER within the support of the best start end at half of that start's
squared distance, and within the true support at a third (24 crystals in 2D, four in 3D with 1e6
photons). So what is wrong is less the counts than the minimum, and the support, that noisy iterates
lead to. Expected, after a trial with 20 other crystals in 2D and two in 3D with 1e4 photons, every
fifth iterate in the mean:

1. The mean of 80 is 0.5 to 1 of the distance without in every group, 0.95 to 1 with 1e4 photons in
   2D, 0.5 to 0.8 with 1e5 there; the best start 0.6 to 1.05.
2. 200 RAAR with 160 in the mean gain as much, within 5 %.

It was first measured with the threshold that iterates have. 1 was true, but 1.05 and 1.06 in 2D
with 1e4 photons, and between the pixels with 1e7; 40 in the mean gained as much as 80, and 60 ER as
much as 120. But a measured crystal (34-ID-C) lost a tenth of its voxels, and free pixels were
predicted worse, a free log-likelihood of 1.04 where it is 0.95 without a mean: where iterates
differ, as at edges, their mean is less than they are. 7/8 of the threshold left it at 0.96, 3/4 at
0.94; of 38 other crystals the means were then 0.89 and 0.92 of the distance without, 0.86 with all
of it. So it is 7/8 here, of which is expected:

3. 0.7 to 1 in every group, 1.02 at most with 1e4 and 1e7 photons in 2D.

What came of it: 3 is true, but 0.64 in 3D with 1e6 photons; the best start 0.54 to 1.01. With 160
in the mean it is up to a tenth less, nowhere more than a hundredth more.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import geometric_mean, mean

import torch
from halves import Problem, distance, simulated
from measured_page import PHASING, Row, fill, measure_or_write
from scale_data import RESULTS, markdown, replace_between_marks
from schedules import End
from shrinkwraps import KEY, groups, problems
from subpixel import STARTS

import symbreak
from symbreak.cli.phasing_options import DEFAULT, SCHEDULE
from symbreak.evaluation import compare_starts

PAGE = PHASING / "schedule.md"
CSV = RESULTS / "mean_iterates.csv"
MOST_3D = 6
ENDS = {
    "held": End(SCHEDULE, 120, "120 ER"),
    "mean_80": End(SCHEDULE, 120, "80 of 100 RAAR, 120 ER", 80),  # the command line's
    "mean_160": End("3*(20*ER+180*HIO)+200*RAAR+120*ER", 120, "160 of 200 RAAR, 120 ER", 160),
}
WHAT = ("mean", "best", "support", "good")
COLUMNS = (*KEY, *(f"{what}_{end}" for what in WHAT for end in ENDS))


def chosen(count: int) -> list[Problem]:
    return [p for p in problems(count) if p.data.startswith("2D") or p.item < MOST_3D]


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
    fill(path, COLUMNS, chosen(count), measured)


def write_page(page: Path, rows: Sequence[Row]) -> None:
    replace_between_marks(page, "mean iterates", table(rows))


if __name__ == "__main__":
    measure_or_write(str(__doc__), measure, write_page, csv=CSV, page=PAGE)
