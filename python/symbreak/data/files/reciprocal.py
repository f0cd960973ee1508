"""Where a pattern's pixels lie in reciprocal space, in the files of patterns and of objects.

/entry_1/reciprocal_1/steps        from pixel to pixel along every axis   (ndim, 3)   1/nm
/entry_1/reciprocal_1/center       Q at zero frequency                    (3,)        1/nm
/entry_1/reciprocal_1/instrument   the TOML file that told it, where it was one
"""

from __future__ import annotations

from pathlib import Path

import h5py

from symbreak.data.files.readers import DataError
from symbreak.geometry import ReciprocalGrid

NAME = "reciprocal_1"


def write_reciprocal(entry: h5py.Group, grid: ReciprocalGrid, instrument: str = "") -> None:
    """Write the grid below ``entry_1``."""
    group = entry.create_group(NAME)
    group.attrs["NX_class"] = "NXcollection"
    for name, array in (("steps", grid.steps), ("center", grid.center)):
        group[name] = array
        group[name].attrs["units"] = "1/nm"
    group["instrument"] = instrument


def read_reciprocal(entry: h5py.Group) -> tuple[ReciprocalGrid | None, str]:
    """What `write_reciprocal` wrote, if anything.

    Raises:
        KeyError, ValueError: The group is not one of these.
    """
    if NAME not in entry:
        return None, ""
    group = entry[NAME]
    grid = ReciprocalGrid(group["steps"][()], group["center"][()])
    return grid, str(group["instrument"].asstr()[()])


def reciprocal_of(path: Path, ndim: int) -> tuple[ReciprocalGrid | None, str]:
    """That of a prepared pattern's file; none if the file is of another kind or other axes.

    Raises:
        DataError: The file says it in a way that cannot be.
    """
    if not h5py.is_hdf5(path):
        return None, ""
    try:
        with h5py.File(path, "r") as file:
            grid, text = read_reciprocal(file["entry_1"]) if "entry_1" in file else (None, "")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{path}:/entry_1/{NAME}: not a grid of symbreak ({error}).") from error
    return (grid, text) if grid is not None and len(grid.steps) == ndim else (None, "")
