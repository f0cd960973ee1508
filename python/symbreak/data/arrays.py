"""Open one array of an .h5, .cxi, .nxs, .npy, .npz or .tif file, named or found by its kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np
import tifffile
from numpy.typing import NDArray

HDF5 = (".h5", ".hdf5", ".hdf", ".cxi", ".nxs")
NUMPY = (".npy", ".npz")
TIFF = (".tif", ".tiff")
NAMED = (*HDF5, ".npz")  # files that hold several arrays by name
SUFFIXES = (*HDF5, *NUMPY, *TIFF)


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


Wanted = Callable[[str, ArrayLike], bool]


@dataclass(frozen=True)
class Source:
    """A file and, where it holds several arrays, which one: ``FILE`` or ``FILE:DATASET``."""

    path: Path
    dataset: str | None = None

    @classmethod
    def parse(cls, text: str) -> Source:
        """Split ``FILE[:DATASET]``; ``FILE::DATASET``, as silx writes it, is understood too.

        ``:DATASET`` alone has an empty path: the dataset of a file that the context knows.
        """
        if text.startswith(":"):
            return cls(Path(), text.strip(":"))
        match = re.fullmatch(r"(.+\.(?:h5|hdf5|hdf|cxi|nxs|npz))::?(.+)", text, re.IGNORECASE)
        return cls(Path(match[1]), match[2]) if match else cls(Path(text))

    def __str__(self) -> str:
        return str(self.path) if self.dataset is None else f"{self.path}:{self.dataset}"


@dataclass(frozen=True)
class OpenArray:
    """An array that can be read as long as its file is open."""

    array: ArrayLike
    source: Source
    others: dict[str, ArrayLike]
    """The other arrays of the file by name."""
    notes: tuple[str, ...] = ()
    """What the user should know of the choice that was made."""


@contextmanager
def open_array(source: Source, *, what: str, wanted: Wanted) -> Iterator[OpenArray]:
    """Open the array that ``source`` names, or the only one that fits.

    Without a dataset's name the file's own default is taken (NeXus: the attributes ``default`` and
    ``signal``), else the single array for which ``wanted(name, array)`` holds; ``notes`` says which
    one. HDF5 data are read only when indexed. NumPy files are never unpickled.

    Args:
        source: File and dataset.
        what: What is looked for, for the messages: "pattern", "support", ...
        wanted: Whether an array can be one.

    Raises:
        DataError: Not a known kind of file, damaged, no such dataset, none fits, or several do.
        OSError: The file is missing or cannot be read.
    """
    suffix = source.path.suffix.lower()
    if suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise DataError(f"{source.path}: unknown kind of file {suffix!r}, expected {known}.")
    if suffix in HDF5:
        with open_hdf5(source.path) as file:
            with _parsing(source.path, "not a whole HDF5 file"):
                default = _default(file)
                arrays = _datasets(file, default)
            yield _choose(source, arrays, what, wanted, default)
    else:
        with open(source.path, "rb"):  # the system's own message
            pass
        arrays = _read_numpy(source.path) if suffix in NUMPY else _read_tiff(source.path)
        yield _choose(source, arrays, what, wanted)


def read(array: ArrayLike, source: Source, key: Any = ()) -> NDArray[Any]:
    """Read a part of an open array.

    Raises:
        DataError: The file is damaged there, or the part is larger than the memory.
    """
    with _parsing(source.path, "cannot be read"):
        return np.asarray(array[key])


@contextmanager
def _parsing(path: Path, wrong: str) -> Iterator[None]:
    """Whatever a library raises over a damaged file is a DataError.

    Parsers of binary formats meet broken numbers where they are used, so the kinds of their
    exceptions are without end: struct.error, ZeroDivisionError, MemoryError, ...
    """
    try:
        yield
    except Exception as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{path}: {wrong} ({said[:300]}).") from error


def open_hdf5(path: Path) -> h5py.File:
    """Open an HDF5 file to read.

    Raises:
        DataError: It is none, or damaged.
        OSError: It is missing or cannot be read.
    """
    with open(path, "rb"):  # the system's own message
        pass
    with _parsing(path, "not a whole HDF5 file"):
        return h5py.File(path, "r")


def _datasets(file: h5py.File, default: str | None) -> dict[str, ArrayLike]:
    """Every dataset by its path; through links, each one once, broken links left out.

    Of several paths to one dataset the default counts, else the first.
    """
    found: dict[str, ArrayLike] = {}
    seen = set()

    def visit(path: str) -> None:
        try:
            item = file[path]
        except (KeyError, OSError, RuntimeError):  # a link to nowhere, a missing file, or itself
            return
        info = h5py.h5o.get_info(item.id)
        if (info.fileno, info.addr) in seen:
            return
        seen.add((info.fileno, info.addr))
        if isinstance(item, h5py.Dataset):
            if item.shape is not None:  # else HDF5's null dataset: a type without a single value
                found[path] = item
        elif isinstance(item, h5py.Group):
            for name in item:
                visit(f"{path.rstrip('/')}/{name}")

    if default is not None:
        visit(default)
    visit("/")
    return found


def _default(file: h5py.File) -> str | None:
    """The dataset to which NeXus' ``default`` and ``signal`` attributes lead, if they do."""
    group: Any = file
    while isinstance(group, h5py.Group):
        name = group.attrs.get("signal", group.attrs.get("default"))
        if not isinstance(name, str) or name not in group:
            return None
        group = group[name]
    return str(group.name)


def _read_numpy(path: Path) -> dict[str, ArrayLike]:
    with _parsing(path, "not a NumPy file of plain numbers"):
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {path.stem: loaded}
        with loaded:
            return {name: loaded[name] for name in loaded.files}


def _read_tiff(path: Path) -> dict[str, ArrayLike]:
    with _parsing(path, "not a readable TIFF file"):
        return {path.stem: tifffile.imread(path)}


def _choose(
    source: Source,
    arrays: dict[str, ArrayLike],
    what: str,
    wanted: Wanted,
    default: str | None = None,
) -> OpenArray:
    names = [name for name, array in arrays.items() if wanted(name, array)]
    notes: tuple[str, ...] = ()
    if source.dataset is not None:
        name = next((n for n in arrays if n.strip("/") == source.dataset.strip("/")), None)
        if name is None:
            raise DataError(
                f"{source.path}: there is no dataset {source.dataset!r}; it holds "
                f"{describe(arrays)}."
            )
    elif default in names:
        name = default
        notes = (f"{source.path}: taking {name}, the file's default.",)
    elif len(names) == 1:
        name = names[0]
        if len(arrays) > 1:
            notes = (f"{source.path}: taking {name}, the only dataset that can be a {what}.",)
    elif names:
        candidates = describe({n: arrays[n] for n in names})
        raise DataError(
            f"{source.path}: several datasets can be the {what}, choose one as "
            f"{source.path}:NAME from {candidates}."
        )
    else:
        raise DataError(f"{source.path}: no dataset can be a {what}; it holds {describe(arrays)}.")
    others = {n: array for n, array in arrays.items() if n != name}
    chosen = Source(source.path, name if source.path.suffix.lower() in NAMED else None)
    return OpenArray(arrays[name], chosen, others, notes)


def describe(arrays: dict[str, ArrayLike], most: int = 12) -> str:
    """List arrays in one line: ``/entry/data (512, 512) uint32, ...``."""
    parts = [f"{name} {array.shape} {array.dtype}" for name, array in arrays.items()]
    more = [f"and {len(parts) - most} more"] if len(parts) > most else []
    return ", ".join(parts[:most] + more) or "no dataset"
