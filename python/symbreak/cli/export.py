"""symbreak export: a reconstruction for ParaView and other viewers of VTK files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from symbreak.cli import options
from symbreak.cli.export_fields import Cubes, around, fields
from symbreak.cli.geometry import GeometryFile, lines
from symbreak.cli.output import note, out, table, wrote
from symbreak.data.files.cxi import Phasing, read_cxi
from symbreak.data.files.vtk import write_vti, write_vts
from symbreak.geometry import ReciprocalGrid
from symbreak.geometry.extent import LEVEL

EXAMPLES = (
    "symbreak export result.cxi -o result.vti",
    "symbreak export result.cxi -o result.vti --spacing 12.5,8.1,8.1",
    "symbreak export result.cxi -o result.vts --geometry scan.toml",
    "symbreak export result.cxi -o result.vti --geometry scan.toml --voxel 10",
    "symbreak export result.cxi -o strain.png",
)


def export(
    result: Annotated[
        Path, typer.Argument(metavar="FILE", help="What `symbreak reconstruct` wrote, CXI.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="VTK image data, .vti; in the laboratory a VTK grid, .vts, or a picture, .png ...",
        ),
    ],
    spacing: Annotated[
        str | None,
        typer.Option(
            metavar="S or [Z,]Y,X",
            help="Of a .vti: size of a pixel of the object, in units of your choice; default: 1.",
        ),
    ] = None,
    geometry: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Instrument, TOML, its pixels those of the pattern; default: as the result says.",
        ),
    ] = None,
    voxel: Annotated[
        float | None,
        typer.Option(
            metavar="NM",
            help="Edge of cubes along the laboratory's axes, for a .vti; of a picture default: the "
            "shortest step of the grid.",
        ),
    ] = None,
    level: options.Level = LEVEL,
) -> None:
    """Write a reconstruction as VTK data, 2D or 3D, for ParaView.

    Point data: amplitude, phase (radians, 0 outside the support) and support of the best start,
    and amplitude and phase of the mean of the good starts. Of a .vti the last axis is x, and the
    middle of the grid is at 0. Where the instrument is known, a .vts has every voxel at its place
    in the laboratory, nm, a .vti with --voxel interpolates there, and a picture shows three planes;
    of a Bragg peak the crystal, its displacement (nm) and strain along Q are added.
    """
    options.result_path(
        output, (".vti", ".vts", *options.PICTURES), inputs=(options.source(str(result)),)
    )
    kind = output.suffix.lower()
    steps = None if spacing is None else _spacing(spacing)
    if steps is not None and (kind != ".vti" or voxel is not None):
        raise typer.BadParameter("--spacing is for a .vti without --voxel")
    if voxel is not None and kind == ".vts":
        raise typer.BadParameter("--voxel is for a .vti or a picture")
    phasing = read_cxi(result)
    if isinstance(steps, tuple) and len(steps) != phasing.object.ndim:
        raise typer.BadParameter(
            f"expected one number or {phasing.object.ndim}, one for each axis of {result}, got "
            f"{spacing!r}",
            param_hint="--spacing",
        )
    grid = phasing.reciprocal
    if geometry is not None:
        grid = GeometryFile(geometry, phasing.object.ndim).alone().of_result()
    if kind == ".vti" and voxel is None:
        arrays = fields(phasing)
        write_vti(output, arrays, spacing=1.0 if steps is None else steps)
        what = "VTK image data"
        if grid is not None and steps is None:
            note(["the instrument is known: a .vts, or --voxel, has true lengths and angles."])
    elif grid is None:
        raise typer.BadParameter(f"{result} does not say where its voxels are: give --geometry")
    elif kind != ".vts" and phasing.object.ndim == 2:
        raise typer.BadParameter(f"--voxel and pictures are of 3D results, {result} holds a 2D one")
    else:
        lines(grid, phasing.object.shape)
        if kind == ".vts":
            box = around(phasing.support)
            arrays = fields(phasing, grid, box, level)
            write_vts(output, arrays, grid.positions(phasing.object.shape, box=box))
            what = "VTK structured grid, nm"
        elif kind == ".vti":
            cubes = Cubes.of(phasing, grid, voxel, level)
            arrays, what = cubes.arrays, f"VTK image data, cubes of {cubes.edge:g} nm"
            write_vti(output, arrays, spacing=cubes.edge, origin=cubes.first[::-1].tolist())
        else:
            _draw(output, phasing, grid, voxel, level)
            return
    rows = table("exported", "array", "type", "from", "to")
    for name, array in arrays.items():
        rows.add_row(name, str(array.dtype), f"{array.min():.4g}", f"{array.max():.4g}")
    out().print(rows)
    shape = next(iter(arrays.values())).shape
    wrote(output, f"{what}, {' x '.join(map(str, shape))} points")


def _draw(
    output: Path, phasing: Phasing, grid: ReciprocalGrid, voxel: float | None, level: float
) -> None:
    """Draw the mean of the good starts, where there is one, else the best."""
    from symbreak.plotting import laboratory_figure, save

    prefix, words = (
        ("", "best start") if phasing.mean is None else ("mean_", "mean of the good starts")
    )
    cubes = Cubes.of(phasing, grid, voxel, level)
    amplitude, phase = (cubes.arrays[prefix + name] for name in ("amplitude", "phase"))
    extent = cubes.arrays.get(prefix + "crystal", cubes.arrays["support"])
    drawn = {"object": amplitude * np.exp(1j * phase), "support": extent != 0}
    drawn |= {
        name: cubes.arrays[prefix + name]
        for name in ("displacement", "strain", "strain_spread")
        if prefix + name in cubes.arrays
    }
    figure = laboratory_figure(
        drawn, cubes.first, cubes.edge, grid.center, title=f"{output.stem}: {words}"
    )
    save(figure, output)
    wrote(output, "picture")


def _spacing(text: str) -> float | tuple[float, ...]:
    try:
        steps = tuple(float(part) for part in text.split(","))
    except ValueError:
        steps = ()
    if not 1 <= len(steps) <= 3 or not all(0 < step < math.inf for step in steps):
        raise typer.BadParameter(
            f"expected S or [Z,]Y,X, each above 0, got {text!r}", param_hint="--spacing"
        )
    return steps[0] if len(steps) == 1 else steps
