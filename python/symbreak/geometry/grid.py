"""The grid of a pattern in reciprocal space, and that of its object in real space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symbreak.geometry.circles import Vector
from symbreak.ops.checks import shown

FLAT = 1e-6  # sine of the angle below which steps span no volume


@dataclass(frozen=True, eq=False)
class ReciprocalGrid:
    """Where the pixels of a pattern lie in reciprocal space: at ``center + sum_i n_i steps_i``.

    n counts from the pattern's zero frequency. The steps need not be at right angles: in a rocking
    curve they are not.

    Raises:
        TypeError: An array is not one of real numbers.
        ValueError: A shape is wrong, a number not finite, or the steps span no area or volume.
    """

    steps: NDArray[np.float64]
    """From one pixel to the next along every axis of the pattern, ``(ndim, 3)``, 1/nm."""
    center: Vector
    """Scattering vector Q at the pattern's zero frequency, ``(3,)``, 1/nm, k_out - k_in."""

    def __post_init__(self) -> None:
        for name in ("steps", "center"):
            given = getattr(self, name)
            try:
                array = np.asarray(given, dtype=np.float64)
            except (TypeError, ValueError):
                raise TypeError(
                    f"ReciprocalGrid: {name} must be real numbers, got {shown(given)}."
                ) from None
            object.__setattr__(self, name, array)
        if self.steps.shape not in ((2, 3), (3, 3)) or self.center.shape != (3,):
            raise ValueError(
                "ReciprocalGrid: steps must be (2, 3) or (3, 3) and center (3,), got "
                f"{self.steps.shape} and {self.center.shape}."
            )
        if not (np.isfinite(self.steps).all() and np.isfinite(self.center).all()):
            raise ValueError("ReciprocalGrid: steps and center must be finite.")
        lengths = np.linalg.norm(self.steps, axis=1, keepdims=True)
        if not (lengths > 0).all() or np.linalg.svd(self.steps / lengths)[1][-1] < FLAT:
            raise ValueError(
                "ReciprocalGrid: steps must not lie in one "
                f"{'line' if len(self.steps) == 2 else 'plane'}, got {shown(self.steps.tolist())}."
            )

    @property
    def is_bragg(self) -> bool:
        """Whether the centre is a Bragg peak and not the direct beam.

        So it is if Q is longer than 100 steps of a volume: its direction is then the same all over
        the pattern.
        """
        return len(self.steps) == 3 and bool(
            np.linalg.norm(self.center) > 100 * np.linalg.norm(self.steps, axis=1).max()
        )

    @property
    def lattice_spacing(self) -> float:
        r"""2 pi / \|Q\|, nm: the distance of the lattice planes whose peak is at the centre."""
        return float(2 * np.pi / np.linalg.norm(self.center))

    def voxel(self, shape: Sequence[int]) -> NDArray[np.float64]:
        r"""From one pixel of the object to the next, along every axis.

        The transform's kernel is exp(-2 pi i sum_i n_i k_i / M_i) = exp(-i r.q), so the steps a of
        the object and b of the pattern are dual: M_i a_i . b_j = 2 pi where i = j, else 0. Of a 2D
        pattern a lies in the plane of b: its object is a projection along the normal.

        Args:
            shape: Of the pattern, that is of the object's grid, ``(*grid)``.

        Returns:
            ``(ndim, 3)``, nm.

        Raises:
            ValueError: ``shape`` has not one number > 0 per axis.
        """
        lengths = np.array(shape, dtype=np.float64)
        if lengths.shape != (len(self.steps),) or not (lengths > 0).all():
            raise ValueError(
                f"ReciprocalGrid: shape must be {len(self.steps)} numbers > 0, got {shown(shape)}."
            )
        voxel: NDArray[np.float64] = 2 * np.pi * np.linalg.pinv(self.steps).T / lengths[:, None]
        return voxel

    def positions(
        self, shape: Sequence[int], *, box: tuple[slice, ...] | None = None
    ) -> NDArray[np.float64]:
        """Where the pixels of the object lie, the middle of the grid, ``size // 2``, at 0.

        Args:
            shape: Of the object's grid, ``(*grid)``.
            box: The part of it that is wanted; None: all.

        Returns:
            ``(*grid, 3)``, or ``(*box, 3)``, nm: x, y, z of the laboratory.

        Raises:
            ValueError: ``shape`` has not one number > 0 per axis.
        """
        voxel = self.voxel(shape)
        along = [np.arange(n) - n // 2 for n in shape]
        if box is not None:
            along = [axis[part] for axis, part in zip(along, box, strict=True)]
        place: NDArray[np.float64] = np.stack(np.meshgrid(*along, indexing="ij"), -1) @ voxel
        return place
