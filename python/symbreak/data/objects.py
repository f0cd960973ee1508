"""Open stacks of complex objects: what `break` and `align` work on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from symbreak.data.arrays import ArrayLike, DataError, OpenArray, Source, open_array, read


@contextmanager
def open_objects(source: Source, *, ndim: int = 2) -> Iterator[OpenArray]:
    """Open complex objects ``(*batch, *grid)`` without reading them.

    Args:
        source: The file and, optionally, the dataset; a single complex one is found by itself.
        ndim: How many trailing axes are the grid, 2 or 3.

    Raises:
        DataError: The file does not hold one such array.
        OSError: The file cannot be read.
    """

    def wanted(name: str, array: ArrayLike) -> bool:
        return array.dtype.kind == "c" and len(array.shape) >= ndim

    with open_array(source, what="stack of objects", wanted=wanted) as opened:
        array = opened.array
        if array.dtype.kind != "c":
            raise DataError(f"{opened.source}: objects must be complex, got {array.dtype}.")
        if len(array.shape) < ndim:
            raise DataError(
                f"{opened.source}: objects need at least {ndim} axes, got shape {array.shape}."
            )
        if 0 in array.shape:
            raise DataError(f"{opened.source}: it is empty, shape {array.shape}.")
        yield opened


def read_tensor(opened: OpenArray, key: Any = ()) -> Tensor:
    """Read a part as a tensor: complex128 if it is at least that wide, else complex64."""
    array = read(opened.array, opened.source, key)
    wide = array.dtype.itemsize >= 16
    return torch.from_numpy(array.astype(np.complex128 if wide else np.complex64))


def read_objects(source: Source, *, ndim: int = 2) -> tuple[Tensor, OpenArray]:
    """Read all objects at once; see :func:`open_objects`."""
    with open_objects(source, ndim=ndim) as opened:
        return read_tensor(opened), opened
