"""How far reconstructions of one pattern disagree about strain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from symbreak.geometry.bragg import Field, Object, check_bragg, strain
from symbreak.geometry.grid import ReciprocalGrid


def strain_spread(
    starts: Object,
    crystal: NDArray[np.bool_],
    grid: ReciprocalGrid,
    *,
    shape: tuple[int, ...] | None = None,
) -> Field:
    """Standard deviation of the strain along Q over several starts, voxel by voxel.

    sqrt(sum (e_k - mean e)^2 / (K - 1)) over the K starts that are known at a voxel. Starts of one
    pattern share its noise and its faults, so this says what phasing leaves open, not all that may
    be wrong; on simulated crystals the error of their mean was mostly below it
    (docs/from-detector-to-object.md).

    Args:
        starts: complex ``(starts, *grid)``, at least two, 3D, aligned to one another, twins
            flipped, in the middle of their grid; the good ones.
        crystal: bool ``(*grid)``, where it is taken, see `crystal_mask`.
        grid: The pattern's, with ``is_bragg``.
        shape: Of the object's grid, where the arrays are a box of it.

    Returns:
        float64 ``(*grid)``; NaN outside the crystal and where fewer than two starts are known.

    Raises:
        TypeError: ``starts`` are not a complex array, or ``crystal`` is not a boolean one.
        ValueError: There are fewer than two, they are not 3D and of one shape, or ``grid`` is not
            that of a Bragg peak.

    Not differentiable. Cost: `strain` of every start.
    """
    if not isinstance(starts, np.ndarray) or starts.dtype.kind != "c":
        given = getattr(starts, "dtype", type(starts).__name__)
        raise TypeError(f"strain_spread: starts must be a complex array, got {given}.")
    if starts.ndim != 4 or len(starts) < 2:
        raise ValueError(
            f"strain_spread: starts must be two 3D objects or more, got shape {starts.shape}."
        )
    check_bragg("strain_spread", starts[0], crystal, grid)
    count, mean, total = (np.zeros(crystal.shape) for _ in range(3))
    for one in starts:
        found = strain(one, crystal, grid, shape=shape)
        known = np.isfinite(found)
        # Welford's update: no difference of large sums.
        count += known
        gap = np.where(known, found - mean, 0.0)
        mean += gap / np.maximum(count, 1)
        total += gap * np.where(known, found - mean, 0.0)
    spread: Field = np.sqrt(np.where(count > 1, total / np.maximum(count - 1, 1), np.nan))
    return spread
