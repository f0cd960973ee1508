"""Argument checks: one line that names the function, the argument, what was expected and given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from symbreak.ops.memory import check_memory
from symbreak.ops.numbers import integers, is_number, whole

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


def check_ndim(function: str, ndim: int) -> int:
    """Check and return the number of axes of a grid, see `whole`."""
    value = whole(ndim)
    if value is None:
        raise TypeError(f"{function}: ndim must be the integer 2 or 3, got {shown(ndim)}.")
    if value not in (2, 3):
        raise ValueError(f"{function}: ndim must be 2 or 3, got {shown(ndim)}.")
    return value


def check_count(function: str, name: str, given: int, least: int, need: str = "at least") -> int:
    """Check and return a whole number from ``least`` to what 64 bits hold, see `whole`."""
    value = whole(given)
    if value is None:
        raise TypeError(f"{function}: {name} must be an integer, got {shown(given)}.")
    if value < least:
        raise ValueError(f"{function}: {name} must be {need} {least}, got {shown(given)}.")
    if value >= 2**63:
        raise ValueError(f"{function}: {name} must fit 64 bits, got {shown(given)}.")
    return value


def check_integer(function: str, name: str, given: int, least: int) -> int:
    """Check and return a whole number >= ``least`` of any size, see `whole`."""
    value = whole(given)
    if value is None or value < least:
        raise ValueError(f"{function}: {name} must be an integer >= {least}, got {shown(given)}.")
    return value


def check_tensor(function: str, name: str, x: Tensor) -> None:
    if not isinstance(x, Tensor):
        raise TypeError(f"{function}: {name} must be a torch.Tensor, got {type(x).__name__}.")


def check_mask(function: str, name: str, mask: Tensor) -> None:
    """Check that a mask is a dense tensor of booleans."""
    check_tensor(function, name, mask)
    check_dense(function, name, mask)
    if mask.dtype != torch.bool:
        raise TypeError(f"{function}: {name} must be bool, got {dtype_name(mask.dtype)}.")


def measured(valid: Tensor | None, x: Tensor, ndim: int) -> Tensor:
    """Return ``valid``; where there is none, that all pixels of the grid of ``x`` were measured."""
    if valid is not None:
        return valid
    return torch.ones(x.shape[-ndim:], dtype=torch.bool, device=x.device)


def check_beside(function: str, name: str, x: Tensor, objects: Tensor, ndim: int) -> None:
    """Check that ``x`` is a tensor ``(*grid)``, of the grid and on the device of ``objects``."""
    check_tensor(function, name, x)
    grid = objects.shape[-ndim:]
    if x.shape != grid:
        raise ValueError(
            f"{function}: {name} must have the grid of objects, {tuple(grid)}, got "
            f"{tuple(x.shape)}."
        )
    if x.device != objects.device:
        raise ValueError(
            f"{function}: {name} must be on the device of objects, {objects.device}, got "
            f"{x.device}."
        )


def check_dense(function: str, name: str, x: Tensor) -> None:
    """Check that a tensor holds one number per element: it is not sparse, nor nested."""
    if x.layout != torch.strided or x.is_nested:
        kind = "nested" if x.is_nested else str(x.layout).removeprefix("torch.")
        raise TypeError(f"{function}: {name} must be a dense tensor, got a {kind} one.")


def check_grid(function: str, name: str, x: Tensor, ndim: int) -> int:
    """Check that ``x`` is dense, its last ``ndim`` axes are there and hold at least one pixel.

    Returns ``ndim`` as Python's integer.
    """
    ndim = check_ndim(function, ndim)
    check_dense(function, name, x)
    if x.dim() < ndim:
        raise ValueError(
            f"{function}: {name} must have at least ndim = {ndim} axes, got shape {tuple(x.shape)}."
        )
    if any(size == 0 for size in x.shape[-ndim:]):
        raise ValueError(
            f"{function}: the grid of {name} must not be empty, got shape {tuple(x.shape)}."
        )
    return ndim


def check_object(function: str, name: str, x: Tensor, ndim: int) -> int:
    """Check that ``x`` is a complex tensor of shape ``(*batch, *grid)``.

    Returns ``ndim`` as Python's integer.
    """
    check_tensor(function, name, x)
    if x.dtype not in COMPLEX:
        raise TypeError(
            f"{function}: {name} must be complex64 or complex128, got {dtype_name(x.dtype)}."
        )
    ndim = check_grid(function, name, x, ndim)
    # An expanded tensor may be larger than the memory, and the result holds every element of it.
    if not torch.compiler.is_compiling() and 0 in x.stride():
        check_memory(function, f"{name} of shape {tuple(x.shape)}", x.shape, x.dtype, x.device)
    return ndim


def check_tolerance(function: str, tol: float) -> None:
    if not is_number(tol):
        raise TypeError(f"{function}: tol must be a number, got {type(tol).__name__}.")
    if not 0 <= tol < 1:
        raise ValueError(f"{function}: tol must be in [0, 1), got {shown(tol)}.")


def check_flag(function: str, name: str, value: bool) -> bool:
    """Check and return a switch, one of NumPy's included, as Python's."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{function}: {name} must be True or False, got {shown(value)}.")
    return bool(value)


def check_pair(function: str, estimate: Tensor, reference: Tensor, ndim: int) -> int:
    """Check that ``estimate`` and ``reference`` are objects of one shape, dtype and device.

    Returns ``ndim`` as Python's integer.
    """
    ndim = check_object(function, "estimate", estimate, ndim)
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
    return ndim


def check_reduction(function: str, reduction: str) -> None:
    if not isinstance(reduction, str) or reduction not in ("none", "mean", "sum"):
        raise ValueError(
            f'{function}: reduction must be "none", "mean" or "sum", got {shown(reduction)}.'
        )


def check_shape(function: str, shape: Sequence[int], grid: Sequence[int]) -> list[int]:
    """Check and return ``shape``: one integer per axis of the grid, none below its length."""
    sizes = integers(shape)
    if sizes is None:
        raise TypeError(f"{function}: shape must be a sequence of integers, got {shown(shape)}.")
    if len(sizes) != len(grid):
        raise ValueError(
            f"{function}: shape must have ndim = {len(grid)} sizes, got {shown(shape)}."
        )
    if any(size >= 2**63 for size in sizes):
        raise ValueError(f"{function}: shape must fit 64 bits, got {shown(tuple(sizes))}.")
    if any(size < n for size, n in zip(sizes, grid, strict=True)):
        raise ValueError(
            f"{function}: shape must be >= the grid {tuple(grid)} on every axis, "
            f"got {tuple(sizes)}."
        )
    return sizes


def check_data(function: str, name: str, x: Tensor, like: str, device: torch.device) -> None:
    """Check that a tensor beside ``like``, on ``device``, can be brought there: it holds data."""
    check_dense(function, name, x)
    if x.is_meta and device.type != "meta":
        raise ValueError(f"{function}: {name} must be on the device of {like}, {device}, got meta.")
