"""Phase the patterns of a chunk and keep the best start of each."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from numpy.typing import NDArray

import symbreak
from symbreak.cli.coherence import Coherence
from symbreak.coherence import reconstruct as partly_coherent
from symbreak.cross_validation import ranking
from symbreak.data.streaming.chunks import Arrays
from symbreak.data.streaming.resumable import Shapes


def phase_chunk(
    device: torch.device,
    rules: dict[str, Any],
    free: float | None,
    beam: Coherence | None,
    part: Arrays,
) -> dict[str, NDArray[Any]]:
    """Phase patterns and keep the best start of each.

    Args:
        device: Where.
        rules: What `reconstruct` is told of the iteration.
        free: Part of the pixels to hide, which then judge; None: none.
        beam: Of a beam that is not coherent.
        part: ``amplitude`` and ``valid``, ``(items, *grid)``, DC at index 0.

    Returns:
        What `chunk_shapes` lists.
    """
    amplitude, valid = torch.from_numpy(part["amplitude"]), torch.from_numpy(part["valid"])
    ndim = amplitude.dim() - 1
    grid = tuple(range(1, ndim + 1))
    bright = ((amplitude > 0) & valid).any(grid)
    found = {
        "object": torch.zeros(amplitude.shape, dtype=torch.complex64),
        "support": torch.zeros(amplitude.shape, dtype=torch.bool),
        "error": torch.full((len(amplitude),), torch.nan),
        "start": torch.full((len(amplitude),), -1),
        "errors": torch.full((len(amplitude), rules["starts"]), torch.nan),
    }
    if free is not None:
        found["free_log_likelihood"] = found["errors"].double()
    if beam is not None:
        found["blur"] = torch.full((len(amplitude), ndim), torch.nan, dtype=torch.float64)
    if bool(bright.any()):
        a, measured = amplitude[bright].to(device), valid[bright].to(device)
        hidden = torch.zeros_like(measured)
        if free is not None:
            choose = partial(symbreak.free_pixels, a.shape[1:], fraction=free)
            hidden = torch.stack([choose(valid=mask) for mask in measured])
            measured = measured & ~hidden
        blur = None
        if beam is None:
            phased = symbreak.reconstruct(a, valid=measured, ndim=ndim, **rules)
        else:
            known = beam.blur(a.shape[1:], device)
            phased, blur = partly_coherent(a, blur=known, valid=measured, ndim=ndim, **rules)
        if free is not None:
            objects = torch.where(phased.support, phased.object, 0)
            likelihood = symbreak.free_log_likelihood(objects, a, hidden, blur=blur, ndim=ndim)
        best = phased.best(valid=measured).centered()
        start = ranking(phased.error, phased.support, measured, ndim=ndim).argmin(1)
        values = {
            "object": best.object.where(best.support, 0),
            "support": best.support,
            "error": best.error,
            "start": start,
            "errors": phased.error,
        }
        if free is not None:
            values["free_log_likelihood"] = likelihood
        if blur is not None:
            values["blur"] = blur[torch.arange(len(blur), device=device), start]
        for name, value in values.items():
            found[name][bright] = value.cpu()
    return {name: value.numpy() for name, value in found.items()}


def chunk_shapes(
    count: int,
    grid: tuple[int, ...],
    starts: int,
    free: float | None,
    beam: Coherence | None,
) -> Shapes:
    """Names, shapes and dtypes of what `phase_chunk` finds for ``count`` patterns."""
    likelihood = {} if free is None else {"free_log_likelihood": ((count, starts), "f8")}
    blur = {} if beam is None else {"blur": ((count, len(grid)), "f8")}
    return {
        **likelihood,
        **blur,
        "object": ((count, *grid), "c8"),
        "support": ((count, *grid), "u1"),
        "error": ((count,), "f4"),
        "start": ((count,), "i8"),
        "errors": ((count, starts), "f4"),
    }
