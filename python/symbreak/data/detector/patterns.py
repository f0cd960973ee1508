"""Read a diffraction pattern: amplitudes with DC at index 0, and which pixels were measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symbreak.data.detector.cleaning import marked, only_saturated
from symbreak.data.detector.layouts import find_mask, mask_hint, rejected, unexplained_masks
from symbreak.data.detector.looks import (
    Origin,
    Values,
    look_at_axes,
    look_at_mask,
    look_at_origin,
    look_at_plateau,
    look_at_values,
)
from symbreak.data.files.arrays import (
    ArrayLike,
    DataError,
    OpenArray,
    Source,
    open_array,
    read,
)
from symbreak.ops.checks import shown

# Names under which files keep masks and the like; they are never guessed to be the pattern.
MASK_NAMES = ("mask", "valid", "support", "saturated")


@dataclass(frozen=True)
class Pattern:
    """A measured far-field diffraction pattern, as :func:`symbreak.reconstruct` takes it."""

    amplitude: Tensor
    """float32 ``(*grid)``, DC at index 0, >= 0; 0 where not measured."""
    valid: Tensor
    """bool ``(*grid)``: False = not measured."""
    least: Tensor
    """float32 ``(*grid)``: amplitudes that saturated pixels have at least, which are not valid; 0
    elsewhere."""
    source: Source
    """The file and the dataset that was taken."""
    notes: tuple[str, ...]
    """What the user should know: guesses made, values that look otherwise than was said."""


def read_pattern(
    source: Source | Path | str,
    *,
    values: Values = "intensities",
    origin: Origin = "center",
    valid: Source | Path | str | None = None,
    mask: Source | Path | str | None = None,
    saturated: Source | Path | str | None = None,
    own_mask: bool = True,
    own_saturated: bool = False,
) -> Pattern:
    """Read a 2D or 3D pattern; axes of length 1 are dropped.

    Pixels that are NaN or infinite, and those at the largest value of an integer type or 2^32 - 1
    (the marks of saturated pixels and gaps in many detectors' files) or below 0 of a signed integer
    type, count as not measured. Negative intensities of a floating type, which a subtracted
    background leaves, count as 0.

    Args:
        source: The file and, optionally, the dataset: ``"scan.h5"``, ``"scan.h5:/entry/data"``, a
            path or a `Source`. HDF5, NeXus, CXI, NumPy, MATLAB, TIFF, EDF or CBF.
        values: Whether the file holds intensities (counts) or amplitudes, their square roots.
        origin: Where the file has zero frequency: ``"center"`` means index ``M // 2``, as a
            detector sees it, ``"corner"`` means index 0, as an FFT returns it.
        valid: An array of the pattern's shape and layout, not 0 where a pixel was measured.
        mask: The opposite, the usual one in detectors' files: 0 where a pixel was measured.
            Both may be given; a pixel must pass both. A text that begins with a colon,
            ``":mask"``, is a dataset of the pattern's file.
        saturated: Likewise, not 0 where the file holds the least that there was, whatever the masks
            say of the pixel.
        own_mask: Whether a mask of the same file is used as well, where its layout says what it
            means: CXI's ``mask``, NeXus' ``pixel_mask``.
        own_saturated: Whether the file holds the least that there was also where its own CXI mask
            says that a pixel was saturated, and no mask says anything else of it. Not where a
            detector blooms: there pixels beside the bright ones are full as well.

    Returns:
        Pattern: amplitudes in float32, valid pixels, what saturated ones have at least, and notes
        for the user. For `reconstruct` the amplitude is ``amplitude + least``, and ``saturated``
        is ``least > 0``.

    Raises:
        DataError: The file does not hold one such pattern, or holds values that cannot be one.
        TypeError: ``source``, ``valid``, ``mask`` or ``saturated`` does not name a file.
        ValueError: ``values`` or ``origin`` is none of those.
        OSError: A file cannot be read.

    Memory: some copies of the pattern in float64.
    """
    source = Source.of(source)
    valid, mask, saturated = (
        None if given is None else Source.of(given) for given in (valid, mask, saturated)
    )
    for name, given, known in (("values", values, Values), ("origin", origin, Origin)):
        if not isinstance(given, str) or given not in get_args(known):
            kinds = " or ".join(get_args(known))
            raise ValueError(f"read_pattern: {name} must be {kinds}, got {shown(given)}.")
    with open_array(source, what="pattern", wanted=_can_be_pattern, never=MASK_NAMES) as opened:
        data, dataset, notes = _squeeze(opened), opened.source, list(opened.notes)
        good, over = np.ones(data.shape, dtype=bool), np.zeros(data.shape, dtype=bool)
        if own_mask:
            alone = valid is None and mask is None
            good, over, more = _own_mask(opened, data.shape, unexplained=alone)
            notes += more
    _check_shape(dataset, data)
    bad = marked_values(data, values)
    usable = np.isfinite(data) & ~bad
    good &= usable
    if bad.any():
        low = int((data[bad] < 0).sum())
        for count, what in ((low, "below 0"), (int(bad.sum()) - low, "at a mark of detectors")):
            notes += [f"{_pixels(count)} {what}: not measured."] if count else []
    passed = np.ones(data.shape, dtype=bool)
    for other, measured in ((valid, True), (mask, False)):
        if other is not None:
            passed &= (read_like(other, dataset, data.shape) != 0) == measured
    good &= passed
    usable &= data > 0  # of 0 the least says nothing
    full = over & passed & usable
    over = full if own_saturated else np.zeros_like(full)
    if saturated is not None:
        over = over | (read_like(saturated, dataset, data.shape, what="saturated pixels") != 0)
        good &= ~over
    elif not own_saturated:
        notes += hint_at_saturated(int(full.sum()))
    if not good.any():
        raise DataError(
            f"{dataset}: no pixel is left as measured. Is a mask the wrong way round? "
            "--no-own-mask leaves out that of the file."
        )
    notes += look_at_mask(passed)
    least: NDArray[np.float64] = np.where(over & usable, data, 0).astype(np.float64)
    data = np.where(good, data, 0).astype(np.float64)
    notes += look_at_axes(data.shape)
    notes += look_at_values(data, good, values) + look_at_origin(data, good, origin)
    if values == "intensities":
        notes += look_at_plateau(data)
    amplitude = _amplitude(dataset, data, values, notes)
    if values == "intensities":
        least = np.sqrt(least)
    if origin == "center":
        amplitude, least = np.fft.ifftshift(amplitude), np.fft.ifftshift(least)
        good = np.fft.ifftshift(good)
    return Pattern(
        amplitude=torch.from_numpy(amplitude.astype(np.float32)),
        valid=torch.from_numpy(good.copy()),
        least=torch.from_numpy(least.astype(np.float32)),
        source=dataset,
        notes=tuple(notes),
    )


def read_like(
    source: Source, pattern: Source, shape: tuple[int, ...], *, what: str = "mask"
) -> NDArray[Any]:
    """Read a mask or support; an empty path means the pattern's file.

    It has the pattern's shape, or that of one frame of it and then holds for all.

    Raises:
        DataError: It is not there, or of another shape.
    """
    source = source.within(pattern)
    with open_array(
        source,
        what=f"{what} of the pattern's shape, {shape}",
        wanted=lambda n, a: _fits(_squeezed(a.shape), shape),
    ) as opened:
        array = _squeeze(opened)
    if not _fits(array.shape, shape):
        raise DataError(f"{source}: shape {array.shape} differs from the pattern's, {shape}.")
    return np.broadcast_to(array, shape)


def _fits(shape: tuple[int, ...], pattern: tuple[int, ...]) -> bool:
    return len(shape) >= 2 and shape == pattern[-len(shape) :]


def marked_values(data: NDArray[Any], values: Values) -> NDArray[np.bool_]:
    """Where values are marks of what was not measured; amplitudes below 0 are errors instead."""
    marks = marked(data)
    return marks if values == "intensities" else marks & ~(data < 0)


def _amplitude(
    source: Source, data: NDArray[np.float64], values: Values, notes: list[str]
) -> NDArray[np.float64]:
    negative = int((data < 0).sum())
    if negative and values == "amplitudes":
        raise DataError(f"{source}: amplitudes must be >= 0, {_pixels(negative)} below 0.")
    if negative:
        notes.append(f"{_pixels(negative)} with negative intensity: taken as 0.")
    amplitude = np.sqrt(np.maximum(data, 0)) if values == "intensities" else data
    if not amplitude.any():
        if negative:
            raise DataError(f"{source}: no measured pixel is above 0, {_pixels(negative)} below.")
        raise DataError(
            f"{source}: every measured pixel is 0; a mask the wrong way round? --mask is 0 where "
            "measured, --valid is not."
        )
    return amplitude


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)


def _squeeze(opened: OpenArray) -> NDArray[Any]:
    return read(opened.array, opened.source).reshape(_squeezed(opened.array.shape))


def _can_be_pattern(name: str, array: ArrayLike) -> bool:
    shape = _squeezed(array.shape)
    return array.dtype.kind in "iuf" and len(shape) in (2, 3) and min(shape) >= 4


def _own_mask(
    opened: OpenArray, shape: tuple[int, ...], *, unexplained: bool
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], list[str]]:
    """What the file itself says was measured, what saturated, and a note on masks."""
    name = find_mask(opened.others, shape)
    if name is not None:
        source = Source(opened.source.path, name)
        bits = rejected(name, read(opened.others[name], source))
        bits = np.broadcast_to(bits.reshape(_squeezed(bits.shape)), shape)
        return bits == 0, only_saturated(bits), [f"{opened.source.path}: using its mask {name}."]
    everywhere = np.ones(shape, dtype=bool)
    masks = unexplained_masks(opened.others, shape) if unexplained else {}
    hints = [] if not masks else [mask_hint(opened.source.path, masks)]
    return everywhere, ~everywhere, hints


def hint_at_saturated(count: int) -> list[str]:
    """Say of how many pixels the least is known that is not used."""
    if not count:
        return []
    return [
        f"{_pixels(count)} saturated: left out. If the detector does not bloom, there were at "
        "least so many photons, which says much: --own-saturated."
    ]


def _check_shape(source: Source, data: NDArray[Any]) -> None:
    if data.dtype.kind not in "iuf":
        raise DataError(f"{source}: a pattern must be real numbers, got {data.dtype}.")
    if data.ndim not in (2, 3) or min(data.shape) < 4:
        raise DataError(
            f"{source}: a pattern must have 2 or 3 axes of at least 4 pixels, got shape "
            f"{data.shape}."
        )


def _pixels(count: int) -> str:
    return f"{count} pixel{'' if count == 1 else 's'}"
