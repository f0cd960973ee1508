"""symbreak merge: add up repeated measurements of one pattern."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

import symbreak
from symbreak.cli import options
from symbreak.cli.output import command_line, counted, note, out, table, wrote
from symbreak.data.detector.layouts import INVALID, SATURATED
from symbreak.data.detector.pattern_file import read_positions, write_pattern
from symbreak.data.detector.patterns import Pattern, read_pattern
from symbreak.data.detector.repeats import Merged, merge_patterns
from symbreak.data.files.readers import DataError
from symbreak.data.files.reciprocal import reciprocal_of
from symbreak.geometry import ReciprocalGrid

UNLIKE = 0.3  # a difference beyond noise that is worth a word
SAME = 1e-3  # relative difference of grids that were meant to be one


class Aligning(str, Enum):
    """How they are moved."""

    PARTS = "parts"
    WHOLE = "whole"
    NONE = "none"


EXAMPLES = (
    "symbreak merge scan1.h5 scan2.h5 scan3.h5 -o merged.h5",
    "symbreak merge scan*.h5 -o merged.h5 --halves",
    "symbreak merge long.h5 short.h5 -o merged.h5",
)


def merge(
    context: typer.Context,
    patterns: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE[:DATASET]...",
            help="Two patterns or more, as of `symbreak prepare` with the same --size and --bin.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Pattern, .h5 or .cxi.")],
    align: Annotated[
        Aligning,
        typer.Option(
            help="Move them onto the first one by parts of a pixel, by whole ones, or not."
        ),
    ] = Aligning.PARTS,
    halves: Annotated[
        bool,
        typer.Option(
            "--halves",
            help="Also write OUT-half1 and OUT-half2, every other one added up, to phase and "
            "compare: `symbreak resolution`.",
        ),
    ] = False,
) -> None:
    """Add up repeated measurements of one pattern: scans of one crystal, or other exposures.

    They are moved onto the first one, and of every pixel those count that measured it. So a short
    exposure fills in what saturates in a long one; name the long one first. The table tells how far
    each is from all others beyond photon noise: leave out what is not the same.
    """
    sources = tuple(options.source(text) for text in patterns)
    if len(sources) < 2:
        raise typer.BadParameter("two patterns or more are needed, got 1")
    parts = [output.with_stem(f"{output.stem}-half{k}") for k in (1, 2)] if halves else []
    for path in (output, *parts):
        options.result_path(path, (".h5", ".hdf5", ".cxi"), inputs=sources)
    if len(set(map(str, sources))) < len(sources):
        raise typer.BadParameter("a pattern is named twice")
    given = [read_pattern(source, own_saturated=True) for source in sources]
    first = given[0]
    note(first.notes)
    shapes = [tuple(pattern.amplitude.shape) for pattern in given]
    for pattern, shape in zip(given, shapes, strict=True):
        if shape != shapes[0]:
            raise DataError(f"{pattern.source}: {shape} pixels, {first.source} has {shapes[0]}.")
    grid, text = _grid(given)
    with options.wrong_usage("FILE"):
        merged = merge_patterns([_Counts.of(p) for p in given], align=align.value, halves=halves)
    name = f"{sources[0].path.name} + {len(sources) - 1} more"
    both = merged.halves or ()
    titles = ["merged", *(f"half {k} of the photons" for k in (1, 2))]
    written = list(zip([output, *parts], [merged.total, *both], titles, strict=False))
    for path, pattern, what in written:
        write_pattern(
            path,
            pattern,
            title=f"{name}, {what}",
            version=symbreak.__version__,
            command=command_line(),
            parameters=_parameters(context.params, merged),
            reciprocal=grid,
            instrument=text,
            positions=read_positions(first.source.path, shapes[0]),
        )
    _tell([str(source) for source in sources], given, merged)
    for path, _, what in written:
        wrote(path, "pattern" if path == output else f"pattern, {what}")


@dataclass(frozen=True)
class _Counts:
    """A pattern as `merge_patterns` takes it."""

    intensity: NDArray[np.float32]
    mask: NDArray[np.uint32]
    least: NDArray[np.float32]

    @classmethod
    def of(cls, pattern: Pattern) -> _Counts:
        amplitude, valid, least = (
            np.fft.fftshift(x.numpy()) for x in (pattern.amplitude, pattern.valid, pattern.least)
        )
        bits = np.where(valid, 0, np.where(least > 0, SATURATED, INVALID)).astype(np.uint32)
        return cls(amplitude**2, bits, least**2)


def _grid(patterns: Sequence[Pattern]) -> tuple[ReciprocalGrid | None, str]:
    """Where the pixels of the first one lie, if all of them lie there."""
    ndim = patterns[0].amplitude.dim()
    found = [reciprocal_of(pattern.source.path, ndim) for pattern in patterns]
    known = [grid for grid, _ in found if grid is not None]
    for grid in known:
        if not (_same(grid.steps, known[0].steps) and _same(grid.center, known[0].center)):
            raise DataError(
                f"{patterns[0].source.path} and others were not measured at the same place of "
                "reciprocal space: one reflection, one instrument and one step are needed."
            )
    if known and len(known) < len(found):
        note(["not all of them know their instrument; that of the first that does is taken."])
    return next((pair for pair in found if pair[0] is not None), (None, ""))


def _same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return bool(np.linalg.norm(one - other) <= SAME * np.linalg.norm(other))


def _parameters(given: dict[str, Any], merged: Merged) -> dict[str, Any]:
    return {
        "patterns": " ".join(given["patterns"]),
        "align": given["align"].value,
        "halves": given["halves"],
        "shifts": " ".join(",".join(f"{step:g}" for step in shift) for shift in merged.shifts),
        "exposures": " ".join(f"{share:.6g}" for share in merged.exposures),
        "measured_pixels": int((merged.total.mask == 0).sum()),
    }


def _tell(names: Sequence[str], patterns: Sequence[Pattern], merged: Merged) -> None:
    rows = table("merged", "pattern", "counts", "moved by", "of all counts", "difference")
    each = zip(names, patterns, merged.shifts, merged.exposures, merged.differences, strict=True)
    for name, pattern, shift, share, difference in each:
        counts = float(pattern.amplitude.double().square().sum())
        moved = ", ".join(f"{step:.4g}" for step in shift)
        rows.add_row(name, f"{counts:.6g}", moved, f"{share:.1%}", f"{difference:.1%}")
    out().print(rows)
    total = merged.total
    counts = float(total.intensity.sum(dtype=np.float64))
    missing = counted(int((total.mask != 0).sum()), total.mask.ndim)
    out().print(f"{counts:.6g} counts, {missing} not measured by any")
    unlike = [
        name
        for name, difference in zip(names, merged.differences, strict=True)
        if difference > UNLIKE
    ]
    if unlike and len(names) > 2:
        note([f"{', '.join(unlike)}: far from all others together, beyond photon noise."])
