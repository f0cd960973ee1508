"""Cases of phasing a blurred pattern: corrections now and then, beside one in every iteration."""

from __future__ import annotations

import math

import phasing_loops
import torch
from bench_phasing import BETA, problem
from registry import Workload, case
from torch import Tensor

import symbreak
from symbreak.coherence import reconstruct

WIDTH = 0.5  # pixels, along each axis


def eager(amplitude: Tensor, x: Tensor, support: Tensor, iterations: int, width: float) -> Tensor:
    """HIO with the quotient of Clark et al. 2012 in every iteration, the blur known."""
    axes = phasing_loops.axes_of(x)
    grid = x.shape[1:]
    transfer = torch.ones((), device=x.device, dtype=amplitude.dtype)
    for axis, size in enumerate(grid):
        frequencies = torch.fft.rfftfreq if axis == len(grid) - 1 else torch.fft.fftfreq
        f = frequencies(size, device=x.device, dtype=amplitude.dtype)
        transfer = transfer.unsqueeze(-1) * torch.exp(-2 * (math.pi * width * f) ** 2)
    peak = torch.fft.irfftn(transfer, s=grid).flatten()[0]
    for _ in range(iterations):
        spectrum = torch.fft.fftn(x, dim=axes)
        coherent = spectrum.abs() ** 2
        blurred = torch.fft.rfftn(coherent, dim=axes) * transfer
        blurred = torch.fft.irfftn(blurred, s=grid, dim=axes)
        # Rounding makes dark pixels darker than any blur can.
        blurred = torch.maximum(blurred, peak * coherent)
        p = torch.fft.ifftn(spectrum * amplitude / blurred.sqrt(), dim=axes)
        x = torch.where(support, p, x - BETA * p)
    return x


def workload(count: int, grid: tuple[int, ...], device: str) -> Workload:
    amplitude, start, support = problem(count, grid, device)
    ndim, iterations = len(grid), 100
    few = max(5, min(50, 2**22 // (count * math.prod(grid))))
    options = {"beta": BETA, "support": support, "initial": start, "shrinkwrap": None, "ndim": ndim}

    def ours(count: int, **further: object) -> Tensor:
        return reconstruct(amplitude, f"{count}*HIO", **further, **options).found.object

    # Rounding errors are compared without a blur, where all are one iteration, before they grow.
    rule = phasing_loops.Rule("HIO", BETA, None)
    exact = phasing_loops.eager(amplitude.double(), start.to(torch.complex128), support, 3, rule)
    coherent = torch.zeros(ndim, device=device)

    def error(found: Tensor) -> float:
        return float((found.reshape(exact.shape) - exact).norm() / exact.norm())

    return Workload(
        {
            "symbreak": lambda: ours(iterations, first=10),
            "symbreak, coherent": lambda: (
                symbreak.reconstruct(amplitude, f"{iterations}*HIO", **options).object
            ),
            "eager torch": lambda: eager(amplitude, start, support, few, WIDTH),
        },
        units={
            "symbreak": count * iterations,
            "symbreak, coherent": count * iterations,
            "eager torch": count * few,
        },
        unit="image-iteration",
        error=error,
        judged={
            "symbreak": lambda: ours(3, blur=coherent, first=1, every=1),
            "symbreak, coherent": lambda: (
                symbreak.reconstruct(amplitude, "3*HIO", **options).object
            ),
            "eager torch": lambda: eager(amplitude, start, support, 3, 0.0),
        },
    )


for _count, _grid in ((16, (256, 256)), (1, (128, 128, 128))):
    _text = "x".join(str(n) for n in (_count, *_grid))
    case(f"hio partly coherent {_text}")(
        lambda device, count=_count, grid=_grid: workload(count, grid, device)
    )
