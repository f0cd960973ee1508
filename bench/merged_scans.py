"""What scans that drifted from one to the next are worth, added up by `symbreak merge`.

    python bench/merged_scans.py measure [--crystals 12] [--csv FILE]
    python bench/merged_scans.py page [--csv FILE]

The crystals of bench/halves.py, five scans of each, phased as the command phases them. All but the
first lie elsewhere on the detector: by nothing, by up to 3 whole pixels on each axis, or by any
part of a pixel up to 3. Squared distances to the truth over the truth's, of the mean of the good
starts: of the first scan alone; of all five added up, moved by nothing ("none"), by whole pixels
("whole") or by parts of a pixel ("parts", as the command does); and of one scan of five times the
photons. Patterns that are in the file are not measured again. `page` writes the table of
docs/phasing/repeated-scans.md, medians.

Whole pixels were what the command did at first, for interpolation spreads the noise of bright
pixels over faint ones. Expected of that, in writing, was that the blur of 0.3 pixels that it leaves
matters with many photons only. A trial with three crystals said otherwise: five scans were worth
less than one from 1e5 photons on, and interpolated, where the drift was known, as much as one long
scan. Hence parts of a pixel. Expected then, of other crystals, with the drift found from the data:

1. Without drift, and with whole pixels, all that moves is within 10 % of one long scan.
2. With any drift, "parts" is within 30 % of one long scan in every group, "whole" is farther than
   one scan alone from 1e5 photons a scan on.
3. Added without moving is farther than one scan alone in every group with drift.

What came of it: of 1, whole pixels are within 18 %, parts between 31 % nearer (1e4 photons in 2D,
where interpolation takes some noise away) and 23 % farther. Of 2, parts are within 30 % but for one
group, 1.42 times as far; whole is farther than one scan alone in 3D, and in 2D with 1e6 photons. 3
is true.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, get_args

import halves
import numpy as np
import torch
from measured_page import PHASING, Row, fill, measure_or_write
from numpy.typing import NDArray
from scale_data import RESULTS, markdown, replace_between_marks
from torch import Tensor

from symbreak.data import merge_patterns, poisson_amplitude
from symbreak.data.detector.repeats import Align

CSV = RESULTS / "merged_scans.csv"
PAGE = PHASING / "repeated-scans.md"
SCANS, MOST, FIRST, MOST_3D = 5, 3, 40, 6
DRIFTS = ("none", "whole pixels", "any")
ALIGN: tuple[Align, ...] = get_args(Align)
WAYS = ("one", *ALIGN, "long")
COLUMNS = ("data", "photons", "drift", "item", "off", *WAYS)


class Problem(NamedTuple):
    """Five scans of a crystal."""

    data: str
    photons: int
    """Of one scan."""
    drift: str
    item: int


@dataclass(frozen=True)
class Counted:
    """A scan as `merge_patterns` takes it, zero frequency in the middle."""

    intensity: NDArray[Any]
    mask: NDArray[np.uint32]
    least: NDArray[Any]


def problems(count: int) -> Iterator[Problem]:
    for data, most in (("2D between", count), ("3D between", min(count, MOST_3D))):
        for photons in (10**4, 10**5, 10**6):
            for drift in DRIFTS:
                items = range(FIRST, FIRST + most)
                yield from (Problem(data, photons, drift, item) for item in items)


def moved(truth: Tensor, by: Tensor) -> Tensor:
    """The object whose pattern lies that many pixels farther on: a ramp of phase."""
    for axis, shift in enumerate(by.tolist()):
        n = torch.arange(truth.shape[axis], dtype=torch.float64) * shift / truth.shape[axis]
        along = [1] * truth.dim()
        along[axis] = -1
        truth = truth * torch.polar(torch.ones_like(n), 2 * torch.pi * n).reshape(along)
    return truth


def counted(truth: Tensor, photons: int, seed: int) -> NDArray[np.float64]:
    """Photons in every pixel, zero frequency in the middle."""
    exact = torch.fft.fftn(truth).abs().float()
    unit = photons / exact.double().square().sum()
    counts = poisson_amplitude(exact, photons, seed, ndim=truth.dim()).double().square() * unit
    return np.fft.fftshift(counts.round().numpy())


def scans(problem: Problem, truth: Tensor) -> tuple[list[Counted], NDArray[np.float64]]:
    """Five scans, and by how many pixels of the detector they drifted ``(5, ndim)``."""
    generator = torch.Generator().manual_seed(problem.item)
    drift = MOST * (2 * torch.rand(SCANS, truth.dim(), generator=generator).double() - 1)
    drift[0] = 0
    drift = {"none": 0 * drift, "whole pixels": drift.round(), "any": drift}[problem.drift]
    found = []
    for k, by in enumerate(drift):
        counts = counted(moved(truth.cdouble(), by), problem.photons, problem.item * SCANS + k)
        zero = np.zeros(counts.shape)
        found.append(Counted(counts, zero.astype(np.uint32), zero))
    return found, drift.numpy()


def distance(truth: Tensor, pattern: Counted | Any, seed: int) -> float:
    """Squared distance of the mean of the good starts, as bright as the truth, over the truth's."""
    counts, mask = (np.fft.ifftshift(x) for x in (pattern.intensity, pattern.mask))
    found = halves.phased(
        torch.from_numpy(counts).float().sqrt(), seed, valid=torch.from_numpy(mask == 0)
    )
    return halves.distance(truth, found.mean * (truth.norm() / found.mean.norm()))


def measured(problem: Problem) -> dict[str, object]:
    """Phase the scans of one crystal in every way."""
    truth = halves.crystal(problem.data, problem.item)
    given, drift = scans(problem, truth)
    zero = np.zeros(truth.shape)
    longer = counted(truth, SCANS * problem.photons, 10**6 + problem.item)
    sums = {align: merge_patterns(given, align=align) for align in ALIGN}
    off = np.array(sums["parts"].shifts) + drift
    patterns = {
        "one": given[0],
        "long": Counted(longer, zero.astype(np.uint32), zero),
        **{align: found.total for align, found in sums.items()},
    }
    return {
        **problem._asdict(),
        "off": float(np.sqrt((off[1:] ** 2).mean())),
        **{way: distance(truth, pattern, problem.item) for way, pattern in patterns.items()},
    }


def groups(rows: Sequence[Row]) -> dict[tuple[str, int, str], list[Row]]:
    """Rows by data, photons and drift."""
    found: dict[tuple[str, int, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["data"], int(row["photons"]), row["drift"]), []).append(row)
    return found


def middle(rows: Sequence[Row], way: str) -> float:
    """Median over the crystals."""
    return median(float(row[way]) for row in rows)


def table(rows: Sequence[Row]) -> str:
    head = ["pattern", "photons", "drift", "crystals", "shifts off by", "one scan"]
    head += ["not moved", "by whole pixels", "by parts", "one scan, 5 times the photons"]
    ways = ("one", "none", "whole", "parts", "long")
    lines = []
    for (data, photons, drift), own in groups(rows).items():
        cells = [f"{middle(own, way):.3f}" for way in ("off", *ways)]
        lines.append([data[:2], f"5 x {photons:.0e}", drift, str(len(own)), *cells])
    return markdown(head, lines)


def measure(count: int, path: Path) -> None:
    fill(path, COLUMNS, problems(count), measured)


def write_page(page: Path, rows: Sequence[Row]) -> None:
    replace_between_marks(page, "merged scans", table(rows))


if __name__ == "__main__":
    measure_or_write(str(__doc__), measure, write_page, csv=CSV, page=PAGE)
