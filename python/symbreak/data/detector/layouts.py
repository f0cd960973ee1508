"""Where the files of the large sources keep detector frames and masks, and what the masks say.

Known, with the source of each fact:

- CXI (LCLS, European XFEL, cxidb.org): frames at ``/entry_1/data_1/data``, linked to
  ``/entry_1/instrument_1/detector_1/data``; ``mask`` beside them, a bit field, 0 = good. Bits as in
  the CXI file format 1.6 and `condor/utils/pixelmask.py` (github.com/FXIhub/condor); layout as
  written by `extra_data/write_cxi.py` (github.com/European-XFEL/EXtra-data).
- Dectris Eiger master files (as of PETRA III's P10, `cdiutils/io/p10.py`): external links
  ``/entry/data/data_000001``, ``data_000002`` ... to files of some frames each; ``pixel_mask`` in
  ``/entry/instrument/detector/detectorSpecific`` (list in github.com/CV-GPhL/neggia).
- NeXus: where ``default`` and ``signal`` lead, else ``/entry/data/data`` or, as at Diamond's I13-1,
  ``/entry1/instrument/merlin_sw_hdf/data``; ``pixel_mask`` in NXdetector with the bits of the
  NeXus manual (nexusformat.org): of them the upper 16 do not reject a pixel.
- BLISS (ESRF, e.g. ID01): scans ``/1.1``, ``/2.1`` ... with ``measurement/mpx1x4`` linked to
  ``instrument/mpx1x4/data`` (names as read by `cdiutils/io/id01.py`, github.com/clatlan/cdiutils).
  One file holds many scans, so the scan has to be named: ``FILE:/2.1``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # the bits and names are needed also where nothing that reads files is installed
    from pathlib import Path

    from symbreak.data.files.readers import ArrayLike

# Bits of a CXI mask, those in use here.
INVALID, SATURATED, HOT, BAD, MISSING = 0x1, 0x2, 0x4, 0x80, 0x200
REASONS = {
    INVALID: "marked by the detector",
    SATURATED: "saturated",
    HOT: "hot",
    BAD: "in the mask",
    MISSING: "outside the frames",
}
# What a pixel may be and still be measured: outside the resolution of interest, corrected for an
# artifact, taken for a peak by a hit finder, corrected for the photon background.
CXI_HARMLESS = 0x100 | 0x800 | 0x2000 | 0x4000
NEXUS_REJECTING = 0xFFFF

# Words in the names of datasets that are never frames.
NOT_FRAMES = ("mask", "valid", "support", "flat", "dark", "background", "gain", "error", "weight")

FRAMES = (
    re.compile(r"/entry\w*/data/data_\d{6}"),
    re.compile(r"/entry_\d+/data_\d+/data"),
    re.compile(r"/entry_\d+/instrument_\d+/detector_\d+/data"),
    re.compile(r"/entry\w*/data/data"),
    re.compile(r"/entry\w*/instrument/[^/]*detector[^/]*/data"),
    re.compile(r"/entry\w*/instrument/[^/]+/data"),
)
NUMBERED = re.compile(r"(.*/data_)\d{6}")
CXI_MASK = re.compile(r"/entry_\d+/(data_\d+|instrument_\d+/detector_\d+)/mask")


def can_be_frames(name: str, array: ArrayLike) -> bool:
    """Whether a dataset could be a detector's frame or a stack of them, but for its name."""
    shape = array.shape
    return (
        array.dtype.kind in "iuf"
        and len(shape) >= 2
        and min(shape[-2:]) >= 4
        and sum(size != 1 for size in shape[:-2]) <= 1
    )


def prefer_frames(arrays: Mapping[str, ArrayLike]) -> list[str]:
    """Of several datasets that can be frames, those that a known layout says they are.

    Where none is, those of the most axes: a stack of frames beside spectra and maps. Of numbered
    parts of one stack the first one stands for all.
    """
    for layout in FRAMES:
        found = [name for name in arrays if layout.fullmatch(name)]
        if found:
            break
    else:
        most = max(len(array.shape) for array in arrays.values())
        found = [name for name, array in arrays.items() if len(array.shape) == most]
    first: dict[str, str] = {}
    for name in sorted(found):
        match = NUMBERED.fullmatch(name)
        first.setdefault(match[1] if match else name, name)
    return list(first.values())


def numbered_parts(name: str, names: list[str]) -> list[str]:
    """The parts of the stack to which ``.../data_000001`` belongs, in order; or the name alone."""
    match = NUMBERED.fullmatch(name)
    if match is None:
        return [name]
    stem = match[1]
    parts = (NUMBERED.fullmatch(other) for other in (name, *names))
    return sorted({part[0] for part in parts if part is not None and part[1] == stem})


def find_mask(arrays: Mapping[str, ArrayLike], shape: tuple[int, ...]) -> str | None:
    """The mask whose meaning the file's layout tells, None where there is none or several.

    Args:
        arrays: The file's datasets by name.
        shape: Of the frames or pattern; a mask has it, or that of its last axes.
    """
    found = [
        name
        for name, array in arrays.items()
        if known_mask(name) and array.dtype.kind in "iub" and fits(array.shape, shape)
    ]
    return found[0] if len(found) == 1 else None


def unexplained_masks(
    arrays: Mapping[str, ArrayLike], shape: tuple[int, ...]
) -> dict[str, ArrayLike]:
    """What is called a mask and fits, while nothing tells whether it marks good or bad pixels."""
    return {
        name: array
        for name, array in arrays.items()
        if fits(array.shape, shape)
        and any(word in name.rsplit("/", 1)[-1].lower() for word in ("mask", "valid"))
    }


def mask_hint(path: Path, masks: Mapping[str, ArrayLike]) -> str:
    """Tell the user of masks that were not used."""
    from symbreak.data.files.arrays import describe

    return (
        f"{path} also holds {describe(dict(masks))}: give --valid :NAME if 1 means measured "
        "there, --mask :NAME if 0 does."
    )


def find_saturation(arrays: Mapping[str, ArrayLike]) -> str | None:
    """NXdetector's ``saturation_value``: the largest count to trust; None if none or several."""
    found = [
        name
        for name, array in arrays.items()
        if name.endswith("/saturation_value")
        and array.dtype.kind in "iuf"
        and all(size == 1 for size in array.shape)
    ]
    return found[0] if len(found) == 1 else None


def known_mask(name: str) -> bool:
    """Whether the name says what the mask means: CXI's or NeXus'."""
    return bool(CXI_MASK.fullmatch(name)) or name.endswith("/pixel_mask")


def fits(mask: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Whether a mask has the shape of the frames, or that of one of them; axes of 1 aside."""
    mask, shape = (tuple(size for size in s if size != 1) for s in (mask, shape))
    return len(mask) >= 2 and mask == shape[-len(mask) :]


def rejected(name: str, mask: NDArray[Any]) -> NDArray[np.uint32]:
    """What a mask of a known layout says against each pixel, as CXI bits; 0 = measured.

    Args:
        name: The mask's dataset.
        mask: Its values, integers or booleans.
    """
    bits = mask.astype(np.int64)
    if CXI_MASK.fullmatch(name):
        return (bits & ~CXI_HARMLESS & 0xFFFFFFFF).astype(np.uint32)
    return np.where(bits & NEXUS_REJECTING, BAD, 0).astype(np.uint32)
