"""Do parts of a pixel matter when starts are averaged? Shifts left by `align`, and what they cost.

    python bench/subpixel.py bench/results/subpixel.csv [RESULT.cxi ...]

Starts of one pattern are aligned to the best by whole pixels; what is left of the shifts blurs the
mean and lowers the transfer function (PRTF) at high frequencies: a spread of s pixels on each axis
by exp(-2 pi^2 f^2 s^2) at frequency f. Every row is one pattern, its good starts averaged as they
are and after `symbreak.subpixel.refine`. The simulated patterns: crystals whose pixels are those of
the reconstruction ("on the grid"), and crystals four times finer (three times in 3D) of whose far
field the detector sees the middle ("between": edges lie anywhere between pixels); Poisson noise;
two settings of shrinkwrap. Measured patterns are files of `symbreak reconstruct`; the truth is not
known there. The control are random phases with the right amplitudes: refinement must not invent an
agreement that is not there.

What was expected, written down before the first run:

1. On the grid: only at whole pixels are the edges sharp, so the shifts are below 0.02 pixels and
   nothing changes by more than 1 %.
2. Between pixels: a support of whole pixels holds the object loosely; shifts of 0.1 to 0.2 pixels
   rms on each axis, more with the looser support; the PRTF at the edge (f > 0.4) rises by 5 to
   20 %, the mean's squared distance to the truth falls by 10 to 30 %.
3. The ring, 20 pixels across: 0.1 to 0.3 pixels, PRTF at the edge up by 10 to 30 %.
4. The scan of 34-ID-C: of the distance 0.005 to 0.05 was already known to be shifts; 0.1 to 0.2
   pixels, PRTF at the edge from 0.44 to about 0.5.
5. Control: the PRTF rises by less than 1 %.

The first round (2D: items 0 to 7, 3D: 0 to 3) showed gains where the good starts are one object,
and gains and losses by chance where they are not. So, written down before the second round, of
fresh crystals (2D: 8 to 15, 3D: 4 to 7):

6. Where the good starts lie within 0.2 of the best (median relative squared distance), the mean's
   squared distance to the truth falls by 4 to 12 % in the median, and rises by 2 % at most; beyond
   0.2 it changes by up to 10 % either way.

What came of it: 6 came true, 3 nearly (0.15 to 0.24 pixels; the PRTF gained less in two of four
seeds). 1 did not: noise moves the starts as far on the grid, and only with 1e6 photons, in 2D and
with the tight support, are they held to 0.03. 2 holds with 1e6 photons and the tight support alone,
with shifts of 0.25 rather than 0.2; else the gains are smaller, and none with 1e4 photons. The
shifts of 4 are 0.3 pixels, and the gain twice as large. 5 holds in the median, but one of the four
gained 1.6 %.

All of it was measured again when starts came to be ranked by the cross-validated error instead of
the error. Expected: the same within 0.02 in the medians. So it is in the ratio of the distances;
the PRTF and the agreement at the edge, of other starts now, moved by up to 0.3 and 0.13. The mean
of one pattern of the row from 0.15 to 0.2 gets worse by 4 %, twice what 6 allows.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from skimage.registration import phase_cross_correlation
from torch import Tensor

import symbreak
from symbreak.data import crystals, poisson_amplitude
from symbreak.data.detector.patterns import read_pattern
from symbreak.data.files.arrays import Source
from symbreak.data.files.cxi import read_cxi
from symbreak.evaluation import compare_starts
from symbreak.ops.frequencies import frequency_radius
from symbreak.subpixel import refine
from symbreak.transfer import transfer_function

EDGE = 0.4  # cycles per pixel: the shells from here to 0.5 are "the edge"
STARTS = 16
CONTROL = "control: random phases"
Row = dict[str, object]
RULES = {
    "tight": symbreak.Shrinkwrap(threshold=0.3, sigma_min=0.7, decay=0.95),
    "default": symbreak.Shrinkwrap(),
}
KEY = ("data", "photons", "shrinkwrap", "item")
COLUMNS = (
    *KEY,
    *("good", "apart", "shift_rms", "shift_largest", "off_skimage"),
    *("distance_best", "distance_whole", "distance_refined"),
    *("agreement_whole", "agreement_refined"),
    *("prtf_whole", "prtf_refined", "resolution_whole", "resolution_refined", "outside"),
)


@dataclass(frozen=True)
class Problem:
    """One pattern to phase."""

    data: str
    photons: int
    shrinkwrap: str
    item: int

    def key(self) -> Row:
        """What its row is known by."""
        return {name: getattr(self, name) for name in KEY}


def problems() -> Iterator[Problem]:
    """All simulated patterns."""
    for item in range(16):
        for rule in RULES:
            for photons in (10**4, 10**5, 10**6):
                yield Problem("2D on the grid", photons, rule, item)
                yield Problem("2D between", photons, rule, item)
    for item in range(8):
        for rule in RULES:
            for photons in (10**5, 10**6):
                yield Problem("3D on the grid", photons, rule, item)
                yield Problem("3D between", photons, rule, item)


def on_the_grid(item: int, size: int, ndim: int) -> Tensor:
    """A crystal in a black window twice as wide."""
    truth = torch.zeros((2 * size,) * ndim, dtype=torch.complex64)
    truth[(slice(size),) * ndim] = crystals(1, size, 0, ndim=ndim, first=item)[0]
    return truth


def between(item: int, size: int, finer: int, ndim: int) -> Tensor:
    """What a window of ``2 size`` pixels of the far field shows of a crystal of finer pixels."""
    wide = on_the_grid(item, size * finer, ndim).to(torch.complex128)
    far = torch.fft.fftshift(torch.fft.fftn(wide))
    low = size * finer - size
    seen = far[(slice(low, low + 2 * size),) * ndim]
    return torch.fft.ifftn(torch.fft.ifftshift(seen)).to(torch.complex64)


def simulated(problem: Problem) -> Row:
    """Phase one pattern and compare the means."""
    ndim, size, finer = (2, 32, 4) if problem.data.startswith("2D") else (3, 16, 3)
    if problem.data.endswith("between"):
        truth = between(problem.item, size, finer, ndim)
    else:
        truth = on_the_grid(problem.item, size, ndim)
    amplitude = poisson_amplitude(
        torch.fft.fftn(truth).abs(), problem.photons, ndim=ndim, first=problem.item
    )
    valid = torch.ones(amplitude.shape, dtype=torch.bool)
    rule = RULES[problem.shrinkwrap]
    found = symbreak.reconstruct(
        amplitude, shrinkwrap=rule, starts=STARTS, seed=problem.item, ndim=ndim
    )
    compared = compare_starts(found.object, found.support, found.error, amplitude, valid, ndim=ndim)
    best = compared.objects[compared.best]
    return measured(compared.objects[compared.good], best, amplitude, valid, truth)


def measured(
    objects: Tensor, best: Tensor, amplitude: Tensor, valid: Tensor, truth: Tensor | None = None
) -> Row:
    """The columns of one pattern's good starts ``(starts, *M)``, aligned by whole pixels."""
    ndim = best.dim()
    refined, shift = refine(objects, best, ndim=ndim)
    means = {"whole": objects.mean(0), "refined": refined.mean(0)}
    others = (objects - best).abs().square().flatten(1).sum(1) / best.abs().square().sum()
    row: Row = {
        "good": len(objects),
        "apart": float(others[others > 0].median()) if len(objects) > 1 else 0.0,
        "shift_rms": float(shift.square().mean().sqrt()),
        "shift_largest": float(shift.abs().max()),
        "off_skimage": max(
            float((registered(x, best) - s).abs().max())
            for x, s in zip(objects, shift, strict=True)
        ),
    }
    outside = means["refined"][(objects == 0).all(0)].abs().square().sum()
    row["outside"] = float(outside / means["refined"].abs().square().sum())
    for name, stack in (("whole", objects), ("refined", refined)):
        curve = transfer_function(stack, amplitude, valid, ndim=ndim)
        edge = curve.frequency >= EDGE
        weight = curve.pixels[edge].double()
        known = ~curve.transfer[edge].isnan()
        row[f"prtf_{name}"] = float(
            (curve.transfer[edge] * weight)[known].sum() / weight[known].sum()
        )
        row[f"resolution_{name}"] = curve.resolution()
    if truth is not None:
        row["distance_best"], _ = to_truth(best, truth)
        for name, mean in means.items():
            row[f"distance_{name}"], row[f"agreement_{name}"] = to_truth(mean, truth)
    return row


