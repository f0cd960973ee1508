"""What the phase of a Bragg reconstruction says of the crystal: displacement and strain along Q."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.geometry.extent import check_kinds
from symbreak.geometry.grid import ReciprocalGrid
from symbreak.ops.checks import shown

Object = NDArray[np.complexfloating[Any, Any]]
Field = NDArray[np.float64]


def strain(
    object: Object,
    support: NDArray[np.bool_],
    grid: ReciprocalGrid,
    *,
    shape: tuple[int, ...] | None = None,
) -> Field:
    r"""Strain of the lattice along Q, relative to the lattice whose peak is the pattern's centre.

        strain = d u_Q / d x_Q = -(Q . grad phi) / \|Q\|^2,  phi = -Q . u

    for the density sum_G rho_G exp(i G.(r - u)) of a lattice displaced by u, of which the pattern
    around Q = G shows rho_G exp(-i Q.u) (Pfeifer et al., Nature 442, 63 (2006); Robinson and
    Harder, Nat. Mater. 8, 291 (2009)). Positive is stretched. The twin image has the same strain at
    the opposite place, so its sign is not ambiguous; a centre that is off by d pixels adds the same
    small strain everywhere.

    The gradient is that of the phase from voxel to neighbour within the support, of at most half a
    turn, ahead and behind averaged: no unwrapping, so a dislocation does no harm beyond its core.

    Args:
        object: complex ``(*grid)``, 3D, in the middle of its grid.
        support: bool ``(*grid)``, where it is taken; the `crystal_mask`, for beyond the crystal
            phases are noise.
        grid: The pattern's, with ``is_bragg``.
        shape: Of the object's grid, where the arrays are a box of it.

    Returns:
        float64 ``(*grid)``; NaN outside the support, where the object is 0, and where a voxel has
        no neighbour along an axis.

    Raises:
        TypeError: ``object`` is not a complex array, or ``support`` not a boolean one.
        ValueError: They are not 3D and of one shape, or ``grid`` is not that of a Bragg peak.

    Not differentiable. Cost: some 20 passes over the array.
    """
    inside = check_bragg("strain", object, support, grid)
    along = phase_gradient(object, inside, grid, shape=shape)
    total: Field = -np.tensordot(grid.center, along, 1) / (grid.center @ grid.center)
    return total


def phase_gradient(
    object: Object,
    inside: NDArray[np.bool_],
    grid: ReciprocalGrid,
    *,
    shape: tuple[int, ...] | None = None,
) -> Field:
    """Gradient of the phase from voxel to neighbour, see `strain`.

    Args:
        object: complex ``(*grid)``.
        inside: bool ``(*grid)``, where it is not 0 and taken.
        grid: The pattern's.
        shape: Of the object's grid, where the arrays are a box of it.

    Returns:
        float64 ``(3, *grid)``, x, y, z, radians/nm; NaN where a voxel has no neighbour.
    """
    steps = np.stack([_phase_step(object, inside, axis) for axis in range(object.ndim)])
    # grad phi . a_i is the step along axis i, so grad phi = sum_i step_i M_i b_i / 2 pi.
    turns = np.array(shape or object.shape)[:, None] * grid.steps / (2 * np.pi)
    gradient: Field = np.tensordot(turns.T, steps, 1)
    return gradient


def displacement(object: Object, support: NDArray[np.bool_], grid: ReciprocalGrid) -> Field:
    r"""Displacement of the lattice along Q, u_Q = -phi / \|Q\|, its mean over the support 0.

    phi is the unwrapped phase (Herraez et al., Appl. Opt. 41, 7437 (2002), scikit-image): unique
    where no dislocation cuts it and the support is one piece; each further piece has a constant of
    its own, a multiple of the lattice spacing. The twin image has the opposite at the opposite
    place.

    Args:
        object: complex ``(*grid)``, 3D, in the middle of its grid.
        support: bool ``(*grid)``, where it is taken, as of `strain`.
        grid: The pattern's, with ``is_bragg``.

    Returns:
        float64 ``(*grid)``, nm; NaN outside the support and where the object is 0.

    Raises:
        TypeError: ``object`` is not a complex array, or ``support`` not a boolean one.
        ValueError: They are not 3D and of one shape, or ``grid`` is not that of a Bragg peak.
        ImportError: scikit-image is not installed.

    Not differentiable. Cost: sorts the voxels by how reliable their phases are.
    """
    inside = check_bragg("displacement", object, support, grid)
    try:
        from skimage.restoration import unwrap_phase
    except ImportError as error:
        raise ImportError(
            "displacement: scikit-image is not installed: pip install 'symbreak[data]'."
        ) from error
    found = np.full(object.shape, np.nan)
    if inside.any():
        phase = unwrap_phase(np.ma.array(np.angle(object), mask=~inside), rng=0)  # type: ignore[no-untyped-call,unused-ignore]
        found[inside] = -np.asarray(phase)[inside] / np.linalg.norm(grid.center)
        found -= found[inside].mean()
    return found


def widened(field: Field) -> NDArray[np.float32]:
    """The field with every voxel that touches it given its neighbour's value, and 0 beyond.

    A surface is drawn between the last voxel inside and the first outside; so it is coloured by
    what is inside and not by half of it.

    Args:
        field: float ``(*grid)``, NaN where there is none.

    Returns:
        float32 ``(*grid)``.

    Raises:
        ImportError: SciPy is not installed.
    """
    from scipy.ndimage import distance_transform_edt

    known = np.isfinite(field)
    if not known.any():
        return np.zeros(field.shape, np.float32)
    distance, nearest = distance_transform_edt(~known, return_indices=True)
    near: NDArray[np.float32] = np.where(
        distance**2 <= field.ndim + 0.5, field[tuple(nearest)], 0
    ).astype(np.float32)
    return near


def _phase_step(object: Object, inside: NDArray[np.bool_], axis: int) -> Field:
    """Radians from voxel to voxel along an axis, ahead and behind averaged; NaN without either."""
    x, good = np.moveaxis(object, axis, 0), np.moveaxis(inside, axis, 0)
    both = good[1:] & good[:-1]
    ahead = np.where(both, np.angle(x[1:] * x[:-1].conj()), 0.0)
    total, count = np.zeros(x.shape), np.zeros(x.shape)
    for part in (slice(None, -1), slice(1, None)):
        total[part] += ahead
        count[part] += both
    step = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return np.moveaxis(np.where(good, step, np.nan), 0, axis)


def check_bragg(
    function: str, object: Object, support: NDArray[np.bool_], grid: ReciprocalGrid
) -> NDArray[np.bool_]:
    """Where there is something to look at.

    Raises:
        TypeError, ValueError: As the functions here say.
    """
    check_kinds(function, object, support)
    if object.ndim != 3 or object.shape != support.shape:
        raise ValueError(
            f"{function}: object and support must be 3D and of one shape, got {object.shape} and "
            f"{support.shape}."
        )
    if not isinstance(grid, ReciprocalGrid) or not grid.is_bragg:
        raise ValueError(f"{function}: grid must be that of a Bragg peak, got {shown(grid)}.")
    inside: NDArray[np.bool_] = support & (object != 0)
    return inside
