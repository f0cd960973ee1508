"""What a file of frames says of beam and detector: photon energy, distance, size of a pixel.

Where it says so, with the source of each fact:

- NeXus (manual.nexusformat.org): NXbeam's ``incident_energy`` or ``incident_wavelength``,
  NXmonochromator's ``energy`` or ``wavelength``, NXdetector's ``distance``, ``x_pixel_size`` (the
  width of a column) and ``y_pixel_size``, all with an attribute ``units``. NXsource's ``energy`` is
  that of the electrons, and every component has a ``distance``: neither is taken.
- Dectris master files: the same, and ``detector_distance`` and ``detectorSpecific/photon_energy``
  (list in github.com/CV-GPhL/neggia).
- CXI (file format 1.6): ``source_1/energy`` (J), ``detector_1/distance``, ``x_pixel_size`` (m),
  where units need not be told.

A number without units, with unknown ones, not above 0, or another from frame to frame says nothing;
nor do several that differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np

from symbreak.data.files.arrays import OpenArray, Source, read
from symbreak.data.files.readers import ArrayLike, DataError, parsing
from symbreak.geometry.instrument import HC

CXI = re.compile(r"/entry_\d+/instrument_\d+/(source|detector)_\d+/\w+")
ENERGIES = (
    re.compile(r"/(?:.*/)?(?:incident_energy|photon_energy)"),
    re.compile(r"/(?:.*/)?incident_wavelength"),
    re.compile(r"/(?:.*/)?mono[^/]*/(?:energy|wavelength)"),
    re.compile(r"/entry_\d+/instrument_\d+/source_\d+/energy"),
)
DISTANCES = ("detector_distance", "distance")
PIXEL = ("y_pixel_size", "x_pixel_size")

METRES = {
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), 1.0),
    "cm": 1e-2,
    **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre", "millimetres"), 1e-3),
    **dict.fromkeys(("um", "\u00b5m", "\u03bcm", "micron", "microns", "micrometer"), 1e-6),
    "nm": 1e-9,
    **dict.fromkeys(("a", "\u00e5", "\u212b", "angstrom", "angstroms"), 1e-10),
}
KEV = {"kev": 1.0, "ev": 1e-3, **dict.fromkeys(("j", "joule", "joules"), 1 / 1.602176634e-16)}
MOST = 1_000_000  # values of a dataset, one for each frame or pixel
SAME = 1e-4  # relative difference of numbers that are the same


@dataclass(frozen=True)
class Header:
    """What is known, and why the rest is not."""

    values: dict[str, Any] = field(default_factory=dict)
    """``energy`` (keV), ``distance`` (m) and ``pixel`` (height of a row, width of a column, m), as
    `symbreak.geometry.Instrument` has them; those that the file tells."""
    said_by: dict[str, str] = field(default_factory=dict)
    """The datasets that tell them."""
    lacking: dict[str, str] = field(default_factory=dict)
    """Why one of the three is not told, in a few words."""


class _UnsaidError(Exception):
    """A dataset, or all of them, say nothing; the message is a few words on why."""


def read_header(opened: OpenArray, chosen: Sequence[int] | None = None, count: int = 1) -> Header:
    """Look for the three in the file of the frames.

    Args:
        opened: The frames.
        chosen: Which of them are wanted; of numbers one for each frame only theirs count.
        count: How many frames there are.

    Returns:
        Header: What it says.
    """
    header, search = Header(), _Search(opened, range(count) if chosen is None else chosen, count)
    looks = {"energy": search.energy, "distance": search.distance, "pixel": search.pixel}
    for name, look in looks.items():
        try:
            header.values[name], header.said_by[name] = look()
        except _UnsaidError as unsaid:
            header.lacking[name] = str(unsaid)
    return header


@dataclass(frozen=True)
class _Search:
    opened: OpenArray
    chosen: Sequence[int]
    count: int

    def energy(self) -> tuple[float, str]:
        names = [name for rule in ENERGIES for name in self.opened.others if rule.fullmatch(name)]
        return self._agreed(names, KEV)

    def distance(self) -> tuple[float, str]:
        groups = self._detectors()
        return self._agreed([f"{group}/{name}" for group in groups for name in DISTANCES], METRES)

    def pixel(self) -> tuple[tuple[float, float], str]:
        groups = self._detectors()
        (height, rows), (width, columns) = (
            self._agreed([f"{group}/{axis}" for group in groups], METRES) for axis in PIXEL
        )
        return (height, width), f"{rows}, {columns}"

    def _detectors(self) -> list[str]:
        """The group of the frames, where it is a detector's; else all groups of detectors."""
        names = self.opened.others
        found = [
            group
            for group in dict.fromkeys(name.rpartition("/")[0] for name in names)
            if f"{group}/x_pixel_size" in names or "detector" in group.rpartition("/")[2].lower()
        ]
        return [group for group in found if self._holds_frames(group)] or found

    def _holds_frames(self, group: str) -> bool:
        """Whether the frames are the group's ``data``, under this name or through a link."""
        frames = self.opened.array
        if not isinstance(frames, h5py.Dataset):
            return False
        with suppress(KeyError, OSError, RuntimeError, ValueError):  # a link that leads nowhere
            return bool(frames.file[f"{group}/data"] == frames)
        return False

    def _agreed(self, names: Sequence[str], units: Mapping[str, float]) -> tuple[float, str]:
        """What all the datasets say that are there and say something."""
        found, unsaid = {}, []
        for name in names:
            if name not in self.opened.others:
                continue
            try:
                found[name] = self._value(name, units)
            except _UnsaidError as reason:
                unsaid.append(f"{name} {reason}")
        if not found:
            raise _UnsaidError("; ".join(unsaid[:2]) or "it is not there")
        first = next(iter(found))
        other = [name for name, value in found.items() if abs(value / found[first] - 1) > SAME]
        if other:
            values = f"{found[first]:.6g} and {found[other[0]]:.6g}"
            raise _UnsaidError(f"{first} and {other[0]} differ, {values}")
        return found[first], first

    def _value(self, name: str, units: Mapping[str, float]) -> float:
        """The one positive number of a dataset, in keV or m."""
        array = self.opened.others[name]
        if array.dtype.kind not in "iuf" or not 1 <= np.prod(array.shape) <= MOST:
            raise _UnsaidError("is no number")
        path = self.opened.source.path
        try:
            values = read(array, Source(path, name)).astype(np.float64)
            with parsing(path, "cannot be read"):
                unit = unit_of(array)
        except DataError as error:
            raise _UnsaidError("cannot be read") from error
        if self.count > 1 and values.shape == (self.count,):
            values = values[self.chosen]
        low, high = float(values.min()), float(values.max())
        if not 0 < low <= high < np.inf:
            raise _UnsaidError(f"is {low:g}" if low == high else "is not above 0")
        if high > low * (1 + SAME):
            raise _UnsaidError(f"is from {low:g} to {high:g}")
        if unit is None and CXI.fullmatch(name):
            unit = "J" if name.endswith("/energy") else "m"
        if unit is None:
            raise _UnsaidError("has no units")
        value = float(values.mean())
        if units is KEV and name.endswith("wavelength"):
            return HC / (value * _factor(unit, METRES) * 1e9)
        # Decimal as it was meant: 0.172 mm are 0.000172 m, not 0.00017199999999999998.
        return float(f"{value * _factor(unit, units):.12g}")


def _factor(unit: str, units: Mapping[str, float]) -> float:
    if unit.lower() not in units:
        raise _UnsaidError(f"has units {unit[:20]!r}")
    return units[unit.lower()]


def unit_of(array: ArrayLike) -> str | None:
    """The attribute ``units``: text, bytes, or one of these in an array."""
    given: Any = getattr(array, "attrs", {}).get("units")
    for part in _flat(given):
        text = part.decode("utf-8", "replace") if isinstance(part, bytes) else part
        return text.strip() if isinstance(text, str) else None
    return None


def _flat(given: Any) -> Iterator[Any]:
    if isinstance(given, np.ndarray):
        yield from given.reshape(-1).tolist()
    elif given is not None:
        yield given
