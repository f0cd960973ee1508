"""Phasing blurred patterns where the corrections are part of the fused engine."""

from __future__ import annotations

import torch
from torch import Tensor

from symbreak.coherence.target import dark_amplitude
from symbreak.ops.phasing_call import PhasingCall
from symbreak.ops.progress import Report
from symbreak.ops.reconstruct_blurred import reconstruct_blurred
from symbreak.ops.reconstruction import Reconstruction


def phase_fused(
    call: PhasingCall,
    variances: Tensor,
    *,
    fit: bool,
    first: int,
    every: int,
    progress: bool | Report,
) -> tuple[Reconstruction, Tensor]:
    """Phase in one call of the engine.

    Args:
        call: What to phase.
        variances: Of the blur, float64 ``(*batch, starts, ndim)``.
        fit: Whether they are refined.
        first: Iterations before the first correction.
        every: Iterations from one to the next.
        progress: As :func:`symbreak.reconstruct` takes it.

    Returns:
        The starts, and the variances that were found.
    """
    ndim, valid = call.options["ndim"], call.options["valid"]
    dark = None
    if fit:
        known = call.amplitude if valid is None else torch.where(valid, call.amplitude, 0)
        each = [dark_amplitude(a) for a in known.reshape(-1, *known.shape[-ndim:])]
        dark = torch.tensor(each, dtype=torch.float64).reshape(known.shape[:-ndim])
    found = reconstruct_blurred(call, variances, dark, first=first, every=every, progress=progress)
    return Reconstruction(*found[:4]), found.variances
