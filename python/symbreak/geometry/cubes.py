"""Fields on a skewed grid, put on one along the axes of the laboratory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from symbreak.geometry.checks import check_number
from symbreak.geometry.circles import Vector
from symbreak.geometry.grid import ReciprocalGrid
from symbreak.ops.memory import check_memory

Array = NDArray[Any]
ORIGIN = (0, 0, 0)


def orthogonal(
    arrays: Mapping[str, Array],
    grid: ReciprocalGrid,
    voxel: float,
    *,
    shape: tuple[int, ...] | None = None,
    first: tuple[int, ...] = ORIGIN,
) -> tuple[dict[str, Array], Vector]:
    """Interpolate arrays at cubes of the laboratory: linearly, integers and booleans the nearest.

    Args:
        arrays: ``(*box)`` by name, 3D: the object's grid, or a box of it.
        grid: That of the object's pattern.
        voxel: Edge of a cube, nm.
        shape: Of the object's grid, where the arrays are a box of it.
        first: Index on that grid at which the box begins.

    Returns:
        The arrays ``(*cube)``, axes z, y, x, 0 outside the box, and x, y, z of their first point,
        nm, the middle of the object's grid at 0.

    Raises:
        TypeError: ``voxel`` is not a number.
        ValueError: It is not > 0, ``grid`` is not that of a volume, or there is no array.
        MemoryError: The cubes need more than there is.
        ImportError: SciPy is not installed.
    """
    from scipy.ndimage import map_coordinates

    check_number("orthogonal: voxel", voxel, "nm", positive=True)
    if len(grid.steps) != 3:
        raise ValueError("orthogonal: grid must be that of a volume, got that of an image.")
    if not arrays:
        raise ValueError("orthogonal: arrays must hold at least one, got none.")
    box = next(iter(arrays.values())).shape
    whole = box if shape is None else shape
    axes = grid.voxel(whole)
    offset = np.array(first) - np.array(whole) // 2
    corners = (np.indices((2, 2, 2)).reshape(3, 8).T * (np.array(box) - 1) + offset) @ axes
    begin = np.floor(corners.min(0) / voxel)
    count = [int(n) for n in np.ceil(corners.max(0) / voxel) - begin + 1]
    cause = f"voxel (--voxel) = {voxel:g} nm"
    check_memory("orthogonal", cause, [4, *count], torch.float64, torch.device("cpu"))
    z, y, x = (
        (begin[axis] + np.arange(count[axis])) * voxel for axis in (2, 1, 0)
    )  # of the last array axis first: arrays are z, y, x
    place = np.stack(np.meshgrid(z, y, x, indexing="ij")[::-1], -1)  # x, y, z at every point
    index = np.moveaxis(place @ np.linalg.inv(axes) - offset, -1, 0)
    made = {
        name: map_coordinates(array, index, order=0 if array.dtype.kind in "bui" else 1)
        for name, array in arrays.items()
    }
    return made, begin * voxel
