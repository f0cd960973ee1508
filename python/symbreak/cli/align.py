"""symbreak align: compare objects up to translation, conjugate flip and global phase."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import h5py
import numpy as np
import torch
import typer
from numpy.typing import NDArray

import symbreak
from symbreak.cli import options
from symbreak.cli.output import command_line, note, out, table, wrote
from symbreak.cli.streaming import reporting, volume_notes
from symbreak.data.files.arrays import HDF5, DataError, OpenArray
from symbreak.data.files.objects import kind_of, open_objects, read_items
from symbreak.data.streaming.chunks import Arrays, Chunks, Fitting
from symbreak.data.streaming.distribute import Runner, running
from symbreak.data.streaming.resumable import Shapes, identity, resuming

MOST_ROWS = 30
NUMBERS = ("shift", "flipped", "phase", "sa_mse", "relative_error")
EXAMPLES = (
    "symbreak align phased.cxi truth.npy",
    "symbreak align run1.cxi run2.cxi --wrap -o aligned.h5",
)


def align(
    a: Annotated[str, typer.Argument(metavar="A", help="Estimates: FILE[:DATASET].")],
    b: Annotated[str, typer.Argument(metavar="B", help="References: FILE[:DATASET].")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write the aligned objects, HDF5.")
    ] = None,
    wrap: Annotated[
        bool, typer.Option("--wrap", help="The grid is periodic: circular shifts.")
    ] = False,
    ndim: options.Ndim = 2,
    chunk: Annotated[int, typer.Option(min=1, help="Objects in memory at a time.")] = 256,
    device: options.Device = "cpu",
    workers: options.Workers = 1,
    dask: options.Dask = None,
) -> None:
    """Align the objects of A to those of B and print how far apart they remain.

    SA-MSE is the mean squared difference, minimised exhaustively over all integer shifts, the
    conjugate flip and the phase; the relative error is the square root of SA-MSE / mean |B|^2.
    B may be a single object for all of A. Data sets may be larger than the memory; interrupted,
    the same command with -o continues.
    """
    sources = options.source(a), options.source(b)
    if output is not None:
        options.result_path(output, HDF5, inputs=sources)
    where = options.device(device)
    with (
        open_objects(sources[0], ndim=ndim) as estimates,
        open_objects(sources[1], ndim=ndim) as references,
        running(workers, dask) as runner,
    ):
        note((*estimates.notes, *references.notes))
        note(volume_notes(estimates.source, estimates.array.shape, ndim))
        _check_shapes(estimates, references, ndim)
        rules = {"wrap": wrap, "ndim": ndim}
        _run(estimates, references, output, chunk, where, rules, runner)
    if output is not None:
        wrote(output, "aligned objects")


def _check_shapes(a: OpenArray, b: OpenArray, ndim: int) -> None:
    """References are as many as estimates, or one for all."""
    if b.array.shape not in (a.array.shape, a.array.shape[-ndim:]):
        raise DataError(
            f"A and B must hold objects of one shape: {a.source} has {a.array.shape}, {b.source} "
            f"{b.array.shape}."
        )


def _run(
    a: OpenArray,
    b: OpenArray,
    output: Path | None,
    chunk: int,
    device: torch.device,
    rules: dict[str, Any],
    runner: Runner,
) -> None:
    """Align the first batch axis piece by piece and print the numbers."""
    shape, ndim = a.array.shape, rules["ndim"]
    batch = shape[:-ndim]
    length, inner = (batch[0], math.prod(batch[1:])) if batch else (1, 1)
    one = read_items(b, slice(0, 1), ndim) if b.array.shape != shape else None
    shapes = _shapes(shape, batch, max(kind_of(a.array), kind_of(b.array), key=len))
    settings = {
        "estimates": {**identity(a.source.path), "dataset": a.source.dataset},
        "references": {**identity(b.source.path), "dataset": b.source.dataset},
        "device": device.type,
        **rules,
    }

    def pairs(rows: slice) -> Arrays:
        estimate = {"estimate": read_items(a, rows, ndim)}
        return estimate if one is not None else {**estimate, "reference": read_items(b, rows, ndim)}

    def describe(file: h5py.File) -> None:
        file.attrs["default"] = "object"
        file.attrs["program"] = f"symbreak {symbreak.__version__}"
        file.attrs["command"] = command_line()
        file.attrs["estimates"], file.attrs["references"] = str(a.source), str(b.source)

    def fill(
        target: Mapping[str, Any],
        names: tuple[str, ...],
        done: int = 0,
        advance: Callable[[int], None] = lambda rows: None,
    ) -> None:
        with reporting("aligning", length, done, items=inner) as report:
            pieces = Chunks(
                Fitting(partial(_aligned, device, rules, names, one)),
                pairs,
                max(1, chunk // inner),
                runner=runner,
                report=report,
            )
            pieces.fill(target, done, length, advance=advance)
        _print({name: target[name][()] for name in NUMBERS}, ndim)

    if output is None:
        fill({name: np.empty(*shapes[name]) for name in NUMBERS}, NUMBERS)
        return
    with resuming(output, shapes, length, settings, describe) as unfinished:
        fill(unfinished.file, tuple(shapes), unfinished.done, unfinished.advance)


def _shapes(shape: tuple[int, ...], batch: tuple[int, ...], kind: str) -> Shapes:
    real = "f8" if kind == "c16" else "f4"
    return {
        "object": (shape, kind),
        "shift": ((*batch, len(shape) - len(batch)), "i8"),
        "flipped": (batch, "u1"),
        "phase": (batch, real),
        "sa_mse": (batch, real),
        "relative_error": (batch, "f8"),
    }


def _aligned(
    device: torch.device,
    rules: dict[str, Any],
    names: tuple[str, ...],
    one: NDArray[Any] | None,
    part: Arrays,
) -> dict[str, NDArray[Any]]:
    """Align estimates ``(items, *grid)`` to as many references, or to the one for all."""
    estimate = torch.from_numpy(part["estimate"])
    reference = torch.from_numpy(part["reference"] if one is None else one)
    wide = torch.promote_types(estimate.dtype, reference.dtype)
    reference = reference.expand(estimate.shape).contiguous()
    found = symbreak.align(estimate.to(device, wide), reference.to(device, wide), **rules)
    power = reference.abs().double().square().mean(tuple(range(-rules["ndim"], 0)))
    relative = (found.sa_mse.cpu().double() / power).sqrt()
    values = {**found._asdict(), "relative_error": relative}
    return {name: values[name].cpu().numpy() for name in names}


def _print(found: Mapping[str, NDArray[Any]], ndim: int) -> None:
    rows = table(
        "A aligned to B", "object", "shift", "flipped", "phase (rad)", "SA-MSE", "relative error"
    )
    shift = found["shift"].reshape(-1, ndim)
    flipped, phase, sa_mse, errors = (np.atleast_1d(found[name]).ravel() for name in NUMBERS[1:])
    for k in range(min(len(shift), MOST_ROWS)):
        rows.add_row(
            str(k),
            ", ".join(f"{s:+d}" for s in shift[k]),
            "yes" if flipped[k] else "no",
            f"{phase[k]:+.4f}",
            f"{sa_mse[k]:.4g}",
            f"{errors[k]:.4g}",
        )
    out().print(rows)
    if len(shift) > 1:
        hidden = f" ({len(shift) - MOST_ROWS} not shown)" if len(shift) > MOST_ROWS else ""
        mean = float(sa_mse.astype(np.float64).mean())
        out().print(f"{len(shift)} objects{hidden}, mean SA-MSE {mean:.4g}", markup=False)
