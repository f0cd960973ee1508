"""The fields of a reconstruction that viewers draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.data.files.cxi import Phasing
from symbreak.geometry import ReciprocalGrid, displacement, orthogonal, strain
from symbreak.geometry.bragg import widened

Array = NDArray[Any]
Box = Any  # an index: a slice along every axis, or ...
AROUND = 2  # voxels left around the support


def around(support: NDArray[np.bool_]) -> Box:
    """The box of a support and a little more; all of the grid if there is no support."""
    if not support.any():
        return tuple(slice(0, n) for n in support.shape)
    found = []
    for axis, size in enumerate(support.shape):
        others = tuple(other for other in range(support.ndim) if other != axis)
        inside = np.flatnonzero(support.any(others))
        found.append(slice(max(inside[0] - AROUND, 0), min(inside[-1] + AROUND + 1, size)))
    return tuple(found)


def fields(
    phasing: Phasing, grid: ReciprocalGrid | None = None, box: Box = ...
) -> dict[str, Array]:
    """Amplitude, phase, support, of the mean too; of a Bragg peak displacement and strain."""
    arrays: dict[str, Array] = {
        "amplitude": np.abs(phasing.object),
        "phase": _phase(phasing.object),
        "support": phasing.support.astype(np.uint8),
    }
    values = {"": phasing.object}
    if phasing.mean is not None:
        arrays["mean_amplitude"] = np.abs(phasing.mean)
        arrays["mean_phase"] = _phase(phasing.mean)
        values["mean_"] = phasing.mean
    if grid is not None and grid.is_bragg:
        for prefix, x in values.items():
            for name, made in (("displacement", displacement), ("strain", strain)):
                arrays[prefix + name] = widened(made(x, phasing.support, grid))
    return {name: array[box] for name, array in arrays.items()}


def objects(phasing: Phasing, box: Box) -> dict[str, Array]:
    """Best and mean themselves."""
    found = {"object": phasing.object[box]}
    return found if phasing.mean is None else {**found, "mean_object": phasing.mean[box]}


@dataclass(frozen=True)
class Cubes:
    """The fields along the laboratory's axes."""

    arrays: dict[str, Array]
    """``(*cube)``, axes z, y, x; 0 outside."""
    first: Array
    """x, y, z of the first point, nm."""
    edge: float
    """Of a cube, nm."""

    @classmethod
    def of(cls, phasing: Phasing, grid: ReciprocalGrid, edge: float | None) -> Cubes:
        """Interpolate the object itself, not its phase, which jumps; cubes as the shortest step."""
        shape, box = phasing.object.shape, around(phasing.support)
        if edge is None:
            edge = float(np.linalg.norm(grid.voxel(shape), axis=1).min())
        first = tuple(part.start for part in box)
        given = fields(phasing, grid, box) | objects(phasing, box)
        made, begin = orthogonal(given, grid, edge, shape=shape, first=first)
        for prefix in ("", "mean_"):
            if prefix + "object" in made:
                x = made.pop(prefix + "object")
                made |= {prefix + "amplitude": np.abs(x), prefix + "phase": _phase(x)}
        return cls(made, begin, float(edge))


def _phase(values: Array) -> Array:
    """The phase, 0 where there is nothing: of a negative zero it would be pi."""
    phase: Array = np.where(values == 0, 0, np.angle(values)).astype(values.real.dtype)
    return phase
