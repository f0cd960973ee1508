"""align and sa_mse: every element tried, from the definition; and the usual way, batched FFTs."""

from itertools import product

import torch
from torch import Tensor

from symbreak.reference.center import bounding_box, translate

Alignment = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


def align(estimate: Tensor, reference: Tensor, *, wrap: bool = False, ndim: int = 2) -> Alignment:
    """Try every shift and flip of every item; see :func:`symbreak.align`. Cost O(N^(2 ndim))."""
    batch, grid = estimate.shape[:-ndim], estimate.shape[-ndim:]
    pairs = zip(estimate.reshape(-1, *grid), reference.reshape(-1, *grid), strict=True)
    found = [align_item(e, r, wrap=wrap) for e, r in pairs]
    objects, shifts, flips, phases, errors = zip(*found, strict=True)
    return (
        torch.stack(objects).reshape(estimate.shape),
        torch.tensor(shifts).reshape(*batch, ndim),
        torch.tensor(flips).reshape(batch),
        torch.stack(phases).reshape(batch),
        torch.stack(errors).reshape(batch),
    )


def align_item(
    estimate: Tensor, reference: Tensor, *, wrap: bool = False
) -> tuple[Tensor, list[int], bool, Tensor, Tensor]:
    """Of equally good elements the first: unflipped, then the lowest shift (wrap: modulo size)."""
    identity = [0] * estimate.dim()
    finite = torch.isfinite(torch.view_as_real(estimate * reference)).all()
    best, largest = (identity, False, estimate.new_zeros((), dtype=reference.dtype)), 1e-12
    if finite and (estimate != 0).any():
        shifts = [range(n) if wrap else range(1 - n, n) for n in estimate.shape]
        for flipped in (False, True):
            content = flip(estimate, wrap=wrap) if flipped else estimate
            for candidate in map(list, product(*shifts)):
                inner = (translate(content, candidate, wrap=wrap).conj() * reference).sum()
                if inner.abs() > largest * (1 + 1e-12):
                    best, largest = (candidate, flipped, inner), float(inner.abs())
    shift, flipped, inner = best
    phase = inner.angle()
    content = flip(estimate, wrap=wrap) if flipped else estimate
    turned = torch.polar(torch.ones_like(phase), phase) * content
    aligned = translate(turned, shift, wrap=wrap)
    lost = turned - translate(aligned, [-s for s in shift], wrap=wrap)
    error = ((aligned - reference).abs() ** 2 + lost.abs() ** 2).mean()
    if wrap:  # the shorter way around
        shift = [s - n if 2 * s > n else s for s, n in zip(shift, estimate.shape, strict=True)]
    return aligned, shift, flipped, phase, error


def flip(item: Tensor, *, wrap: bool = False) -> Tensor:
    """The conjugate flip: reversed inside the bounding box (wrap: the whole window)."""
    box = [(0, n) for n in item.shape] if wrap else bounding_box(item)
    inside = tuple(slice(lo, hi) for lo, hi in box)
    flipped = torch.zeros_like(item)
    flipped[inside] = item[inside].flip(list(range(item.dim()))).conj()
    return flipped


def align_by_fft(
    estimate: Tensor, reference: Tensor, *, wrap: bool = False, ndim: int = 2
) -> Alignment:
    """The usual batched torch: correlations by padded FFT, argmax, roll item by item."""
    axes, grid = tuple(range(-ndim, 0)), estimate.shape[-ndim:]
    padded = list(grid) if wrap else [2 * n for n in grid]
    spectrum = torch.fft.fftn(reference, padded, axes)
    both = torch.stack([estimate, estimate.flip(axes).conj()])  # flipped in the whole window
    correlations = torch.fft.ifftn(torch.fft.fftn(both, padded, axes).conj() * spectrum, dim=axes)
    power = correlations.abs().flatten(-ndim)
    lag = power.argmax(-1)  # [2, *batch]
    flipped = power[1].amax(-1) > power[0].amax(-1)
    shifts = torch.stack(torch.unravel_index(torch.where(flipped, lag[1], lag[0]), padded), -1)
    sizes = torch.tensor(padded)
    shifts = torch.where(2 * shifts > sizes, shifts - sizes, shifts)

    def over_grid(x: Tensor) -> Tensor:
        return x.reshape(x.shape + (1,) * ndim)

    content = torch.where(over_grid(flipped), both[1], both[0])
    objects, box_shifts = torch.empty_like(estimate), shifts.clone()
    items = zip(
        content.reshape(-1, *grid),
        objects.reshape(-1, *grid),
        shifts.reshape(-1, ndim).tolist(),
        flipped.flatten().tolist(),
        box_shifts.reshape(-1, ndim),
        strict=True,
    )
    for item, out, shift, turned_over, box_shift in items:
        out.copy_(translate(item, shift, wrap=wrap))
        if turned_over and not wrap:  # from the flip of the window to the flip of the box
            moved = [lo + hi - n for (lo, hi), n in zip(bounding_box(item), grid, strict=True)]
            box_shift += torch.tensor(moved)
    phase = (objects.conj() * reference).sum(axes).angle()
    objects = objects * over_grid(torch.polar(torch.ones_like(phase), phase))
    lost = (content.abs() ** 2).sum(axes) - (objects.abs() ** 2).sum(axes)
    error = ((objects - reference).abs() ** 2).sum(axes) + lost
    return objects, box_shifts, flipped, phase, error / grid.numel()