def to_truth(estimate: Tensor, truth: Tensor) -> tuple[float, float]:
    """Relative squared distance, up to symmetry and parts of a pixel, and agreement at the edge.

    The agreement is the correlation of the two spectra over f in [EDGE, 0.5].
    """
    ndim = truth.dim()
    aligned = symbreak.align(estimate, truth, wrap=True, ndim=ndim).object
    moved = refine(aligned, truth, ndim=ndim).object
    distance = float((moved - truth).abs().square().sum() / truth.abs().square().sum())
    radius = frequency_radius(truth.shape)
    edge = (radius >= EDGE) & (radius <= 0.5)
    a, b = torch.fft.fftn(moved)[edge], torch.fft.fftn(truth)[edge]
    return distance, float((a.conj() * b).sum().real / (a.norm() * b.norm()))


def registered(x: Tensor, best: Tensor) -> Tensor:
    """The shift as scikit-image finds it, to 1/100 of a pixel."""
    shift, *_ = phase_cross_correlation(
        best.numpy(), x.numpy(), upsample_factor=100, normalization=None
    )
    return torch.from_numpy(shift)


def control(item: int) -> Row:
    """Random phases with the amplitudes of a crystal between pixels."""
    truth = between(item, 32, 4, 2)
    amplitude = torch.fft.fftn(truth).abs()
    generator = torch.Generator().manual_seed(item)
    phases = 2 * torch.pi * torch.rand(STARTS, *truth.shape, generator=generator)
    starts = torch.fft.ifftn(torch.polar(amplitude.expand_as(phases), phases), dim=(-2, -1))
    best = starts[0].contiguous()
    aligned = symbreak.align(starts, best.expand_as(starts).contiguous(), wrap=True).object
    valid = torch.ones(amplitude.shape, dtype=torch.bool)
    return measured(aligned, best, amplitude, valid, truth)


