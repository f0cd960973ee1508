"""What of a detector's frame was measured: marked, saturated, hot pixels; background subtracted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.data.detector.layouts import INVALID, SATURATED
from symbreak.ops.checks import shown
from symbreak.ops.numbers import is_number

Counts = NDArray[np.float64]
Bits = NDArray[np.uint32]

# By which 32-bit Eiger files mark gaps and bad pixels, in whatever type the frames came here; the
# second is what float32 makes of it.
EIGER_MARKS = (2**32 - 1, 2**32)
# Neighbours that must have been measured to call a pixel hot.
FEWEST_NEIGHBOURS = 3
HOT_FACTOR = 10.0  # what is so many times as bright as all around it is looked at with suspicion


def clean(
    frame: NDArray[Any],
    rejected: Bits,
    *,
    background: float | Counts = 0.0,
    flat: float | Counts = 1.0,
    saturation: float | None = None,
) -> tuple[Counts, Bits]:
    """Counts without background, and why a pixel does not count as measured.

    Not measured are pixels that ``rejected`` names, those above ``saturation``, NaN and infinity,
    the largest value of an integer type, 2^32 - 1 of any (32-bit Eiger files: gaps and bad pixels)
    and negative values of a signed integer type (-1, -2 in Pilatus files). Negative *floats* are
    what a subtraction left, measured like the others.

    What falls below 0 stays there: cut off frame by frame, noise around the background would add up
    instead of cancelling out where frames or pixels are summed.

    Args:
        frame: Counts as the file has them, any real type ``(*shape)``.
        rejected: CXI bits of what is known already, uint32 ``(*shape)``.
        background: Counts to subtract, one number or ``(*shape)``. Where it is not finite the pixel
            does not count as measured.
        flat: Sensitivity of the pixels, > 0, by which what is left is divided; one number or
            ``(*shape)``, not finite like ``background``.
        saturation: Largest count that can be trusted; None for no limit.

    Returns:
        float64 counts, 0 where not measured, and uint32 CXI bits, 0 = measured.
    """
    counts, bits, _ = clean_with_least(
        frame, rejected, background=background, flat=flat, saturation=saturation
    )
    return counts, bits


def clean_with_least(
    frame: NDArray[Any],
    rejected: Bits,
    *,
    background: float | Counts,
    flat: float | Counts,
    saturation: float | None,
) -> tuple[Counts, Bits, Counts]:
    """What `clean` returns, and the counts that there were at least.

    Those are the counts where they were measured; where they were too many to be, and nothing else
    is wrong with the pixel, what was counted, but no more than can be trusted; elsewhere 0.
    """
    bits = rejected.copy()
    bits[marked(frame)] |= INVALID
    counts = frame.astype(np.float64)
    if saturation is not None:
        with np.errstate(invalid="ignore"):
            bits[counts > saturation] |= SATURATED
            counts = np.minimum(counts, saturation)
    counts = (counts - background) / flat
    bits[~np.isfinite(counts)] |= INVALID
    least = np.where(only_saturated(bits) | (bits == 0), counts, 0)
    return np.where(bits == 0, counts, 0), bits, least


def only_saturated(bits: Bits) -> NDArray[np.bool_]:
    """Where a pixel had more than could be counted, and nothing else was wrong."""
    saturated: NDArray[np.bool_] = bits == SATURATED
    return saturated


def marked(frame: NDArray[Any]) -> NDArray[np.bool_]:
    """Values by which detectors mark pixels: an integer type's largest, 2^32 - 1, negative ones.

    Of a floating type only 2^32 - 1, which a conversion leaves as it is.

    Args:
        frame: Any real type, any shape.
    """
    if frame.dtype.kind == "f":
        return np.isin(frame, EIGER_MARKS)
    limits = np.iinfo(frame.dtype)
    marks: NDArray[np.bool_] = frame == limits.max
    if limits.max > EIGER_MARKS[0]:
        marks |= frame == EIGER_MARKS[0]
    return marks | (frame < 0)


def check_factor(factor: float) -> None:
    """Check how many times as bright as all around it a hot pixel is."""
    if not is_number(factor) or not factor > 1:
        raise ValueError(f"hot_pixels: factor (--hot) must be > 1, got {shown(factor)}.")


def hot_pixels(counts: Counts, bits: Bits, factor: float) -> NDArray[np.bool_]:
    """Pixels that no diffraction can explain: far brighter than all that surround them.

    A pixel is hot if its count exceeds ``factor`` times that of the second brightest of its eight
    neighbours plus one photon: so hot pixels in pairs are found too. Speckles of an oversampled
    pattern are wider than a pixel: beside the maximum of a block that fills half the field of view,
    the next pixels still have (2/pi)^2 = 0.4 of its intensity, on either side along each axis. So
    10 leaves them alone. Larger clusters are not found, and a mask is for them.

    Args:
        counts: float64 ``(rows, columns)``; of a stack, the sum of the frames. Below 0 is as 0.
        bits: 0 = measured. What was not measured is neither hot nor a neighbour.
        factor: > 1.

    Returns:
        bool ``(rows, columns)``.

    Raises:
        ValueError: ``factor`` is not above 1.
        ImportError: SciPy is not installed.
    """
    check_factor(factor)
    ndimage = scipy_ndimage()
    good = bits == 0
    around = np.ones((3, 3), dtype=np.uint8)
    around[1, 1] = 0
    seen = np.where(good, np.maximum(counts, 0), 0)
    second = ndimage.rank_filter(seen, -2, footprint=around, mode="constant")
    neighbours = ndimage.convolve(good.astype(np.uint8), around, mode="constant")
    hot: NDArray[np.bool_] = (
        good & (neighbours >= FEWEST_NEIGHBOURS) & (counts > factor * (second + 1))
    )
    return hot


def scipy_ndimage() -> Any:
    """Import SciPy's image filters when they are needed first.

    Raises:
        ImportError: It is not installed; the message says how to.
    """
    try:
        from scipy import ndimage
    except ImportError as error:
        raise ImportError(
            "preparing detector frames needs scipy: pip install 'symbreak[data]'."
        ) from error
    return ndimage
