"""Gradients of ops, by autograd and within the transforms of torch.func (grad, vjp, jacrev)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from symbreak.ops.batching import with_leading_batch


def differentiable(
    op: str, backward: Callable[..., Any], setup_context: Callable[..., None] | None = None
) -> Callable[..., Any]:
    """Register the gradient of ``symbreak::<op>`` and return what calls the op.

    torch has no rule for its function transforms through an op with a registered gradient, only for
    an ``autograd.Function``; so within such a transform one of these calls the op.

    Args:
        op: Its name; all its tensors are positional.
        backward: As ``torch.library.register_autograd`` takes it.
        setup_context: Likewise.
    """
    torch.library.register_autograd(f"symbreak::{op}", backward, setup_context=setup_context)
    call = getattr(torch.ops.symbreak, op).default

    class Function(torch.autograd.Function):
        """Takes the op's tensors and, as one argument more, its keyword arguments."""

        @staticmethod
        def forward(*given: Any) -> Any:
            return call(*given[:-1], **given[-1])

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
            if setup_context is not None:
                setup_context(ctx, inputs[:-1], inputs[-1], output)

        @staticmethod
        def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
            found = backward(ctx, *gradients)
            return (*found, None) if isinstance(found, tuple) else (found, None)

        @staticmethod
        def vmap(info: Any, in_dims: tuple[Any, ...], *given: Any) -> tuple[Any, Any]:
            moved = with_leading_batch(info.batch_size, in_dims[:-1], given[:-1])
            result = apply(*moved, given[-1])
            return result, 0 if isinstance(result, Tensor) else (0,) * len(result)

    apply: Callable[..., Any] = Function.apply

    def dispatch(*given: Tensor, **options: Any) -> Any:
        return apply(*given, options) if is_transformed() else call(*given, **options)

    return dispatch


def is_transformed() -> bool:
    """Whether a transform of torch.func is at work; not in a traced graph, which holds the op."""
    if torch.compiler.is_compiling():
        return False
    active: bool = torch._C._are_functorch_transforms_active()
    return active
