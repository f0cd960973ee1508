"""One Bragg reflection of a crystal, in the frame of the sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.geometry.boxes import box_around
from symbreak.geometry.bragg import Object, check_bragg, displacement, phase_gradient
from symbreak.geometry.circles import Circle, Vector, rotation
from symbreak.geometry.extent import LEVEL, check_complex, check_level, crystal_mask
from symbreak.geometry.grid import ReciprocalGrid
from symbreak.geometry.spread import covariance_over

Real = NDArray[np.float64]
KNOWN = 0.5  # share of an interpolated value that must come from where it is known


class Reflection:
    """One reconstruction of the crystal, its mean phase gradient taken out.

    That is the place of its own peak in the pattern, which says how the detector was centred as
    much as how the crystal is stretched on the whole; what remains is relative to its mean lattice.

    Args:
        object: complex ``(*grid)``, 3D, in the middle of its grid.
        support: bool ``(*grid)``, where it is taken.
        grid: The pattern's in the laboratory, with ``is_bragg``.
        sample: Circles that carried the sample, at their angles in the middle of the scan: what
            was along x while all are at 0 is along x in the frame of the sample.
        level: As of `crystal_mask`.
        starts: complex ``(starts, *grid)``, those that ``object`` is the mean of, aligned to it,
            twins flipped; None where they are not kept.

    Raises:
        TypeError: ``object`` or ``starts`` are not a complex array, ``support`` not a boolean one,
            or ``level`` not a number.
        ValueError: They are not 3D and of one shape, ``grid`` is not that of a Bragg peak, the
            object is 0 all over its support, or ``level`` is not in [0, 1).
        ImportError: scikit-image is not installed.
    """

    def __init__(
        self,
        object: Object,
        support: NDArray[np.bool_],
        grid: ReciprocalGrid,
        sample: Sequence[Circle] = (),
        level: float = LEVEL,
        starts: Object | None = None,
    ) -> None:
        inside = check_bragg("Reflection", object, support, grid)
        if not inside.any():
            raise ValueError("Reflection: object must not be 0 all over its support.")
        check_level("Reflection", level)
        inside = crystal_mask(object, support, level)
        _check_starts(starts, object)
        back = rotation(sample)  # a row times it: from the laboratory to the sample
        here = ReciprocalGrid(grid.steps @ back, grid.center @ back)
        self.q: Vector = here.center
        """Scattering vector, ``(3,)``, 1/nm, in the frame of the sample."""
        self.voxel = here.voxel(object.shape)
        """From one voxel to the next along every axis, ``(3, 3)``, nm, in that frame."""
        x = _without_ramp(np.where(inside, object, 0))
        self._magnitude = np.abs(x) / np.sqrt(np.mean(np.abs(x[inside]) ** 2))
        self._gradient = phase_gradient(x, inside, here)
        # Of the starts only the box around the crystal: its grid is several times larger.
        self._box = box_around(inside, voxels=1)
        self._starts = [start[self._box] for start in ([] if starts is None else starts)]
        self._inside, self._grid, self._shape = inside[self._box], here, object.shape
        self._moved = displacement(x, inside, here)
        power = self._magnitude**2
        self._middle = np.array([(n * power).sum() for n in np.indices(x.shape)]) / power.sum()
        corners = (np.argwhere(inside) - self._middle) @ self.voxel
        self.reach = float(np.linalg.norm(corners, axis=1).max())
        """From the middle of the crystal to its farthest voxel, nm."""

    def magnitude(self, place: Real, twin: bool = False) -> Real:
        """The magnitude, mean square 1 over the crystal.

        Args:
            place: x, y, z in the frame of the sample, ``(3, *points)``, nm from the middle of the
                crystal, that of its squared magnitude.
            twin: Whether of the twin, which has everything at the opposite place.

        Returns:
            float64 ``(*points)``, 0 outside the crystal; interpolated linearly.

        Raises:
            ImportError: SciPy is not installed.
        """
        return _interpolated(self._magnitude, self._index(place, twin))

    def gradient(self, place: Real, twin: bool = False) -> Real:
        """The gradient of the phase.

        The twin's phase is the negative one at the opposite place, so its gradient is the same one.

        Args:
            place: x, y, z in the frame of the sample, ``(3, *points)``, nm from the middle of the
                crystal, that of its squared magnitude.
            twin: Whether of the twin, which has everything at the opposite place.

        Returns:
            float64 ``(3, *points)``, radians/nm, interpolated linearly among the voxels where it is
            known; NaN where they are less than half.

        Raises:
            ImportError: SciPy is not installed.
        """
        index = self._index(place, twin)
        return np.stack([_where_known(part, index) for part in self._gradient])

    @property
    def has_starts(self) -> bool:
        """Whether there are two starts or more, so that `covariance` is known."""
        return len(self._starts) > 1

    def covariance(self, place: Real, twin: bool = False) -> Real:
        """How far the starts disagree about the gradient: its covariance over them.

        Args:
            place: x, y, z in the frame of the sample, ``(3, *points)``, nm from the middle of the
                crystal, that of its squared magnitude.
            twin: Whether of the twin, which has everything at the opposite place.

        Returns:
            float64 ``(3, 3, *points)``, (radians/nm)^2, with K - 1 of K starts in the denominator;
            NaN where fewer than two are known.

        Raises:
            ImportError: SciPy is not installed.
        """
        corner = np.array([part.start for part in self._box])
        index = self._index(place, twin) - corner.reshape(3, *(1,) * (place.ndim - 1))
        return covariance_over((self._gradient_of(x, index) for x in self._starts), place.shape)

    def _gradient_of(self, start: Object, index: Real) -> Real:
        """The gradient of one start's phase, its mean one taken out, at indices of the box."""
        x = _without_ramp(np.where(self._inside, start, 0))
        steps = phase_gradient(x, self._inside & (x != 0), self._grid, shape=self._shape)
        return np.stack([_where_known(part, index) for part in steps])

    def displacement(self, place: Real, twin: bool = False) -> Real:
        """The displacement of the lattice along Q, see `symbreak.geometry.displacement`.

        Args:
            place: x, y, z in the frame of the sample, ``(3, *points)``, nm from the middle of the
                crystal, that of its squared magnitude.
            twin: Whether of the twin, which has everything at the opposite place.

        Returns:
            float64 ``(*points)``, nm, NaN as of `gradient`.

        Raises:
            ImportError: SciPy is not installed.
        """
        return (-1 if twin else 1) * _where_known(self._moved, self._index(place, twin))

    def _index(self, place: Real, twin: bool) -> Real:
        turn = np.linalg.inv(self.voxel).T * (-1 if twin else 1)
        index: Real = np.tensordot(turn, place, 1)
        index += self._middle.reshape(3, *(1,) * (place.ndim - 1))
        return index


