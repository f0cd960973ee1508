"""The projection onto objects whose phase is limited."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def limit_phase(x: Tensor, limit: float | None) -> Tensor:
    """The nearest number whose phase is at most ``limit`` from 0: x, or on the edge, or 0.

    Args:
        x: Complex, any shape.
        limit: Radians, 0 <= limit < pi; None leaves ``x`` as it is.
    """
    if limit is None:
        return x
    cosine, sine = math.cos(limit), math.sin(limit)
    height = x.imag.abs()
    length = (x.real * cosine + height * sine).clamp(min=0)  # along the nearer edge
    rise = length * sine
    edge = torch.complex(length * cosine, torch.where(x.imag < 0, -rise, rise))
    return torch.where(height * cosine < x.real * sine, x, edge)
