"""Read what an instrument is from a TOML file.

    energy = 9.0                # keV
    scan = "theta"              # of a rocking curve: the sample's circle that turned, or "energy"
    step = 0.005                # from frame to frame: degrees, or keV

    [detector]
    distance = 0.5              # m
    pixel = [55e-6, 55e-6]      # row, column, m
    rows = "y-"                 # where their numbers grow with the detector in the beam
    columns = "x+"
    circles = [{name = "delta", axis = "y+", angle = 32.174}, ...]   # the first carries the rest

    [sample]
    circles = [{name = "theta", axis = "y+", angle = 0.22}, ...]

Further keys are those of :class:`~symbreak.geometry.Instrument`: ``beam``, ``[detector] center``.
Energy, distance and pixel that are left out ``symbreak prepare`` takes from the frames' own file.
Energy, distance, or the angle of a circle may be the name of a motor, ``angle = "Theta"``, whose
positions ``symbreak prepare`` looks up; the motor that was scanned tells ``step``, too. Where a
motor's file gives its distance no unit, ``[detector] distance_unit`` does: "m", "cm" or "mm".
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from symbreak.geometry.circles import Circle
from symbreak.geometry.instrument import ENERGY, Instrument
from symbreak.geometry.motor import DISTANCE_UNITS, Motor
from symbreak.ops.checks import shown

TOP = ("energy", "beam", "scan", "step")
DETECTOR = ("distance", "pixel", "rows", "columns", "center")
DISTANCE, DISTANCE_UNIT = "distance", "distance_unit"


def read_instrument(path: str | Path) -> Instrument:
    """Read a TOML file, see ``help(symbreak.geometry.instrument_file)``.

    Args:
        path: The file.

    Returns:
        Instrument: What it says.

    Raises:
        ValueError: It is not TOML, lacks a key, has one too many, or a value that cannot be.
        ImportError: Python is 3.10 and tomli not installed.
        OSError: It cannot be read.
    """
    path = Path(path)
    return parse_instrument(path.read_bytes(), str(path))


def parse_instrument(content: bytes, name: str) -> Instrument:
    """The same of the file's content; ``name`` is what errors call it.

    Raises:
        ValueError: As above.
        ImportError: Likewise.
    """
    return InstrumentFile(content, name).instrument()


class InstrumentFile:
    """A TOML file that may leave out what another file tells.

    Args:
        content: The file.
        name: What errors call it.

    Raises:
        ValueError: It is not TOML.
        ImportError: Python is 3.10 and tomli not installed.
    """

    def __init__(self, content: bytes, name: str) -> None:
        self.name = name
        try:
            self._given = _toml().loads(content.decode())
        except ValueError as error:  # of TOML and of UTF-8
            raise ValueError(f"{name}: not a TOML file ({error}).") from error

    def missing(self) -> tuple[str, ...]:
        """The arguments that an `Instrument` needs and the file does not give.

        Raises:
            ValueError: ``[detector]`` or ``[sample]`` is no table, or a key is unknown: it may
                be a missing one misspelt.
        """
        with self._named():
            _check_keys(self._given)
            found = {**self._given, **_table(self._given, "detector")}
        return tuple(
            field.name
            for field in fields(Instrument)
            if field.default is MISSING and field.name not in found
        )

    def motors(self) -> dict[str, str]:
        """The motors that the file names, and the unit of each where their own file has none.

        Returns:
            dict: ``degrees``, ``keV``, or of a distance ``m``, ``cm`` or ``mm``.

        Raises:
            ValueError: A table is none, a circle lacks a key, or the distance's unit is no such.
        """
        with self._named():
            found: dict[str, str] = {}
            for name in ("detector", "sample"):
                circles = _given_circles(_table(self._given, name), name)
                angles = (circle["angle"] for circle in circles)
                found |= {angle: "degrees" for angle in angles if isinstance(angle, str)}
            if isinstance(self._given.get(ENERGY), str):
                found[self._given[ENERGY]] = "keV"
            detector = _table(self._given, "detector")
            if isinstance(detector.get(DISTANCE), str):
                found[detector[DISTANCE]] = _distance_unit(detector)
            return found

    def instrument(
        self,
        known: Mapping[str, Any] | None = None,
        motors: Mapping[str, Motor] | None = None,
    ) -> Instrument:
        """What the file says, and where it says nothing, what is known otherwise.

        Args:
            known: Arguments of `Instrument`.
            motors: Those that the file names.

        Raises:
            ValueError: The file lacks a key, has one too many, or a value that cannot be; or a
                motor is not among ``motors``, moved though it is not the one that was scanned, or
                did not move in even steps though it is.
        """
        with self._named():
            return _instrument(_with_positions(self._given, motors or {}), known or {})

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Errors begin with the file's name."""
        try:
            yield
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self.name}: {error}") from error


