"""symbreak align: compare objects up to translation, conjugate flip and global phase."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import typer

import symbreak
from symbreak.cli import options
from symbreak.cli.output import command_line, note, out, table, wrote
from symbreak.data.arrays import HDF5, DataError, Source
from symbreak.data.hdf5 import new_hdf5
from symbreak.data.objects import read_objects

MOST_ROWS = 30
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
    device: options.Device = "cpu",
) -> None:
    """Align the objects of A to those of B and print how far apart they remain.

    SA-MSE is the mean squared difference, minimised exhaustively over all integer shifts, the
    conjugate flip and the phase; the relative error is the square root of SA-MSE / mean |B|^2.
    B may be a single object for all of A.
    """
    sources = options.source(a), options.source(b)
    if output is not None:
        options.result_path(output, HDF5, inputs=sources)
    where = options.device(device)
    (estimate, opened_a), (reference, opened_b) = (read_objects(s, ndim=ndim) for s in sources)
    note((*opened_a.notes, *opened_b.notes))
    reference = _match(reference, estimate, opened_b.source, opened_a.source, ndim)
    wide = torch.promote_types(estimate.dtype, reference.dtype)
    found = symbreak.align(
        estimate.to(where, wide), reference.to(where, wide), wrap=wrap, ndim=ndim
    )
    power = reference.abs().double().square().mean(tuple(range(-ndim, 0)))
    relative = (found.sa_mse.cpu().double() / power).sqrt()
    _print(found, relative, ndim)
    if output is not None:
        _write(output, found, opened_a.source, opened_b.source)
        wrote(output, "aligned objects")


def _match(
    reference: torch.Tensor, estimate: torch.Tensor, b: Source, a: Source, ndim: int
) -> torch.Tensor:
    """Give the reference the estimate's shape; one object serves for all."""
    if reference.shape == estimate.shape:
        return reference
    if reference.dim() == ndim and reference.shape == estimate.shape[-ndim:]:
        return reference.expand(estimate.shape).contiguous()
    raise DataError(
        f"A and B must hold objects of one shape: {a} has {tuple(estimate.shape)}, {b} "
        f"{tuple(reference.shape)}."
    )


def _print(found: symbreak.Alignment, relative: torch.Tensor, ndim: int) -> None:
    rows = table(
        "A aligned to B", "object", "shift", "flipped", "phase (rad)", "SA-MSE", "relative error"
    )
    shift = found.shift.cpu().reshape(-1, ndim).tolist()
    columns = (found.flipped, found.phase, found.sa_mse, relative)
    flipped, phase, sa_mse, errors = (c.cpu().flatten().tolist() for c in columns)
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
        mean = sum(sa_mse) / len(sa_mse)
        out().print(f"{len(shift)} objects{hidden}, mean SA-MSE {mean:.4g}", markup=False)


def _write(output: Path, found: symbreak.Alignment, a: Source, b: Source) -> None:
    with new_hdf5(output) as file:
        for name in ("object", "shift", "flipped", "phase", "sa_mse"):
            value = getattr(found, name).cpu()
            file[name] = value.to(torch.uint8).numpy() if name == "flipped" else value.numpy()
        file.attrs["default"] = "object"
        file.attrs["program"] = f"symbreak {symbreak.__version__}"
        file.attrs["command"] = command_line()
        file.attrs["estimates"], file.attrs["references"] = str(a), str(b)
