"""symbreak reconstruct-stack: phase every pattern of a data set, chunk by chunk."""

from __future__ import annotations

import math
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import h5py
import numpy as np
import torch
import typer
from numpy.typing import NDArray

import symbreak
from symbreak.cli import options, phasing_options
from symbreak.cli.output import command_line, note, out, table, wrote
from symbreak.cli.phasing_options import DEFAULT, PATTERN, Dc
from symbreak.cli.streaming import reporting
from symbreak.data.detector.pattern_stack import open_stack
from symbreak.data.files.arrays import HDF5, Source
from symbreak.data.streaming.chunks import Arrays, Chunks, Fitting
from symbreak.data.streaming.distribute import running
from symbreak.data.streaming.resumable import Shapes, identity, resuming
from symbreak.evaluation import determined, same_size
from symbreak.ops.schedule import SCHEDULE, parse_schedule

PIXELS = 2**22  # of all starts of a chunk, unless --chunk says otherwise
EXAMPLES = (
    "symbreak reconstruct-stack scan.h5:/entry/data/data -o objects.h5 --mask :/entry/data/mask",
    "symbreak reconstruct-stack test.h5:amplitude -o objects.h5 --amplitudes --dc corner "
    "--workers 16",
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
    ndim: Annotated[
        int, typer.Option(min=2, max=3, help="Axes of one pattern.", rich_help_panel=PATTERN)
    ] = 2,
    schedule: phasing_options.Schedule = SCHEDULE,
    beta: phasing_options.Beta = 0.9,
    starts: phasing_options.Starts = 8,
    seed: phasing_options.Seed = 0,
    free: phasing_options.Free = None,
    device: phasing_options.Device = "cpu",
    area: phasing_options.Area = None,
    threshold: phasing_options.Threshold = DEFAULT.threshold,
    every: phasing_options.Every = DEFAULT.every,
    sigma: phasing_options.Sigma = DEFAULT.sigma,
    sigma_min: phasing_options.SigmaMin = DEFAULT.sigma_min,
    decay: phasing_options.Decay = DEFAULT.decay,
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
    of the best start and the errors of all, with --free also the free log-likelihoods, which then
    choose among supports of different size. A dark pattern gets object 0 and error NaN. Data sets
    may be larger than the memory; interrupted, the same command continues. Start k of a pattern is
    the one of `reconstruct` with the same seed. Break the symmetries of the result with `break`.
    """
    source = options.source(patterns)
    masks = {"valid": valid, "mask": mask}
    extra = {name: options.source(text) for name, text in masks.items() if text is not None}
    options.result_path(output, HDF5, inputs=(source, *extra.values()))
    rule = phasing_options.shrinkwrap(every, sigma, sigma_min, decay, threshold, area)
    parse_schedule(schedule)
    phase = partial(
        _phased,
        options.device(device),
        {"schedule": schedule, "beta": beta, "starts": starts, "seed": seed, "shrinkwrap": rule},
        free,
    )
    with (
        open_stack(
            source,
            ndim=ndim,
            values="amplitudes" if amplitudes else "intensities",
            origin="corner" if dc is Dc.CORNER else "center",
            **extra,
        ) as stack,
        running(workers, dask) as runner,
    ):
        note((*stack.notes, *phasing_options.value_notes(stack.opened.source, amplitudes)))
        note(stack.looks())
        count, grid = stack.shape[0], stack.shape[1:]
        used = _used(context)
        settings = {
            **used,
            "patterns": _identity(stack.opened.source),
            "masks": [_identity(mask.source) for mask in stack.masks],
        }

        def describe(file: h5py.File) -> None:
            _describe(file, str(stack.opened.source), used)

        with (
            resuming(
                output, _shapes(count, grid, starts, free), count, settings, describe
            ) as unfinished,
            reporting("phasing", count, unfinished.done) as report,
        ):
            pieces = Chunks(
                Fitting(phase),
                stack.read,
                chunk or max(1, PIXELS // (starts * math.prod(grid))),
                runner=runner,
                report=report,
            )
            pieces.fill(unfinished.file, unfinished.done, count, advance=unfinished.advance)
            error = unfinished.file["error"][()]
    _print(error)
    wrote(output, "objects")


def _phased(
    device: torch.device, rules: dict[str, Any], free: float | None, part: Arrays
) -> dict[str, NDArray[Any]]:
    """Phase patterns; ``amplitude`` and ``valid``: ``(items, *grid)``; ``free``: part of them."""
    amplitude, valid = torch.from_numpy(part["amplitude"]), torch.from_numpy(part["valid"])
    ndim = amplitude.dim() - 1
    grid = tuple(range(1, ndim + 1))
    bright = ((amplitude > 0) & valid).any(grid)
    found = {
        "object": torch.zeros(amplitude.shape, dtype=torch.complex64),
        "support": torch.zeros(amplitude.shape, dtype=torch.bool),
        "error": torch.full((len(amplitude),), torch.nan),
        "start": torch.full((len(amplitude),), -1),
        "errors": torch.full((len(amplitude), rules["starts"]), torch.nan),
    }
    if free is not None:
        found["free_log_likelihood"] = found["errors"].double()
    if bool(bright.any()):
        a, measured = amplitude[bright].to(device), valid[bright].to(device)
        hidden = torch.zeros_like(measured)
        if free is not None:
            choose = partial(symbreak.free_pixels, a.shape[1:], fraction=free)
            hidden = torch.stack([choose(valid=mask) for mask in measured])
            measured = measured & ~hidden
        phased = symbreak.reconstruct(a, valid=measured, ndim=ndim, **rules)
        criterion = phased.error
        if free is not None:
            objects = torch.where(phased.support, phased.object, 0)
            likelihood = symbreak.free_log_likelihood(objects, a, hidden, ndim=ndim)
            equal = same_size(phased.support, ndim)[:, None]
            criterion = torch.where(equal, phased.error.double(), likelihood)
        finite = criterion.isfinite() & phased.error.isfinite()
        eligible = determined(phased.support, measured, ndim) & finite
        eligible = torch.where(eligible.any(1, keepdim=True), eligible, finite)
        ranked = phased._replace(error=criterion.where(eligible, torch.inf))
        best = ranked.best().centered()
        start = ranked.error.argmin(1)
        values = {
            "object": best.object.where(best.support, 0),
            "support": best.support,
            "error": phased.error.gather(1, start[:, None])[:, 0],
            "start": start,
            "errors": phased.error,
        }
        if free is not None:
            values["free_log_likelihood"] = likelihood
        for name, value in values.items():
            found[name][bright] = value.cpu()
    return {name: value.numpy() for name, value in found.items()}


def _shapes(count: int, grid: tuple[int, ...], starts: int, free: float | None) -> Shapes:
    likelihood = {} if free is None else {"free_log_likelihood": ((count, starts), "f8")}
    return {
        **likelihood,
        "object": ((count, *grid), "c8"),
        "support": ((count, *grid), "u1"),
        "error": ((count,), "f4"),
        "start": ((count,), "i8"),
        "errors": ((count, starts), "f4"),
    }


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
