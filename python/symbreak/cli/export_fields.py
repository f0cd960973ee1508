"""The fields of a reconstruction that viewers draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.data.files.cxi import Phasing
from symbreak.geometry import (
    ReciprocalGrid,
    crystal_mask,
    displacement,
    orthogonal,
    strain,
    strain_spread,
)
from symbreak.geometry.boxes import box_around
from symbreak.geometry.bragg import widened
from symbreak.geometry.extent import LEVEL

Array = NDArray[Any]
Box = Any  # an index: a slice along every axis, or ...
AROUND = 2  # voxels left around the support


def around(support: NDArray[np.bool_]) -> Box:
    """The box that is written."""
    return box_around(support, voxels=AROUND)


def fields(
    phasing: Phasing, grid: ReciprocalGrid | None = None, box: Box = ..., level: float = LEVEL
) -> dict[str, Array]:
    """Amplitude, phase, support, of the mean too; of a Bragg peak crystal, displacement, strain.

    Within a box around the support: of what lies outside nothing is asked.
    """
    objects, support = _objects(phasing, box), phasing.support[box]
    arrays: dict[str, Array] = {}
    for prefix, x in objects.items():
        arrays |= {prefix + "amplitude": np.abs(x), prefix + "phase": _phase(x)}
        if not prefix:
            arrays["support"] = support.astype(np.uint8)
    if grid is not None and grid.is_bragg:
        for prefix, x in objects.items():
            crystal = crystal_mask(x, support, level)
            stretched = strain(x, crystal, grid, shape=phasing.object.shape)
            arrays[prefix + "crystal"] = crystal.astype(np.uint8)
            arrays[prefix + "displacement"] = widened(displacement(x, crystal, grid))
            arrays[prefix + "strain"] = widened(stretched)
        good = [start[box] for start in phasing.good_starts]
        if len(good) > 1:
            crystal = arrays["mean_crystal"] != 0
            spread = strain_spread(np.stack(good), crystal, grid, shape=phasing.object.shape)
            arrays["mean_strain_spread"] = widened(spread)
    return arrays


def _objects(phasing: Phasing, box: Box) -> dict[str, Array]:
    """Best start and mean, by the prefix of their fields."""
    found = {"": phasing.object[box]}
    return found if phasing.mean is None else {**found, "mean_": phasing.mean[box]}


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
    def of(
        cls, phasing: Phasing, grid: ReciprocalGrid, edge: float | None, level: float = LEVEL
    ) -> Cubes:
        """Interpolate the object itself, not its phase, which jumps; cubes as the shortest step."""
        shape, box = phasing.object.shape, around(phasing.support)
        if edge is None:
            edge = float(np.linalg.norm(grid.voxel(shape), axis=1).min())
        objects = _objects(phasing, box)
        skewed = fields(phasing, grid, box, level)
        given = {name: x for name, x in skewed.items() if not name.endswith(("amplitude", "phase"))}
        given |= {f"{prefix}object": x for prefix, x in objects.items()}
        first = tuple(part.start for part in box)
        made, begin = orthogonal(given, grid, edge, shape=shape, first=first)
        for prefix in objects:
            x = made.pop(prefix + "object")
            if prefix + "crystal" in made:  # anew, for the nearest voxel's would have steps
                crystal = crystal_mask(x, made["support"] != 0, level)
                made[prefix + "crystal"] = crystal.astype(np.uint8)
            made |= {prefix + "amplitude": np.abs(x), prefix + "phase": _phase(x)}
        return cls({name: made[name] for name in skewed}, begin, float(edge))


def _phase(values: Array) -> Array:
    """The phase, 0 where there is nothing: of a negative zero it would be pi."""
    phase: Array = np.where(values == 0, 0, np.angle(values)).astype(values.real.dtype)
    return phase
