"""What commands do with the file that describes an instrument."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import typer

from symbreak.cli.output import element, out
from symbreak.data.detector.prepare import Prepared
from symbreak.geometry import ReciprocalGrid
from symbreak.geometry.instrument_file import parse_instrument


class Geometry:
    """The file of ``--geometry``, read before the work starts.

    Args:
        path: TOML.
        ndim: Axes of the pattern that it is for.
    """

    def __init__(self, path: Path, ndim: int) -> None:
        content = path.read_bytes()
        self.path, self.ndim = path, ndim
        self.instrument = parse_instrument(content, str(path))
        self.text = content.decode()
        if ndim == 3 and self.instrument.scan is None:
            raise typer.BadParameter(
                f"{path} must say scan and step for a 3D pattern", param_hint="--geometry"
            )

    def of(self, prepared: Prepared) -> ReciprocalGrid:
        """Where the pixels of a prepared pattern lie."""
        return self.instrument.of_pattern(
            self.ndim,
            bins=[window.bin for window in prepared.windows],
            center=prepared.center[-2:],
        )

    def of_result(self) -> ReciprocalGrid:
        """The same of a result of which only the shape is known: its pixels are the file's."""
        if self.instrument.center is not None:
            raise typer.BadParameter(
                f"{self.path} names the pixel at which the circles point ([detector] center), "
                "which only `symbreak prepare --geometry` can follow",
                param_hint="--geometry",
            )
        return self.instrument.of_pattern(self.ndim)


def geometry_rows(grid: ReciprocalGrid, shape: Sequence[int]) -> Iterator[tuple[str, str]]:
    """What the grid means, for a table."""
    lengths = np.linalg.norm(grid.voxel(shape), axis=1)
    sizes = " x ".join(f"{length:.3g}" for length in lengths)
    yield f"{element(len(shape))} of the object", f"{sizes} nm"
    if grid.is_bragg:
        q = float(np.linalg.norm(grid.center))
        yield "Bragg peak |Q|", f"{q:.4g} 1/nm, planes {grid.lattice_spacing:.4g} nm apart"


def lines(grid: ReciprocalGrid, shape: Sequence[int]) -> None:
    """Print the same as lines."""
    for name, value in geometry_rows(grid, shape):
        out().print(f"{name}: {value}", soft_wrap=True)
