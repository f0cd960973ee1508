"""apply_symmetry: translate, conjugate flip and rotate objects; the amplitude stays the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from symbreak.ops.autograd import refuse_gradient, refuse_tangent
from symbreak.ops.batching import map_by_batch_axes
from symbreak.ops.checks import REAL_OF, check_data, check_flag, check_object, dtype_name, shown
from symbreak.ops.functional import is_transformed
from symbreak.ops.numbers import is_number
from symbreak.ops.reindex import reindex

# Black in any window, and far from where sums of indices leave 64 bits.
FAR = 2**62


def apply_symmetry(
    x: Tensor,
    *,
    shift: Tensor | Sequence[int] | None = None,
    flipped: Tensor | bool | None = None,
    phase: Tensor | float | None = None,
    wrap: bool = False,
    ndim: int = 2,
) -> Tensor:
    """Apply one element of the symmetry group to each object.

    The result is ``e^{i phase} T_shift C^flipped x``: first the conjugate flip, which reverses the
    content inside its bounding box on every axis and conjugates; then the translation
    ``y(n) = x(n - shift)``; then the global phase. What a translation moves out of the window is
    lost and black moves in, unless the grid is periodic.

    It replays what :func:`center`, :func:`break_symmetry` and :func:`align` report.

    Args:
        x: Objects, complex64 or complex128, shape ``(*batch, *grid)``; any batch axes, also none.
        shift: Pixels per axis, signed integers (a tensor, an array or a sequence) broadcastable to
            ``(*batch, ndim)``; None: no translation.
        flipped: Which items to flip, bool (likewise) broadcastable to ``(*batch)``; None: no item.
        phase: Radians, a number or a real tensor broadcastable to ``(*batch)``; None: 0. Cast to
            the real dtype of ``x``.
        wrap: Whether the grid is periodic: translation is circular, and the flip reverses the whole
            window, ``n -> N - 1 - n``.
        ndim: How many trailing axes are the grid, 2 or 3.

    Returns:
        Tensor: shape and dtype of ``x``. Without a phase the values are copied bit by bit.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: ``ndim`` out of range, too few axes, an empty grid, a shape that does not
            broadcast, a number ``phase`` that is not finite, or a tensor ``phase`` that requires a
            gradient.
        MemoryError: ``x`` is an expanded view, and the result larger than the memory of the device.
        RuntimeError: In forward mode (``torch.func.jvp``).

    Differentiable in ``x``, any number of times (the map is real-linear; the box of the flip counts
    as constant), not in ``phase``: multiply by ``torch.polar`` instead. Cost: one read and one
    write of ``x``, one more read if ``flipped`` is given without ``wrap``, to find the box;
    backward one read and one write.

    Example:
        >>> x = torch.zeros(5, 5, dtype=torch.complex64)
        >>> x[0, :2] = torch.tensor([1, 2j])
        >>> symbreak.apply_symmetry(x, shift=[0, 1], flipped=True)[0].abs()  # the twin, moved on
        tensor([0., 2., 1., 0., 0.])
    """
    ndim = check_object("apply_symmetry", "x", x, ndim)
    wrap = check_flag("apply_symmetry", "wrap", wrap)
    refuse_tangent("apply_symmetry", x, phase)
    batch = x.shape[:-ndim]
    call = _within_transforms if is_transformed() else torch.ops.symbreak.apply_symmetry
    moved: Tensor = call(
        x,
        shift=None if shift is None else _shift(shift, (*batch, ndim), x.device),
        flipped=None if flipped is None else _flipped(flipped, batch, x.device),
        phase=None if phase is None else _phase(phase, batch, x),
        wrap=wrap,
        ndim=ndim,
    )
    return moved


def _shift(shift: Tensor | Sequence[int], shape: tuple[int, ...], device: torch.device) -> Tensor:
    value = _tensor("shift", "integers of 64 bits", shift, device)
    if value.is_complex() or value.is_floating_point() or value.dtype in (torch.bool, torch.uint64):
        raise TypeError(
            f"apply_symmetry: shift must be signed integers, got {dtype_name(value.dtype)}."
        )
    return _broadcast("shift", value.to(torch.int64), shape)


def _flipped(flipped: Tensor | bool, batch: torch.Size, device: torch.device) -> Tensor:
    value = _tensor("flipped", "bool", flipped, device)
    if value.dtype != torch.bool:
        raise TypeError(f"apply_symmetry: flipped must be bool, got {dtype_name(value.dtype)}.")
    return _broadcast("flipped", value, batch)


def _phase(phase: Tensor | float, batch: torch.Size, x: Tensor) -> Tensor:
    if isinstance(phase, Tensor):
        if phase.is_complex() or phase.dtype == torch.bool:
            raise TypeError(
                f"apply_symmetry: phase must be real, in radians, got {dtype_name(phase.dtype)}."
            )
        check_data("apply_symmetry", "phase", phase, "x", x.device)
        if phase.requires_grad:
            raise ValueError(
                "apply_symmetry: phase must not require a gradient; "
                "multiply by torch.polar(one, phase) instead."
            )
    elif not is_number(phase):
        raise TypeError(
            f"apply_symmetry: phase must be a number or a tensor, got {type(phase).__name__}."
        )
    elif not abs(phase) <= torch.finfo(REAL_OF[x.dtype]).max:  # NaN is not either
        real = dtype_name(REAL_OF[x.dtype])
        raise ValueError(f"apply_symmetry: phase must be finite in {real}, got {shown(phase)}.")
    dtype = REAL_OF[x.dtype]
    if not isinstance(phase, Tensor):
        phase = torch.full((), float(phase), dtype=dtype, device=x.device)
    return _broadcast("phase", phase.to(x.device, dtype), batch)


def _tensor(name: str, expected: str, value: object, device: torch.device) -> Tensor:
    if isinstance(value, Tensor):
        check_data("apply_symmetry", name, value, "x", device)
    if isinstance(value, bool):  # filled there: a copy from the host would wait for the device
        return torch.full((), value, device=device)
    if isinstance(value, np.ndarray):  # torch takes no negative strides
        value = np.ascontiguousarray(value)
    try:
        return torch.as_tensor(value, device=device)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise TypeError(f"apply_symmetry: {name} must be {expected}, got {shown(value)}.") from None


def _broadcast(name: str, value: Tensor, shape: Sequence[int]) -> Tensor:
    try:
        return value.expand(tuple(shape))
    except RuntimeError:
        raise ValueError(
            f"apply_symmetry: {name} must broadcast to {tuple(shape)}, "
            f"got shape {tuple(value.shape)}."
        ) from None


# The op is a composition: its gradient is that of `reindex` on every device, and vmap maps that.
@torch.library.impl("symbreak::apply_symmetry", ("CompositeImplicitAutograd", "FuncTorchBatched"))
def _apply_symmetry(
    x: Tensor,
    *,
    shift: Tensor | None = None,
    flipped: Tensor | None = None,
    phase: Tensor | None = None,
    wrap: bool = False,
    ndim: int = 2,
) -> Tensor:
    ops = torch.ops.symbreak
    return _composed(ops.flip_pivot, ops.reindex, x, shift, flipped, phase, wrap, ndim)


def _within_transforms(x: Tensor, *, wrap: bool, ndim: int, **element: Tensor | None) -> Tensor:
    return _composed(_flip_pivot, reindex, x, **element, wrap=wrap, ndim=ndim)


def _composed(
    flip_pivot: Callable[..., Tensor],
    reindex: Callable[..., Tensor],
    x: Tensor,
    shift: Tensor | None,
    flipped: Tensor | None,
    phase: Tensor | None,
    wrap: bool,
    ndim: int,
) -> Tensor:
    batch = x.shape[:-ndim]
    if shift is None:
        shift = torch.zeros((*batch, ndim), dtype=torch.int64, device=x.device)
    elif wrap:
        axes = zip(shift.unbind(-1), x.shape[-ndim:], strict=True)
        shift = torch.stack([s.remainder(size) for s, size in axes], dim=-1)
    else:
        shift = shift.clamp(-FAR, FAR)
    if phase is None:
        phase = torch.zeros(batch, dtype=REAL_OF[x.dtype], device=x.device)
    if flipped is None:
        flipped = torch.zeros(batch, dtype=torch.bool, device=x.device)
        offset = -shift
    else:
        pivot = flip_pivot(x.detach(), wrap=wrap, ndim=ndim)
        offset = torch.where(flipped.unsqueeze(-1), pivot + shift, -shift)
    return reindex(x, offset, flipped, phase, wrap=wrap, ndim=ndim)


@torch.library.register_fake("symbreak::flip_pivot")
def _(x: Tensor, *, wrap: bool, ndim: int) -> Tensor:
    return x.new_empty((*x.shape[:-ndim], ndim), dtype=torch.int64)


map_by_batch_axes("flip_pivot")
_flip_pivot = refuse_gradient("flip_pivot", "it is an index. Detach the input: x.detach().")
