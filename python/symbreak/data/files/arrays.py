"""Open one array of an HDF5, NumPy, MATLAB, TIFF, EDF or CBF file, named or found by its kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from symbreak.data.files.matlab import read_matlab
from symbreak.data.files.readers import ArrayLike as ArrayLike
from symbreak.data.files.readers import DataError as DataError
from symbreak.data.files.readers import (
    datasets,
    detectors,
    find_default,
    parsing,
    read_fabio,
    read_numpy,
    read_tiff,
)
from symbreak.ops.checks import shown

HDF5 = (".h5", ".hdf5", ".hdf", ".cxi", ".nxs")
NUMPY = (".npy", ".npz")
MATLAB = (".mat",)
TIFF = (".tif", ".tiff")
FABIO = (".edf", ".cbf")
ALONE = (*TIFF, *FABIO, ".npy")  # files whose arrays have no names
MOST = 12  # arrays that a message lists
SUFFIXES = (*HDF5, *NUMPY, *MATLAB, *TIFF, *FABIO)
READERS: dict[str, Callable[[Path], dict[str, ArrayLike]]] = {
    **dict.fromkeys(NUMPY, read_numpy),
    **dict.fromkeys(MATLAB, read_matlab),
    **dict.fromkeys(TIFF, read_tiff),
    **dict.fromkeys(FABIO, read_fabio),
}


Wanted = Callable[[str, ArrayLike], bool]
Prefer = Callable[[Mapping[str, ArrayLike]], list[str]]


@dataclass(frozen=True)
class Source:
    """A file and, where it holds several arrays, which one: ``FILE`` or ``FILE:DATASET``."""

    path: Path
    dataset: str | None = None

    @classmethod
    def of(cls, given: Source | Path | str) -> Source:
        """What was given, a text as `parse` reads it.

        Raises:
            TypeError: It is none of these.
        """
        if isinstance(given, str):
            return cls.parse(given)
        if isinstance(given, Path):
            return cls(given)
        if not isinstance(given, Source):
            raise TypeError(f"a file must be a Source, a path or a text, got {shown(given)}.")
        return given

    @classmethod
    def parse(cls, text: str) -> Source:
        """Split ``FILE[:DATASET]``; ``FILE::DATASET``, as silx writes it, is understood too.

        ``:DATASET`` alone has an empty path: the dataset of a file that the context knows.
        """
        if text.startswith(":"):
            return cls(Path(), text.strip(":"))
        known, other = r".+\.(?:h5|hdf5|hdf|cxi|nxs|npz|mat)", r".+\.\w+"
        match = re.fullmatch(rf"({known})::?(.+)", text, re.IGNORECASE)
        match = match or re.fullmatch(rf"({other})::?(/.*)", text)
        return cls(Path(match[1]), match[2]) if match else cls(Path(text))

    def within(self, other: Source) -> Source:
        """The same; of an empty path a dataset of the other's file."""
        return self if self.path.name else Source(other.path, self.dataset)

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
    source: Source,
    *,
    what: str,
    wanted: Wanted,
    prefer: Prefer | None = None,
    never: Sequence[str] = (),
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
        never: Words; an array that has one in its name is not meant. A name says nothing where the
            file holds no other array, as that of a NumPy or TIFF file, which is the file's own.

    Raises:
        DataError: Not a known kind of file, damaged, no such dataset, none fits, or several do.
        OSError: The file is missing or cannot be read.
    """
    suffix = source.path.suffix.lower()
    if suffix not in SUFFIXES and source.path.is_file() and h5py.is_hdf5(source.path):
        suffix = HDF5[0]  # .nx5, .nexus, .emd and whatever else HDF5 files are called
    if suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise DataError(f"{source.path}: unknown kind of file {suffix!r}, expected {known}.")
    if suffix in HDF5:
        with open_hdf5(source.path) as file:
            with parsing(source.path, "not a whole HDF5 file"):
                within = "/" + (source.dataset or "").strip("/")
                default = find_default(file, within)
                arrays, broken = datasets(file, default or within)
            yield _choose(source, arrays, what, wanted, prefer, never, default, broken)
    else:
        with open(source.path, "rb"):  # the system's own message
            pass
        yield _choose(source, READERS[suffix](source.path), what, wanted, prefer, never)


def read(array: ArrayLike, source: Source, key: Any = ()) -> NDArray[Any]:
    """Read a part of an open array.

    Raises:
        DataError: The file is damaged there, or the part is larger than the memory.
    """
    try:
        with parsing(source.path, "cannot be read"):
            return np.asarray(array[key])
    except DataError as error:
        if not re.search("filter|plugin", str(error)):  # HDF5's two ways to miss a compression
            raise
        with detectors(source.path, f"the compression of {source}"):
            import hdf5plugin  # noqa: F401  # its import registers the compressions
    with parsing(source.path, "cannot be read"):
        return np.asarray(array[key])


def without_ones(array: ArrayLike, source: Source) -> ArrayLike:
    """The array without axes of length 1 in front of the last two; read if there are any."""
    kept = tuple(size for size in array.shape[:-2] if size != 1) + array.shape[-2:]
    return array if kept == array.shape else read(array, source).reshape(kept)


def open_hdf5(path: Path) -> h5py.File:
    """Open an HDF5 file to read.

    Raises:
        DataError: It is none, or damaged.
        OSError: It is missing or cannot be read.
    """
    with open(path, "rb"):  # the system's own message
        pass
    with parsing(path, "not a whole HDF5 file"):
        return h5py.File(path, "r")


def _choose(
    source: Source,
    arrays: dict[str, ArrayLike],
    what: str,
    wanted: Wanted,
    prefer: Prefer | None,
    never: Sequence[str],
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
        several = len(arrays) + len(broken) > 1
        unlike = [n for n in names if several and any(word in _last(n) for word in never)]
        names = [n for n in names if n not in unlike]
        if default in names:
            name, why = default, "the file's default"
        else:
            why = f"the only dataset that can be a {what}"
            if len(names) > 1 and prefer is not None:
                names, why = prefer({n: here[n] for n in names}), "as the file's layout says"
            name = _only(source, names, here, what, broken, unlike)
        if len(arrays) > 1:
            notes = (f"{source.path}: taking {name}, {why}.",)
    others = {n: array for n, array in arrays.items() if n != name}
    chosen = Source(source.path, None if source.path.suffix.lower() in ALONE else name)
    return OpenArray(arrays[name], chosen, others, notes, broken)


def _only(
    source: Source,
    names: list[str],
    arrays: dict[str, ArrayLike],
    what: str,
    broken: dict[str, str],
    unlike: list[str],
) -> str:
    """The one name of the list; none or several are an error."""
    if not names:
        held = describe(arrays)
        if unlike:
            held += f". If it is {unlike[0]}, in spite of its name, say {source.path}:{unlike[0]}"
        if len(arrays) > MOST and all(len(array.shape) < 2 for array in arrays.values()):
            held = f"{len(arrays)} datasets, none of two axes"
        raise DataError(
            f"{source.path}: no dataset can be a {what}{_nowhere(broken)}; it holds {held}."
        )
    if len(names) > 1:
        candidates = describe({n: arrays[n] for n in names})
        raise DataError(
            f"{source.path}: several datasets can be the {what}, choose one as "
            f"{source.path}:NAME from {candidates}{_nowhere(broken)}."
        )
    return names[0]


def _last(name: str) -> str:
    """The last part of a dataset's name, in lower case."""
    return name.rsplit("/", 1)[-1].lower()


def _nowhere(broken: dict[str, str]) -> str:
    """Name links that lead nowhere, as far as they fit a line."""
    if not broken:
        return ""
    shown = [f"{name} -> {target}" for name, target in list(broken.items())[:3]]
    more = [f"{len(broken) - 3} more"] if len(broken) > 3 else []
    return f" (links that lead nowhere: {', '.join(shown + more)})"


def describe(arrays: dict[str, ArrayLike], most: int = MOST) -> str:
    """List arrays in one line, those of most axes first: ``/entry/data (512, 512) uint32, ...``."""
    ordered = sorted(arrays.items(), key=lambda item: -len(item[1].shape))
    parts = [f"{name} {array.shape} {array.dtype}" for name, array in ordered]
    more = [f"and {len(parts) - most} more"] if len(parts) > most else []
    return ", ".join(parts[:most] + more) or "no dataset"
