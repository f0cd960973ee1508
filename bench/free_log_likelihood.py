"""Which start, which support? Choices by three numbers, and how far from the truth they are.

    python bench/free_log_likelihood.py measure [--crystals 24] [--csv FILE]
    python bench/free_log_likelihood.py page [--csv FILE]

By the error, by the cross-validated error and by the free log-likelihood. Simulated crystals,
Poisson counts, 8 starts under each of several shrinkwraps, from loose to tight; areas are multiples
of the crystal's own, which nobody knows in practice. A start's distance to the truth is its SA-MSE
over the mean square of the truth. Every pattern is phased twice: with the free pixels left out,
and, as without `free_pixels`, with all. Starts whose supports leave as many unknowns as data are
left out as `symbreak reconstruct` does. `measure` adds to the CSV what is not in it yet, `page`
puts the tables into docs/phasing/starts.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import mean

import torch
from measured_page import PHASING, Row, measure_or_write
from scale_data import (
    RESULTS,
    machine,
    markdown,
    read_csv,
    replace_between_marks,
    write_csv,
)
from torch import Tensor

import symbreak
from symbreak.cross_validation import cross_validated_error
from symbreak.data import crystals, poisson_amplitude

PAGE = PHASING / "starts.md"
CSV = RESULTS / "free-log-likelihood.csv"
SEED, STARTS, SIGMA_MIN, MOST_3D = 300, 8, 1.0, 6
THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4)
AREAS = (0.85, 1.0, 1.2, 1.5, 2.0, 3.0)  # of the crystal's own
# Axes, side of the crystal's window (half of the pattern's), photons, fraction, radius.
Trial = tuple[int, int, float, float, int]
IN_2D: list[Trial] = [(2, 48, photons, 0.05, 3) for photons in (1e3, 1e4, 1e5, 1e6)]
IN_3D: list[Trial] = [(3, 24, photons, 0.05, 3) for photons in (1e5, 1e6)]
MASKS: list[Trial] = [
    *((2, 48, 1e5, fraction, 3) for fraction in (0.02, 0.1)),
    *((2, 48, 1e5, 0.05, radius) for radius in (1, 5)),
]
# By the error, the cross-validated error and the free log-likelihood of starts phased without the
# free pixels; by the first two of starts phased with all.
WAYS = ("error", "crossed", "free", "all", "all_crossed")
FIELDS = (
    *("ndim", "size", "photons", "fraction", "radius", "crystal", "rule", "nearest"),
    *(f"{way}_{name}" for way in WAYS for name in ("value", "distance", "support")),
)


def rules(area: float) -> Iterator[tuple[str, symbreak.Shrinkwrap]]:
    """Shrinkwraps by name; ``area`` is the crystal's part of the grid."""
    for threshold in THRESHOLDS:
        rule = symbreak.Shrinkwrap(threshold=threshold, sigma_min=SIGMA_MIN)
        yield f"threshold {threshold:g}", rule
    for factor in AREAS:
        end = min(factor * area, 1.0)
        rule = symbreak.Shrinkwrap(area=(min(2 * end, 1.0), end), sigma_min=SIGMA_MIN)
        yield f"area {factor:g}", rule


def pattern(crystal: Tensor, photons: float, seed: int) -> tuple[Tensor, Tensor]:
    """The crystal on the twofold grid, such that |F x|^2 are counts, and counted amplitudes."""
    truth = torch.nn.functional.pad(crystal, (0, crystal.shape[-1]) * crystal.dim())
    a = torch.fft.fftn(truth).abs()
    scale = (photons / a.double().square().sum()).sqrt().float()
    return truth * scale, poisson_amplitude(a * scale, photons, seed, ndim=crystal.dim())


def choices(truth: Tensor, a: Tensor, free: Tensor, rule: symbreak.Shrinkwrap) -> Row:
    """What each way chooses of the starts of one rule; empty where no support is determined."""
    ndim = truth.dim()
    axes = tuple(range(1, ndim + 1))
    row = {}
    for ways, valid in ((WAYS[:3], ~free), (WAYS[3:], torch.ones_like(free))):
        found = symbreak.reconstruct(a, valid=valid, starts=STARTS, shrinkwrap=rule, ndim=ndim)
        objects = found.object * found.support
        many = truth.expand_as(objects).contiguous()
        distance = symbreak.sa_mse(objects, many, wrap=True, ndim=ndim, reduction="none")
        distance = distance / truth.abs().square().mean()
        size = found.support.sum(axes) / (truth != 0).sum()
        crossed = cross_validated_error(found.error, found.support, valid, ndim=ndim)
        known = crossed.isfinite()
        values = dict.fromkeys(("error", "all"), found.error.double())
        values |= dict.fromkeys(("crossed", "all_crossed"), crossed)
        if ways == WAYS[:3]:
            values["free"] = symbreak.free_log_likelihood(objects, a, free, ndim=ndim)
            row["nearest"] = f"{distance[known].min():.5f}" if known.any() else ""
        for way in ways:
            value = values[way]
            chosen = int(torch.where(known, value, torch.inf).argmin())
            for name, x in (("value", value), ("distance", distance), ("support", size)):
                row[f"{way}_{name}"] = f"{float(x[chosen]):.5f}" if known.any() else ""
    return row


