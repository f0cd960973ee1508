"""torch.func.vmap over an op: one call with one batch axis more, not one call an item."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def map_by_batch_axes(op: str) -> None:
    """Make ``torch.func.vmap`` over ``symbreak::<op>`` a call with the mapped axis in front.

    For ops all of whose tensors, arguments as results, begin with the same batch axes, and whose
    items do not depend on each other. A tensor that is not mapped over is repeated for every item;
    that is a view, of which a kernel makes a copy.
    """
    call = getattr(torch.ops.symbreak, op).default

    def batched(info: Any, in_dims: tuple[int | None, ...], *values: Any, **options: Any) -> Any:
        result = call(*with_leading_batch(info.batch_size, in_dims, values), **options)
        return result, 0 if isinstance(result, Tensor) else (0,) * len(result)

    torch.library.register_vmap(f"symbreak::{op}", batched)


def with_leading_batch(
    count: int, in_dims: Sequence[int | None], values: Sequence[Any]
) -> list[Any]:
    """The tensors among ``values`` with the mapped axis in front; the others as they are."""

    def leading(value: Any, axis: int | None) -> Any:
        if not isinstance(value, Tensor):
            return value
        return value.expand(count, *value.shape) if axis is None else value.movedim(axis, 0)

    return [leading(*pair) for pair in zip(values, in_dims, strict=True)]
