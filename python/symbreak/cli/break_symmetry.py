"""symbreak break: the canonical form of every object of a data set, chunk by chunk."""

from __future__ import annotations

import math
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
from symbreak.data.files.arrays import HDF5, ArrayLike, OpenArray, Source
from symbreak.data.files.objects import open_objects, read_items
from symbreak.data.streaming.chunks import Arrays, Chunks, Fitting
from symbreak.data.streaming.distribute import Runner, running
from symbreak.data.streaming.resumable import Shapes, identity, resuming
from symbreak.ops.break_symmetry import RULES, check_rule
from symbreak.ops.checks import check_tolerance

FIELDS = ("object", "shift", "flipped", "phase", "margin", "ambiguous")
SUMMARY = ("flipped", "margin", "ambiguous")
EXAMPLES = (
    "symbreak break crystals.h5 -o broken.h5",
    "symbreak break volumes.h5:/train/objects -o broken.h5 --ndim 3 --device cuda",
)


def break_(
    objects: Annotated[
        str,
        typer.Argument(
            metavar=options.FILE, help="Complex objects, (items, rows, columns); volumes: --ndim 3."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Result, HDF5.")],
    rule: Annotated[
        str,
        typer.Option(
            callback=options.checked(lambda rule: check_rule("break_symmetry", rule)),
            help=f"Decides the conjugate flip: {' or '.join(RULES)}.",
        ),
    ] = "angle",
    tol: Annotated[
        float,
        typer.Option(
            callback=options.checked(lambda tol: check_tolerance("break_symmetry", tol)),
            help="Content is what exceeds this fraction of max |x|, in [0, 1).",
        ),
    ] = 0.0,
    ndim: options.Ndim = 2,
    chunk: Annotated[int, typer.Option(min=1, help="Objects in memory at a time.")] = 1024,
    device: options.Device = "cpu",
    workers: options.Workers = 1,
    dask: options.Dask = None,
) -> None:
    """Break the symmetries of a data set: translation, conjugate flip and global phase.

    Every object is replaced by the canonical one of all that have the same diffraction pattern.
    OUT holds object, shift, flipped, phase, margin (how far the flip was from being decided
    otherwise) and ambiguous. Data sets may be larger than the memory; interrupted, the same
    command continues.
    """
    source = options.source(objects)
    options.result_path(output, HDF5, inputs=(source,))
    where = options.device(device)
    rules: dict[str, Any] = {"rule": rule, "tol": tol, "ndim": ndim}
    with open_objects(source, ndim=ndim) as opened, running(workers, dask) as runner:
        note((*opened.notes, *volume_notes(opened.source, opened.array.shape, ndim)))
        summary = _run(opened, output, chunk, where, rules, runner)
    rows = table("symmetries broken", "objects", "flipped", "ambiguous", "median margin")
    count = len(summary["flipped"])
    ambiguous = summary["ambiguous"].nonzero().flatten().tolist()
    rows.add_row(
        str(count),
        f"{100 * float(summary['flipped'].double().mean()):.1f} %",
        str(len(ambiguous)),
        f"{float(summary['margin'].nanmedian()):.3g}",
    )
    out().print(rows)
    if ambiguous:
        few = ", ".join(map(str, ambiguous[:10])) + (", ..." if len(ambiguous) > 10 else "")
        note([f"ambiguous, their flip is not decided: {few} (in the order of the file)."])
    wrote(output, "broken objects")


def _run(
    opened: OpenArray,
    output: Path,
    chunk: int,
    device: torch.device,
    rules: dict[str, Any],
    runner: Runner,
) -> dict[str, torch.Tensor]:
    """Break the first batch axis piece by piece; what the summary needs of all items."""
    array, ndim = opened.array, rules["ndim"]
    batch = array.shape[: len(array.shape) - ndim]
    length, inner = (batch[0], math.prod(batch[1:])) if batch else (1, 1)
    settings = {
        **identity(opened.source.path),
        "dataset": opened.source.dataset,
        "device": device.type,
        **rules,
    }

    def describe(file: h5py.File) -> None:
        _describe(file, opened.source, rules)

    with (
        resuming(output, _shapes(array, batch), length, settings, describe) as unfinished,
        reporting("breaking", length, unfinished.done, items=inner) as report,
    ):
        file = unfinished.file
        pieces = Chunks(
            Fitting(partial(_broken, device, rules)),
            lambda rows: {"object": read_items(opened, rows, ndim)},
            max(1, chunk // inner),
            runner=runner,
            report=report,
        )
        pieces.fill(file, unfinished.done, length, advance=unfinished.advance)
        return {name: torch.from_numpy(np.atleast_1d(file[name][()]).ravel()) for name in SUMMARY}


def _broken(device: torch.device, rules: dict[str, Any], part: Arrays) -> dict[str, NDArray[Any]]:
    found = symbreak.break_symmetry(torch.from_numpy(part["object"]).to(device), **rules)
    return {name: getattr(found, name).cpu().numpy() for name in FIELDS}


def _shapes(array: ArrayLike, batch: tuple[int, ...]) -> Shapes:
    wide = array.dtype.itemsize >= 16
    real, ndim = "f8" if wide else "f4", len(array.shape) - len(batch)
    return {
        "object": (tuple(array.shape), "c16" if wide else "c8"),
        "shift": ((*batch, ndim), "i8"),
        "flipped": (batch, "u1"),
        "phase": (batch, real),
        "margin": (batch, real),
        "ambiguous": (batch, "u1"),
    }


def _describe(file: h5py.File, source: Source, parameters: dict[str, Any]) -> None:
    file.attrs["default"] = "object"
    file.attrs["program"] = f"symbreak {symbreak.__version__}"
    file.attrs["command"] = command_line()
    file.attrs["source"] = str(source)
    for name, value in parameters.items():
        file.attrs[name] = value