def _toml() -> Any:
    """The standard library's module, or before Python 3.11 the one that it was made of."""
    if sys.version_info >= (3, 11):
        import tomllib as module
    else:
        try:
            import tomli as module
        except ImportError as error:
            raise ImportError(
                "read_instrument: tomli is not installed: pip install 'symbreak[cli]'."
            ) from error
    return module


def _instrument(given: Mapping[str, Any], known: Mapping[str, Any]) -> Instrument:
    detector, sample = _table(given, "detector"), _table(given, "sample")
    _check_keys(given)
    found = {**known, **{key: given[key] for key in TOP if key in given}}
    found |= {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in detector.items()
        if key not in ("circles", DISTANCE_UNIT)
    }
    for field in fields(Instrument):
        if field.default is MISSING and field.name not in found:
            where = "[detector] " if field.name in DETECTOR else ""
            raise ValueError(f"{where}{field.name} is missing.")
    if "scan" in found and "step" not in found:
        raise ValueError(
            f"step is missing: by how much {shown(found['scan'])} changes from frame to frame."
        )
    return Instrument(
        **found, detector=_circles(detector, "detector"), sample=_circles(sample, "sample")
    )


def _check_keys(given: Mapping[str, Any]) -> None:
    detector, sample = _table(given, "detector"), _table(given, "sample")
    _known("", given, (*TOP, "detector", "sample"))
    _known("[detector] ", detector, (*DETECTOR, DISTANCE_UNIT, "circles"))
    _known("[sample] ", sample, ("circles",))


def _table(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = given.get(name, {})
    if not isinstance(table, dict):
        raise ValueError(f"[{name}] must be a table, got {shown(table)}.")
    return table


def _with_positions(given: Mapping[str, Any], motors: Mapping[str, Motor]) -> dict[str, Any]:
    """What the file says with numbers in the place of motors."""
    scan, found = given.get("scan"), dict(given)

    def number(value: Any, name: str | None) -> Any:
        if not isinstance(value, str):
            return value
        if value not in motors:
            raise ValueError(
                f"{shown(value)} is the name of a motor: only `symbreak prepare` looks up where it "
                "was, and writes it beside the pattern."
            )
        if name is None or name != scan or "step" in given:
            return motors[value].still() if name != scan else motors[value].middle()
        middle, found["step"] = motors[value].moved()
        return middle

    if ENERGY in given:
        found[ENERGY] = number(given[ENERGY], ENERGY)
    for name in ("detector", "sample"):
        table = _table(given, name)
        if "circles" in table:
            turned = name == "sample" and scan != ENERGY
            circles = [
                {**circle, "angle": number(circle["angle"], circle["name"] if turned else None)}
                for circle in _given_circles(table, name)
            ]
            found[name] = {**table, "circles": circles}
    detector = _table(found, "detector")
    if isinstance(detector.get(DISTANCE), str):
        metres = DISTANCE_UNITS[_distance_unit(detector)] * number(detector[DISTANCE], None)
        found["detector"] = {**detector, DISTANCE: float(f"{metres:.12g}")}
    elif DISTANCE_UNIT in detector:
        raise ValueError(
            "[detector] distance_unit goes with the name of a motor as distance; a number is in m."
        )
    return found


def _distance_unit(detector: Mapping[str, Any]) -> str:
    unit = detector.get(DISTANCE_UNIT, "m")
    if not isinstance(unit, str) or unit not in DISTANCE_UNITS:
        raise ValueError(
            f"[detector] distance_unit must be one of {', '.join(DISTANCE_UNITS)}, "
            f"got {shown(unit)}."
        )
    return unit


def _circles(table: Mapping[str, Any], name: str) -> tuple[Circle, ...]:
    return tuple(Circle(**circle) for circle in _given_circles(table, name))


def _given_circles(table: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    circles = table.get("circles", [])
    if not isinstance(circles, list) or not all(isinstance(circle, dict) for circle in circles):
        raise ValueError(
            f'[{name}] circles must be a list like [{{name = "theta", axis = "y+", angle = 0}}], '
            f"got {shown(circles)}."
        )
    for circle in circles:
        _known(f"[{name}] circles: ", circle, ("name", "axis", "angle"))
        for key in ("name", "axis", "angle"):
            if key not in circle:
                raise ValueError(f"[{name}] circles: {key} is missing in {shown(circle)}.")
    return circles


def _known(where: str, given: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    for key in given:
        if key not in keys:
            raise ValueError(f"{where}{shown(key)[1:-1]} is none of {', '.join(keys)}.")