def from_file(path: Path) -> Row:
    """The good starts of a measured pattern, as `symbreak reconstruct` left them."""
    found = read_cxi(path)
    used = {name: str(value) for name, value in found.parameters.items() if value is not None}
    extra = {
        name: beside(used[name], used["pattern"]) for name in ("valid", "mask") if name in used
    }
    pattern = read_pattern(
        beside(used["pattern"], ""),
        values="amplitudes" if found.parameters["amplitudes"] else "intensities",
        origin="corner" if used["dc"] == "corner" else "center",
        **extra,
    )
    stack, good = (torch.from_numpy(found.starts[name]) for name in ("data", "good"))
    best = torch.from_numpy(found.object)
    return measured(stack[good], best, pattern.amplitude, pattern.valid)


def file_key(path: Path) -> Row:
    """What a row is known by: the name of the pattern's file, and the seed."""
    used = read_cxi(path).parameters
    return {"data": beside(str(used["pattern"]), "").path.stem, "item": used["seed"]}


def beside(text: str, pattern: str) -> Source:
    """FILE:DATASET, or :DATASET of the pattern's file."""
    file, _, dataset = text.partition(":")
    return Source(Path(file or pattern.partition(":")[0]), dataset or None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("results", type=Path, nargs="*", help="files of symbreak reconstruct")
    words = parser.parse_args()
    rows = list(csv.DictReader(words.output.open())) if words.output.exists() else []
    done = {tuple(row[name] for name in KEY) for row in rows}
    jobs: list[tuple[Row, Callable[[], Row]]] = [
        *((problem.key(), partial(simulated, problem)) for problem in problems()),
        *(({"data": CONTROL, "item": item}, partial(control, item)) for item in range(4)),
        *((file_key(path), partial(from_file, path)) for path in words.results),
    ]
    with words.output.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if not rows:
            writer.writeheader()
        for key, run in jobs:
            if tuple(str(key.get(name, "")) for name in KEY) not in done:
                row = key | run()
                shown = {k: f"{v:.4g}" if isinstance(v, float) else v for k, v in row.items()}
                writer.writerow(shown)
                file.flush()


if __name__ == "__main__":
    main()
