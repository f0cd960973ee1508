"""A diffractometer: which part of reciprocal space the pixels and frames of a scan have seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symbreak.geometry.checks import check_number
from symbreak.geometry.circles import Circle, Vector, axis_of, check_axis, direction, rotation
from symbreak.geometry.grid import ReciprocalGrid
from symbreak.ops.checks import shown
from symbreak.ops.numbers import plain, whole

HC = 1.239841984332  # keV nm, exact in the SI of 2019
ENERGY = "energy"
# No beam and no detector is beyond; numbers in other units are.
MOST_ENERGY, MOST_DISTANCE, MOST_PIXEL = 1000.0, 100.0, 0.1


@dataclass(frozen=True)
class Instrument:
    """Beam, detector and circles of one scan, in a right-handed laboratory frame of your choice.

    With all detector circles at 0 the detector stands in the beam, its rows and columns across it.
    The first circle of a list carries the second and so on, as xrayutilities has it.

    Raises:
        TypeError: A number, a pair of numbers, or a circle is something else.
        ValueError: A number is out of its range, a direction is not a signed axis, rows, columns
            and beam are not at right angles, or ``scan`` names no circle of the sample or several.
    """

    energy: float
    """Of the photons, keV, below 1000."""
    distance: float
    """From the sample to the detector, m, below 100."""
    pixel: tuple[float, float]
    """Height of a row and width of a column of the detector, m, below 0.1."""
    rows: str = "y-"
    """Where the number of the row grows while the detector circles are at 0."""
    columns: str = "x+"
    """The same of the column."""
    beam: str = "z+"
    """Where the beam goes."""
    detector: tuple[Circle, ...] = ()
    """Circles that carry the detector."""
    sample: tuple[Circle, ...] = ()
    """Circles that carry the sample."""
    scan: str | None = None
    """Name of the circle of the sample that turned from frame to frame, or ``energy``; None: none.
    (Turning the detector moves it along itself, so it spans no volume.)"""
    step: float = 0.0
    """By how much from frame to frame: degrees, or keV."""
    center: tuple[float, float] | None = None
    """Row and column of the detector at which its circles point; None: the pixel that is taken as
    zero frequency."""

    def __post_init__(self) -> None:
        self._check_numbers()
        for name in ("rows", "columns", "beam"):
            check_axis(f"Instrument: {name}", getattr(self, name))
        if len({axis[0] for axis in (self.rows, self.columns, self.beam)}) < 3:
            raise ValueError(
                "Instrument: rows, columns and beam must be at right angles, got "
                f"{self.rows}, {self.columns}, {self.beam}."
            )
        for name in ("detector", "sample"):
            circles = getattr(self, name)
            several = isinstance(circles, (tuple, list))
            if not several or not all(isinstance(circle, Circle) for circle in circles):
                raise TypeError(
                    f"Instrument: {name} must be a tuple of circles, got {shown(circles)}."
                )
            object.__setattr__(self, name, tuple(circles))  # frozen
        if self.scan is not None:
            self._check_scan(self.scan)

    def reciprocal(
        self, *, bins: int | Sequence[int] = 1, center: Sequence[float] | None = None
    ) -> ReciprocalGrid:
        r"""Where the pixels of a pattern lie in reciprocal space, linear about its centre.

        A pixel at p from the sample receives what was scattered by q = k (p/\|p\| - beam), with
        k = 2 pi E / (h c). Along rows and columns q changes as p does; a circle that turns the
        sample by an angle about n turns q, as the sample sees it, back about n. The derivatives
        are those at the pattern's centre, for the grid of an FFT is linear. What that leaves out
        grows with the square of the distance: on a detector 0.5 m away at 9 keV, 48 pixels of 55
        micrometres from the centre, it is 0.3 frames 0.005 degrees apart, in the corner 1.1.

        Args:
            bins: Detector pixels per pixel of the pattern, one for rows and columns or one per
                axis, ``(frames,) rows, columns``.
            center: Row and column of the detector at which the pattern has zero frequency; needed
                where the instrument has a ``center`` of its own.

        Returns:
            ReciprocalGrid: steps ``(3, 3)`` in a scan, frames first, else ``(2, 3)``; in the
            laboratory, in which a scanned sample stands as its angles say.

        Raises:
            TypeError: ``bins`` are not whole numbers.
            ValueError: There are too many or too few ``bins``, one is < 1, ``center`` is missing,
                the scan leaves the volume flat, or the numbers of the instrument are far out of
                every range.
        """
        counts, offset = self._bins(bins), self._offset(center)
        try:
            with np.errstate(over="raise", invalid="raise", divide="raise"):
                return self._grid(counts, offset)
        except FloatingPointError as error:
            raise ValueError(
                f"Instrument: a number is far out of every range ({error})."
            ) from error

    def _grid(self, counts: tuple[int, ...], offset: tuple[float, float]) -> ReciprocalGrid:
        """The grid, without checks."""
        k = 2 * np.pi * self.energy / HC
        turned = rotation(self.detector)
        across = [turned @ direction(axis) for axis in (self.rows, self.columns)]
        place = turned @ direction(self.beam) * self.distance
        for vector, pixels, size in zip(across, offset, self.pixel, strict=True):
            place = place + vector * pixels * size
        q = k * (place / np.linalg.norm(place) - direction(self.beam))
        steps = [
            k * _turn_of(place, vector * size)
            for vector, size in zip(across, self.pixel, strict=True)
        ]
        if self.scan is not None:
            steps.insert(0, self._scan_step(q))
        return ReciprocalGrid(np.array(steps) * np.array(counts)[:, None], q)

    def of_pattern(self, ndim: int, **where: Any) -> ReciprocalGrid:
        """As :meth:`reciprocal`, of one frame where ``ndim`` is 2, of the scan where it is 3.

        Args:
            ndim: Axes of the pattern.
            where: Arguments of `reciprocal`.

        Returns:
            ReciprocalGrid: As there.

        Raises:
            TypeError: As there.
            ValueError: As there, or 3D and there is no ``scan``.
        """
        if ndim == 3 and self.scan is None:
            raise ValueError("Instrument: scan and step are needed for a 3D pattern.")
        return (replace(self, scan=None) if ndim == 2 else self).reciprocal(**where)

    def _scan_step(self, q: Vector) -> Vector:
        """How q, as the sample sees it, differs between two frames."""
        if self.scan == ENERGY:
            return q * self.step / self.energy
        axis = axis_of(self.sample, str(self.scan))
        against: Vector = -np.radians(self.step) * np.cross(axis, q)
        return against

    def _offset(self, center: Sequence[float] | None) -> tuple[float, float]:
        """Pixels from where the circles point to the pattern's centre."""
        if self.center is None:
            return (0.0, 0.0)
        if center is None or len(center) != 2:
            raise ValueError(
                "Instrument: center (row, column of the pattern's zero frequency on the detector) "
                f"is needed, since the circles point at pixel {self.center}, got {shown(center)}."
            )
        return (center[0] - self.center[0], center[1] - self.center[1])

    def _bins(self, bins: int | Sequence[int]) -> tuple[int, ...]:
        ndim = 2 if self.scan is None else 3
        bins = plain(bins)
        given = bins if isinstance(bins, Sequence) else (1,) * (ndim - 2) + (bins, bins)
        counts = tuple(map(whole, given))
        found = tuple(count for count in counts if count is not None)
        if len(found) < len(counts):
            raise TypeError(f"Instrument: bins must be whole numbers, got {shown(bins)}.")
        if len(found) != ndim or min(found) < 1:
            raise ValueError(f"Instrument: bins must be {ndim} numbers >= 1, got {shown(bins)}.")
        return found

    def _check_numbers(self) -> None:
        check_number("Instrument: energy", self.energy, "keV", positive=True)
        check_number("Instrument: distance", self.distance, "m", positive=True)
        check_number("Instrument: step", self.step, "degrees or keV")
        for name, unit in (("pixel", "m"), ("center", "pixels")):
            pair: Any = getattr(self, name)
            if pair is None:
                continue
            pair = plain(pair)  # of NumPy's, too; then a tuple, which can be compared and hashed
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise TypeError(
                    f"Instrument: {name} must be two numbers, row and column ({unit}), got "
                    f"{shown(pair)}."
                )
            for value in pair:
                check_number(f"Instrument: {name}", value, unit, positive=name == "pixel")
            object.__setattr__(self, name, tuple(pair))  # frozen
        if self.energy >= MOST_ENERGY:
            raise ValueError(
                f"Instrument: energy must be below {MOST_ENERGY:g} (keV), got "
                f"{shown(self.energy)}: is it in eV?"
            )
        if self.distance >= MOST_DISTANCE:
            raise ValueError(
                f"Instrument: distance must be below {MOST_DISTANCE:g} (m), got "
                f"{shown(self.distance)}: is it in mm?"
            )
        if max(self.pixel) >= MOST_PIXEL:
            raise ValueError(
                f"Instrument: pixel must be below {MOST_PIXEL:g} (m), got {shown(self.pixel)}: is "
                "it in micrometres?"
            )

    def _check_scan(self, scan: str) -> None:
        names = [circle.name for circle in self.sample]
        if scan != ENERGY and names.count(scan) != 1:
            known = ", ".join([*names, ENERGY])
            raise ValueError(f"Instrument: scan must be one of {known}, got {shown(scan)}.")
        if self.step == 0:
            raise ValueError(f"Instrument: step of the scan of {scan} must not be 0.")


def _turn_of(place: Vector, change: Vector) -> Vector:
    """How the unit vector towards ``place`` turns while that moves by ``change``."""
    far = float(np.linalg.norm(place))
    unit = place / far
    turn: Vector = (change - unit * (unit @ change)) / far
    return turn
