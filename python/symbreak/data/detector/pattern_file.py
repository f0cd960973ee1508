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

from collections.abc import Mapping
from pathlib import Path

from symbreak.data.detector.prepare import Prepared
from symbreak.data.files.cxi import CXI_VERSION, Parameter, group, write_process
from symbreak.data.files.hdf5 import new_hdf5
from symbreak.data.files.reciprocal import write_reciprocal
from symbreak.geometry import ReciprocalGrid

AXES = ("frame", "y", "x")


def write_pattern(
    path: str | Path,
    prepared: Prepared,
    *,
    title: str,
    version: str,
    command: str = "",
    parameters: Mapping[str, Parameter] | None = None,
    reciprocal: ReciprocalGrid | None = None,
    instrument: str = "",
) -> None:
    """Write a pattern; the file appears whole under its name or not at all.

    It holds no date, so the same input, parameters and version give the same bytes.

    Args:
        path: The file; one that is there is replaced.
        prepared: The pattern.
        title: What was measured, for people.
        version: Of symbreak.
        command: The command that made it.
        parameters: Everything that was set or found, by name.
        reciprocal: Where its pixels lie in reciprocal space, if that is known; then
            `symbreak reconstruct` hands it on.
        instrument: Text of the TOML file that told it.

    Raises:
        OSError: The file cannot be written.
    """
    path = Path(path)
    axes = AXES[-len(prepared.windows) :]
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
        for name, window in zip(axes, prepared.windows, strict=True):
            plot[name] = window.positions()
            plot[name].attrs["long_name"] = (
                "frame" if name == "frame" else f"{name} (pixel of the detector)"
            )
        detector = group(group(entry, "instrument_1", "NXinstrument"), "detector_1", "NXdetector")
        detector["data"] = data
        detector.create_dataset("mask", data=prepared.mask, **packed)
        if reciprocal is not None:
            write_reciprocal(entry, reciprocal, instrument)
        write_process(entry, version, command, parameters or {})
