"""fourier_amplitude: what a far-field detector sees of an object, |F x|."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from symbreak.ops.autograd import refuse_tangent
from symbreak.ops.batching import map_by_batch_axes
from symbreak.ops.checks import REAL_OF, check_count, check_object, check_shape
from symbreak.ops.functional import differentiable
from symbreak.ops.memory import check_memory


def fourier_amplitude(
    x: Tensor, *, oversampling: int = 2, shape: Sequence[int] | None = None, ndim: int = 2
) -> Tensor:
    """The modulus of the zero-padded Fourier transform of each object, |F x|.

    F is ``torch.fft.fftn`` without normalisation, zero frequency at index 0; ``x`` is at the origin
    of the padded grid. Phase retrieval needs ``M >= 2N - 1`` samples per axis, which the default
    ``M = 2N`` gives; smaller ``shape`` down to ``N`` is allowed and undersamples the intensity.

    Args:
        x: Objects, complex64 or complex128, shape ``(*batch, *grid)``; any batch axes, also none.
        oversampling: Each axis of length N is padded to ``oversampling * N``; integer >= 1.
        shape: The padded grid ``M`` instead, ``ndim`` integers, each at least N.
        ndim: How many trailing axes are the grid, 2 or 3.

    Returns:
        Tensor: Amplitudes >= 0, float32 or float64 like ``x``, shape ``(*batch, *M)``.

    Raises:
        TypeError: ``x`` is not a complex tensor, or another argument is of the wrong type.
        ValueError: ``ndim``, ``oversampling`` or ``shape`` out of range, too few axes, or an empty
            grid.
        MemoryError: The result is larger than the memory of the device.
        RuntimeError: In forward mode (``torch.func.jvp``).

    Differentiable, also twice; the gradient of the modulus is z/|z|, and 0 where z = 0.
    Deterministic; an item's result depends neither on the batch around it nor on the number of
    threads, its gradient but for rounding. Cost: one FFT of the padded grid (any size), in 2D of
    the rows with content only where the sizes are multiples of 16 from 32 to 2048 without other
    factors than 2, 3 and 5; memory beyond the result: one padded spectrum per thread. Backward: two
    FFTs per item, and some padded spectra of the whole batch.

    Example:
        >>> symbreak.fourier_amplitude(torch.ones(2, 2, dtype=torch.complex64)).shape
        torch.Size([4, 4])
    """
    ndim = check_object("fourier_amplitude", "x", x, ndim)
    refuse_tangent("fourier_amplitude", x)
    oversampling = check_count("fourier_amplitude", "oversampling", oversampling, 1, need=">=")
    if shape is not None:
        shape = check_shape("fourier_amplitude", shape, x.shape[-ndim:])
    cause = f"oversampling = {oversampling}" if shape is None else f"shape = {tuple(shape)}"
    full = (*x.shape[:-ndim], *_padded(x, oversampling, shape, ndim))
    check_memory("fourier_amplitude", cause, full, REAL_OF[x.dtype], x.device)
    amplitude: Tensor = _call(x, oversampling=oversampling, shape=shape, ndim=ndim)
    return amplitude


def _padded(
    x: Tensor, oversampling: int, shape: Sequence[int] | None, ndim: int
) -> tuple[int, ...]:
    return tuple(shape) if shape is not None else tuple(oversampling * n for n in x.shape[-ndim:])


@torch.library.register_fake("symbreak::fourier_amplitude")
def _(
    x: Tensor, *, oversampling: int = 2, shape: Sequence[int] | None = None, ndim: int = 2
) -> Tensor:
    grid = _padded(x, oversampling, shape, ndim)
    return x.new_empty((*x.shape[:-ndim], *grid), dtype=REAL_OF[x.dtype])


def _setup_context(
    ctx: Any, inputs: tuple[Tensor], keyword_only_inputs: dict[str, Any], output: Tensor
) -> None:
    ctx.save_for_backward(*inputs)
    ctx.grid = _padded(*inputs, **keyword_only_inputs)


def _backward(ctx: Any, gradient: Tensor) -> Tensor:
    """F^H (g F x / |F x|), cropped to the window; F^H is ifftn without normalisation."""
    (x,) = ctx.saved_tensors
    if x.numel() == 0:  # torch's FFT refuses an empty batch
        return torch.zeros_like(x)
    axes = tuple(range(-len(ctx.grid), 0))
    direction = torch.fft.fftn(x, ctx.grid, axes).sgn()
    back: Tensor = torch.fft.ifftn(gradient * direction, dim=axes, norm="forward")
    for axis in axes:
        back = back.narrow(axis, 0, x.shape[axis])
    return back.contiguous()


map_by_batch_axes("fourier_amplitude")
_call = differentiable("fourier_amplitude", _backward, _setup_context)
