"""Random convex polyhedra, drawn as masks (3D crystals). Needs scipy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, HalfspaceIntersection

from symbreak.data.simulation.dislocations import random_rotation
from symbreak.data.simulation.settings import CrystalSettings

# Tries to draw a polyhedron that fits the frame before the last one is scaled down.
ATTEMPTS = 100


def polyhedron_mask(
    rng: np.random.Generator, size: int, settings: CrystalSettings
) -> NDArray[np.bool_]:
    """Draw one polyhedron at a random place of the frame and fill it.

    The polyhedron lies inside the frame as a whole; it may touch its faces. A voxel belongs to it
    if its centre lies inside.

    Args:
        rng: Source of the draws.
        size: Voxels per axis of the cubic frame.
        settings: ``area`` (here the filled fraction of the volume), ``vertices`` (here facets)
            and ``aspect`` are used.

    Returns:
        Mask, shape ``(size, size, size)``, never empty.
    """
    side = size * np.cbrt(rng.uniform(*settings.area))
    for _ in range(ATTEMPTS):
        facets, corners = random_polyhedron(rng, settings)
        extent = np.ptp(corners, axis=0)
        if side * extent.max() <= size:
            break
    else:
        side = size / extent.max()
    # Voxel n covers [n - 1/2, n + 1/2]: the frame is [-1/2, size - 1/2] on all axes.
    room = np.maximum(size - side * extent, 0.0)  # rounding may leave less than none
    origin = rng.uniform(0.0, room) - side * corners.min(axis=0) - 0.5
    voxel = np.moveaxis(np.indices((size,) * 3), 0, -1)  # (size, size, size, 3)
    mask = np.ones((size,) * 3, dtype=np.bool_)
    for *normal, offset in facets:
        mask &= (voxel - origin) @ np.array(normal) + side * offset <= 0.0
    if not mask.any():  # smaller than the voxel grid: keep the voxel of its middle
        mask[tuple(np.rint(origin + side * corners.mean(axis=0)).astype(int))] = True
    return mask


def random_polyhedron(
    rng: np.random.Generator, settings: CrystalSettings
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw a convex polyhedron of unit volume that holds the origin.

    It is the intersection of half-spaces in random directions at random distances with a turned,
    stretched box, which keeps it bounded.

    Args:
        rng: Source of the draws.
        settings: ``vertices`` (facets) and ``aspect`` are used.

    Returns:
        Facets (n, offset) with n.x + offset <= 0 inside, shape ``(facets, 4)``, and corners,
        shape ``(corners, 3)``.
    """
    low, high = settings.vertices
    count = int(rng.integers(low, high + 1))
    normals = rng.normal(size=(count, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    box = np.concatenate([np.eye(3), -np.eye(3)])
    stretch = np.array([rng.uniform(*settings.aspect), 1.0, 1.0])
    distances = np.concatenate([rng.uniform(0.6, 1.0, count), np.ones(6)])
    # Stretching x -> S x turns the half-space n.x <= d into (S^-1 n).x <= d.
    normals = np.concatenate([normals, box]) / stretch @ random_rotation(rng)
    facets = np.concatenate([normals, -distances[:, None]], axis=1)
    corners = HalfspaceIntersection(facets, np.zeros(3)).intersections
    scale = 1.0 / np.cbrt(ConvexHull(corners).volume)
    facets[:, 3] *= scale
    return facets, np.asarray(corners * scale)
