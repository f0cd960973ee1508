"""What a user would write without symbreak: the same work in batched eager torch, 2D."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def boxes(x: Tensor) -> tuple[Tensor, Tensor]:
    """Bounding boxes [lo, hi) of every item, (batch, 2) each."""
    content = x != 0
    lo, hi = [], []
    for axis in (-1, -2):
        occupied = content.any(dim=axis)
        lo.append(occupied.int().argmax(dim=-1))
        hi.append(occupied.shape[-1] - occupied.flip(-1).int().argmax(dim=-1))
    return torch.stack(lo, -1), torch.stack(hi, -1)


def roll_each(x: Tensor, shift: Tensor) -> Tensor:
    """Circular shift of every item by its own (batch, 2), by one gather."""
    n, m = x.shape[-2:]
    rows = (torch.arange(n, device=x.device) - shift[:, 0, None]) % n
    columns = (torch.arange(m, device=x.device) - shift[:, 1, None]) % m
    items = torch.arange(len(x), device=x.device)[:, None, None]
    return x[items, rows[:, :, None], columns[:, None, :]]


def center(x: Tensor) -> Tensor:
    lo, hi = boxes(x)
    sizes = torch.tensor(x.shape[-2:], device=x.device)
    return roll_each(x, (sizes - (hi - lo)) // 2 - lo)


def flip(x: Tensor) -> Tensor:
    lo, hi = boxes(x)
    sizes = torch.tensor(x.shape[-2:], device=x.device)
    return roll_each(x.flip((-2, -1)).conj(), lo + hi - sizes)


def break_symmetry(x: Tensor) -> Tensor:
    """Centre, transform, rotate, flip where the second angle is negative."""
    x = center(x)
    spectrum = torch.fft.fft2(x, s=(2 * x.shape[-2], 2 * x.shape[-1]))
    lo, hi = boxes(x)
    mean = spectrum[:, 0, 0]
    angle = math.pi * (lo[:, 1] + hi[:, 1] - 1) / 2 / x.shape[-1]
    second = spectrum[:, 0, 1] * torch.polar(torch.ones_like(angle), angle) * mean.conj()
    flipped = second.imag < 0
    x = torch.where(flipped[:, None, None], flip(x), x)
    phase = torch.where(flipped, mean.conj(), mean).conj() / mean.abs()
    return x * phase[:, None, None]


def fourier_amplitude(x: Tensor) -> Tensor:
    return torch.fft.fft2(x, s=(2 * x.shape[-2], 2 * x.shape[-1])).abs()


def sa_mse(estimate: Tensor, reference: Tensor) -> Tensor:
    """norm + norm - 2 max |correlation| over shifts and both twins, per item."""
    size = (2 * estimate.shape[-2], 2 * estimate.shape[-1])
    target = torch.fft.fft2(reference, s=size)
    twins = torch.stack([estimate, estimate.flip((-2, -1)).conj()])
    correlation = torch.fft.ifft2(torch.fft.fft2(twins, s=size).conj() * target)
    best = correlation.abs().amax(dim=(0, -2, -1))
    power = estimate.abs().square().sum((-2, -1)) + reference.abs().square().sum((-2, -1))
    return (power - 2 * best) / estimate[0].numel()


def align(estimate: Tensor, reference: Tensor) -> Tensor:
    """The estimate under the best element, by argmax, roll and phase."""
    n, m = estimate.shape[-2:]
    size = (2 * n, 2 * m)
    target = torch.fft.fft2(reference, s=size)
    twins = torch.stack([estimate, estimate.flip((-2, -1)).conj()])
    correlation = torch.fft.ifft2(torch.fft.fft2(twins, s=size).conj() * target)
    flat = correlation.permute(1, 0, 2, 3).reshape(len(estimate), -1)
    best = flat.abs().argmax(dim=-1)
    peak = flat.gather(1, best[:, None])[:, 0]
    twin, row, column = best // (4 * n * m), best // (2 * m) % (2 * n), best % (2 * m)
    chosen = twins[twin, torch.arange(len(estimate), device=estimate.device)]
    padded = torch.zeros(len(estimate), *size, dtype=estimate.dtype, device=estimate.device)
    padded[:, :n, :m] = chosen
    moved = roll_each(padded, torch.stack([row, column], -1))[:, :n, :m]
    return moved * (peak / peak.abs())[:, None, None]
