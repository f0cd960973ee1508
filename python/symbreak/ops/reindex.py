"""reindex: the primitive op beneath every symmetry, an object read through an index map.

``torch.ops.symbreak.reindex(x, offset, flipped, phase, *, wrap, ndim)`` is

    y(n) = e^{i phase} C^f x(offset + (f ? -n : n)),    C the complex conjugate, f = flipped

for objects ``x`` ``(*batch, *grid)``, ``offset`` int64 ``(*batch, ndim)``, ``flipped`` bool
``(*batch)`` and ``phase`` in radians, ``(*batch)`` of the real dtype of ``x``. Where the source
pixel is outside the grid the result is 0; with ``wrap`` the grid is periodic. Phase 0 copies bits.

Differentiable in ``x`` to any order, since its adjoint is again a reindex; not in ``phase``.
"""

from typing import Any

import torch
from torch import Tensor


def adjoint_element(
    offset: Tensor, flipped: Tensor, phase: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The element whose reindex is the adjoint; on content that stays in the window, the inverse.

    An unflipped element is undone by ``(-offset, -phase)``; a flipped one is its own inverse, as
    e^{i phase} conj(e^{i phase} conj(z)) = z and offset - (offset - n) = n.
    """
    return (
        torch.where(flipped.unsqueeze(-1), offset, -offset),
        flipped,
        torch.where(flipped, phase, -phase),
    )


@torch.library.register_fake("symbreak::reindex")
def _(
    x: Tensor, offset: Tensor, flipped: Tensor, phase: Tensor, *, wrap: bool, ndim: int
) -> Tensor:
    return x.new_empty(x.shape)


def _setup_context(
    ctx: Any, inputs: tuple[Tensor, ...], keyword_only_inputs: dict[str, Any], output: Tensor
) -> None:
    ctx.save_for_backward(*inputs[1:])
    ctx.options = keyword_only_inputs


def _backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
    if ctx.needs_input_grad[3]:
        raise RuntimeError("symbreak.reindex is not differentiable in phase: detach it.")
    element = adjoint_element(*ctx.saved_tensors)
    return torch.ops.symbreak.reindex(gradient, *element, **ctx.options), None, None, None


torch.library.register_autograd("symbreak::reindex", _backward, setup_context=_setup_context)
