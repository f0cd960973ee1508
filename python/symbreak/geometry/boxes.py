"""The part of a grid that holds something."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray


def box_around(
    mask: NDArray[np.bool_], *, voxels: int = 0, share: float = 0.0
) -> tuple[slice, ...]:
    """The box of what is True, on every side wider, as far as the grid goes.

    Args:
        mask: bool ``(*grid)``.
        voxels: By so many.
        share: And by this part of its length along the axis.

    Returns:
        A slice along every axis; all of the grid if nothing is True.
    """
    if not mask.any():
        return tuple(slice(0, n) for n in mask.shape)
    box = []
    for axis, size in enumerate(mask.shape):
        others: Any = tuple(other for other in range(mask.ndim) if other != axis)
        found = np.flatnonzero(mask.any(others))
        first, last = int(found[0]), int(found[-1])
        more = voxels + ceil(share * (last - first + 1))
        box.append(slice(max(first - more, 0), min(last + more + 1, size)))
    return tuple(box)
