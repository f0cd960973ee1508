"""symbreak reconstruct-stack: phase every pattern of a data set, chunk by chunk."""

from __future__ import annotations

import math
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import h5py
import numpy as np
import typer
from numpy.typing import NDArray

import symbreak
from symbreak.cli import coherence, options, phasing_options
from symbreak.cli.best_start import Phaser
from symbreak.cli.initial import (
    Initial,
    begin,
    objects_of_stack,
    read_with_objects,
)
from symbreak.cli.output import command_line, note, out, table, wrote
from symbreak.cli.phasing_options import DEFAULT, PATTERN, SCHEDULE, Dc, RelativeTo
from symbreak.cli.streaming import reporting
from symbreak.data.detector.pattern_stack import open_stack
from symbreak.data.files.arrays import HDF5, Source
from symbreak.data.streaming.chunks import Chunks, Fitting
from symbreak.data.streaming.distribute import running
from symbreak.data.streaming.resumable import identity, resuming

CHOSEN = ("threshold", "area")
PIXELS = 2**22  # of all starts of a chunk, unless --chunk says otherwise
EXAMPLES = (
    "symbreak reconstruct-stack scan.h5:/entry/data/data -o objects.h5 --mask :/entry/data/mask",
    "symbreak reconstruct-stack test.h5:amplitude -o objects.h5 --amplitudes --dc corner "
    "--workers 16",
    "symbreak reconstruct-stack scan.h5 -o objects.h5 --coherence-length 40,60",
    "symbreak reconstruct-stack scan.h5 -o objects.h5 --choose-support --workers 16",
    "symbreak reconstruct-stack test.h5:amplitude -o refined.h5 --amplitudes --dc corner --initial "
    "estimates.h5",
)


