"""Argument checks of reconstruct, and its tensors brought to the shapes of the op."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from symbreak.ops.checks import (
    check_count,
    check_data,
    check_dense,
    check_grid,
    check_tensor,
    dtype_name,
    shown,
)
from symbreak.ops.memory import check_memory
from symbreak.ops.numbers import integers, is_number, whole

COMPLEX_OF = {torch.float32: torch.complex64, torch.float64: torch.complex128}
LEAST_BETA = 1e-6
MOST_ITERATIONS = 2**60


def check_amplitude(amplitude: Tensor, ndim: int) -> int:
    """Check the amplitude, and return ``ndim`` as Python's integer."""
    check_tensor("reconstruct", "amplitude", amplitude)
    if amplitude.dtype not in COMPLEX_OF:
        raise TypeError(
            f"reconstruct: amplitude must be float32 or float64, got {dtype_name(amplitude.dtype)}."
        )
    return check_grid("reconstruct", "amplitude", amplitude, ndim)


def check_starts(starts: int, first_start: int) -> tuple[int, int]:
    """Check and return both; the random phases count starts by 32 bits."""
    starts = check_count("reconstruct", "starts", starts, 1)
    first_start = check_count("reconstruct", "first_start", first_start, 0)
    if first_start + starts > 2**32:
        raise ValueError(
            f"reconstruct: first_start + starts must be at most 2^32, got {first_start + starts}."
        )
    return starts, first_start


def check_part(part: tuple[int, int]) -> tuple[int, int]:
    """Check and return the iterations before and after a part of a schedule."""
    counts = integers(part) if isinstance(part, (tuple, list)) else None
    if counts is None or len(counts) != 2:
        raise TypeError(
            "reconstruct: part must be two integers, the iterations before and after, got "
            f"{shown(part)}."
        )
    before, after = (check_count("reconstruct", "part", count, 0) for count in counts)
    if before + after > MOST_ITERATIONS:
        raise ValueError(f"reconstruct: part must be at most 2^60 iterations, got {shown(part)}.")
    return before, after


def check_result(amplitude: Tensor, starts: int, records: int, ndim: int) -> None:
    """Check that the objects and the history can be held at all."""
    batch, grid = amplitude.shape[:-ndim], amplitude.shape[-ndim:]
    cause, place = f"starts = {starts}", amplitude.device
    check_memory("reconstruct", cause, (*batch, starts, *grid), COMPLEX_OF[amplitude.dtype], place)
    if records:
        cause = f"a history of {records} records"
        check_memory("reconstruct", cause, (*batch, starts, records), amplitude.dtype, place)


def check_beta(beta: float) -> None:
    if not is_number(beta):
        raise TypeError(f"reconstruct: beta must be a number, got {shown(beta)}.")
    if not 0 < beta <= 2:
        raise ValueError(f"reconstruct: beta must be in (0, 2], got {shown(beta)}.")
    if beta < LEAST_BETA:
        raise ValueError(
            f"reconstruct: beta must be at least {LEAST_BETA:g}, as DM divides by it, got {beta}."
        )


def check_phase_limit(limit: float | None) -> None:
    if limit is None:
        return
    if not is_number(limit):
        raise TypeError(
            f"reconstruct: phase_limit must be a number of radians or None, got {shown(limit)}."
        )
    if not 0 <= limit < math.pi:
        raise ValueError(
            f"reconstruct: phase_limit must be in [0, pi) radians, got {shown(limit)}."
        )


def check_like(name: str, x: Tensor, dtype: torch.dtype, amplitude: Tensor) -> None:
    check_tensor("reconstruct", name, x)
    check_dense("reconstruct", name, x)
    if x.dtype != dtype:
        raise TypeError(
            f"reconstruct: {name} must be {dtype_name(dtype)}, got {dtype_name(x.dtype)}."
        )
    if x.device != amplitude.device:
        raise ValueError(
            f"reconstruct: {name} must be on the device of amplitude, {amplitude.device}, "
            f"got {x.device}."
        )


def broadcast(name: str, x: Tensor, shape: tuple[int, ...]) -> Tensor:
    try:
        return x.expand(shape)
    except RuntimeError:
        raise ValueError(
            f"reconstruct: {name} must be broadcastable to {tuple(shape)}, "
            f"got shape {tuple(x.shape)}."
        ) from None


def per_start(name: str, x: Tensor, amplitude: Tensor, starts: int, ndim: int) -> Tensor:
    """Bring ``(*batch, *M)``, or one axis more for the starts, to ``(*batch, starts, *M)``."""
    batch, grid = amplitude.shape[:-ndim], amplitude.shape[-ndim:]
    if x.dim() <= amplitude.dim():
        x = broadcast(name, x, (*batch, *grid)).unsqueeze(-ndim - 1)
    return broadcast(name, x, (*batch, starts, *grid))


