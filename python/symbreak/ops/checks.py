"""Argument checks: one line that names the function, the argument, what was expected and given."""

from __future__ import annotations

import torch
from torch import Tensor

# Each supported complex dtype and the dtype of its parts (dtype.to_real() does not compile).
REAL_OF = {torch.complex64: torch.float32, torch.complex128: torch.float64}
COMPLEX = tuple(REAL_OF)


def dtype_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def check_ndim(function: str, ndim: int) -> None:
    if isinstance(ndim, bool) or not isinstance(ndim, int):
        raise TypeError(f"{function}: ndim must be the integer 2 or 3, got {ndim!r}.")
    if ndim not in (2, 3):
        raise ValueError(f"{function}: ndim must be 2 or 3, got {ndim}.")


def check_grid(function: str, name: str, x: Tensor, ndim: int) -> None:
    """Check that the last ``ndim`` axes of ``x`` are there and hold at least one pixel."""
    check_ndim(function, ndim)
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


def check_tolerance(function: str, tol: float) -> None:
    if isinstance(tol, bool) or not isinstance(tol, (int, float)):
        raise TypeError(f"{function}: tol must be a number, got {type(tol).__name__}.")
    if not 0 <= tol < 1:
        raise ValueError(f"{function}: tol must be in [0, 1), got {tol}.")


def check_flag(function: str, name: str, value: bool) -> None:
    if not isinstance(value, bool):
        raise TypeError(f"{function}: {name} must be True or False, got {value!r}.")
