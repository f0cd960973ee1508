"""What a pattern's numbers look like, told where that is otherwise than was said of them."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Values = Literal["intensities", "amplitudes"]
Origin = Literal["center", "corner"]

# The darkest hundredth of a pattern's pixels is far below their median: speckles have minima, and
# the corners are dark. Of simulated patterns it was 0.02 of it at most (0.14 of their amplitudes),
# with 20 counts of background on a million photons half of it, with 5 a tenth.
DARKEST = 0.25
# Pixels of one largest count that raise suspicion of saturation, and how large it must be.
PLATEAU, LARGE = 16, 200
# Part of a frame below 0, and different values there, from which on they can hardly be marks.
NEGATIVE, MARKS = 0.1, 2
# A volume of fewer pixels along an axis may be a stack of frames.
FEW = 16


def look_at_mask(measured: NDArray[np.bool_]) -> list[str]:
    """Say so if a mask leaves less than half: it may be the wrong way round."""
    share = float(measured.mean())
    if share >= 0.5:
        return []
    return [
        f"the mask leaves {100 * share:.1f} % of the pixels: is it the wrong way round? --mask is "
        "0 where measured, --valid is not."
    ]


def look_at_values(data: NDArray[np.float64], good: NDArray[np.bool_], values: Values) -> list[str]:
    """Say so if the numbers look like the other of intensities and amplitudes.

    Photon counts are whole numbers; square roots of counts are not, but their squares are.
    """
    seen = data[good & (data > 0)]
    if not len(seen):
        return []
    whole = float((np.abs(seen - np.rint(seen)) < 1e-3).mean())
    square = seen**2
    tolerance = np.maximum(1e-3, 1e-6 * square)
    whole_square = float((np.abs(square - np.rint(square)) < tolerance).mean())
    if values == "amplitudes" and whole > 0.9 and seen.max() > 1:
        return ["the values are whole numbers like counts: should it be --intensities?"]
    if values == "intensities" and whole < 0.5 and whole_square > 0.9:
        return ["the squares of the values are whole numbers: should it be --amplitudes?"]
    return look_at_background(data[good]) if values == "intensities" else []


def look_at_background(counts: NDArray[np.float64]) -> list[str]:
    """Say so if the darkest pixels are not dark.

    Args:
        counts: Of the pixels that were measured, any shape.
    """
    dark, middle = np.percentile(counts, [1, 50])
    if not dark > DARKEST * max(middle, 0):
        return []
    return [
        f"hardly a pixel is below {dark:.3g}, half of them are below {middle:.3g}: is there a "
        "background? `symbreak prepare --background` subtracts it."
    ]


def look_at_origin(data: NDArray[np.float64], good: NDArray[np.bool_], origin: Origin) -> list[str]:
    """Say so if the low frequencies seem to be at the other place than ``origin`` says.

    A far-field pattern is brightest around zero frequency. Compared are the mean values of the
    measured pixels with all |f| < 1/4 under either assumption; twice brighter is a clear case.
    """
    middle = np.zeros(data.shape, dtype=bool)
    middle[tuple(slice(m // 4, m - m // 4) for m in data.shape)] = True
    corner = np.fft.ifftshift(middle)
    means = [float(data[good & box].mean()) for box in (middle, corner) if (good & box).any()]
    if len(means) < 2:
        return []
    at_center, at_corner = means
    if origin == "center" and at_corner > 2 * at_center:
        return ["the corners are brightest: should it be --dc corner?"]
    if origin == "corner" and at_center > 2 * at_corner:
        return ["the middle is brightest: should it be --dc center?"]
    return []


def look_at_plateau(counts: NDArray[np.float64]) -> list[str]:
    """Say so if many pixels share the largest count: detectors saturate, and mark what is bad.

    Args:
        counts: Any shape, 0 where not measured.
    """
    largest = counts.max()
    flat = int((counts == largest).sum())
    if largest < LARGE or flat < PLATEAU:
        return []
    return [
        f"{flat} pixels have the same largest count, {largest:g}: if the detector saturates there, "
        "or marks what it did not measure, leave them out: saturation (`symbreak prepare "
        "--saturation`) a little below it."
    ]


def look_at_negatives(frame: NDArray[Any]) -> list[str]:
    """Say so if so much of an integer frame is below 0 that a background was subtracted.

    Args:
        frame: As it was read.
    """
    if frame.dtype.kind != "i":
        return []
    below = frame[frame < 0]
    if below.size < NEGATIVE * frame.size or len(np.unique(below)) <= MARKS:
        return []
    return [
        f"{100 * below.size / frame.size:.0f} % of the first frame are integers of many values "
        "below 0, which mark what was not measured. If a background was subtracted, convert to "
        "floating point: below 0 is then measured."
    ]


def look_at_axes(shape: tuple[int, ...]) -> list[str]:
    """Say so if a volume is so flat that it may be some frames."""
    if len(shape) == 2 or min(shape) >= FEW:
        return []
    sides = " x ".join(map(str, shape))
    return [
        f"taken as one volume of {sides} voxels; exposures of one pattern are for `symbreak "
        "prepare --stack sum`, patterns of several objects for `symbreak reconstruct-stack`."
    ]
