"""center: translate each object so that its bounding box is in the middle of its window."""

from typing import NamedTuple

import torch
from torch import Tensor

from symbreak.ops.autograd import refuse_gradient, refuse_tangent
from symbreak.ops.batching import map_by_batch_axes
from symbreak.ops.checks import check_flag, check_object, check_tolerance


class Centered(NamedTuple):
    """What :func:`center` returns."""

    object: Tensor
    """The centred object, shape and dtype of the input."""
    shift: Tensor
    """By how many pixels it was moved on each axis, int64 ``(*batch, ndim)``."""


def center(x: Tensor, *, tol: float = 0.0, wrap: bool = False, ndim: int = 2) -> Centered:
    """Translate each object so that its bounding box is in the middle of its window.

    The bounding box ``[lo, hi)`` of ``|x| > tol * max|x|`` is moved to start at
    ``(N - (hi - lo)) // 2`` on every axis of length ``N``. This breaks the translation symmetry of
    far-field phase retrieval (Zhang et al. 2024, Algorithm 1, step 1).

    An all-zero item and one that holds NaN or infinity come back as they are, with shift 0; the
    other items of the batch are not affected. With ``tol > 0`` faint content outside the box moves
    along, and what leaves the window is lost.

    Args:
        x: Objects, complex64 or complex128, shape ``(*batch, *grid)``; any batch axes, also none.
        tol: Relative threshold of the content, in [0, 1).
        wrap: Whether the grid is periodic: the content may cross its edge, and is moved circularly.
            The box is then what the longest black run of each axis leaves (of equally long runs,
            the first).
        ndim: How many trailing axes are the grid, 2 or 3.

    Returns:
        Centered: ``object``, like ``x``, and ``shift`` in pixels, int64 ``(*batch, ndim)``.

    Raises:
        TypeError: ``x`` is not a complex tensor, or another argument is of the wrong type.
        ValueError: ``ndim`` or ``tol`` out of range, too few axes, or an empty grid.
        MemoryError: ``x`` is an expanded view, and the result larger than the memory of the device.
        RuntimeError: In backward through the result, or in forward mode.

    Not differentiable. Deterministic. Cost: two reads and one write of ``x``, two more reads for
    ``tol > 0``; an item that fits the cache comes from the memory once. No memory beyond the
    result, and a copy of ``x`` if it is not contiguous.

    Example:
        >>> x = torch.zeros(5, 5, dtype=torch.complex64)
        >>> x[0, 0] = 1
        >>> symbreak.center(x).shift
        tensor([2, 2])
    """
    ndim = check_object("center", "x", x, ndim)
    refuse_tangent("center", x)
    check_tolerance("center", tol)
    wrap = check_flag("center", "wrap", wrap)
    return Centered(*_center(x, tol=float(tol), wrap=wrap, ndim=ndim))


@torch.library.register_fake("symbreak::center")
def _(x: Tensor, *, tol: float = 0.0, wrap: bool = False, ndim: int = 2) -> tuple[Tensor, Tensor]:
    return x.new_empty(x.shape), x.new_empty((*x.shape[:-ndim], ndim), dtype=torch.int64)


map_by_batch_axes("center")
_center = refuse_gradient("center", "the shift is a discrete choice. Detach the input: x.detach().")
