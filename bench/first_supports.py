"""How large the first support should be: above which part of the autocorrelation's maximum.

    python bench/first_supports.py measure [--crystals 12] [--csv FILE]
    python bench/first_supports.py page [--csv FILE]

Simulated patterns of which all is measured, or the brightest pixels or a disk in the middle are
not: crystals of bench/saturated.py, objects of bench/phase_limits.py, and two of these of which one
has a quarter of the other's magnitude. 16 starts as the command phases them, from supports where
the autocorrelation is above a part of its maximum. How many come within 0.2 of the truth, squared
distance over the truth's, that distance of the start that is taken for the best one, and the pixels
of the first support over the object's stand in the file; patterns that are in it are not measured
again. `page` writes the table of docs/phasing/support.md. "Symbreak" is what it does by itself:
0.15 where nothing is known of zero frequency, unless that is less than a tenth as many pixels as
0.04, else 0.04.

A pattern of which the brightest voxels had been cut off on purpose was not found where the first
support was a third of the object, and was with larger ones; that began it. Expected, after a trial
with other patterns:

1. With all of a crystal measured the starts found do not depend on the part, within 1.5 of 16.
2. Where something is missing, 0.15 finds twice as many as 0.04 or more, and 0.02 next to none; of
   two objects, all measured, nearly all instead of three of four.
3. With the least of what is missing, no difference from 0.04 on, within 1.5.
4. By turns, every other start with 0.15 and 0.04, as many are found as halves of the two together,
   within 1, and the best start is right in as many patterns as with 0.15, within one of 12.

What came of it: 2 is true of patterns in 2D (with the brightest 20 missing 10.6 instead of 1.8,
with a disk of 2.5 14.1 and 13.9 instead of 8.3 and 4.8), but for 0.02 with two objects that are all
measured, and not in 3D, where it makes no difference. 1 and 3 are true, but for 2.3 more that 0.15
finds with the least. 4 is true of the starts found and not of the best one: one from a large
support that has let something in seems to fit better. So there are no turns.

Two measured patterns lack far more, and there 0.15 is a spike that does not grow back: of a ring of
300 pixels 9 are above 0.15 and 439 above 0.04, of the crystal at 34-ID-C without its 2000 brightest
voxels 163 and 2233. Hence the tenth, and since one crystal that is all measured gains nothing, 0.15
is for patterns without zero frequency alone. Expected, from the table of the parts: as with 0.15 in
2D where a disk is missing and with the least, but for less than 1 of 16; no gain elsewhere.

So it was. But with the least of 80 pixels in patterns of larger crystals (bench/saturated.py) 5.4
and 3.8 starts were found instead of 7.8 and 4.8, 6 of 16 patterns solved instead of 8. So where the
least of zero frequency is known, it is 0.04 again.

Seen later: two objects side by side are 43 to 47 of 64 pixels wide, so along that axis their
pattern is not oversampled twofold, and other objects fit it as well: in four pairs that were looked
at, three objects in a row won where all was measured. These two kinds say less of first supports
than of that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import phase_limits
import saturated
import torch
from measured_page import PHASING, Row, fill, measure_or_write
from scale_data import RESULTS, markdown, replace_between_marks
from torch import Tensor

import symbreak
from symbreak.cli.phasing_options import DEFAULT, SCHEDULE
from symbreak.cross_validation import ranking
from symbreak.data import poisson_amplitude

PAGE = PHASING / "support.md"
CSV = RESULTS / "first_supports.csv"
STARTS, FOUND, PHOTONS, FIRST = 16, 0.2, 10**6, 20
PARTS = (0.02, 0.04, 0.08, 0.15, 0.3)
WAYS = (*(f"{part:g}" for part in PARTS), "symbreak")
KINDS = (
    "crystal, all measured",
    "crystal, brightest 20 missing",
    "crystal, least of brightest 20",
    "crystal in 3D, brightest 200 missing",
    "object, disk of 2.5 missing",
    "object, disk of 4.5 missing",
    "two objects, all measured",
    "two objects, disk of 2.5 missing",
)
COLUMNS = (
    *("kind", "item"),
    *(f"{what}_{way}" for what in ("found", "best") for way in WAYS),
    *(f"size_{part:g}" for part in PARTS),
)


class Problem(NamedTuple):
    """One pattern."""

    kind: str
    item: int


class Pattern(NamedTuple):
    """What came of it; where nothing was measured `amplitude` is 0, or the least if it is known."""

    truth: Tensor
    amplitude: Tensor
    valid: Tensor
    saturated: Tensor | None = None


def problems(count: int) -> Iterator[Problem]:
    for kind in KINDS:
        yield from (Problem(kind, item) for item in range(FIRST, FIRST + count))


def simulated(problem: Problem) -> Pattern:
    kind, item = problem
    if kind.startswith("crystal"):
        ndim, size, bright = (3, 16, 200) if "3D" in kind else (2, 32, 20)
        crystal = saturated.Problem(ndim, size, PHOTONS, bright, item)
        truth, amplitude, over = saturated.simulated(crystal)
        if "all" in kind:
            return Pattern(truth, amplitude, torch.ones_like(over))
        if "least" in kind:
            least = torch.where(over, amplitude[over].min(), amplitude)
            return Pattern(truth, least, ~over, over)
        return Pattern(truth, torch.where(over, 0, amplitude), ~over)
    missing = 4.5 if "4.5" in kind else 2.5 if "2.5" in kind else 0.0
    given = phase_limits.Problem("phases to 1", PHOTONS, missing, item)
    truth, amplitude, valid = phase_limits.simulated(given)
    if kind.startswith("two"):
        density = phase_limits.blob(item)
        density += torch.roll(phase_limits.blob(item + 100), (0, 26), (0, 1)) / 4
        truth = torch.polar(density, density / density.max()).to(torch.complex64)
        exact = torch.fft.fft2(truth).abs()
        amplitude = poisson_amplitude(exact, PHOTONS, first=item)
        truth *= (amplitude.square().sum() / exact.square().sum()).sqrt()
    return Pattern(truth, torch.where(valid, amplitude, 0), valid)


def measured(problem: Problem) -> dict[str, object]:
    """Phase one pattern from every first support."""
    pattern = simulated(problem)
    truth, ndim = pattern.truth, pattern.truth.dim()
    autocorrelation = torch.fft.ifftn(pattern.amplitude.double().square()).abs()
    row: dict[str, object] = {**problem._asdict()}
    for way in WAYS:
        first = None if way == "symbreak" else autocorrelation > float(way) * autocorrelation.max()
        found = symbreak.reconstruct(
            pattern.amplitude,
            SCHEDULE,
            valid=pattern.valid,
            saturated=pattern.saturated,
            support=first,
            shrinkwrap=DEFAULT,
            starts=STARTS,
            seed=problem.item,
            ndim=ndim,
        )
        each = saturated.distances(truth, torch.where(found.support, found.object, 0))
        rank = ranking(found.error.double(), found.support, pattern.valid, ndim=ndim)
        row[f"found_{way}"] = int((each < FOUND).sum())
        row[f"best_{way}"] = float(each[rank.argmin()])
        if first is not None:
            row[f"size_{way}"] = float(first.sum() / (truth != 0).sum())
    return row


def groups(rows: Sequence[Row]) -> dict[str, list[Row]]:
    return {kind: [row for row in rows if row["kind"] == kind] for kind in KINDS}


def found(rows: Sequence[Row], way: str) -> float:
    """Starts of 16 that come near the truth."""
    return mean(int(row[f"found_{way}"]) for row in rows)


def solved(rows: Sequence[Row], way: str) -> int:
    """Patterns of which the start taken for the best one does."""
    return sum(float(row[f"best_{way}"]) < FOUND for row in rows)


def table(rows: Sequence[Row]) -> str:
    head = ["pattern", "patterns", *(f"found: {way}" for way in WAYS)]
    head += [f"solved: {way}" for way in WAYS] + ["0.15 over the object"]
    lines = []
    for kind, own in groups(rows).items():
        line = [kind, str(len(own)), *(f"{found(own, way):.1f}" for way in WAYS)]
        line += [str(solved(own, way)) for way in WAYS]
        lines.append([*line, f"{mean(float(row['size_0.15']) for row in own):.1f}"])
    return markdown(head, lines)


def measure(count: int, path: Path) -> None:
    fill(path, COLUMNS, problems(count), measured)


def write_page(page: Path, rows: Sequence[Row]) -> None:
    replace_between_marks(page, "first supports", table(rows))


if __name__ == "__main__":
    measure_or_write(str(__doc__), measure, write_page, csv=CSV, page=PAGE)
