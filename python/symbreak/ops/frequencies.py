"""Spatial frequencies of the pixels of a pattern."""

from __future__ import annotations

import torch
from torch import Tensor


def frequency_radius(
    grid: tuple[int, ...] | torch.Size, device: torch.device | None = None
) -> Tensor:
    """|f| of every pixel of the pattern in cycles per pixel of the object, float64, DC at 0."""
    squares = torch.zeros((), dtype=torch.float64, device=device)
    for axis, size in enumerate(grid):
        f = torch.fft.fftfreq(size, dtype=torch.float64, device=device)
        squares = squares + f.square().reshape([-1 if a == axis else 1 for a in range(len(grid))])
    return squares.sqrt()