def check_seed(seed: int) -> int:
    """Check and return one seed for all items."""
    number = whole(seed)
    if number is None:
        raise TypeError(
            f"reconstruct: seed must be an integer or a tensor of them, got {shown(seed)}."
        )
    if not -(2**63) <= number < 2**63:
        raise ValueError(f"reconstruct: seed must fit 64 bits, got {shown(seed)}.")
    return number


def seeds(seed: int | Tensor, amplitude: Tensor, ndim: int) -> Tensor:
    """Bring ``seed`` to int64 ``(*batch)``, on the device of the amplitude."""
    batch = amplitude.shape[:-ndim]
    if isinstance(seed, Tensor):
        if seed.dtype not in (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8):
            raise TypeError(
                f"reconstruct: seed must be of an integer type, got {dtype_name(seed.dtype)}."
            )
        check_data("reconstruct", "seed", seed, "amplitude", amplitude.device)
        return broadcast("seed", seed.to(amplitude.device, torch.int64), batch)
    return torch.full(batch, check_seed(seed), dtype=torch.int64, device=amplitude.device)


def check_values(
    amplitude: Tensor,
    valid: Tensor | None,
    support: Tensor | None,
    initial: Tensor | None,
    saturated: Tensor | None,
    ndim: int,
) -> None:
    """Check the data themselves, item by item; the tensors have the shapes of the op.

    By smallest and largest values, which are NaN where a value is: an order of magnitude faster
    than a mask of every pixel, and a short run would notice.
    """
    axes = tuple(range(-ndim, 0))
    problems: list[tuple[Tensor, str]] = []
    if saturated is not None:
        low, high = _extremes(torch.where(saturated, amplitude, 0), axes)
        wrong = ~((low >= 0) & high.isfinite())  # a NaN is not >= 0
        least = "amplitude must be the finite number >= 0 that a saturated pixel has at least"
        problems += [(wrong, f"{least}, got a negative value, NaN or infinity")]
        valid = ~saturated if valid is None else valid & ~saturated
    if valid is not None:
        nothing = ~_any(valid, axes)
        which = "valid" if saturated is None else "valid and saturated"
        problems += [(nothing, f"{which} must leave at least one measured pixel, got none")]
        amplitude = torch.where(valid, amplitude, 0)
    low, high = _extremes(amplitude, axes)
    infinite = ~(low.isfinite() & high.isfinite())
    problems += [
        (infinite, "amplitude must be finite where measured, got NaN or infinity"),
        (low < 0, "amplitude must not be negative where measured, got a negative value"),
        (high == 0, "amplitude must have a measured pixel above 0, got only zeros"),
    ]
    if support is not None:
        problems += [(~_any(support, axes), "support must hold at least one pixel, got none")]
    if initial is not None:
        parts = torch.view_as_real(initial.resolve_conj())
        low, high = _extremes(parts, tuple(range(-ndim - 1, 0)))
        infinite = ~(low.isfinite() & high.isfinite())
        problems += [(infinite, "initial must be finite, got NaN or infinity")]
    _refuse(problems)


def _extremes(x: Tensor, axes: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Smallest and largest values over the axes; a NaN among them makes both NaN.

    On the CPU by NumPy: torch would wake its pool, whose threads spin for milliseconds afterwards
    on the cores that the iteration needs.
    """
    if x.device.type != "cpu":
        return x.amin(axes), x.amax(axes)
    try:
        values = x.detach().resolve_neg().numpy()
    except RuntimeError as problem:  # a tensor without memory, as within torch.func.vmap
        raise RuntimeError(
            "reconstruct: the values cannot be read, as within torch.func.vmap; give the items as "
            f"batch axes instead ({problem})."
        ) from None
    # Not torch.as_tensor, which would move them to the default device.
    low, high = np.asarray(values.min(axes)), np.asarray(values.max(axes))
    return torch.from_numpy(low), torch.from_numpy(high)


def _any(mask: Tensor, axes: tuple[int, ...]) -> Tensor:
    return _extremes(mask.view(torch.uint8), axes)[1] > 0


def _refuse(problems: list[tuple[Tensor, str]]) -> None:
    """Raise for the first problem that an item (or start) has; each with a bool ``(*batch)``.

    One look at all of them: each waits for the device.
    """
    found = torch.stack([bad.any() for bad, _ in problems]).tolist()
    for (bad, problem), there in zip(problems, found, strict=True):
        if there:
            index = tuple(bad.nonzero()[0].tolist())
            place = f" in item {index[0] if len(index) == 1 else index}" if index else ""
            raise ValueError(f"reconstruct: {problem}{place}.")
