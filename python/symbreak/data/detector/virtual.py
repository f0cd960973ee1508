"""Find out whether the data of virtual HDF5 datasets are there: HDF5 reads zeros where not."""

from __future__ import annotations

from pathlib import Path

import h5py

from symbreak.data.files.arrays import ArrayLike, DataError, Source, open_hdf5


def check_sources(array: ArrayLike, source: Source) -> None:
    """Make sure that every part of a virtual dataset leads to data, through links and others.

    Files are looked for where HDF5 does: at the path written, and by their name alone beside the
    file that names them. Names with a pattern (``%b``) are taken on trust.

    Args:
        array: Any array; what is not a virtual dataset passes.
        source: What it is, for the message.

    Raises:
        DataError: A part is missing.
    """
    if not isinstance(array, h5py.Dataset) or not array.is_virtual:
        return
    for file, name in sorted(
        {(part.file_name, part.dset_name) for part in array.virtual_sources()}
    ):
        if "%" in file or "%" in name:
            continue
        if file == ".":
            _check_dataset(array.file, name, source)
            continue
        path = _find(Path(array.file.filename), file)
        if path is None:
            raise DataError(f"{source}: part of it is in {file}, which is not there.")
        with open_hdf5(path) as other:
            _check_dataset(other, name, source)


def _find(beside: Path, name: str) -> Path | None:
    """The file that a virtual dataset in the file ``beside`` means by ``name``."""
    folder = beside.parent
    places = (folder / name, folder / Path(name).name)
    return next((place for place in places if place.is_file()), None)


def _check_dataset(file: h5py.File, name: str, source: Source) -> None:
    try:
        dataset = file[name]
    except (KeyError, OSError, RuntimeError):  # not there, or a link to a file that is not
        target = _target(file, name)
        raise DataError(f"{source}: part of it is in {target}, which is not there.") from None
    check_sources(dataset, source)


def _target(file: h5py.File, name: str) -> str:
    """Where a link that leads nowhere leads."""
    try:
        link = file.get(name, getlink=True)
    except (KeyError, RuntimeError):
        link = None
    return str(getattr(link, "filename", f"{Path(file.filename).name}:{name}"))
