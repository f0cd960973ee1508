"""Objects that phasing begins from: an earlier result, or what a network estimates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import h5py
import numpy as np
from numpy.typing import NDArray

from symbreak.data.files.arrays import DataError, OpenArray, Source, open_hdf5
from symbreak.data.files.objects import open_objects, read_items

# In a result of `symbreak reconstruct`, see symbreak.data.files.cxi: best start, mean, all starts.
IMAGES = tuple(f"/entry_1/image_{k}/data" for k in (1, 2, 3))


@contextmanager
def open_first_objects(source: Source, grid: Sequence[int]) -> Iterator[OpenArray]:
    """Open complex objects ``(*items, *N)`` to begin from, N <= grid along each axis.

    Args:
        source: The file and, optionally, the dataset; of a result of `symbreak reconstruct` all
            starts are taken by default.
        grid: Pixels of the pattern along each axis.

    Raises:
        DataError: The file does not hold one such array, or they do not fit the grid.
        OSError: The file cannot be read.
    """
    ndim = len(grid)
    with open_objects(_of_all_starts(source), ndim=ndim) as opened:
        size = opened.array.shape[-ndim:]
        whole = opened.source.dataset in IMAGES  # its pixels are those of its own pattern
        if any(n > m for n, m in zip(size, grid, strict=True)) or (whole and size != tuple(grid)):
            raise DataError(
                f"{opened.source}: its objects are on a grid of {size}, the pattern has "
                f"{tuple(grid)}; another grid has other pixels of the object. Prepare both "
                "patterns with the same --size and --bin."
            )
        yield opened


def read_first_objects(
    opened: OpenArray, rows: slice, grid: Sequence[int]
) -> NDArray[np.complex64]:
    """Read some of them: complex64 ``(items, *grid)``, zeros after their own pixels.

    Raises:
        DataError: The file is damaged, or an object is not finite.
    """
    objects = read_items(opened, rows, len(grid))
    if not np.isfinite(objects).all():
        item = (rows.start or 0) + int(np.argwhere(~np.isfinite(objects))[0, 0])
        raise DataError(f"{opened.source}: objects must be finite, object {item} is not.")
    after = [(0, m - n) for n, m in zip(objects.shape[1:], grid, strict=True)]
    return np.pad(objects, [(0, 0), *after]).astype(np.complex64)


def _of_all_starts(source: Source) -> Source:
    """A result of `symbreak reconstruct` stands for its starts."""
    if source.dataset is not None or not source.path.is_file() or not h5py.is_hdf5(source.path):
        return source
    with open_hdf5(source.path) as file:
        return Source(source.path, IMAGES[-1]) if IMAGES[-1] in file else source
