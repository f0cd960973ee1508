"""align and sa_mse: two reconstructions compared up to translation, conjugate flip and phase."""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from symbreak.ops.autograd import refuse_gradient, refuse_tangent
from symbreak.ops.batching import map_by_batch_axes
from symbreak.ops.checks import REAL_OF, check_flag, check_pair, check_reduction
from symbreak.ops.functional import differentiable, is_transformed
from symbreak.ops.reindex import adjoint_element, reindex


class Alignment(NamedTuple):
    """What :func:`align` returns."""

    object: Tensor
    """The aligned estimate, shape and dtype of the estimate."""
    shift: Tensor
    """By how many pixels it was moved on each axis, int64 ``(*batch, ndim)``."""
    flipped: Tensor
    """Whether it was conjugate-flipped, bool ``(*batch)``."""
    phase: Tensor
    """By what phase it was turned, radians in (-pi, pi], real dtype, ``(*batch)``."""
    sa_mse: Tensor
    """The mean over the pixels of what still differs, squared, real dtype, ``(*batch)``."""


def align(estimate: Tensor, reference: Tensor, *, wrap: bool = False, ndim: int = 2) -> Alignment:
    """Move, flip and turn each estimate to where it is closest to its reference.

    The far-field amplitude does not tell ``x(n)`` from ``x(n - s)``, ``conj(x(-n))`` and
    ``e^{i phase} x``. Of all these, exhaustively, the one with the smallest

        (1 / pixels) || e^{i phase} T_shift C^flipped estimate - reference ||^2

    is chosen: integer shifts without wrap-around, so that content pushed out of the window counts
    in full as error; C reverses the content inside its bounding box and conjugates it. ``object``
    is ``apply_symmetry(estimate, shift=shift, flipped=flipped, phase=phase, wrap=wrap)``, and holds
    only what stays in the window.

    Of elements that are equally good the unflipped come first, then the lowest shift, axis 0 before
    axis 1 (``wrap``: the lowest shift modulo the size). An estimate or reference that is zero, or a
    correlation at rounding level, gives the identity; an item with NaN or infinity the identity
    and ``sa_mse`` NaN. The other items of the batch are not affected.

    Args:
        estimate: Objects, complex64 or complex128, shape ``(*batch, *grid)``; any batch axes.
        reference: What to align to, same shape and dtype.
        wrap: Whether the grid is periodic: shifts are circular, reported the shorter way around,
            and the flip is ``n -> N - 1 - n`` of the whole window.
        ndim: How many trailing axes are the grid, 2 or 3.

    Returns:
        Alignment: ``object``, ``shift``, ``flipped``, ``phase`` and ``sa_mse``.

    Raises:
        TypeError: An argument is of the wrong type, or the dtypes differ.
        ValueError: The shapes or devices differ, ``ndim`` is not 2 or 3, there are too few axes, or
            the grid is empty.
        MemoryError: An argument is an expanded view, larger than the memory of the device.
        RuntimeError: In backward through the result, or in forward mode.

    Not differentiable (use :func:`sa_mse`). Deterministic; an item's result does not depend on the
    batch around it. Cost per item: four FFTs of a fast length >= the sum of both contents' extents
    less one (``wrap``: of the grid), in up to six such arrays a thread, reused from item to item;
    sums in float64. In complex64 a pair of which more than 16 elements are equal to rounding is
    searched once more in complex128.

    Example:
        >>> x = torch.zeros(8, 8, dtype=torch.complex64)
        >>> x[1:3, 1:4] = torch.rand(2, 3)
        >>> symbreak.align(1j * x, torch.roll(x, (4, 2), (0, 1))).shift
        tensor([4, 2])
    """
    ndim = check_pair("align", estimate, reference, ndim)
    wrap = check_flag("align", "wrap", wrap)
    refuse_tangent("align", estimate, reference)
    return Alignment(*_align(estimate, reference, wrap=wrap, ndim=ndim))


