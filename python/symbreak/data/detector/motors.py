"""Where motors stood: by their names, in a NeXus or BLISS file, or one of SPEC or FIO.

The latter two are taken as BLISS writes HDF5: ``positioners`` before the scan, and the columns of
``measurement``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import degrees
from typing import Any

import h5py
import numpy as np

from symbreak.data.detector.header import KEV, METRES, unit_of
from symbreak.data.files.arrays import Source, open_hdf5, read
from symbreak.data.files.fio import read_fio
from symbreak.data.files.readers import ArrayLike, DataError, datasets, parsing
from symbreak.data.files.spec import read_spec
from symbreak.geometry.motor import DISTANCE_UNITS, STILL, Motor

DEGREES = {
    **dict.fromkeys(("deg", "degree", "degrees", "\u00b0"), 1.0),
    **dict.fromkeys(("rad", "radian", "radians"), degrees(1)),
    **dict.fromkeys(("mrad", "milliradian", "milliradians"), degrees(1e-3)),
}
UNITS: Mapping[str, Mapping[str, float]] = {
    "degrees": DEGREES,
    "keV": KEV,
    **{
        unit: {name: factor / metres for name, factor in METRES.items()}
        for unit, metres in DISTANCE_UNITS.items()
    },
}
MOST_KEV = 200.0  # above that a number without units is one of eV
MOST_METRES = 50.0  # and one of mm
VALUES = ("value", "position", "data")  # datasets in a group that has the motor's name
OTHER_TIMES = "positioners_"  # BLISS: ..._start, ..._end, ..._dial_start, ..._dial_end
NAMED = 8  # motors that a message lists


def read_motors(
    source: Source, wanted: Mapping[str, str], chosen: Sequence[int], count: int
) -> dict[str, Motor]:
    """Look motors up.

    A name is that of a dataset, or of a group with a dataset ``value``, ``position`` or ``data``,
    anywhere in the scan; or, with a ``/``, a path within the scan, or from the file's root if it
    begins with one. Positions that were recorded with the frames count before those recorded once.

    Args:
        source: HDF5 file and group of the scan, SPEC file and number of the scan, or FIO file.
        wanted: Names, and the unit that is asked of each: ``degrees``, ``keV``, ``m``, ``cm`` or
            ``mm``. Numbers without units are taken to be in it.
        chosen: Which frames are wanted.
        count: How many there are.

    Returns:
        Their positions by their names.

    Raises:
        DataError: Not a file or scan of these kinds, a motor is not there, or in other units, its
            positions are as many as neither one nor the frames, or differ from place to place.
        OSError: The file cannot be read.
    """
    with open_scan(source) as scan:
        return {name: _motor(scan, name, unit, chosen, count) for name, unit in wanted.items()}


@dataclass(frozen=True)
class Scan:
    """Datasets of a scan."""

    source: Source
    group: str
    """Where the scan is, without a ``/`` at its end."""
    arrays: Mapping[str, ArrayLike]
    """All datasets of the file by their paths."""

    def find(self, name: str) -> dict[str, ArrayLike]:
        """The datasets that a name can mean."""
        if "/" in name:
            path = name if name.startswith("/") else f"{self.group}/{name}"
            return {path: self.arrays[path]} if path in self.arrays else {}
        return {path: array for path, array in self._own() if name in _names(path)}

    def motors(self) -> list[str]:
        """Names for messages: positioners, or else whatever has a number."""
        own = [path for path, array in self._own() if array.dtype.kind in "iuf"]
        known = [path for path in own if "/positioners/" in path]
        return [_names(path)[0] for path in known or own]

    def _own(self) -> Iterator[tuple[str, ArrayLike]]:
        for path, array in self.arrays.items():
            if path.startswith(f"{self.group}/") and f"/{OTHER_TIMES}" not in path:
                yield path, array


@contextmanager
def open_scan(source: Source) -> Iterator[Scan]:
    """Open what `read_motors` reads."""
    with open(source.path, "rb"):  # the system's own message
        pass
    group = "/" + (source.dataset or "").strip("/")
    if h5py.is_hdf5(source.path):
        with open_hdf5(source.path) as file:
            with parsing(source.path, "not a whole HDF5 file"):
                arrays, _ = datasets(file, group)
            group = group.rstrip("/")
            if not any(path.startswith(f"{group}/") for path in arrays):
                raise DataError(f"{source}: there are no data.")
            yield Scan(source, group, arrays)
    else:
        group, arrays = _read_text(source)
        yield Scan(source, group, arrays)


def scan_of(frames: Source) -> Source:
    """The scan to which frames in an HDF5 file belong: the first group of their path, or all."""
    first, inside, _ = (frames.dataset or "").strip("/").partition("/")
    return Source(frames.path, first if inside else None)


def _read_text(source: Source) -> tuple[str, dict[str, ArrayLike]]:
    """A scan of a SPEC or FIO file as BLISS would have written it."""
    with open(source.path, "rb") as file:
        is_fio = file.read(1) == b"!"
    scan = (source.dataset or "").strip("/")
    if is_fio:
        if scan:
            raise DataError(
                f"{source.path}: a FIO file has one scan, without a name, got {scan!r}."
            )
        group, (before, columns) = "", read_fio(source.path)
    else:
        found = read_spec(source.path, scan)
        group = f"/{found.key}"
        with parsing(source.path, f"scan {found.key} cannot be read"):
            before, columns = found.before(), found.columns()
    arrays: dict[str, ArrayLike] = {
        f"{group}/instrument/positioners/{name}": np.asarray(value)
        for name, value in before.items()
        if np.isfinite(value)
    }
    return group, arrays | {f"{group}/measurement/{name}": x for name, x in columns.items()}


def _names(path: str) -> tuple[str, ...]:
    """What the motor of a dataset can be called."""
    *_, group, name = ("", *path.split("/"))
    return (group, name) if name in VALUES else (name,)


def _motor(scan: Scan, name: str, unit: str, chosen: Sequence[int], count: int) -> Motor:
    found = scan.find(name)
    if not found:
        motors = scan.motors()
        near = difflib.get_close_matches(name, motors, NAMED, 0.5) or motors[:NAMED]
        there = f"there are {', '.join(near)}, ..." if near else "there are none."
        raise DataError(f"{scan.source}: no motor {name!r}; {there}")
    positions, once, unfit = {}, {}, ""
    for path, array in found.items():
        values = _values(scan, path, array, unit)
        if values.size == count > 1:
            positions[path] = values[list(chosen)]
        elif values.size == 1:
            once[path] = values
        else:
            unfit = f"{path} has {values.size} positions, there are {count} frames"
    told = positions or once
    if not told:
        raise DataError(f"{scan.source}: {unfit}.")
    first, *others = told
    for other in others:
        if np.abs(told[first] - told[other]).max() > STILL[unit]:
            raise DataError(
                f"{scan.source}: {first} and {other} differ; write which one for {name!r}."
            )
    values = tuple(map(float, told[first]))
    besides = f"; {unfit}" if unfit and not positions else ""
    return Motor(name, values, unit, f"{scan.source.path.name}:{first}{besides}")


def _values(scan: Scan, path: str, array: ArrayLike, unit: str) -> Any:
    """All positions of a dataset in the unit that is asked for."""
    where = Source(scan.source.path, path)
    if array.dtype.kind not in "iuf":
        raise DataError(f"{where}: a motor's positions must be numbers, got {array.dtype}.")
    values = read(array, where).astype(np.float64).reshape(-1)
    if not np.isfinite(values).all():
        raise DataError(f"{where}: a motor's positions must be finite.")
    with parsing(scan.source.path, "cannot be read"):
        told = unit_of(array)
    if told is not None and told.lower() not in UNITS[unit]:
        raise DataError(f"{where} has units {told[:20]!r}, expected {unit}.")
    if told is None and unit == "keV" and values.size and values.max() > MOST_KEV:
        raise DataError(f"{where} has no units, and {values.max():g} keV is no photon energy here.")
    metres = DISTANCE_UNITS.get(unit, 0.0) * (values.max() if values.size else 0.0)
    if told is None and metres > MOST_METRES:
        raise DataError(
            f"{where} has no units, and {metres:g} m is no distance of a detector here: say its "
            'unit in the instrument\'s file, [detector] distance_unit = "mm".'
        )
    return values * (1.0 if told is None else UNITS[unit][told.lower()])