def measure(count: int, path: Path) -> None:
    rows = read_csv(path) if path.exists() else []
    done = {tuple(row[name] for name in FIELDS[:6]) for row in rows}
    for k in range(count):
        for trial in (*IN_2D, *MASKS, *IN_3D):
            ndim, size, photons, fraction, radius = trial
            (crystal,) = crystals(1, size, SEED, ndim=ndim, first=k)
            key = (*(f"{x:g}" for x in trial), str(k))
            if key in done or (ndim == 3 and k >= MOST_3D):
                continue
            truth, a = pattern(crystal, photons, k)
            free = symbreak.free_pixels(a.shape, fraction=fraction, radius=radius)
            area = float((truth != 0).double().mean())
            for name, rule in rules(area):
                head = dict(zip(FIELDS, (*key, name), strict=False))
                rows.append({**head, **choices(truth, a, free, rule)})
            write_csv(path, machine(), FIELDS, rows)
            print(*key, flush=True)


def of_trial(rows: Iterable[Row], trial: Trial) -> list[Row]:
    key = tuple(f"{x:g}" for x in trial)
    return [row for row in rows if tuple(row[name] for name in FIELDS[:5]) == key]


def across(rows: Sequence[Row]) -> list[Row]:
    """One row a crystal: of all its rules each way takes the start of its smallest value."""
    found = []
    for crystal in sorted({row["crystal"] for row in rows}, key=int):
        own = [row for row in rows if row["crystal"] == crystal and row["nearest"]]
        best = {"nearest": min((row["nearest"] for row in own), key=float)}
        for way in WAYS:
            there = [row for row in own if row[f"{way}_value"]]
            chosen = min(there, key=lambda row: float(row[f"{way}_value"]))
            best |= {f"{way}_{name}": chosen[f"{way}_{name}"] for name in ("distance", "support")}
        found.append(best)
    return found


def means(rows: Sequence[Row], names: Sequence[str]) -> list[str]:
    return [f"{mean(float(row[name]) for row in rows):.3f}" for name in names]


def nearer(rows: Sequence[Row], way: str, other: str) -> str:
    """How often the choice of one way was nearer to the truth than the other's, and farther."""
    pairs = [(float(row[f"{way}_distance"]), float(row[f"{other}_distance"])) for row in rows]
    return f"{sum(a < b for a, b in pairs)} : {sum(a > b for a, b in pairs)}"


def title(trial: Trial) -> str:
    return f"{trial[0]}D, " + f"{trial[2]:,.0f}".replace(",", " ")


def among_rules(rows: Sequence[Row]) -> str:
    ways = ("all", "free", "all_crossed")
    lines = []
    for trial in (*IN_2D, *IN_3D):
        chosen = across(of_trial(rows, trial))
        distances = means(chosen, ["nearest", *(f"{way}_distance" for way in ways)])
        sizes = [f"{mean(float(row[f'{way}_support']) for row in chosen):.1f}" for way in ways]
        counted = nearer(chosen, "all_crossed", "free")
        lines.append([title(trial), str(len(chosen)), *distances, counted, *sizes])
    head = ("photons", "crystals", "nearest start", "error", "free LLK", "cross-validated")
    return markdown(
        (*head, "nearer : farther", "support: error", "free LLK", "cross-validated"), lines
    )


def among_starts(rows: Sequence[Row]) -> str:
    names = ("nearest", "all_distance", "free_distance", "all_crossed_distance")
    lines = []
    for trial in (*IN_2D, *IN_3D):
        own = [row for row in of_trial(rows, trial) if row["nearest"] and row["all_value"]]
        for kind in ("threshold", "area"):
            part = [row for row in own if row["rule"].startswith(kind)]
            cells = [*means(part, names), nearer(part, "all_crossed", "all")]
            lines.append([f"{title(trial)}, {kind}", *cells])
    head = ("photons, shrinkwrap by", "nearest start", "error", "free LLK", "cross-validated")
    return markdown((*head, "nearer : farther"), lines)


def among_masks(rows: Sequence[Row]) -> str:
    names = ("nearest", "all_distance", "free_distance", "crossed_distance")
    lines = []
    for trial in (IN_2D[2], *MASKS):
        chosen = across(of_trial(rows, trial))
        name = f"{100 * trial[3]:g} %, radius {trial[4]}"
        lines.append([name, *means(chosen, names), nearer(chosen, "free", "all")])
    head = ("free pixels", "nearest start", "error", "free LLK", "cross-validated")
    return markdown((*head, "nearer : farther"), lines)


def write_page(page: Path, rows: Sequence[Row]) -> None:
    for name, table in (
        ("free pixels: rules", among_rules),
        ("free pixels: starts", among_starts),
        ("free pixels: masks", among_masks),
    ):
        replace_between_marks(page, name, table(rows))


if __name__ == "__main__":
    measure_or_write(str(__doc__), measure, write_page, csv=CSV, page=PAGE)
