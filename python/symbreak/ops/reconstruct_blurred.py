"""The op that phases blurred patterns in the fused engine of the CPU."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from symbreak import _C
from symbreak.ops import phasing_checks as checks
from symbreak.ops.autograd import refuse_gradient
from symbreak.ops.batching import map_by_batch_axes
from symbreak.ops.phasing_call import PhasingCall
from symbreak.ops.progress import Report, run_watched
from symbreak.ops.schedule import total_iterations


class Blurred(NamedTuple):
    """What the op returns, ``(*batch, starts)`` before what follows."""

    object: Tensor
    support: Tensor
    error: Tensor
    history: Tensor
    variances: Tensor
    """Those that were found, float64 ``(..., ndim)``."""


def is_reached(amplitude: Tensor, ndim: int) -> bool:
    """Whether the op can phase such patterns."""
    on_cpu = amplitude.device.type == "cpu"
    return on_cpu and _C.has_fused_engine(amplitude.shape[-ndim:])


def reconstruct_blurred(
    call: PhasingCall,
    variances: Tensor,
    dark: Tensor | None,
    *,
    first: int,
    every: int,
    progress: bool | Report,
) -> Blurred:
    """Run the op on data that were checked.

    Args:
        call: What to phase.
        variances: Of the blur, float64 ``(*batch, starts, ndim)``, pixels^2.
        dark: Amplitudes that the weights of the fit add to the measured ones, float64
            ``(*batch)``; None where the variances are known.
        first: Iterations before the first correction, a multiple of ``every``.
        every: Iterations from one to the next.
        progress: As :func:`symbreak.reconstruct` takes it.
    """

    def op(monitor: int) -> Blurred:
        return Blurred(
            *torch.ops.symbreak.reconstruct_blurred(
                call.amplitude,
                variances,
                dark,
                call.schedule,
                first=first,
                every=every,
                monitor=monitor,
                **call.options,
            )
        )

    iterations = call.images * total_iterations(call.schedule)
    return run_watched(op, iterations, progress, call.amplitude.device)


@torch.library.register_fake("symbreak::reconstruct_blurred")
def _(
    amplitude: Tensor,
    variances: Tensor,
    dark: Tensor | None,
    schedule: str,
    *tensors: Tensor | None,
    every: int,
    starts: int = 1,
    ndim: int = 2,
    **options: object,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    batch, grid = amplitude.shape[:-ndim], amplitude.shape[-ndim:]
    return (
        amplitude.new_empty((*batch, starts, *grid), dtype=checks.COMPLEX_OF[amplitude.dtype]),
        amplitude.new_empty((*batch, starts, *grid), dtype=torch.bool),
        amplitude.new_empty((*batch, starts)),
        amplitude.new_empty((*batch, starts, total_iterations(schedule) // every)),
        torch.empty_like(variances),
    )


map_by_batch_axes("reconstruct_blurred")
refuse_gradient(
    "reconstruct_blurred",
    "the support and the phases are chosen by iteration. Use amplitude.detach().",
)
