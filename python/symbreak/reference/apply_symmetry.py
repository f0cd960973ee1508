"""apply_symmetry, written from the definition, one item at a time."""

import torch
from torch import Tensor

from symbreak.reference.center import bounding_box, translate


def apply_symmetry(
    x: Tensor,
    *,
    shift: Tensor | None = None,
    flipped: Tensor | None = None,
    phase: Tensor | None = None,
    wrap: bool = False,
    ndim: int = 2,
    tol: float = 0.0,
) -> Tensor:
    """Flip, translate, rotate; see :func:`symbreak.apply_symmetry`."""
    items = x.reshape(-1, *x.shape[-ndim:])
    result = torch.empty_like(items)
    for k, item in enumerate(items):
        y = item
        if flipped is not None and bool(flipped.reshape(-1)[k]):
            y = conjugate_flip(y, tol=tol, wrap=wrap)
        if shift is not None:
            y = translate(y, shift.reshape(-1, ndim)[k].tolist(), wrap=wrap)
        if phase is not None:
            angle = phase.reshape(-1)[k]
            y = y * torch.complex(angle.cos(), angle.sin())
        result[k] = y
    return result.reshape(x.shape)


def conjugate_flip(item: Tensor, *, tol: float = 0.0, wrap: bool = False) -> Tensor:
    """Conj x(lo + hi - 1 - n) on every axis; the whole window where it is periodic or black."""
    reversed_window = torch.flip(item, list(range(item.dim()))).conj().resolve_conj()
    if wrap or not bool((item != 0).any()):
        return reversed_window
    shift = [
        lo + hi - 1 - (size - 1)
        for (lo, hi), size in zip(bounding_box(item, tol=tol), item.shape, strict=True)
    ]
    return translate(reversed_window, shift)