def sa_mse(
    estimate: Tensor,
    reference: Tensor,
    *,
    wrap: bool = False,
    ndim: int = 2,
    reduction: str = "mean",
) -> Tensor:
    """The symmetry-adjusted mean squared error: zero for any member of the reference's orbit.

    Per item

        (1 / pixels) min_T || T estimate - reference ||^2

    over the elements T of the symmetry group that :func:`align` searches, with the same rules for
    ties, zero and non-finite items. Computed from the aligned arrays in float64, without the
    cancellation of |e|^2 + |r|^2 - 2 |correlation|. Zhang et al. 2024 name it, after Tayal et al.,
    NeurIPS 2020 workshop; of their definition no more is public than that it is invariant to the
    three symmetries, so values compare with theirs only as ratios.

    Args:
        estimate: Objects, complex64 or complex128, shape ``(*batch, *grid)``; any batch axes.
        reference: What to compare to, same shape and dtype.
        wrap: Whether the grid is periodic, see :func:`align`.
        ndim: How many trailing axes are the grid, 2 or 3.
        reduction: ``"none"`` for one value per item, or their ``"mean"`` or ``"sum"``.

    Returns:
        Tensor: float32 or float64 like the parts of ``estimate``, ``(*batch)`` or a scalar, in
        units of |object|^2. The mean of an empty batch is NaN, the sum 0.

    Raises:
        TypeError: An argument is of the wrong type, or the dtypes differ.
        ValueError: The shapes or devices differ, ``ndim`` or ``reduction`` is not one of those
            allowed, there are too few axes, or the grid is empty.
        MemoryError: An argument is an expanded view, larger than the memory of the device.
        RuntimeError: In forward mode (``torch.func.jvp``).

    Differentiable in both arguments, also twice. By the envelope theorem the gradient is that of
    the chosen alignment; where two elements are equally good it is that of the one chosen, and it
    is discontinuous there. Cost as :func:`align`; backward two passes over the objects.

    Example:
        >>> x = torch.zeros(8, 8, dtype=torch.complex64)
        >>> x[1:3, 1:4] = torch.rand(2, 3)
        >>> bool(symbreak.sa_mse(1j * x.flip(0, 1), x) < 1e-12)
        True
    """
    ndim = check_pair("sa_mse", estimate, reference, ndim)
    wrap = check_flag("sa_mse", "wrap", wrap)
    check_reduction("sa_mse", reduction)
    refuse_tangent("sa_mse", estimate, reference)
    if is_transformed():
        errors: Tensor = _best_element(estimate, reference, wrap=wrap, ndim=ndim)[4]
    else:
        errors = torch.ops.symbreak.sa_mse(estimate, reference, wrap=wrap, ndim=ndim)
    if reduction == "mean":
        return errors.mean()
    return errors.sum() if reduction == "sum" else errors


def _fake_element(x: Tensor, ndim: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    batch, real = x.shape[:-ndim], REAL_OF[x.dtype]
    return (
        x.new_empty((*batch, ndim), dtype=torch.int64),
        x.new_empty(batch, dtype=torch.bool),
        x.new_empty(batch, dtype=real),
        x.new_empty(batch, dtype=real),
    )


@torch.library.register_fake("symbreak::align")
def _(
    estimate: Tensor, reference: Tensor, *, wrap: bool = False, ndim: int = 2
) -> tuple[Tensor, ...]:
    return estimate.new_empty(estimate.shape), *_fake_element(estimate, ndim)


@torch.library.register_fake("symbreak::best_element")
def _(estimate: Tensor, reference: Tensor, *, wrap: bool, ndim: int) -> tuple[Tensor, ...]:
    shift, *others = _fake_element(estimate, ndim)
    return torch.empty_like(shift), shift, *others


map_by_batch_axes("align")
map_by_batch_axes("best_element")
_align = refuse_gradient(
    "align", "the element is a discrete choice. Use sa_mse, or detach the input."
)


def _setup_context(
    ctx: Any,
    inputs: tuple[Tensor, Tensor],
    keyword_only_inputs: dict[str, Any],
    output: tuple[Tensor, ...],
) -> None:
    offset, _, flipped, phase, _ = output
    ctx.mark_non_differentiable(*output[:4])
    ctx.save_for_backward(*inputs, offset, flipped, phase)
    ctx.options = keyword_only_inputs


def _backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
    estimate, reference, offset, flipped, phase = ctx.saved_tensors
    options = ctx.options
    grid = tuple(range(-options["ndim"], 0))
    if torch.is_grad_enabled():  # a second derivative sees how the best phase moves
        unturned = reindex(estimate, offset, flipped, torch.zeros_like(phase), **options)
        angle = (unturned.conj() * reference).sum(grid).angle()
        phase = phase + (angle - angle.detach())
    scale = gradients[4] * (2 / math.prod(estimate.shape[-len(grid) :]))
    scale = scale.reshape(scale.shape + (1,) * len(grid))
    towards_estimate = towards_reference = None
    if ctx.needs_input_grad[0]:
        back = reindex(reference, *adjoint_element(offset, flipped, phase), **options)
        towards_estimate = scale * (estimate - back)
    if ctx.needs_input_grad[1]:
        aligned = reindex(estimate, offset, flipped, phase, **options)
        towards_reference = scale * (reference - aligned)
    return towards_estimate, towards_reference


_best_element = differentiable("best_element", _backward, _setup_context)


# The op is a composition: its gradient is that of `best_element` on every device, vmap maps that.
@torch.library.impl("symbreak::sa_mse", ("CompositeImplicitAutograd", "FuncTorchBatched"))
def _sa_mse(estimate: Tensor, reference: Tensor, *, wrap: bool = False, ndim: int = 2) -> Tensor:
    error: Tensor = torch.ops.symbreak.best_element(estimate, reference, wrap=wrap, ndim=ndim)[4]
    return error
