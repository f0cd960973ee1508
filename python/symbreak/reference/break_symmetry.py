"""break_symmetry, written from the definition with Fourier transforms, one item at a time."""

import math

import torch
from torch import Tensor

from symbreak.reference.apply_symmetry import apply_symmetry
from symbreak.reference.center import bounding_box, center


def break_symmetry(
    x: Tensor, *, tol: float = 0.0, ndim: int = 2
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Centre, rotate, take the twin if the second angle is negative.

    See :func:`symbreak.break_symmetry`; ambiguous items are not looked for here.
    """
    centred, shift = center(x, tol=tol, ndim=ndim)
    items = centred.reshape(-1, *x.shape[-ndim:])
    flipped = torch.zeros(len(items), dtype=torch.bool)
    phase, margin = (torch.zeros(len(items), dtype=x.dtype.to_real()) for _ in range(2))
    for k, item in enumerate(items):
        sizes = [2 * n for n in item.shape]
        spectrum = torch.fft.fftn(item.to(torch.complex128), s=sizes, dim=tuple(range(ndim)))
        mean, first = spectrum[(0,) * ndim], spectrum[(0,) * (ndim - 1) + (1,)]
        lo, hi = bounding_box(item, tol=tol)[-1]
        turn = torch.exp(torch.tensor(2j * math.pi * (lo + hi - 1) / 2 / sizes[-1]))
        second = (turn * first * mean.conj() / mean.abs()).imag
        flipped[k] = second < 0
        phase[k] = mean.angle() if flipped[k] else -mean.angle()
        margin[k] = second.abs() / mean.abs()
    batch = x.shape[:-ndim]
    flipped, phase, margin = (t.reshape(batch).to(x.device) for t in (flipped, phase, margin))
    result = apply_symmetry(centred, flipped=flipped, phase=phase, ndim=ndim, tol=tol)
    return result, shift, flipped, phase, margin
