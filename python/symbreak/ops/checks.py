"""Argument checks: one line that names the function, the argument, what was expected and given."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from symbreak.ops.memory import check_memory

# Each supported complex dtype and the dtype of its parts (dtype.to_real() does not compile).
REAL_OF = {torch.complex64: torch.float32, torch.complex128: torch.float64}
COMPLEX = tuple(REAL_OF)


def dtype_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def shown(value: object, most: int = 80) -> str:
    """The ``repr`` of what was given, in one line and never longer than ``most`` characters."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # an integer of more than 4300 digits; a class whose repr is broken
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= most else text[: most - 3] + "..."


def check_ndim(function: str, ndim: int) -> None:
    if isinstance(ndim, bool) or not isinstance(ndim, int):
        raise TypeError(f"{function}: ndim must be the integer 2 or 3, got {shown(ndim)}.")
    if ndim not in (2, 3):
        raise ValueError(f"{function}: ndim must be 2 or 3, got {shown(ndim)}.")


def check_dense(function: str, name: str, x: Tensor) -> None:
    """Check that a tensor holds one number per element: it is not sparse, nor nested."""
    if x.layout != torch.strided or x.is_nested:
        kind = "nested" if x.is_nested else str(x.layout).removeprefix("torch.")
        raise TypeError(f"{function}: {name} must be a dense tensor, got a {kind} one.")


def check_grid(function: str, name: str, x: Tensor, ndim: int) -> None:
    """Check that ``x`` is dense, its last ``ndim`` axes are there and hold at least one pixel."""
    check_ndim(function, ndim)
    check_dense(function, name, x)
    if x.dim() < ndim:
        raise ValueError(
            f"{function}: {name} must have at least ndim = {ndim} axes, got shape {tuple(x.shape)}."
        )
    if any(size == 0 for size in x.shape[-ndim:]):
        raise ValueError(
            f"{function}: the grid of {name} must not be empty, got shape {tuple(x.shape)}."
        )


def check_object(function: str, name: str, x: Tensor, ndim: int) -> None:
    """Check that ``x`` is a complex tensor of shape ``(*batch, *grid)``."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{function}: {name} must be a torch.Tensor, got {type(x).__name__}.")
    if x.dtype not in COMPLEX:
        raise TypeError(
            f"{function}: {name} must be complex64 or complex128, got {dtype_name(x.dtype)}."
        )
    check_grid(function, name, x, ndim)
    # An expanded tensor may be larger than the memory, and the result holds every element of it.
    if not torch.compiler.is_compiling() and 0 in x.stride():
        check_memory(function, f"{name} of shape {tuple(x.shape)}", x.shape, x.dtype, x.device)


def check_tolerance(function: str, tol: float) -> None:
    if isinstance(tol, bool) or not isinstance(tol, (int, float)):
        raise TypeError(f"{function}: tol must be a number, got {type(tol).__name__}.")
    if not 0 <= tol < 1:
        raise ValueError(f"{function}: tol must be in [0, 1), got {shown(tol)}.")


def check_flag(function: str, name: str, value: bool) -> None:
    if not isinstance(value, bool):
        raise TypeError(f"{function}: {name} must be True or False, got {shown(value)}.")


def check_pair(function: str, estimate: Tensor, reference: Tensor, ndim: int) -> None:
    """Check that ``estimate`` and ``reference`` are objects of one shape, dtype and device."""
    check_object(function, "estimate", estimate, ndim)
    check_object(function, "reference", reference, ndim)
    if reference.dtype != estimate.dtype:
        raise TypeError(
            f"{function}: reference must have the dtype of estimate, "
            f"{dtype_name(estimate.dtype)}, got {dtype_name(reference.dtype)}."
        )
    if reference.shape != estimate.shape:
        raise ValueError(
            f"{function}: reference must have the shape of estimate, {tuple(estimate.shape)}, "
            f"got {tuple(reference.shape)}."
        )
    if reference.device != estimate.device:
        raise ValueError(
            f"{function}: reference must be on the device of estimate, {estimate.device}, "
            f"got {reference.device}."
        )


def check_reduction(function: str, reduction: str) -> None:
    if not isinstance(reduction, str) or reduction not in ("none", "mean", "sum"):
        raise ValueError(
            f'{function}: reduction must be "none", "mean" or "sum", got {shown(reduction)}.'
        )


def check_oversampling(function: str, oversampling: int) -> None:
    if isinstance(oversampling, bool) or not isinstance(oversampling, int):
        raise TypeError(f"{function}: oversampling must be an integer, got {shown(oversampling)}.")
    if oversampling < 1:
        raise ValueError(f"{function}: oversampling must be >= 1, got {shown(oversampling)}.")
    if oversampling >= 2**63:
        raise ValueError(f"{function}: oversampling must fit 64 bits, got {shown(oversampling)}.")


def check_shape(function: str, shape: Sequence[int], grid: Sequence[int]) -> list[int]:
    """Check that ``shape`` has one integer per axis of the grid, none below its length."""
    if not isinstance(shape, (tuple, list)) or any(
        isinstance(size, bool) or not isinstance(size, int) for size in shape
    ):
        raise TypeError(f"{function}: shape must be a sequence of integers, got {shown(shape)}.")
    if len(shape) != len(grid):
        raise ValueError(
            f"{function}: shape must have ndim = {len(grid)} sizes, got {shown(shape)}."
        )
    if any(size >= 2**63 for size in shape):
        raise ValueError(f"{function}: shape must fit 64 bits, got {shown(tuple(shape))}.")
    if any(size < n for size, n in zip(shape, grid, strict=True)):
        raise ValueError(
            f"{function}: shape must be >= the grid {tuple(grid)} on every axis, "
            f"got {tuple(shape)}."
        )
    return list(shape)


def check_data(function: str, name: str, x: Tensor, like: str, device: torch.device) -> None:
    """Check that a tensor beside ``like``, on ``device``, can be brought there: it holds data."""
    check_dense(function, name, x)
    if x.is_meta and device.type != "meta":
        raise ValueError(f"{function}: {name} must be on the device of {like}, {device}, got meta.")
