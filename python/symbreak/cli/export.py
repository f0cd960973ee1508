"""symbreak export: a reconstruction for ParaView and other viewers of VTK files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from symbreak.cli import options
from symbreak.cli.output import out, table, wrote
from symbreak.data.files.cxi import Phasing, read_cxi
from symbreak.data.files.vtk import write_vti

EXAMPLES = (
    "symbreak export result.cxi -o result.vti",
    "symbreak export result.cxi -o result.vti --spacing 12.5,8.1,8.1",
)


def export(
    result: Annotated[
        Path, typer.Argument(metavar="FILE", help="What `symbreak reconstruct` wrote, CXI.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="VTK image data, .vti.")],
    spacing: Annotated[
        str,
        typer.Option(
            metavar="S or [Z,]Y,X", help="Size of a pixel of the object, in units of your choice."
        ),
    ] = "1",
) -> None:
    """Write a reconstruction as VTK image data, 2D or 3D, for ParaView.

    Point data: amplitude, phase (radians, 0 outside the support) and support of the best start,
    and amplitude and phase of the mean of the good starts. The last axis is x; the middle of the
    grid is at 0.
    """
    options.result_path(output, (".vti",), inputs=(options.source(str(result)),))
    steps = _spacing(spacing)
    phasing = read_cxi(result)
    arrays = _fields(phasing)
    grid = phasing.object.shape
    write_vti(output, arrays, spacing=steps[0] if len(steps) == 1 else steps)
    rows = table("exported", "array", "type", "from", "to")
    for name, array in arrays.items():
        rows.add_row(name, str(array.dtype), f"{array.min():.4g}", f"{array.max():.4g}")
    out().print(rows)
    wrote(output, f"VTK image data, {' x '.join(map(str, grid))} points")


def _fields(phasing: Phasing) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {
        "amplitude": np.abs(phasing.object),
        "phase": _phase(phasing.object),
        "support": phasing.support.astype(np.uint8),
    }
    if phasing.mean is not None:
        arrays["mean_amplitude"] = np.abs(phasing.mean)
        arrays["mean_phase"] = _phase(phasing.mean)
    return arrays


def _phase(values: NDArray[Any]) -> NDArray[Any]:
    """The phase, 0 where there is nothing: of a negative zero it would be pi."""
    phase: NDArray[Any] = np.where(values == 0, 0, np.angle(values)).astype(values.real.dtype)
    return phase


def _spacing(text: str) -> tuple[float, ...]:
    try:
        steps = tuple(float(part) for part in text.split(","))
    except ValueError:
        steps = ()
    if not 1 <= len(steps) <= 3:
        raise typer.BadParameter(f"expected S or [Z,]Y,X, got {text!r}", param_hint="--spacing")
    return steps
