"""How far reconstructions of one pattern disagree about strain."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from symbreak.geometry.boxes import box_around
from symbreak.geometry.bragg import Field, Object, check_bragg, strain
from symbreak.geometry.extent import LEVEL, check_complex, crystal_mask
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
    (docs/phasing/strain.md).

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
    check_complex("strain_spread", "starts", starts)
    if starts.ndim != 4 or len(starts) < 2:
        raise ValueError(
            f"strain_spread: starts must be two 3D objects or more, got shape {starts.shape}."
        )
    check_bragg("strain_spread", starts[0], crystal, grid)
    fields = (strain(one, crystal, grid, shape=shape)[None] for one in starts)
    spread: Field = np.sqrt(covariance_over(fields, (1, *crystal.shape))[0, 0])
    return spread


def halves_strain_error(
    first: Object, second: Object, grid: ReciprocalGrid, *, level: float = LEVEL
) -> float:
    """What photon noise leaves of error in the strain along Q, of two halves of the photons.

    Half the difference of the strains of both, the standard error of a mean of two, root mean
    square over the crystal. What both halves get wrong alike is not in it: on simulated crystals
    the error was two to four times as large (docs/phasing/strain.md).

    Args:
        first: complex ``(*grid)``, 3D, 0 outside its support.
        second: The same of the other half, aligned to the first
            (:func:`symbreak.halves.compare_halves`).
        grid: The pattern's, with ``is_bragg``.
        level: See `crystal_mask`; the crystal is that of the mean of both.

    Returns:
        Without unit, as strain; NaN where no voxel of the crystal is known.

    Raises:
        TypeError: ``first`` or ``second`` are not complex arrays, or ``level`` is not a number.
        ValueError: The two are not 3D and of one shape, ``level`` is not in [0, 1), or ``grid`` is
            not that of a Bragg peak.

    Not differentiable. Cost: `strain` of both, within the box of what is not 0.
    """
    for name, x in (("first", first), ("second", second)):
        check_complex("halves_strain_error", name, x)
    if first.ndim != 3 or first.shape != second.shape:
        raise ValueError(
            "halves_strain_error: first and second must be 3D objects of one shape, got "
            f"{first.shape} and {second.shape}."
        )
    support = (first != 0) | (second != 0)
    box = box_around(support, voxels=2)
    both = np.stack([first[box], second[box]])
    crystal = crystal_mask(both.mean(0), support[box], level)
    spread = strain_spread(both, crystal, grid, shape=first.shape)
    known = np.isfinite(spread)
    # Of two values the standard deviation is |difference| / sqrt(2), that of their mean is
    # |difference| / 2.
    return float(np.sqrt(np.mean(spread[known] ** 2) / 2)) if known.any() else float("nan")


def covariance_over(fields: Iterable[Field], shape: tuple[int, ...]) -> Field:
    """Covariance of vectors over several fields of them, place by place.

    Args:
        fields: float64 ``(components, *grid)`` each, one after the other; NaN where not known.
        shape: Theirs.

    Returns:
        float64 ``(components, components, *grid)``, with K - 1 of the K fields that are known at a
        place in the denominator; NaN where fewer than two are.
    """
    count, mean, total = np.zeros(shape[1:]), np.zeros(shape), np.zeros((shape[0], *shape))
    for found in fields:
        known = np.isfinite(found).all(0)
        # Welford's update: no difference of large sums.
        count += known
        gap = np.where(known, found - mean, 0.0)
        mean += gap / np.maximum(count, 1)
        total += gap[:, None] * np.where(known, found - mean, 0.0)
    covariance: Field = np.where(count > 1, total / np.maximum(count - 1, 1), np.nan)
    return covariance
