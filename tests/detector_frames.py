"""Frames of a detector to test with."""

import numpy as np


def peak(shape, center, width=3.0, height=1e4):
    """A round blob."""
    r2 = sum((np.arange(n) - c).reshape([-1 if k == axis else 1 for k in range(len(shape))]) ** 2
             for axis, (n, c) in enumerate(zip(shape, center, strict=True)))  # fmt: skip
    return height * np.exp(-r2 / (2 * width**2))
