"""Write and read reconstructions as CXI (CXI file format 1.6, cxidb.org): HDF5 with fixed paths.

    /cxi_version                        160
    /entry_1/program_name, title
    /entry_1/data_1/data                link to image_1/data, where viewers look first
    /entry_1/image_1/data, support      the best start                          (*grid)
    /entry_1/image_1/process_1/...      program, version, command, configuration/<parameter>
    /entry_1/image_2/data               mean of the good starts                 (*grid)
    /entry_1/image_3/data, support, ... all starts, aligned to the best         (starts, *grid)
    /entry_1/result_1/...               error history, transfer function, free pixels
    /entry_1/image_1/voxel              steps of the grid in the laboratory, nm (ndim, 3), and
    /entry_1/reciprocal_1/...           those of the pattern, see symbreak.data.files.reciprocal,
                                        where the instrument is known

Objects are stored as HDF5 compounds of r and i, which h5py reads as complex numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from symbreak.data.files.arrays import DataError
from symbreak.data.files.hdf5 import new_hdf5
from symbreak.data.files.reciprocal import read_reciprocal, write_reciprocal
from symbreak.geometry import ReciprocalGrid

CXI_VERSION = 160
Parameter = str | int | float | bool | None
# Numbers that a name alone does not explain: units, and what they are.
MEANINGS = {
    "history": ("1", "error, every record_every iterations (start, record)"),
    "prtf_frequency": ("1/pixel", "spatial frequency (cycles per pixel of the object)"),
    "prtf": ("1", "phase retrieval transfer function"),
    "prtf_pixels": ("1", "pixels of the pattern in the shell"),
    "subpixel": ("pixel", "by how much a start was moved before averaging (start, axis)"),
    "blur": ("pixel", "standard deviation of the blur of the pattern (start, axis)"),
    "distance": ("1", "squared distance to the best start, of its squared norm"),
}


@dataclass(frozen=True)
class Phasing:
    """A phased pattern as it is kept in a file; all objects aligned, in the middle of the grid."""

    object: NDArray[np.complexfloating[Any, Any]]
    """The best start, ``(*grid)``."""
    support: NDArray[np.bool_]
    """Its support, ``(*grid)``."""
    error: float
    """Its error, sqrt(sum (|F x| - a)^2 / sum a^2) on measured pixels."""
    parameters: Mapping[str, Parameter]
    """Everything that was set, by name."""
    version: str
    """Version of symbreak."""
    command: str = ""
    """The command that made it."""
    mean: NDArray[np.complexfloating[Any, Any]] | None = None
    """Mean of the good starts."""
    starts: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """``data``, ``support`` ``(starts, *grid)`` and per-start numbers like ``error``, ``twin``."""
    results: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    """Curves: error history, phase retrieval transfer function; ``free_pixels`` ``(*grid)``, 1
    where a pixel was left out of phasing, zero frequency in the middle; ``trial_...`` ``(trials,
    ...)``: the supports that were tried beforehand."""
    free_log_likelihood: float | None = None
    """Of the best start, if pixels were left out."""
    reciprocal: ReciprocalGrid | None = None
    """Where the pattern's pixels lie in reciprocal space, if that is known."""
    instrument: str = ""
    """Text of the TOML file that told it, see `symbreak.geometry.read_instrument`."""

    @property
    def good_starts(self) -> NDArray[np.complexfloating[Any, Any]]:
        """The starts that the mean is of, ``(starts, *grid)``; none where they are not kept."""
        if self.mean is None or not {"data", "good"} <= set(self.starts):
            return self.object[None][:0]
        found: NDArray[Any] = self.starts["data"][self.starts["good"].astype(bool)]
        return found


def write_cxi(path: str | Path, phasing: Phasing) -> None:
    """Write a CXI file; it appears whole under its name or not at all.

    The file holds no date, so the same input, parameters and version give the same bytes. Its
    layout is in the module's docstring, ``help(symbreak.data.files.cxi)``.

    Args:
        path: The file; one that is there is replaced.
        phasing: What it will hold.

    Raises:
        TypeError: An object, a support or what ``starts`` holds is not an array of NumPy.
        ValueError: It has ``starts`` without ``data``.
        OSError: The file cannot be written.

    Memory: twice the file, which is composed there.
    """
    path = Path(path)
    _check(phasing)
    with new_hdf5(path) as file:
        file["cxi_version"] = CXI_VERSION
        file.attrs["default"] = "entry_1"
        entry = group(file, "entry_1", "NXentry", default="image_1")
        entry["program_name"] = f"symbreak {phasing.version}"
        entry["title"] = "Far-field phase retrieval"
        image = _image(entry, "image_1", phasing.object)
        image["title"] = "best start"
        image["support"] = phasing.support.astype(np.uint8)
        image["reconstruction_error"] = phasing.error
        if phasing.free_log_likelihood is not None:
            image["free_log_likelihood"] = phasing.free_log_likelihood
        write_process(image, phasing.version, phasing.command, phasing.parameters)
        if phasing.mean is not None:
            _image(entry, "image_2", phasing.mean)["title"] = "mean of the good starts"
        if phasing.starts:
            starts = _image(entry, "image_3", phasing.starts["data"])
            starts["title"] = "all starts, aligned to the best"
            for name, value in phasing.starts.items():
                if name != "data":
                    _described(starts, name, _plain(value))
        if phasing.results:
            result = group(entry, "result_1", "NXcollection")
            for name, value in phasing.results.items():
                _described(result, name, value)
        if phasing.reciprocal is not None:
            image["voxel"] = phasing.reciprocal.voxel(phasing.object.shape)
            image["voxel"].attrs["units"] = "nm"
            write_reciprocal(entry, phasing.reciprocal, phasing.instrument)
        group(entry, "data_1", "NXdata", signal="data")["data"] = image["data"]


