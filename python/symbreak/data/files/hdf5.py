"""Write an HDF5 file at once: composed in memory, then written as plain bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from symbreak.data.files.atomic import replacing

BLOCK = 2**20  # bytes by which the image grows in memory


@contextmanager
def new_hdf5(path: Path) -> Iterator[h5py.File]:
    """Give an HDF5 file to fill; it appears at ``path``, whole, when the block ends.

    HDF5 itself never meets the disk: where that is full, the library cannot close its file, and
    crashes when the process ends (seen with HDF5 2.0). Memory: twice the file.

    Raises:
        OSError: The file cannot be written.
    """
    with replacing(path) as temporary:
        with h5py.File(
            path.name, "w", driver="core", backing_store=False, block_size=BLOCK
        ) as file:
            yield file
            file.flush()
            image = file.id.get_file_image()
        temporary.write_bytes(image)
