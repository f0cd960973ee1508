"""center, written from the definition, one item and one axis at a time."""

import torch
from torch import Tensor


def center(
    x: Tensor, *, tol: float = 0.0, wrap: bool = False, ndim: int = 2
) -> tuple[Tensor, Tensor]:
    """Move the bounding box of every item to the middle; see :func:`symbreak.center`."""
    items = x.reshape(-1, *x.shape[-ndim:])
    objects, shifts = torch.empty_like(items), torch.zeros(len(items), ndim, dtype=torch.int64)
    for k, item in enumerate(items):
        if bool(torch.isfinite(torch.view_as_real(item)).all()) and bool((item != 0).any()):
            for axis, (lo, hi) in enumerate(bounding_box(item, tol=tol, wrap=wrap)):
                size = item.shape[axis]
                shift = (size - (hi - lo)) // 2 - lo
                if wrap:  # the shorter way around
                    shift %= size
                    shift -= size if 2 * shift > size else 0
                shifts[k, axis] = shift
        objects[k] = translate(item, shifts[k].tolist(), wrap=wrap)
    return objects.reshape(x.shape), shifts.reshape(*x.shape[:-ndim], ndim).to(x.device)


def bounding_box(item: Tensor, *, tol: float = 0.0, wrap: bool = False) -> list[tuple[int, int]]:
    """``[lo, hi)`` of |x| > tol max |x| on each axis of one item; periodic: of its shortest arc."""
    content = item.abs() > tol * item.abs().max() if tol > 0 else item != 0
    box = []
    for axis in range(item.dim()):
        others = [a for a in range(item.dim()) if a != axis]
        occupied: list[int] = content.any(dim=others).nonzero().flatten().tolist()
        lo, hi = occupied[0], occupied[-1] + 1
        if wrap:
            size = item.shape[axis]
            following = [*occupied[1:], occupied[0] + size]
            gaps = [b - a for a, b in zip(occupied, following, strict=True)]
            widest = len(gaps) - 1  # the run across the edge comes first among equals
            for i in range(len(gaps) - 1):
                if gaps[i] > gaps[widest]:
                    widest = i
            if widest != len(gaps) - 1:
                lo, hi = occupied[widest + 1], occupied[widest] + 1 + size
        box.append((lo, hi))
    return box


def translate(item: Tensor, shift: list[int], *, wrap: bool = False) -> Tensor:
    """y(n) = x(n - shift): black moves in, what leaves the window is lost, unless periodic."""
    axes = list(range(item.dim()))
    if wrap:
        return torch.roll(item, shift, axes)
    sizes = list(item.shape)
    padding = [p for s in reversed(shift) for p in (max(s, 0), max(-s, 0))]
    padded = torch.nn.functional.pad(item, padding)
    for axis in axes:
        padded = padded.narrow(axis, max(-shift[axis], 0), sizes[axis])
    return padded