def _check(phasing: Phasing) -> None:
    arrays: dict[str, Any] = {"object": phasing.object, "support": phasing.support}
    if phasing.mean is not None:
        arrays["mean"] = phasing.mean
    arrays |= {f"{name} of starts": array for name, array in phasing.starts.items()}
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise TypeError(
                f"write_cxi: {name} must be a NumPy array, got {type(array).__name__}; of a tensor "
                "x that is x.cpu().numpy()."
            )
    if phasing.starts and "data" not in phasing.starts:
        raise ValueError(
            f"write_cxi: starts must hold data, their objects, got {', '.join(phasing.starts)}."
        )


def read_cxi(path: str | Path) -> Phasing:
    """Read what :func:`write_cxi` wrote.

    Args:
        path: The file.

    Returns:
        Phasing: All of it, in memory.

    Raises:
        DataError: The file is damaged, or not one of symbreak's.
        OSError: The file is missing or cannot be read.
    """
    with open(path, "rb"):  # a missing or unreadable file: the system's own message
        pass
    try:
        with h5py.File(path, "r") as file:
            return _read(file)
    except Exception as error:  # see `symbreak.data.files.arrays`: whatever the damage leads to
        raise DataError(f"{path}: not a CXI file of symbreak ({error}).") from error


def title_of(path: Path) -> str | None:
    """The title of a file that a program named in the file's ``process_1`` as symbreak has written.

    `symbreak prepare` tells there which half of the photons a pattern is made of.
    """
    if not h5py.is_hdf5(path):
        return None
    with h5py.File(path, "r") as file:
        found = [file.get(f"entry_1/{name}") for name in ("process_1/program", "title")]
        if not all(isinstance(x, h5py.Dataset) and h5py.check_string_dtype(x.dtype) for x in found):
            return None
        program, title = (x.asstr()[()] for x in found)
        return str(title) if program == "symbreak" else None


def _read(file: h5py.File) -> Phasing:
    entry = file["entry_1"]
    image, process = entry["image_1"], entry["image_1/process_1"]
    stack = entry["image_3"] if "image_3" in entry else {}
    starts = {n: stack[n][()] for n in stack if isinstance(stack[n], h5py.Dataset)}
    for name in ("title", "data_space", "data_type"):
        starts.pop(name, None)
    reciprocal, instrument = read_reciprocal(entry)
    for name in ("support", "twin", "good"):
        if name in starts:
            starts[name] = starts[name].astype(bool)
    return Phasing(
        object=image["data"][()],
        support=image["support"][()].astype(bool),
        error=float(image["reconstruction_error"][()]),
        parameters={n: _parameter(v) for n, v in process["configuration"].items()},
        version=process["version"].asstr()[()],
        command=process["command"].asstr()[()],
        mean=entry["image_2/data"][()] if "image_2" in entry else None,
        starts=starts,
        results={n: v[()] for n, v in entry["result_1"].items()} if "result_1" in entry else {},
        free_log_likelihood=float(image["free_log_likelihood"][()])
        if "free_log_likelihood" in image
        else None,
        reciprocal=reciprocal,
        instrument=instrument,
    )


def write_process(
    parent: h5py.Group, version: str, command: str, parameters: Mapping[str, Parameter]
) -> None:
    """Record in ``process_1`` what made the data beside it, and every parameter."""
    process = group(parent, "process_1", "NXprocess")
    process["program"] = "symbreak"
    process["version"] = version
    process["command"] = command
    configuration = group(process, "configuration", "NXcollection")
    for name, value in parameters.items():
        # HDF5 has no None; an empty dataset keeps the name and says "not set".
        configuration[name] = h5py.Empty("f") if value is None else value


def _parameter(dataset: h5py.Dataset) -> Parameter:
    if dataset.shape is None:
        return None
    if h5py.check_string_dtype(dataset.dtype):
        return str(dataset.asstr()[()])
    value: Parameter = dataset[()].item()
    return value


def _image(entry: h5py.Group, name: str, data: NDArray[Any]) -> h5py.Group:
    image = group(entry, name, "NXdata", signal="data")
    # A support leaves most of the grid at 0, which compresses to almost nothing.
    image.create_dataset("data", data=data, compression="gzip", compression_opts=1)
    image["data_space"] = "real"
    image["data_type"] = "electron density"
    return image


def group(
    parent: h5py.Group, name: str, nexus_class: str, **attributes: str | list[str]
) -> h5py.Group:
    """Create a group with its NeXus class and more attributes."""
    made = parent.create_group(name)
    made.attrs["NX_class"] = nexus_class
    for key, value in attributes.items():
        made.attrs[key] = value
    return made


def _described(parent: h5py.Group, name: str, value: NDArray[Any]) -> None:
    """Write numbers, with what they mean where it is known."""
    parent[name] = value
    if name in MEANINGS:
        parent[name].attrs["units"], parent[name].attrs["long_name"] = MEANINGS[name]


def _plain(value: NDArray[Any]) -> NDArray[Any]:
    """Booleans as 0 and 1: h5py's own boolean type puzzles other readers."""
    return value.astype(np.uint8) if value.dtype == bool else value
