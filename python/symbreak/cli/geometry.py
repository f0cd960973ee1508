"""What commands do with the file that describes an instrument."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import typer

from symbreak.cli.output import element, out
from symbreak.data.detector.frames import Frames
from symbreak.data.detector.motors import read_motors, scan_of
from symbreak.data.detector.prepare import Prepared
from symbreak.data.files.arrays import Source
from symbreak.data.files.readers import DataError
from symbreak.geometry import Instrument, ReciprocalGrid
from symbreak.geometry.instrument_file import InstrumentFile
from symbreak.geometry.instrument_text import instrument_text
from symbreak.geometry.motor import Motor

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

    def complete(self, frames: Frames, scan: Source | None = None) -> Geometry:
        """What the file says, the rest as others say it.

        Args:
            frames: The frames: their file tells beam and detector.
            scan: File and scan that tell where motors were; None: those of the frames.
        """
        missing, named = self._file.missing(), self._file.motors()
        known, said = self._header(missing, frames)
        if scan is not None and not named:
            raise typer.BadParameter(f"{self.path} names no motor", param_hint="--motors")
        if not missing and not named:
            return self.alone()
        motors = self._motors(named, frames, scan) if named else {}
        instrument = self._file.instrument(known, motors)
        said += [str(motor) for motor in motors.values()]
        return self._geometry(instrument, instrument_text(instrument, said), said)

    def _header(self, missing: Sequence[str], frames: Frames) -> tuple[dict[str, Any], list[str]]:
        """What is missing as the frames' file says it, and what to tell the user."""
        header, name = frames.header, frames.parts[0].source.path.name
        lacking = [key for key in missing if key not in header.values]
        if lacking:
            reasons = "; ".join(f"{key}: {header.lacking[key]}" for key in lacking)
            raise DataError(f"{self.path}: {name} does not say what is missing here ({reasons}).")
        known = {key: header.values[key] for key in missing}
        said = [
            f"{key} {_quantity(key, value)}, as {name}:{header.said_by[key]} says"
            for key, value in known.items()
        ]
        return known, said

    def _motors(
        self, named: dict[str, str], frames: Frames, scan: Source | None
    ) -> dict[str, Motor]:
        """Where the motors were that the file names."""
        own = frames.parts[0].source
        if scan is None:
            if own.dataset is None or not h5py.is_hdf5(own.path):
                raise DataError(
                    f"{self.path} names motors ({', '.join(named)}), of which {own.path.name} says "
                    "nothing: say where they were by --motors FILE:SCAN."
                )
            scan = scan_of(own)
        count = sum(part.count for part in frames.parts)
        return read_motors(scan, named, frames.chosen, count)

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

    def of(self, prepared: Prepared, corner: Sequence[int] | None = None) -> ReciprocalGrid:
        """Where the pixels of a prepared pattern lie.

        Args:
            prepared: The pattern.
            corner: Row and column of the whole detector where the frames begin, if that is known;
                the instrument's ``center`` is one of the whole detector.
        """
        # Of an even number of pixels the middle lies between two.
        middle = [window.positions()[window.size // 2] for window in prepared.windows[-2:]]
        begin = (0, 0) if corner is None else corner
        return self.instrument.of_pattern(
            self.ndim,
            bins=[window.bin for window in prepared.windows],
            center=[first + k for first, k in zip(begin, middle, strict=True)],
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


def sides(grid: ReciprocalGrid, shape: Sequence[int]) -> tuple[float, float]:
    """Height of a row and width of a column of the object, nm."""
    row, column = np.linalg.norm(grid.voxel(shape), axis=1)[-2:]
    return float(row), float(column)


def lines(grid: ReciprocalGrid, shape: Sequence[int]) -> None:
    """Print the same as lines."""
    for name, value in geometry_rows(grid, shape):
        out().print(f"{name}: {value}", soft_wrap=True)
