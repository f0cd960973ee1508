"""reindex: the primitive op beneath every symmetry, an object read through an index map.

``torch.ops.symbreak.reindex(x, offset, flipped, phase, *, wrap, ndim)`` is

    y(n) = e^{i phase} C^f x(offset + (f ? -n : n)),    C the complex conjugate, f = flipped

for objects ``x`` ``(*batch, *grid)``, ``offset`` int64 ``(*batch, ndim)``, ``flipped`` bool
``(*batch)`` and ``phase`` in radians, ``(*batch)`` of the real dtype of ``x``. Where the source
pixel is outside the grid the result is 0; with ``wrap`` the grid is periodic. Phase 0 copies bits.

Differentiable in ``x`` and ``phase`` to any order, since its adjoint is again a reindex.
"""

from typing import Any

import torch
from torch import Tensor

from symbreak.ops.batching import map_by_batch_axes
from symbreak.ops.functional import differentiable


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
    x, *element = inputs
    ctx.save_for_backward(*element, *([x] if ctx.needs_input_grad[3] else []))
    ctx.options = keyword_only_inputs


def _backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, None, None, Tensor | None]:
    offset, flipped, phase, *saved = ctx.saved_tensors
    options = ctx.options
    towards_x = towards_phase = None
    if ctx.needs_input_grad[0]:
        towards_x = reindex(gradient, *adjoint_element(offset, flipped, phase), **options)
    if ctx.needs_input_grad[3]:  # d y / d phase = i y
        y = reindex(*saved, offset, flipped, phase, **options)
        towards_phase = (gradient * y.conj()).imag.sum(tuple(range(-options["ndim"], 0)))
    return towards_x, None, None, towards_phase


map_by_batch_axes("reindex")
reindex = differentiable("reindex", _backward, _setup_context)
