"""MATLAB files: what MATLAB calls (rows, columns, frames) is (frames, rows, columns) here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from symbreak.data.files.matlab_5 import arrays_of
from symbreak.data.files.readers import ArrayLike, datasets, parsing

# MATLAB's names of the kinds of arrays that hold numbers; the others are text, tables and objects.
INTEGERS = {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
NUMBERS = {name.encode() for name in ("single", "double", "logical", *INTEGERS)}


def read_matlab(path: Path) -> dict[str, ArrayLike]:
    """The arrays of numbers of a file, those of a structure under ``STRUCTURE/FIELD``.

    Files of MATLAB 7.3 are HDF5, with the axes of an array in reverse; one without MATLAB's marks
    is HDF5 like any other.
    """
    if h5py.is_hdf5(path):
        return _of_hdf5(path)
    with parsing(path, "not a readable MATLAB file"):
        return {name: _frames_first(array) for name, array in arrays_of(path.read_bytes())}


def _frames_first(array: NDArray[Any]) -> NDArray[Any]:
    """MATLAB's order of axes is (rows, columns, fastest of the others, ..., slowest)."""
    if array.ndim < 3:
        return array
    ordered: NDArray[Any] = array.transpose(*reversed(range(2, array.ndim)), 0, 1)
    return ordered


def _of_hdf5(path: Path) -> dict[str, ArrayLike]:
    with parsing(path, "not a whole HDF5 file"), h5py.File(path, "r") as file:
        found = {name.strip("/"): data for name, data in datasets(file, "/")[0].items()}
        kinds = {name: file[name].attrs.get("MATLAB_class") for name in found}
        if not any(kinds.values()):
            return {name: np.asarray(data[()]) for name, data in found.items()}
        return {
            name: _of_matlab(data[()], kinds[name] == b"logical")
            for name, data in found.items()
            if kinds[name] in NUMBERS
            and not name.startswith("#")  # what cells and tables refer to
            and "MATLAB_empty" not in file[name].attrs
        }


def _of_matlab(array: NDArray[Any], logical: bool) -> NDArray[Any]:
    """Rows and columns in order again; the frames in front of them are so already."""
    if array.dtype.names == ("real", "imag"):
        array = array["real"] + 1j * array["imag"]
    if logical:
        array = array.astype(bool)
    ordered: NDArray[Any] = array.swapaxes(-1, -2)
    return ordered
