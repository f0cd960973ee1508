"""Open stacks of complex objects: what `break` and `align` work on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from symbreak.data.files.arrays import ArrayLike, DataError, OpenArray, Source, open_array, read


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

    with open_array(source, what="stack of complex objects", wanted=wanted) as opened:
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


def kind_of(array: ArrayLike) -> str:
    """Type in which objects are read: ``c16`` if they are at least that wide, else ``c8``."""
    return "c16" if array.dtype.itemsize >= 16 else "c8"


def read_items(opened: OpenArray, rows: slice, ndim: int) -> NDArray[Any]:
    """Read rows of the first batch axis: complex ``(items, *grid)``, the batch axes made one.

    A single object without a batch axis is one row.
    """
    shape = opened.array.shape
    array = read(opened.array, opened.source, rows if len(shape) > ndim else ())
    return array.astype(kind_of(opened.array), copy=False).reshape(-1, *shape[-ndim:])


def read_objects(source: Source, *, ndim: int = 2) -> tuple[Tensor, OpenArray]:
    """Read all objects at once, ``(*batch, *grid)``; see :func:`open_objects`."""
    with open_objects(source, ndim=ndim) as opened:
        shape = opened.array.shape
        items = read_items(opened, slice(None), ndim)
        return torch.from_numpy(items.reshape(shape)), opened