def _check_starts(starts: Object | None, x: Object) -> None:
    if starts is None:
        return
    check_complex("Reflection", "starts", starts)
    if starts.shape[1:] != x.shape:
        raise ValueError(
            f"Reflection: starts must be (starts, *grid) of the object's grid {x.shape}, got shape "
            f"{starts.shape}."
        )


def _without_ramp(x: Object) -> NDArray[np.complexfloating[Any, Any]]:
    """The object without the mean step of its phase along each axis."""
    for axis in range(x.ndim):
        one = np.moveaxis(x, axis, 0)
        step = np.angle(np.vdot(one[:-1], one[1:]))
        turn = np.exp(-1j * step * np.arange(len(one)))
        x = np.moveaxis(one * turn.reshape(-1, *(1,) * (x.ndim - 1)), 0, axis)
    return x


def _interpolated(field: Real, index: Real) -> Real:
    from scipy.ndimage import map_coordinates

    found: Real = map_coordinates(field, index, order=1)
    return found


def _where_known(field: Real, index: Real) -> Real:
    """Interpolation among the voxels where the field is a number; NaN where they are too few."""
    known = np.isfinite(field)
    share = _interpolated(known.astype(np.float64), index)
    total = _interpolated(np.where(known, field, 0.0), index)
    return np.where(share >= KNOWN, total / np.maximum(share, KNOWN), np.nan)
