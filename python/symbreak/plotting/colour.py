"""Complex numbers as colours: phase as hue, magnitude as brightness."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.float64]

# Lightness and chroma of the hue circle in OKLab: the largest chroma at which all hues are
# displayable at this lightness, so that no phase looks brighter than another.
LIGHTNESS = 0.75
CHROMA = 0.125

# OKLab to the cube roots of cone responses, and those to linear sRGB (B. Ottosson, 2020).
OKLAB_TO_LMS = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
LMS_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def complex_colours(values: NDArray[Any], full: float | None = None) -> Colours:
    """Colour of complex numbers: hue from the phase, brightness from the magnitude, black at 0.

    Args:
        values: Complex, any shape.
        full: Magnitude of full brightness; None takes the 99.5th percentile of those above 0.

    Returns:
        sRGB in [0, 1], shape ``(*values.shape, 3)``. NaN is mid grey.
    """
    magnitude = np.abs(values)
    if full is None:
        positive = magnitude[np.isfinite(magnitude) & (magnitude > 0)]
        full = float(np.percentile(positive, 99.5)) if len(positive) else 1.0
    brightness = np.clip(magnitude / full, 0, 1)[..., None]
    colours: Colours = hue(np.angle(values)) * brightness
    return np.where(np.isfinite(colours), colours, 0.5)


def hue(phase: NDArray[Any]) -> Colours:
    """Colours of equal lightness around the circle, sRGB in [0, 1]; phase 0 is red."""
    angle = np.asarray(phase, dtype=np.float64) + np.deg2rad(25)
    lab = np.stack(
        [np.full_like(angle, LIGHTNESS), CHROMA * np.cos(angle), CHROMA * np.sin(angle)], axis=-1
    )
    linear = np.clip((lab @ OKLAB_TO_LMS.T) ** 3 @ LMS_TO_RGB.T, 0, 1)
    gamma = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    colours: Colours = gamma / gamma.max(axis=-1, keepdims=True)
    return colours


def wheel(pixels: int = 128) -> Colours:
    """The key to the colours: a disc in the complex plane, sRGB with alpha, row 0 at the top."""
    y, x = np.mgrid[1 : -1 : 1j * pixels, -1 : 1 : 1j * pixels]
    radius = np.hypot(x, y)
    disc = hue(np.arctan2(y, x)) * np.minimum(radius, 1)[..., None]
    alpha = np.clip((1 - radius) * pixels / 2, 0, 1)[..., None]
    return np.concatenate([disc, alpha], axis=-1)
