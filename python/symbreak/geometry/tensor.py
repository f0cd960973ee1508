"""Strain in all directions, out of the phases of three reflections or more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.ops.checks import shown

Real = NDArray[np.float64]
FLAT = 0.02  # least singular value of the directions of Q: below it they lie nearly in a plane


@dataclass(frozen=True)
class StrainTensor:
    """What :func:`strain_tensor` returns; NaN where one of the gradients is."""

    strain: Real
    """(du_j / dx_k + du_k / dx_j) / 2, float64 ``(3, 3, *grid)``; j and k are x, y, z."""
    rotation: Real
    """curl u / 2: by which small angles the lattice is turned about x, y and z, radians, float64
    ``(3, *grid)``."""
    misfit: Real
    """Root mean square over the reflections of the strain along Q that no lattice explains, float64
    ``(*grid)``; 0 with three reflections, which a lattice always fits."""
    spread: Real | None = None
    """Standard deviation of ``strain`` over the starts of the reflections, float64 ``(3, 3,
    *grid)``; None where no covariance was given."""


def strain_tensor(
    gradient: NDArray[Any], q: NDArray[Any], covariance: NDArray[Any] | None = None
) -> StrainTensor:
    r"""Strain and rotation of the lattice, relative to the one that the phases are relative to.

        grad phi_i = -(grad u) Q_i,  i = 1 ... K,  so  D = -Q J  with  J_jk = du_j / dx_k

    solved by least squares at every place; the rows of D are the gradients of the phases, those of
    Q the scattering vectors, both divided by \|Q_i\| so that errors of strain weigh alike. From
    three reflections u itself was first found by Newton, Leake, Harder and Robinson (Nat. Mater. 9,
    120 (2010)); gradients need no unwrapped phase.

    Args:
        gradient: Real ``(reflections, 3, *grid)``, x, y, z, radians/nm, of `match_reflections`.
        q: Real ``(reflections, 3)``, scattering vectors, 1/nm, not in one plane.
        covariance: Real ``(reflections, 3, 3, *grid)``, of each gradient, of `match_reflections`:
            how far the starts of a reflection disagree. Those of different ones are independent.

    Returns:
        StrainTensor: The fields.

    Raises:
        ValueError: The shapes do not agree, or the scattering vectors are fewer than three, 0, or
            nearly in one plane.

    Not differentiable. Cost: a product of small matrices at every place.
    """
    vectors, found = np.asarray(q, dtype=np.float64), np.asarray(gradient, dtype=np.float64)
    directions, lengths = _directions("strain_tensor", vectors)
    if found.ndim < 2 or found.shape[:2] != vectors.shape:
        raise ValueError(
            "strain_tensor: gradient must be (reflections, 3, *grid) with as many reflections as "
            f"q, got {found.shape} and {vectors.shape}."
        )
    if covariance is not None and np.shape(covariance) != (*found.shape[:2], *found.shape[1:]):
        raise ValueError(
            "strain_tensor: covariance must be (reflections, 3, 3, *grid), with the gradient's "
            f"{found.shape}, got {np.shape(covariance)}."
        )
    along = found / lengths.reshape(-1, *(1,) * (found.ndim - 1))
    inverse = np.linalg.pinv(directions)
    jacobian = -np.tensordot(inverse, along, 1)  # [j, k, *grid]
    left = along + np.tensordot(directions, jacobian, 1)
    misfit = np.sqrt((np.einsum("rk...,rk->r...", left, directions) ** 2).mean(0))
    twice = jacobian - jacobian.swapaxes(0, 1)
    rotation = np.stack([twice[2, 1], twice[0, 2], twice[1, 0]]) / 2
    spread = None if covariance is None else _spread(covariance, inverse / lengths)
    return StrainTensor((jacobian + jacobian.swapaxes(0, 1)) / 2, rotation, misfit, spread)


def _spread(covariance: NDArray[Any], inverse: Real) -> Real:
    """Standard deviation of the strain, J_jk = -sum_r inverse_jr (grad phi_r)_k.

    var (J_jk + J_kj) / 2 = sum_r (p_j p_j C_kk + p_k p_k C_jj + 2 p_j p_k C_jk) / 4, p and C of r.
    """
    variance = np.empty(covariance.shape[1:])
    for j, k in np.ndindex(3, 3):
        pj, pk, c = inverse[j], inverse[k], covariance
        variance[j, k] = (
            np.tensordot(pj**2, c[:, k, k], 1)
            + np.tensordot(pk**2, c[:, j, j], 1)
            + 2 * np.tensordot(pj * pk, c[:, j, k], 1)
        ) / 4
    deviation: Real = np.sqrt(np.maximum(variance, 0))
    return deviation


def displacement_vector(displacement: NDArray[Any], q: NDArray[Any]) -> Real:
    r"""The displacement u of the lattice, out of what it is along three scattering vectors or more.

    Args:
        displacement: Real ``(reflections, *grid)``, along each Q, nm: Q.u / \|Q\|.
        q: Real ``(reflections, 3)``, scattering vectors, 1/nm, not in one plane.

    Returns:
        float64 ``(3, *grid)``, x, y, z, nm, by least squares; NaN where one of them is.

    Raises:
        ValueError: The shapes do not agree, or the scattering vectors are fewer than three, 0, or
            nearly in one plane.
    """
    directions, _ = _directions("displacement_vector", np.asarray(q, dtype=np.float64))
    found = np.asarray(displacement, dtype=np.float64)
    if found.shape[:1] != (len(directions),):
        raise ValueError(
            "displacement_vector: displacement must be (reflections, *grid) with as many "
            f"reflections as q, got {found.shape} and {(len(directions), 3)}."
        )
    vector: Real = np.tensordot(np.linalg.pinv(directions), found, 1)
    return vector


def _directions(function: str, vectors: Real) -> tuple[Real, Real]:
    """Unit vectors ``(reflections, 3)`` and lengths."""
    whole = vectors.ndim == 2 and vectors.shape[1] == 3 and len(vectors) >= 3
    lengths = np.linalg.norm(vectors, axis=-1)
    if whole and (lengths > 0).all() and np.isfinite(lengths).all():
        directions = vectors / lengths[:, None]
        if np.linalg.svd(directions)[1][2] >= FLAT:
            return directions, lengths
    raise ValueError(
        f"{function}: q must be three scattering vectors or more, not in one plane, got "
        f"{shown(vectors.tolist())}."
    )
