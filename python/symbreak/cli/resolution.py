"""symbreak resolution: how far two halves of the photons, phased each by itself, agree."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray

from symbreak.cli import options
from symbreak.cli.output import element, note, out, table, wrote
from symbreak.cli.two_halves import check_two
from symbreak.data.files.arrays import DataError
from symbreak.data.files.atomic import replacing
from symbreak.data.files.cxi import Phasing, read_cxi
from symbreak.geometry import ReciprocalGrid, halves_strain_error
from symbreak.geometry.extent import LEVEL
from symbreak.halves import HalvesComparison, compare_halves
from symbreak.shells import ShellCorrelation

MOST_ROWS = 16
EXAMPLES = (
    "symbreak resolution half1.cxi half2.cxi",
    "symbreak resolution half1.cxi half2.cxi -o shells.csv --plot shells.png",
)


def resolution(
    first: Annotated[
        Path, typer.Argument(metavar="FIRST", help="Result of `symbreak reconstruct`, of one half.")
    ],
    second: Annotated[
        Path, typer.Argument(metavar="SECOND", help="The same of the other half of the photons.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write the shells, .csv.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Also draw both objects and the shells: .png, .pdf ...")
    ] = None,
    level: options.Level = LEVEL,
) -> None:
    """Tell up to which spatial frequency two halves of the photons lead to the same object.

    `symbreak prepare --halves` deals the photons out to two patterns; reconstruct each by itself,
    with the same options. Of each result the mean of the good starts is taken, where there is one.
    The two are aligned, and their Fourier shell correlation is held against the half-bit threshold.
    Half their difference is the error that photon noise leaves in phase and strain.
    """
    sources = tuple(options.source(str(path)) for path in (first, second))
    for path, kinds in ((output, (".csv",)), (plot, options.PICTURES)):
        if path is not None:
            options.result_path(path, kinds, inputs=sources)
    if first.exists() and second.exists() and first.samefile(second):
        raise typer.BadParameter(f"{first} and {second} are one file, expected two results")
    results = read_cxi(first), read_cxi(second)
    shapes = [result.object.shape for result in results]
    if shapes[0] != shapes[1]:
        raise DataError(f"{first} holds an object on {shapes[0]}, {second} one on {shapes[1]}.")
    note(check_two(first, second, results))
    a, b = (torch.from_numpy(_object(result)) for result in results)
    grid = _grid(results)
    steps = None if grid is None else torch.from_numpy(grid.steps / (2 * np.pi))
    compared = compare_halves(a, b.to(a.dtype), steps=steps, ndim=a.dim())
    unit = element(a.dim()) if grid is None else "nm"
    _print(compared, unit, f"{element(a.dim())}s")
    if grid is not None and grid.is_bragg:
        halves = compared.first.numpy(), compared.second.numpy()
        error = halves_strain_error(*halves, grid, level=level)
        out().print(f"error of the strain along Q from photon noise: {error:.2g}, rms")
    if output is not None:
        with replacing(output) as temporary:
            temporary.write_text(_csv(compared.correlation, unit))
        wrote(output, "shells")
    if plot is not None:
        from symbreak.plotting import halves_figure, save

        save(halves_figure(compared, unit=unit), plot)
        wrote(plot, "picture")


def _object(result: Phasing) -> NDArray[Any]:
    return result.object if result.mean is None else result.mean


def _grid(results: tuple[Phasing, Phasing]) -> ReciprocalGrid | None:
    """Where the pattern's pixels lie, if both results say the same."""
    grids = [result.reciprocal for result in results]
    if grids[0] is None or grids[1] is None:
        return None
    if not np.allclose(grids[0].steps, grids[1].steps, rtol=1e-9, atol=0):
        note(["the two were measured with different instruments: no nanometres."])
        return None
    return grids[0]


def _print(compared: HalvesComparison, unit: str, counted: str) -> None:
    found = compared.correlation
    rows = table(
        "Fourier shell correlation of the halves",
        *(f"cycles/{unit}", counted, "correlation", "half bit", "expected of all photons"),
    )
    values = zip(*(part.tolist() for part in _columns(found)), strict=True)
    step = -(-len(found.frequency) // MOST_ROWS)
    for frequency, pixels, *rest in list(values)[::step]:
        rows.add_row(
            f"{frequency:.3g}",
            f"{pixels:.0f}",
            *(f"{value:.2f}".replace("nan", "-") for value in rest),
        )
    out().print(rows)
    if compared.flipped:
        note(["the second is the twin of the first; it was flipped back."])
    reach = found.resolution()
    half = f"half period {0.5 / reach:.3g} {unit if unit == 'nm' else unit + 's'}" if reach else ""
    if not bool((found.correlation > found.threshold).any()):
        told = "none: the halves do not agree"
    elif reach >= found.limit:
        told = f"{half}, the edge of the pattern: the correlation stays above half a bit"
    else:
        told = f"{half}, where the correlation falls below half a bit"
    out().print(f"resolution: {told}")
    if isfinite(compared.phase_error):  # of what is zero there is none
        out().print(f"error of the phase from photon noise: {compared.phase_error:.2g} rad, rms")


def _columns(found: ShellCorrelation) -> tuple[torch.Tensor, ...]:
    return found.frequency, found.pixels, found.correlation, found.threshold, found.expected


def _csv(found: ShellCorrelation, unit: str) -> str:
    head = f"cycles_per_{unit},pixels,correlation,half_bit,expected_of_all_photons"
    rows = zip(*(part.tolist() for part in _columns(found)), strict=True)
    return "\n".join([head, *(",".join(f"{value:.6g}" for value in row) for row in rows), ""])
