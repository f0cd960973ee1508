"""break_symmetry, written from the definition with Fourier transforms, one item at a time."""

import cmath
import math

import torch
from torch import Tensor

from symbreak.reference.apply_symmetry import apply_symmetry
from symbreak.reference.center import bounding_box, center


def break_symmetry(
    x: Tensor, *, tol: float = 0.0, ndim: int = 2, rule: str = "angle"
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Centre, rotate, take the twin if the rule's odd number is negative.

    See :func:`symbreak.break_symmetry`; ambiguous items are not looked for here.
    """
    centred, shift = center(x, tol=tol, ndim=ndim)
    items = centred.reshape(-1, *x.shape[-ndim:])
    flipped = torch.zeros(len(items), dtype=torch.bool)
    phase, margin = (torch.zeros(len(items), dtype=x.dtype.to_real()) for _ in range(2))
    for k, item in enumerate(items):
        mean, ring = low_frequencies(item, tol)
        odd = RULES[rule](mean, ring)
        flipped[k] = odd < 0
        phase[k] = mean.angle() if flipped[k] else -mean.angle()
        margin[k] = odd.abs()
    batch = x.shape[:-ndim]
    flipped, phase, margin = (t.reshape(batch).to(x.device) for t in (flipped, phase, margin))
    result = apply_symmetry(centred, flipped=flipped, phase=phase, ndim=ndim, tol=tol)
    return result, shift, flipped, phase, margin


RING = ((0, 1), (1, 0), (0, -1), (-1, 0))


def low_frequencies(
    item: Tensor, tol: float, frequencies: tuple[tuple[int, int], ...] = RING
) -> tuple[Tensor, Tensor]:
    """Return F x(0) and F x at some frequencies of the last two axes.

    On the twofold oversampled grid, with phases referred to the centre of the bounding box.
    """
    sizes = [2 * n for n in item.shape]
    spectrum = torch.fft.fftn(item.to(torch.complex128), s=sizes)
    plane = spectrum[(0,) * (item.dim() - 2)]
    (top, bottom), (left, right) = bounding_box(item, tol=tol)[-2:]
    ring = []
    for row, column in frequencies:
        turns = (top + bottom - 1) / 2 * row / sizes[-2] + (left + right - 1) / 2 * column / sizes[
            -1
        ]
        # As a number: a tensor made of one would be complex64.
        ring.append(plane[row, column] * cmath.exp(2j * math.pi * turns))
    return plane[0, 0], torch.stack(ring)


def angle(mean: Tensor, ring: Tensor) -> Tensor:
    """Zhang et al. 2024, Algorithm 1: Im g(0, 1) / |F x(0)|, the phase of F x(0) taken off."""
    odd: Tensor = (ring[0] * mean.conj()).imag / mean.abs() ** 2
    return odd


def circulation(mean: Tensor, ring: Tensor) -> Tensor:
    """Sum of Im(conj(g_j) g_{j+1}) / sum of |g|^2, plus a tenth of Im g_0 / rms g."""
    turn = (ring.conj() * ring.roll(-1)).imag.sum() / ring.abs().square().sum()
    second = (ring[0] * mean.conj()).imag / mean.abs()
    odd: Tensor = turn + 0.1 * second / ring.abs().square().mean().sqrt()
    return odd


RULES = {"angle": angle, "circulation": circulation}
