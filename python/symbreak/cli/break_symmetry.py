"""symbreak break: the canonical form of every object of a data set, chunk by chunk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import h5py
import torch
import typer

import symbreak
from symbreak.cli import options
from symbreak.cli.output import command_line, note, out, progress, table, wrote
from symbreak.data.arrays import HDF5, ArrayLike, Source
from symbreak.data.atomic import replacing
from symbreak.data.objects import as_tensor, open_objects

FIELDS = ("object", "shift", "flipped", "phase", "margin")
EXAMPLES = (
    "symbreak break crystals.h5 -o broken.h5",
    "symbreak break volumes.h5:/train/objects -o broken.h5 --ndim 3 --device cuda",
)


def break_(
    objects: Annotated[
        str, typer.Argument(metavar=options.FILE, help="Complex objects, (*batch, *grid).")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Result, HDF5.")],
    rule: Annotated[str, typer.Option(help="How the conjugate flip is decided.")] = "angle",
    tol: Annotated[
        float, typer.Option(min=0, help="Relative threshold of the content, in [0, 1).")
    ] = 0.0,
    ndim: options.Ndim = 2,
    chunk: Annotated[int, typer.Option(min=1, help="Objects in memory at a time.")] = 1024,
    device: options.Device = "cpu",
) -> None:
    """Break the symmetries of a data set: translation, conjugate flip and global phase.

    Every object is replaced by the canonical one of all that have the same diffraction pattern.
    OUT holds object, shift, flipped, phase, margin (how far the flip was from being decided
    otherwise) and ambiguous. Data sets may be larger than the memory.
    """
    source = options.source(objects)
    options.result_path(output, HDF5, inputs=(source,))
    where = options.device(device)
    with open_objects(source, ndim=ndim) as opened:
        note(opened.notes)
        with replacing(output) as temporary, h5py.File(temporary, "w") as file:
            summary = _run(opened.array, file, chunk, where, rule=rule, tol=tol, ndim=ndim)
            _describe(file, opened.source, rule=rule, tol=tol, ndim=ndim)
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
    array: ArrayLike,
    file: h5py.File,
    chunk: int,
    device: torch.device,
    *,
    rule: str,
    tol: float,
    ndim: int,
) -> dict[str, torch.Tensor]:
    """Break the first batch axis piece by piece; what the summary needs of all items."""
    batched = len(array.shape) > ndim
    length = array.shape[0] if batched else 1
    inner = 1
    for size in array.shape[1 : len(array.shape) - ndim]:
        inner *= size
    step = max(1, chunk // inner)
    kept: dict[str, list[torch.Tensor]] = {"flipped": [], "ambiguous": [], "margin": []}
    with progress("breaking", length * inner) as bar:
        for start in range(0, length, step):
            rows: Any = slice(start, min(start + step, length)) if batched else ()
            part = as_tensor(array[rows]).to(device)
            found = symbreak.break_symmetry(part, tol=tol, ndim=ndim, rule=rule)
            values = {name: getattr(found, name).cpu() for name in (*FIELDS, "ambiguous")}
            for name, value in values.items():
                _store(file, name, value, rows, array.shape[:1] if batched else ())
            for name, parts in kept.items():
                parts.append(values[name].flatten())
            bar.advance(bar.task_ids[0], values["flipped"].numel())
    return {name: torch.cat(parts) for name, parts in kept.items()}


def _store(
    file: h5py.File, name: str, value: torch.Tensor, rows: Any, outer: tuple[int, ...]
) -> None:
    numbers = value.to(torch.uint8) if value.dtype == torch.bool else value
    if name not in file:
        shape = (*outer, *value.shape[len(outer) :])
        file.create_dataset(name, shape=shape, dtype=numbers.numpy().dtype)
    file[name][rows] = numbers.numpy()


def _describe(file: h5py.File, source: Source, **parameters: str | float | int) -> None:
    file.attrs["default"] = "object"
    file.attrs["program"] = f"symbreak {symbreak.__version__}"
    file.attrs["command"] = command_line()
    file.attrs["source"] = str(source)
    for name, value in parameters.items():
        file.attrs[name] = value
