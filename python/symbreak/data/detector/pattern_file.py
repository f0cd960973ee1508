"""Write a prepared pattern as CXI (HDF5 with NeXus attributes): what `reconstruct` reads.

    /cxi_version                                   160
    /entry_1/data_1/data                           intensities, DC in the middle     (*grid);
                                                   of saturated pixels the least they can be
    /entry_1/data_1/y, x  (frame, y, x)            pixel of the raw detector per axis
    /entry_1/instrument_1/detector_1/data          the same dataset, CXI's place for it
    /entry_1/instrument_1/detector_1/mask          CXI bits, 0 = measured            (*grid)
    /entry_1/process_1/...                         program, version, command, configuration/...
    /entry_1/reciprocal_1/...                      where its pixels lie in reciprocal space, if the
                                                   instrument is known

The attributes ``default`` and ``signal`` lead viewers such as silx to ``data_1/data``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from symbreak.data.detector.prepare import Prepared
from symbreak.data.detector.repeats import Measured
from symbreak.data.files.cxi import CXI_VERSION, Parameter, group, write_process
from symbreak.data.files.hdf5 import new_hdf5
from symbreak.data.files.reciprocal import write_reciprocal
from symbreak.geometry import ReciprocalGrid

AXES = ("frame", "y", "x")


def write_pattern(
    path: str | Path,
    prepared: Measured,
    *,
    title: str,
    version: str,
    command: str = "",
    parameters: Mapping[str, Parameter] | None = None,
    reciprocal: ReciprocalGrid | None = None,
    instrument: str = "",
    positions: Sequence[NDArray[Any]] | None = None,
) -> None:
    """Write a pattern; the file appears whole under its name or not at all.

    It holds no date, so the same input, parameters and version give the same bytes.

    Args:
        path: The file; one that is there is replaced.
        prepared: The pattern, `Prepared` or what has ``intensity``, ``mask`` and ``least``.
        title: What was measured, for people.
        version: Of symbreak.
        command: The command that made it.
        parameters: Everything that was set or found, by name.
        reciprocal: Where its pixels lie in reciprocal space, if that is known; then
            `symbreak reconstruct` hands it on.
        instrument: Text of the TOML file that told it.
        positions: Where its pixels lie on the raw detector, ``(pixels,)`` per axis; default: as the
            windows of `Prepared` say.

    Raises:
        OSError: The file cannot be written.
    """
    path = Path(path)
    if positions is None and isinstance(prepared, Prepared):
        positions = [window.positions() for window in prepared.windows]
    axes = AXES[-prepared.intensity.ndim :]
    with new_hdf5(path) as file:
        file["cxi_version"] = CXI_VERSION
        file.attrs["NX_class"] = "NXroot"
        file.attrs["default"] = "entry_1"
        entry = group(file, "entry_1", "NXentry", default="data_1")
        entry["program_name"] = f"symbreak {version}"
        entry["title"] = title
        plot = group(entry, "data_1", "NXdata", signal="data", axes=list(axes))
        plot["title"] = title
        packed = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
        counts = prepared.intensity + prepared.least
        data = plot.create_dataset("data", data=counts, **packed)
        data.attrs["long_name"] = "intensity (counts)"
        for name, where in zip(axes, positions or map(np.arange, counts.shape), strict=True):
            plot[name] = where
            plot[name].attrs["long_name"] = (
                "frame" if name == "frame" else f"{name} (pixel of the detector)"
            )
        detector = group(group(entry, "instrument_1", "NXinstrument"), "detector_1", "NXdetector")
        detector["data"] = data
        detector.create_dataset("mask", data=prepared.mask, **packed)
        if reciprocal is not None:
            write_reciprocal(entry, reciprocal, instrument)
        write_process(entry, version, command, parameters or {})


def read_positions(path: Path, shape: Sequence[int]) -> list[NDArray[Any]] | None:
    """Where `write_pattern` says that a pattern's pixels lie, if it wrote the file."""
    if not h5py.is_hdf5(path):
        return None
    with h5py.File(path, "r") as file:
        axes = [file.get(f"entry_1/data_1/{name}") for name in AXES[-len(shape) :]]
        known = [
            isinstance(x, h5py.Dataset) and x.shape == (n,)
            for x, n in zip(axes, shape, strict=True)
        ]
        return [axis[()] for axis in axes] if all(known) else None
