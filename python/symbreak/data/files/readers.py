"""Read the kinds of files: HDF5's datasets by name, and NumPy, TIFF, EDF, CBF at once."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np
import tifffile

NUMPY = b"\x93NUMPY"  # how a file of one array begins


class DataError(ValueError):
    """A file that does not hold what is asked of it; the message is one line for the user."""


class ArrayLike(Protocol):
    """What is common to a NumPy array and an HDF5 dataset that has not been read yet."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of every axis."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""

    def __getitem__(self, key: Any) -> Any:
        """Read a part."""


@contextmanager
def detectors(path: Path, what: str) -> Iterator[None]:
    """Say how to get the libraries for detectors' formats where they are not installed."""
    try:
        yield
    except ImportError as error:
        raise DataError(
            f"{path}: {what} needs {error.name}: pip install 'symbreak[detectors]'."
        ) from error


@contextmanager
def parsing(path: Path, wrong: str) -> Iterator[None]:
    """Whatever a library raises over a damaged file is a DataError.

    Parsers of binary formats meet broken numbers where they are used, so the kinds of their
    exceptions are without end: struct.error, ZeroDivisionError, MemoryError, ...
    """
    try:
        yield
    except Exception as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path}: {wrong} ({said[:300]}).") from error


def datasets(file: h5py.File, first: str) -> tuple[dict[str, ArrayLike], dict[str, str]]:
    """Every dataset by its path, through links, each one once; and the links that lead nowhere.

    Of several paths to one dataset the one at or below ``first`` counts, else the first.
    """
    found: dict[str, ArrayLike] = {}
    broken: dict[str, str] = {}
    seen = set()

    def visit(path: str) -> None:
        try:
            item = file[path]
        except (KeyError, OSError, RuntimeError, ValueError):  # to nowhere, a missing file, itself
            with suppress(KeyError, ValueError):
                link = file.get(path, getlink=True)
                if link is not None:  # else there is nothing of that name
                    broken[path] = str(getattr(link, "filename", getattr(link, "path", path)))
            return
        info = h5py.h5o.get_info(item.id)
        if (info.fileno, info.addr) in seen:
            return
        seen.add((info.fileno, info.addr))
        if isinstance(item, h5py.Dataset):
            if item.shape is not None:  # an empty one stands for "not set"
                found[path] = item
        elif isinstance(item, h5py.Group):
            for name in item:
                visit(f"{path.rstrip('/')}/{name}")

    visit(first)
    visit("/")
    return found, broken


def find_default(file: h5py.File, within: str) -> str | None:
    """The dataset to which NeXus' ``default`` and ``signal`` attributes lead, if they do.

    The path is that through the links: the target of an external one has another name of its own.
    """
    path = within
    group: Any = file
    if within != "/":
        try:
            group = file[within]
        except (KeyError, OSError, RuntimeError, ValueError):  # nothing is there, or a broken link
            return None
    while isinstance(group, h5py.Group):
        name = group.attrs.get("signal", group.attrs.get("default"))
        name = name.decode() if isinstance(name, bytes) else name  # as NeXus' C library writes it
        if not isinstance(name, str) or name not in group:
            return None
        path, group = f"{path.rstrip('/')}/{name}", group[name]
    return None if path == within else path


def read_numpy(path: Path) -> dict[str, ArrayLike]:
    with parsing(path, "not a NumPy file of plain numbers"):
        with path.open("rb") as file:
            if file.read(len(NUMPY)) != NUMPY and not zipfile.is_zipfile(path):
                raise ValueError("it does not begin as one")  # np.load would advise to unpickle
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {path.stem: loaded}
        with loaded:
            return {name: loaded[name] for name in loaded.files}


def read_tiff(path: Path) -> dict[str, ArrayLike]:
    with parsing(path, "not a readable TIFF file"):
        return {path.stem: tifffile.imread(path)}


def read_fabio(path: Path) -> dict[str, ArrayLike]:
    """EDF (ESRF) and CBF (Pilatus), by the class of the suffix: no other parser is tried."""
    with detectors(path, f"a {path.suffix} file"):
        from fabio.cbfimage import CbfImage
        from fabio.edfimage import EdfImage
    with parsing(path, f"not a readable {path.suffix[1:].upper()} file"):
        image = (EdfImage if path.suffix.lower() == ".edf" else CbfImage)().read(str(path))
        frames = [image.get_frame(k).data for k in range(image.nframes)]
        return {path.stem: np.stack(frames) if len(frames) > 1 else frames[0]}
