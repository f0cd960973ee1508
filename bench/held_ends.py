"""How long should ER go on once the support is held? Against the known truth.

    python bench/held_ends.py measure [--crystals 12] [--csv FILE]
    python bench/held_ends.py page [--csv FILE]

The patterns of bench/shrinkwraps.py, 16 starts each as `symbreak reconstruct` phased them when its
schedule ended with 20 ER, then more ER with the supports as they are. A hundred more are what it
does now, by what came of this; from what the support is taken before, bench/mean_iterates.py. The
squared distance of the mean of the good starts to the truth, over the truth's, and the best
start's, stand in the file for every end; patterns that are in it are not measured again. `page`
writes the table of docs/phasing/schedule.md: geometric means, over the patterns, of the distance
over what it is without.

Twenty ER do not reach the least error that a support leaves. A trial with 16 other crystals on the
grid in 2D, 1e4 to 1e6 photons: 0.77 to 0.97 of the distance after a hundred more, 0.72 to 0.96
after two hundred, 0.69 to 0.97 after four hundred, where conjugate gradients end too (0.68 to
0.97), for the best start alone 0.67 to 0.92; with 1e7 photons, 24 crystals, 0.99; in 3D, five to
eight, 0.81 to 0.96 after a hundred. Expected of these patterns, written down before the first run:

1. A hundred: 0.75 to 0.85 in 2D on the grid with 1e6 photons, 0.80 to 0.98 everywhere else.
2. Two hundred: lower than that by 1 to 8 % with 1e5 photons and more, within 2 % with 1e4.
3. Four hundred: within 4 % of two hundred.
4. The best start gains as much as the mean or more in every group.

What came of it: 1 is true but for 2D with 1e4 photons and between the pixels with 1e7, where a
hundred change nothing in the mean. 2 and 3 are true. 4 is true but for 2D between the pixels with
1e6 and 1e7. In a trial of 72 other patterns, in which that is 0.78 to 0.96, one update of the
support among the hundred (``--hold 100``) is 0.67 to 0.88 in 2D and 0.86 and 1.4 in 3D with 1e5 and
1e6 photons: it makes the support an eighth smaller, which there is too small.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import geometric_mean

import torch
from halves import Problem, distance, simulated
from measured_page import PHASING, Row, fill, measure_or_write
from scale_data import RESULTS, markdown, replace_between_marks
from schedules import TWENTY
from shrinkwraps import KEY, groups, problems
from subpixel import STARTS
from torch import Tensor

import symbreak
from symbreak.cli.phasing_options import RULE
from symbreak.evaluation import compare_starts

PAGE = PHASING / "schedule.md"
CSV = RESULTS / "held_ends.csv"
MORE = (0, 100, 200, 400)
WHICH = ("mean", "best")
COLUMNS = (*KEY, *(f"{which}_{more}" for which in WHICH for more in MORE))


def measured(problem: Problem) -> dict[str, object]:
    """Phase one pattern, and go on in steps."""
    truth, amplitude = simulated(*problem)
    valid, ndim = torch.ones(amplitude.shape, dtype=torch.bool), truth.dim()
    found = symbreak.reconstruct(
        amplitude, TWENTY, shrinkwrap=RULE, starts=STARTS, seed=problem.item, ndim=ndim
    )
    objects, supports, error = found.object, found.support, found.error
    row: dict[str, object] = {**problem._asdict()}
    for before, more in zip((0, *MORE), MORE, strict=False):
        if more > before:
            objects, error = held(amplitude, objects, supports, more - before)
        compared = compare_starts(objects, supports, error, amplitude, valid, ndim=ndim)
        row[f"mean_{more}"] = distance(truth, compared.mean)
        row[f"best_{more}"] = distance(truth, compared.objects[compared.best])
    return row


def held(amplitude: Tensor, objects: Tensor, supports: Tensor, more: int) -> tuple[Tensor, Tensor]:
    """ER from these objects, each within its own support."""
    found = symbreak.reconstruct(
        amplitude.expand(objects.shape).contiguous(),
        f"{more}*ER",
        support=supports,
        initial=objects[:, None],
        shrinkwrap=None,
        ndim=amplitude.dim(),
    )
    return found.object[:, 0], found.error[:, 0]


def ratio(rows: Sequence[Row], which: str, more: int) -> float:
    """Geometric mean of the squared distance over that without more ER."""
    return geometric_mean(float(row[f"{which}_{more}"]) / float(row[f"{which}_0"]) for row in rows)


def nearer(rows: Sequence[Row], which: str, more: int) -> int:
    return sum(float(row[f"{which}_{more}"]) < float(row[f"{which}_0"]) for row in rows)


def table(rows: Sequence[Row]) -> str:
    """Kind by kind, and in brackets how many of the patterns get nearer."""
    longer = [(which, more) for which in WHICH for more in MORE if more]
    head = ["pattern", "photons", "patterns"]
    head += [f"{which}: {more} more" for which, more in longer]
    lines = []
    for (data, photons), own in groups(rows).items():
        line = [data, f"{int(photons):.0e}", str(len(own))]
        line += [f"{ratio(own, *end):.2f} ({nearer(own, *end)})" for end in longer]
        lines.append(line)
    return markdown(head, lines)


def measure(count: int, path: Path) -> None:
    fill(path, COLUMNS, problems(count), measured)


def write_page(page: Path, rows: Sequence[Row]) -> None:
    replace_between_marks(page, "held ends", table(rows))


if __name__ == "__main__":
    measure_or_write(str(__doc__), measure, write_page, csv=CSV, page=PAGE)