def reconstruct_stack(
    context: typer.Context,
    patterns: Annotated[
        str,
        typer.Argument(
            metavar=options.FILE, help="Patterns, (items, rows, columns); volumes: --ndim 3."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Result, HDF5.")],
    amplitudes: phasing_options.Amplitudes = False,
    dc: phasing_options.Origin = Dc.CENTER,
    valid: phasing_options.Valid = None,
    mask: phasing_options.Mask = None,
    saturated: phasing_options.Saturated = None,
    own_mask: phasing_options.OwnMask = True,
    own_saturated: phasing_options.OwnSaturated = False,
    ndim: Annotated[
        int, typer.Option(min=2, max=3, help="Axes of one pattern.", rich_help_panel=PATTERN)
    ] = 2,
    schedule: phasing_options.Schedule = SCHEDULE,
    beta: phasing_options.Beta = 0.9,
    phase_limit: phasing_options.PhaseLimit = None,
    starts: phasing_options.Starts = 8,
    seed: phasing_options.Seed = 0,
    initial: Initial = None,
    free: phasing_options.Free = None,
    partial_coherence: coherence.PartialCoherence = False,
    coherence_length: coherence.CoherenceLength = None,
    device: phasing_options.Device = "cpu",
    choose_support: phasing_options.ChooseSupport = False,
    area: phasing_options.Area = None,
    threshold: phasing_options.Threshold = DEFAULT.threshold,
    every: phasing_options.Every = DEFAULT.every,
    sigma: phasing_options.Sigma = DEFAULT.sigma,
    sigma_min: phasing_options.SigmaMin = DEFAULT.sigma_min,
    decay: phasing_options.Decay = DEFAULT.decay,
    hold: phasing_options.Hold = None,
    average_iterates: phasing_options.AverageIterates = None,
    relative_to: phasing_options.Relative = RelativeTo.RMS,
    chunk: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Patterns in memory at a time; default: 4 million pixels, those of all starts.",
        ),
    ] = None,
    workers: options.Workers = 1,
    dask: options.Dask = None,
) -> None:
    """Phase every pattern of a data set and keep the best start of each.

    OUT holds object (in the middle of the grid, 0 outside the support), support, error, the number
    of the best start and the errors of all, with --free also the free log-likelihoods, for a partly
    coherent beam the blur of the best start along the axes, in pixels of the pattern, with
    --choose-support the threshold or area that each pattern took, the other NaN. The best has
    the smallest cross-validated error. A dark pattern gets object 0 and error NaN. Data sets may be
    larger than the memory; interrupted, the same command continues. Start k of a pattern is the one
    of `reconstruct` with the same seed. Break the symmetries of the result with `break`.
    """
    source = options.source(patterns)
    masks = {"valid": valid, "mask": mask, "saturated": saturated}
    extra = {name: options.source(text) for name, text in masks.items() if text is not None}
    begun = None if initial is None else options.source(initial)
    inputs = (source, *extra.values()) if begun is None else (source, *extra.values(), begun)
    options.result_path(output, HDF5, inputs=inputs)
    if begun is not None:
        begin(context)
        starts, sigma = context.params["starts"], context.params["sigma"]
    beam = coherence.given(partial_coherence, coherence_length)
    ending = phasing_options.end_of(context, coherent=beam is None)
    schedule = context.params["schedule"]
    rule = phasing_options.shrinkwrap(
        every, sigma, sigma_min, decay, threshold, area, relative_to, **ending
    )
    hold_notes = phasing_options.hold_notes(rule, schedule)  # a bad schedule ends it here
    if beam is not None:
        beam.check(ndim, source)
        if own_saturated or saturated is not None:
            note([coherence.SATURATED])
    if choose_support:
        phasing_options.check_free_to_choose(context)
    rules = {"schedule": schedule, "beta": beta, "phase_limit": phase_limit}
    rules |= {"starts": starts, "seed": seed, "shrinkwrap": rule}
    phase = Phaser(options.device(device), rules, free, beam, choose_support)
    with (
        open_stack(
            source,
            ndim=ndim,
            values="amplitudes" if amplitudes else "intensities",
            origin="corner" if dc is Dc.CORNER else "center",
            own_mask=own_mask,
            own_saturated=own_saturated,
            **extra,
        ) as stack,
        objects_of_stack(begun, stack) as first,
        running(workers, dask) as runner,
    ):
        note((*stack.notes, *phasing_options.value_notes(stack.opened.source, amplitudes)))
        note((*stack.looks(), *hold_notes))
        count, grid = stack.shape[0], stack.shape[1:]
        used = _used(context)
        settings = {
            **used,
            "patterns": _identity(stack.opened.source),
            "masks": [_identity(mask.source) for mask in stack.every_mask],
            "objects": None if first is None else _identity(first.source),
        }

        def describe(file: h5py.File) -> None:
            _describe(file, str(stack.opened.source), used)

        with (
            resuming(output, phase.shapes(count, grid), count, settings, describe) as unfinished,
            reporting("phasing", count, unfinished.done) as report,
        ):
            pieces = Chunks(
                Fitting(phase),
                partial(read_with_objects, stack, first),
                chunk or max(1, PIXELS // (starts * math.prod(grid))),
                runner=runner,
                report=report,
            )
            pieces.fill(unfinished.file, unfinished.done, count, advance=unfinished.advance)
            error = unfinished.file["error"][()]
            blur = None if beam is None else unfinished.file["blur"][()]
            chosen = [unfinished.file[name][()] for name in CHOSEN] if choose_support else None
    _print(error)
    if chosen is not None:
        _print_supports(*chosen)
    if blur is not None:
        _print_blur(blur)
    wrote(output, "objects")


def _identity(source: Source) -> dict[str, Any]:
    return {**identity(source.path), "dataset": source.dataset}


def _used(context: typer.Context) -> dict[str, Any]:
    """Every option that the result depends on, as it was used, also at its default."""
    return {
        name: value.value if isinstance(value, Enum) else value
        for name, value in context.params.items()
        if name not in ("patterns", "output", "chunk", "workers", "dask")
    }


def _describe(file: h5py.File, source: str, used: dict[str, Any]) -> None:
    file.attrs["default"] = "object"
    file.attrs["program"] = f"symbreak {symbreak.__version__}"
    file.attrs["command"] = command_line()
    file.attrs["source"] = source
    for name, value in used.items():
        file.attrs[name] = h5py.Empty("f") if value is None else value


def _print(error: NDArray[np.float32]) -> None:
    seen = error[np.isfinite(error)]
    rows = table("phased", "patterns", "dark", "median error", "smallest", "largest")
    numbers = (np.median(seen), seen.min(), seen.max()) if len(seen) else ()
    rows.add_row(
        str(len(error)), str(len(error) - len(seen)), *(f"{float(x):.4f}" for x in numbers)
    )
    out().print(rows)


def _print_supports(threshold: NDArray[np.float64], area: NDArray[np.float64]) -> None:
    """How many patterns took which threshold, and the middle of the areas."""
    values, counts = np.unique(threshold[np.isfinite(threshold)], return_counts=True)
    parts = [f"{count} x threshold {value:g}" for value, count in zip(values, counts, strict=True)]
    ends = area[np.isfinite(area).all(1), 1]
    if len(ends):
        parts.append(f"{len(ends)} x an area, median {np.median(ends):.3g}")
    if parts:
        out().print(f"supports: {', '.join(parts)}", soft_wrap=True)


def _print_blur(blur: NDArray[np.float64]) -> None:
    seen = blur[np.isfinite(blur).all(1)]
    if len(seen):
        low, middle, high = (
            " x ".join(f"{width:.2f}" for width in np.quantile(seen, part, 0))
            for part in (0.25, 0.5, 0.75)
        )
        out().print(
            f"blur of the patterns, median: {middle} pixels (quartiles {low} and {high})",
            soft_wrap=True,
        )
