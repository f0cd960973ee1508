"""Open one array of an .h5, .cxi, .nxs, .npy, .npz or .tif file, named or found by its kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
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
Prefer = Callable[[Mapping[str, ArrayLike]], list[str]]


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
    broken: dict[str, str] = field(default_factory=dict)
    """Links of the file that lead nowhere: to which file or dataset, by their name."""


@contextmanager
def open_array(
    source: Source, *, what: str, wanted: Wanted, prefer: Prefer | None = None
) -> Iterator[OpenArray]:
    """Open the array that ``source`` names, or the only one that fits.

    Without a dataset's name the file's own default is taken (NeXus: the attributes ``default`` and
    ``signal``), else the single array for which ``wanted(name, array)`` holds; ``notes`` says which
    one. Where ``source`` names a group, only what lies in it counts. HDF5 data are read only when
    indexed. NumPy files are never unpickled.

    Args:
        source: File and dataset, or group.
        what: What is looked for, for the messages: "pattern", "support", ...
        wanted: Whether an array can be one.
        prefer: Of several that can be, those that are meant.

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
                within = "/" + (source.dataset or "").strip("/")
                default = _default(file, within)
                arrays, broken = _datasets(file, default or within)
            yield _choose(source, arrays, what, wanted, prefer, default, broken)
    else:
        with open(source.path, "rb"):  # the system's own message
            pass
        arrays = _read_numpy(source.path) if suffix in NUMPY else _read_tiff(source.path)
        yield _choose(source, arrays, what, wanted, prefer)


def read(array: ArrayLike, source: Source, key: Any = ()) -> NDArray[Any]:
    """Read a part of an open array.

    Raises:
        DataError: The file is damaged there, or the part is larger than the memory.
    """
    try:
        with _parsing(source.path, "cannot be read"):
            return np.asarray(array[key])
    except DataError as error:
        if "filter" in str(error):
            raise DataError(
                f"{source}: compressed by a filter that HDF5 does not bring itself; "
                "pip install 'symbreak[detectors]' brings those of detectors."
            ) from error
        raise


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
    with suppress(ImportError):  # its import registers the compressions of detectors
        import hdf5plugin  # noqa: F401
    with _parsing(path, "not a whole HDF5 file"):
        return h5py.File(path, "r")


def _datasets(file: h5py.File, first: str) -> tuple[dict[str, ArrayLike], dict[str, str]]:
    """Every dataset by its path, through links, each one once; and the links that lead nowhere.

    Of several paths to one dataset the one at or below ``first`` counts, else the first.
    """
    found: dict[str, ArrayLike] = {}
    broken: dict[str, str] = {}
    seen = set()

    def visit(path: str) -> None:
        try:
            item = file[path]
        except (KeyError, OSError, ValueError):  # to nowhere, or to a file that is not here
            with suppress(KeyError, ValueError):
                link = file.get(path, getlink=True)
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


def _default(file: h5py.File, within: str) -> str | None:
    """The dataset to which NeXus' ``default`` and ``signal`` attributes lead, if they do.

    The path is that through the links: the target of an external one has another name of its own.
    """
    path = within
    group: Any = file if within == "/" else file.get(within)
    while isinstance(group, h5py.Group):
        name = group.attrs.get("signal", group.attrs.get("default"))
        name = name.decode() if isinstance(name, bytes) else name  # as NeXus' C library writes it
        if not isinstance(name, str) or name not in group:
            return None
        path, group = f"{path.rstrip('/')}/{name}", group[name]
    return None if path == within else path


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
    prefer: Prefer | None,
    default: str | None = None,
    broken: dict[str, str] | None = None,
) -> OpenArray:
    broken = broken or {}
    named = None if source.dataset is None else source.dataset.strip("/")
    name = next((n for n in arrays if n.strip("/") == named), None)
    here = arrays
    if named and name is None:  # perhaps a group
        here = {n: array for n, array in arrays.items() if n.strip("/").startswith(f"{named}/")}
        if not here:
            raise DataError(
                f"{source.path}: there is no dataset {source.dataset!r}; it holds "
                f"{describe(arrays)}{_nowhere(broken)}."
            )
    notes: tuple[str, ...] = ()
    if name is None:
        names = [n for n, array in here.items() if wanted(n, array)]
        if default in names:
            name, why = default, "the file's default"
        else:
            why = f"the only dataset that can be a {what}"
            if len(names) > 1 and prefer is not None:
                names, why = prefer({n: here[n] for n in names}), "as the file's layout says"
            name = _only(source, names, here, what, broken)
        if len(arrays) > 1:
            notes = (f"{source.path}: taking {name}, {why}.",)
    others = {n: array for n, array in arrays.items() if n != name}
    chosen = Source(source.path, name if source.path.suffix.lower() in NAMED else None)
    return OpenArray(arrays[name], chosen, others, notes, broken)


def _only(
    source: Source,
    names: list[str],
    arrays: dict[str, ArrayLike],
    what: str,
    broken: dict[str, str],
) -> str:
    """The one name of the list; none or several are an error."""
    if not names:
        raise DataError(
            f"{source.path}: no dataset can be a {what}; it holds {describe(arrays)}"
            f"{_nowhere(broken)}."
        )
    if len(names) > 1:
        candidates = describe({n: arrays[n] for n in names})
        raise DataError(
            f"{source.path}: several datasets can be the {what}, choose one as "
            f"{source.path}:NAME from {candidates}."
        )
    return names[0]


def _nowhere(broken: dict[str, str]) -> str:
    """Name links that lead nowhere, as far as they fit a line."""
    if not broken:
        return ""
    shown = [f"{name} -> {target}" for name, target in list(broken.items())[:3]]
    more = [f"{len(broken) - 3} more"] if len(broken) > 3 else []
    return f" (links that lead nowhere: {', '.join(shown + more)})"


def describe(arrays: dict[str, ArrayLike], most: int = 12) -> str:
    """List arrays in one line: ``/entry/data (512, 512) uint32, ...``."""
    parts = [f"{name} {array.shape} {array.dtype}" for name, array in arrays.items()]
    more = [f"and {len(parts) - most} more"] if len(parts) > most else []
    return ", ".join(parts[:most] + more) or "no dataset"
