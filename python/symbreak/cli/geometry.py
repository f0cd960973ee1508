"""What commands do with the file that describes an instrument."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import typer

from symbreak.cli.output import element, out
from symbreak.data.detector.header import Header
from symbreak.data.detector.prepare import Prepared
from symbreak.data.files.readers import DataError
from symbreak.geometry import Instrument, ReciprocalGrid
from symbreak.geometry.instrument_file import InstrumentFile
from symbreak.geometry.instrument_text import instrument_text

DIRECT = "direct"
UNITS = {"energy": (1.0, "keV"), "distance": (1.0, "m"), "pixel": (1e6, "micrometres")}


class GeometryFile:
    """The file of ``--geometry``, read before the work starts.

    Args:
        path: TOML.
        ndim: Axes of the pattern that it is for.
        content: Of the file, if it has been read.
    """

    def __init__(self, path: Path, ndim: int, content: bytes | None = None) -> None:
        self.path, self.ndim = path, ndim
        self.content = path.read_bytes() if content is None else content
        self._file = InstrumentFile(self.content, str(path))

    def alone(self) -> Geometry:
        """What the file says."""
        return self._geometry(self._file.instrument(), self.content.decode())

    def complete(self, header: Header, frames: str) -> Geometry:
        """What the file says, the rest as ``header``, that of the file ``frames``, says it."""
        missing = self._file.missing()
        lacking = [name for name in missing if name not in header.values]
        if lacking:
            reasons = "; ".join(f"{name}: {header.lacking[name]}" for name in lacking)
            raise DataError(f"{self.path}: {frames} does not say what is missing here ({reasons}).")
        if not missing:
            return self.alone()
        known = {name: header.values[name] for name in missing}
        instrument = self._file.instrument(known)
        said = [
            f"{name} {_quantity(name, known[name])}, as {frames}:{header.said_by[name]} says"
            for name in missing
        ]
        return self._geometry(instrument, instrument_text(instrument, said), said)

    def _geometry(self, instrument: Instrument, text: str, said: Sequence[str] = ()) -> Geometry:
        if self.ndim == 3 and instrument.scan is None:
            raise typer.BadParameter(
                f"{self.path} must say scan and step for a 3D pattern", param_hint="--geometry"
            )
        return Geometry(self.path, self.ndim, instrument, text, tuple(f"{line}." for line in said))


def geometry_file(path: Path, ndim: int) -> GeometryFile:
    """Read what ``--geometry`` of `prepare` names: a file, or `DIRECT`.

    With the latter the detector stands in the direct beam, and all that is needed is in the file
    of the frames.
    """
    if str(path) != DIRECT:
        return GeometryFile(path, ndim)
    if ndim == 3:
        raise typer.BadParameter(
            f"{DIRECT} is for a pattern of one frame; a volume needs an instrument's file",
            param_hint="--geometry",
        )
    return GeometryFile(Path(f"--geometry {DIRECT}"), ndim, b"")


@dataclass(frozen=True)
class Geometry:
    """An instrument, and the pattern that it has seen."""

    path: Path
    ndim: int
    instrument: Instrument
    text: str
    """All of it as TOML."""
    notes: tuple[str, ...] = ()
    """What was taken from the file of the frames."""

    def of(self, prepared: Prepared) -> ReciprocalGrid:
        """Where the pixels of a prepared pattern lie."""
        return self.instrument.of_pattern(
            self.ndim,
            bins=[window.bin for window in prepared.windows],
            # Of an even number of pixels the middle lies between two.
            center=[window.positions()[window.size // 2] for window in prepared.windows[-2:]],
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


def _quantity(name: str, value: Any) -> str:
    factor, unit = UNITS[name]
    parts = value if isinstance(value, tuple) else (value,)
    return f"{' x '.join(f'{part * factor:.6g}' for part in parts)} {unit}"


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
