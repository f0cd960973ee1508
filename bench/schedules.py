"""How should a schedule end? Against the known truth.

    python bench/schedules.py measure [--crystals 12] [--csv FILE]
    python bench/schedules.py page [--csv FILE]

Simulated crystals as in bench/halves.py, phased from the same starts by schedules that differ in
their end; 16 starts, the good ones averaged. The squared distance of the mean to the truth, over
the truth's, stands in the file for every schedule; patterns that are in it are not measured again.
`page` writes the table of docs/phasing/schedule.md.

What was expected, written down before the first run, after a trial with six crystals each (a
hundred ER more: a median 10 to 40 % lower, but for two of fourteen groups):

1. A hundred iterations more lower the distance by 10 to 40 % in the median of every group, and two
   hundred more of them by less than a further 10 %.
2. With as many iterations in all, ER at the end in the place of HIO: lower with the default
   shrinkwrap, the same within 15 % with the tight one.

What came of it: 1 is true with the default shrinkwrap (18 to 45 % lower, two hundred more a further
5 to 20 %), and with the tight one only with 1e6 photons in 2D and 3D; with 1e5 it is 7 and 27 %
higher, with 1e7 in 3D 18 %: the support shrinks on. 2 is true with the default shrinkwrap (9 to
35 % lower); with the tight one it is less than half with 1e5 photons, for the same reason, and
26 % higher with 1e7 in 3D.

A measured crystal, phased with a threshold of 0.3, then lost a third of its support to the longer
end. So ends were added that hold the support (``Shrinkwrap(hold=)``): what it lost, it lost in the
updates between ER iterations, whose edges are sharper than those of HIO. Held for the last hundred
of 120 there is one such update left, at 620: lower than the default in all groups, by 1 to 45 %,
but the measured crystal still lost a quarter. So all of ER at the end was held, too; expected:

3. 120 held for 120: within 5 % of held for 100, or lower, with the tight shrinkwrap; up to 5 %
   higher with the default one, whose supports are too large.
4. 320 held for 320: lower by a further 2 to 10 %.
5. 95 held of as many in all: higher than 120 held in all groups but those of 1e5 photons and the
   tight shrinkwrap, whose HIO is too long.

What came of it: 3 is wrong. The one update is most of the gain with the default shrinkwrap, 9 to
32 % lower than without it; with the tight one it is 15 % in two groups, and 6 % or less either way
in the others. Without it the distance is lower than by default in every group, by 2 to 36 %. 4 is
true but for one group of six patterns, where it is 1 % higher. 5 is true.

HIO itself was left: noise keeps it moving. After a trial with other crystals, in which RAAR before
the last ER was nearer in every group, expected:

6. 100 RAAR before 20 ER: lower than the default in all groups, by 20 to 70 %, with as many good
   starts or more.
7. 200 RAAR in the place of the last 180 HIO and 20 ER, as many in all: within 20 % of that.
8. 100 RAAR and 100 ER, 80 held: lower than 6 by 5 to 20 %.

What came of it: 16 to 66 % for 6. 7 is true but for 1e5 photons and the tight shrinkwrap, where it
is 40 and 60 % lower, and for one group where it is 23 % higher. 8 is 3 to 24 % lower in eleven
groups, and the same within 2 % in three with the tight shrinkwrap.

With bench/held_ends.py 120 ER after RAAR, all held, were added; expected:

9. 100 RAAR and 120 ER, all held: 0.75 to 1 of what 6 leaves in every group with the default
   shrinkwrap, 0.85 to 1.02 with the tight one, with as many good starts within a tenth.

Then, with bench/mean_iterates.py, the mean of the RAAR from which these go on, the command line's
end; expected:

10. 0.5 to 1 of what 9 leaves, in 2D with 1e5 photons and the default shrinkwrap least.

What came of it: 0.89 to 0.99 and 0.82 to 1.00 for 9. 0.76 to 0.98 for 10, least with 1e6 photons in
2D and the default shrinkwrap, but 1.08 with that and 1e7 in 3D, and 1.29 with the tight one and 1e5
between the pixels, where phasing hardly succeeds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import NamedTuple

import torch
from halves import FAILED, distance, simulated
from measured_page import PHASING, Row, fill, measure_or_write
from scale_data import RESULTS, markdown, replace_between_marks
from subpixel import RULES, STARTS
from torch import Tensor

import symbreak
from symbreak.cli.phasing_options import DEFAULT, SCHEDULE
from symbreak.evaluation import compare_starts

PAGE = PHASING / "schedule.md"
CSV = RESULTS / "schedules.csv"
TWENTY = "3*(20*ER+180*HIO)+100*RAAR+20*ER"  # the command line's before bench/held_ends.py


class End(NamedTuple):
    """A schedule, how many of its last iterations keep the support, and its column of the page."""

    schedule: str
    hold: int = 0
    title: str = ""  # none: only in the file
    average: int = 0  # iterations before those, from whose mean they go on

    def of(self, rule: symbreak.Shrinkwrap) -> symbreak.Shrinkwrap:
        """The rule with this end."""
        return replace(rule, hold=self.hold, average_iterates=self.average)


ENDS = {
    "20": End("3*(20*ER+180*HIO)+20*ER"),  # the shared one, Python's default
    "120": End("3*(20*ER+180*HIO)+120*ER", title="120 ER"),
    "320": End("3*(20*ER+180*HIO)+320*ER"),
    "95_of_620": End("3*(20*ER+155*HIO)+95*ER"),
    "120_held_100": End("3*(20*ER+180*HIO)+120*ER", 100, "120 ER, 100 held"),
    "120_held": End("3*(20*ER+180*HIO)+120*ER", 120, "120 ER, all held"),
    "320_held": End("3*(20*ER+180*HIO)+320*ER", 320),
    "95_held_of_620": End("3*(20*ER+155*HIO)+95*ER", 95),
    "raar_20": End(TWENTY, title="100 RAAR, 20 ER"),
    "raar_120_held": End(SCHEDULE, DEFAULT.hold, "100 RAAR, 120 ER, all held"),
    "raar_mean": End(SCHEDULE, DEFAULT.hold, "their mean, 120 ER", DEFAULT.average_iterates),
    "raar_20_of_620": End("2*(20*ER+180*HIO)+200*RAAR+20*ER", title="200 RAAR, 20 ER, of 620"),
    "raar_100_held_80": End("3*(20*ER+180*HIO)+100*RAAR+100*ER", 80, "100 RAAR, 100 ER, 80 held"),
}
KEY = ("shrinkwrap", "data", "photons", "item")
COLUMNS = (
    *KEY,
    *(f"distance_{name}" for name in ENDS),
    *(f"good_{name}" for name in ENDS),
)


class Problem(NamedTuple):
    """One pattern, and how its support is updated."""

    shrinkwrap: str
    data: str
    photons: int
    item: int


def problems(count: int) -> Iterator[Problem]:
    groups = [("2D on the grid", n) for n in (10**5, 10**6)]
    groups += [("2D between", n) for n in (10**5, 10**6, 10**7)]
    groups += [("3D between", n) for n in (10**6, 10**7)]
    for rule in RULES:
        for data, photons in groups:
            yield from (Problem(rule, data, photons, item) for item in range(count))


def measured(problem: Problem) -> dict[str, object]:
    """Phase one pattern by every schedule."""
    truth, amplitude = simulated(*problem[1:])
    row: dict[str, object] = {**problem._asdict()}
    for name in ENDS:
        mean, good = phased(amplitude, name, problem)
        row |= {f"distance_{name}": distance(truth, mean), f"good_{name}": good}
    return row


def phased(amplitude: Tensor, end: str, problem: Problem) -> tuple[Tensor, int]:
    """The mean of the good starts, and how many these are."""
    seed, ndim = problem.item, amplitude.dim()
    rule = ENDS[end].of(RULES[problem.shrinkwrap])
    found = symbreak.reconstruct(
        amplitude, ENDS[end].schedule, shrinkwrap=rule, starts=STARTS, seed=seed, ndim=ndim
    )
    valid = torch.ones(amplitude.shape, dtype=torch.bool)
    compared = compare_starts(found.object, found.support, found.error, amplitude, valid, ndim=ndim)
    return compared.mean, int(compared.good.sum())


def table(rows: Sequence[Row]) -> str:
    """Medians over the patterns that the default solves, and how many get better."""
    shown = [name for name, end in ENDS.items() if end.title]
    head = ["shrinkwrap", "pattern", "photons", "solved", "distance"]
    head += [ENDS[name].title for name in shown]
    lines = []
    for group in dict.fromkeys(tuple(row[name] for name in KEY[:3]) for row in rows):
        chosen = [row for row in rows if tuple(row[name] for name in KEY[:3]) == group]
        solved = [row for row in chosen if float(row["distance_20"]) < FAILED]
        line = [*group[:2], f"{int(group[2]):.0e}", f"{len(solved)} of {len(chosen)}"]
        line.append(f"{median(float(row['distance_20']) for row in solved):.4f}")
        for name in shown:
            ratio = ratios(solved, name)
            line.append(f"{median(ratio):.2f} ({sum(value < 1 for value in ratio)})")
        lines.append(line)
    return markdown(head, lines)


def ratios(rows: Sequence[Row], name: str) -> list[float]:
    """Squared distance by a schedule over that by the default, pattern by pattern."""
    return [float(row[f"distance_{name}"]) / float(row["distance_20"]) for row in rows]


def measure(count: int, path: Path) -> None:
    fill(path, COLUMNS, problems(count), measured)


def write_page(page: Path, rows: Sequence[Row]) -> None:
    replace_between_marks(page, "schedules", table(rows))


if __name__ == "__main__":
    measure_or_write(str(__doc__), measure, write_page, csv=CSV, page=PAGE)
