"""Several Bragg reflections of one crystal, brought together in the frame of the sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from symbreak.geometry.checks import check_number
from symbreak.geometry.reflections import Real, Reflection
from symbreak.ops.memory import check_memory
from symbreak.subpixel import refine

AROUND = 3  # cubes left around the crystal


@dataclass(frozen=True)
class Matched:
    """What :func:`match_reflections` returns: fields on cubes of the sample's frame, z, y, x."""

    magnitude: Real
    """``(reflections, *cube)``, mean square 1 over each one's crystal."""
    gradient: Real
    """Of the phases, ``(reflections, 3, *cube)``, x, y, z, radians/nm; NaN where not known."""
    displacement: Real
    """Along each one's Q, ``(reflections, *cube)``, nm; NaN where not known."""
    q: Real
    """Scattering vectors, ``(reflections, 3)``, 1/nm."""
    voxel: float
    """Edge of a cube, nm; the middle of the grid, ``size // 2``, is at 0."""
    shift: Real
    """By how much each was moved, its middle being on the first one's, ``(reflections, 3)``, nm."""
    twin: NDArray[np.bool_]
    """``(reflections,)``: which came out as twins of the first and were flipped back."""
    overlap: Real
    """``(reflections, 2)``: correlation of the magnitudes with those of the first, 1 where they are
    proportional; as it was taken, and of the other of twin and no twin."""
    covariance: Real | None = None
    """Of the gradients over each one's starts, ``(reflections, 3, 3, *cube)``, (radians/nm)^2; NaN
    where not known. None where one of the reflections has fewer than two starts."""


def match_reflections(reflections: Sequence[Reflection], voxel: float | None = None) -> Matched:
    """Put reflections on cubes of the sample's frame, each on the first, twins flipped back.

    The magnitudes tell: of both twins and all shifts, by whole cubes and then by parts of one, that
    of the largest correlation with the first one's magnitude. Where a crystal looks alike from
    both sides they tell nothing, and the two numbers of ``overlap`` are near each other. If the
    first is the twin of the crystal, so are all: everything lies at the opposite place.

    Args:
        reflections: Two or more.
        voxel: Edge of a cube, nm; None for the shortest step of all grids.

    Returns:
        Matched: The fields, and what was done to them.

    Raises:
        TypeError: ``voxel`` is not a number.
        ValueError: It is not > 0, or there are fewer than two reflections.
        MemoryError: The cubes need more than there is.
        ImportError: SciPy is not installed.
    """
    if len(reflections) < 2:
        raise ValueError(
            f"match_reflections: reflections must be two or more, got {len(reflections)}."
        )
    if voxel is None:
        voxel = min(float(np.linalg.norm(r.voxel, axis=1).min()) for r in reflections)
    check_number("match_reflections: voxel", voxel, "nm", positive=True)
    place = _cubes(reflections, voxel)
    first = reflections[0].magnitude(place)
    other = _moved_to(reflections[0].magnitude(place, True), first)
    shifts, twins, overlaps = [np.zeros(3)], [False], [(1.0, other[1])]
    for reflection in reflections[1:]:
        tried = [_moved_to(reflection.magnitude(place, twin), first) for twin in (False, True)]
        twin = bool(tried[1][1] > tried[0][1])
        shifts.append(tried[twin][0][::-1] * voxel)
        twins.append(twin)
        overlaps.append((tried[twin][1], tried[not twin][1]))
    moved = [place - shift.reshape(3, 1, 1, 1) for shift in shifts]
    found = list(zip(reflections, moved, twins, strict=True))
    return Matched(
        np.stack([reflection.magnitude(here, twin) for reflection, here, twin in found]),
        np.stack([reflection.gradient(here, twin) for reflection, here, twin in found]),
        np.stack([reflection.displacement(here, twin) for reflection, here, twin in found]),
        np.array([reflection.q for reflection in reflections]),
        float(voxel),
        np.array(shifts),
        np.array(twins),
        np.array(overlaps),
        np.stack([reflection.covariance(here, twin) for reflection, here, twin in found])
        if all(reflection.has_starts for reflection in reflections)
        else None,
    )


def _cubes(reflections: Sequence[Reflection], voxel: float) -> Real:
    """x, y, z of the cubes at z, y, x, ``(3, *cube)``: 0 in the middle, all reflections inside."""
    half = int(np.ceil(max(r.reach for r in reflections) / voxel)) + AROUND
    side = 2 * half + 1
    arrays = [17 * len(reflections) + 12, side, side, side]
    cause = f"voxel (--voxel) = {voxel:g} nm"
    check_memory("match_reflections", cause, arrays, torch.float64, torch.device("cpu"))
    along = np.arange(-half, half + 1) * voxel
    return np.stack(np.meshgrid(along, along, along, indexing="ij")[::-1])


def _moved_to(magnitude: Real, reference: Real) -> tuple[Real, float]:
    """The shift that brings the one onto the other, in cubes, z, y, x; their correlation then."""
    spectra = [np.fft.rfftn(array) for array in (magnitude, reference)]
    product = np.fft.irfftn(spectra[1] * spectra[0].conj(), s=reference.shape, axes=(0, 1, 2))
    best = np.unravel_index(int(product.argmax()), product.shape)
    whole = [int(b) - n if b > n // 2 else int(b) for b, n in zip(best, product.shape, strict=True)]
    rolled = np.roll(magnitude, whole, (0, 1, 2))
    fine = refine(*(torch.from_numpy(a.astype(np.complex128)) for a in (rolled, reference)), ndim=3)
    norms = np.linalg.norm(magnitude) * np.linalg.norm(reference)
    overlap = float(np.abs(np.vdot(fine.object.numpy(), reference))) / norms
    return np.array(whole) + fine.shift.numpy(), overlap
