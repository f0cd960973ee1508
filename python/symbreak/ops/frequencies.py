"""Spatial frequencies of the pixels of a pattern."""

from __future__ import annotations

import torch
from torch import Tensor


def frequency_radius(
    grid: tuple[int, ...] | torch.Size, device: torch.device | None = None
) -> Tensor:
    """|f| of every pixel of a pattern.

    Args:
        grid: M per axis.
        device: Where to; None: PyTorch's default.

    Returns:
        float64 ``(*grid)``, in cycles per pixel of the object, DC at index 0; up to sqrt(2)/2 in 2D
        and sqrt(3)/2 in 3D.
    """
    squares = torch.zeros((), dtype=torch.float64, device=device)
    for axis, size in enumerate(grid):
        f = torch.fft.fftfreq(size, dtype=torch.float64, device=device)
        squares = squares + f.square().reshape([-1 if a == axis else 1 for a in range(len(grid))])
    return squares.sqrt()
