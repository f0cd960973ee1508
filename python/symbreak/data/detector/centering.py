"""Where zero frequency lies on a detector: the brightest place, or the centre of mass."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from symbreak.data.detector.cleaning import HOT_FACTOR, hot_pixels, scipy_ndimage
from symbreak.data.detector.layouts import BAD
from symbreak.ops.checks import shown
from symbreak.ops.numbers import is_number

Method = Literal["max", "mass"]
METHODS = ("max", "mass")
BLUR = 2.0
TIES = 1e-9  # relative difference of the blurred intensity below which two places are as bright
# Of the blur's weight, so much must lie on measured pixels for a place to be the brightest.
MEASURED = 0.25


def find_center(
    intensity: NDArray[Any],
    valid: NDArray[np.bool_] | None = None,
    *,
    method: Method = "max",
    blur: float = BLUR,
    saturated: NDArray[np.bool_] | None = None,
) -> tuple[int, ...]:
    """Find the pixel to take as zero frequency.

    ``"max"``, the default: the maximum of the blurred intensity. A flat background, gaps, speckles
    at the edge, hot pixels (`hot_pixels`, 10 times as bright as what surrounds them; 2D) and a
    pattern cut off by the detector do not move it. Of several places as bright, a saturated area
    above all, their middle is taken. ``"mass"``: the centre of mass of all counts. It takes the
    mean phase gradient out of the object, since
    ``sum k |F(k)|^2 / sum |F(k)|^2`` is that gradient, and it bridges a beamstop; but whatever is
    not symmetric around the pattern (background, gaps, the detector's edges) pulls at it.

    Not offered is the point symmetry of the pattern: only objects without phase have it, Bragg
    patterns of strained crystals do not. An error of some pixels does no harm: it multiplies the
    object by a linear phase, which leaves its magnitude and the fit to the data as they are.

    Args:
        intensity: Counts, real ``(*grid)``, 1 to 3 axes; what lies at pixels not measured is
            ignored, and those that are NaN or infinite count as such. Values below 0, which a
            subtracted background leaves, count as they are, so that noise around it cancels out.
        valid: bool ``(*grid)``, False = not measured; None = all were.
        method: "max" or "mass".
        blur: Standard deviation in pixels of the Gaussian for "max", > 0. Around pixels that were
            not measured the mean is formed of those that were.
        saturated: bool ``(*grid)``, True where there was more than could be counted; ``valid`` and
            ``intensity`` do not matter there.

    Returns:
        Index of the pixel, one per axis.

    Raises:
        ValueError: An argument is out of its range or of another shape, or nothing bright was
            measured.
        ImportError: SciPy is not installed ("max").

    Example:
        >>> counts = numpy.zeros((64, 64))
        >>> counts[20:25, 30:33] = 100
        >>> symbreak.data.find_center(counts)
        (22, 31)

    Note:
        Not differentiable. Cost: three Gaussian filters of the pattern, in float64; "mass" some
        sums.
    """
    if not isinstance(method, str) or method not in METHODS:
        raise ValueError(f"find_center: method must be one of max, mass, got {shown(method)}.")
    if not is_number(blur) or not 0 < blur < np.inf:
        raise ValueError(f"find_center: blur must be finite and > 0, got {shown(blur)}.")
    intensity = np.asarray(intensity)
    if intensity.dtype.kind not in "biuf" or intensity.ndim not in (1, 2, 3):
        raise ValueError(
            "find_center: intensity must be real, with 1 to 3 axes, got "
            f"{intensity.dtype} {intensity.shape}."
        )
    good = np.isfinite(intensity)
    if valid is not None:
        good &= _mask("valid", valid, intensity.shape)
    seen = np.where(good, intensity, 0).astype(np.float64)
    if not (seen > 0).any():
        raise ValueError(
            f"find_center: intensity has no measured pixel above 0; {good.sum()} of {good.size} "
            "pixels count as measured. Is a mask the wrong way round, or the background too high?"
        )
    over = np.zeros(seen.shape, dtype=bool)
    if saturated is not None:
        over = _mask("saturated", saturated, intensity.shape)
        good |= over
        seen[over] = seen.max()
    if method == "mass":
        return _center_of_mass(seen)
    ndimage = scipy_ndimage()
    if seen.ndim == 2:
        hot = hot_pixels(seen, np.where(good, 0, BAD).astype(np.uint32), HOT_FACTOR)
        hot &= ~over
        good, seen = good & ~hot, np.where(hot, 0, seen)
    weight = ndimage.gaussian_filter(good.astype(np.float64), blur, mode="constant")
    full = ndimage.gaussian_filter(np.ones_like(weight), blur, mode="constant")
    blurred = ndimage.gaussian_filter(seen, blur, mode="constant")
    enough = weight >= MEASURED * full
    if not enough.any():
        enough = good
    mean = np.where(enough, blurred / np.maximum(weight, 1e-300), -np.inf)
    highest = mean.max()
    brightest = np.argwhere(mean >= highest - abs(highest) * TIES)
    return tuple(int(k) for k in np.rint(brightest.mean(axis=0)))


def _mask(name: str, given: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """As booleans, which index as a mask does; a mask of 0 and 1 would index by number."""
    mask = np.asarray(given, dtype=bool)
    if mask.shape != shape:
        raise ValueError(
            f"find_center: {name} must have the shape of intensity, {shape}, got {mask.shape}."
        )
    return mask


def _center_of_mass(seen: NDArray[np.float64]) -> tuple[int, ...]:
    center = _mean_position(seen)
    # Little is left but noise: what is above 0 has its centre on the grid at least.
    if not all(0 <= k <= size - 1 for k, size in zip(center, seen.shape, strict=True)):
        center = _mean_position(np.maximum(seen, 0))
    return tuple(int(k) for k in np.rint(center))


def _mean_position(seen: NDArray[np.float64]) -> list[float]:
    """Mean index along each axis; -1 where the sum is not above 0."""
    total = seen.sum()
    if not total > 0:
        return [-1.0] * seen.ndim
    center = []
    for axis, size in enumerate(seen.shape):
        others = tuple(k for k in range(seen.ndim) if k != axis)
        center.append(float(seen.sum(axis=others) @ np.arange(size) / total))
    return center
