"""Cases of the iteration: HIO with a fixed support, time per image-iteration."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

import torch
import torch_code
from bench_symmetries import objects
from registry import Workload, case
from torch import Tensor

import symbreak

BETA = 0.9


def problem(count: int, size: int, device: str) -> tuple[Tensor, Tensor, Tensor]:
    """Amplitude, a start and a box support on a size x size grid."""
    x = objects(count, size // 2, device)
    amplitude = symbreak.fourier_amplitude(x)
    generator = torch.Generator().manual_seed(1)
    start = torch.randn(amplitude.shape, dtype=torch.complex64, generator=generator).to(device)
    support = torch.zeros_like(amplitude, dtype=torch.bool)
    support[..., : size // 2, : size // 2] = True
    return amplitude, start, support


def loops(amplitude: Tensor, start: Tensor, support: Tensor, iterations: int) -> dict:
    """The same iterations, written in three ways."""
    options = {"beta": BETA, "initial": start, "support": support, "shrinkwrap": None}
    return {
        "symbreak": lambda: symbreak.reconstruct(amplitude, f"{iterations}*HIO", **options),
        "eager torch": lambda: torch_code.hio(amplitude, start, support, iterations, BETA),
        "in-place torch": lambda: torch_code.hio_in_place(
            amplitude, start, support, iterations, BETA
        ),
    }


def by_general_engine(function: Callable[[], Any]) -> Callable[[], Any]:
    """The same call with cuFFT (torch.fft) between fused pointwise kernels."""

    def run() -> Any:
        os.environ["SYMBREAK_CUDA_ENGINE"] = "general"
        try:
            return function()
        finally:
            del os.environ["SYMBREAK_CUDA_ENGINE"]

    return run


def in_graph(function: Callable[[], Any]) -> Callable[[], Any]:
    """The same work recorded in a CUDA graph; a call replays it."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        function()  # makes the plans of cuFFT
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        found = function()

    def replay() -> Any:
        graph.replay()
        return found

    return replay


def cuda_loops(amplitude: Tensor, start: Tensor, support: Tensor, iterations: int) -> dict:
    """The same, with what a GPU offers beside."""
    functions = loops(amplitude, start, support, iterations)
    functions["cuFFT + fused kernels"] = by_general_engine(functions["symbreak"])
    if len(amplitude) == 1:
        functions["torch in a graph"] = in_graph(functions["in-place torch"])
        functions["symbreak in a graph"] = in_graph(functions["symbreak"])
    return functions


def hio(count: int, size: int, device: str) -> Workload:
    write = cuda_loops if device == "cuda" else loops
    given = problem(count, size, device)
    # Enough that what is done once per call, copies and checks, is not what is measured.
    iterations = max(50, min(200, 2**24 // (count * size * size)))
    # HIO is chaotic: rounding errors are compared before they have grown.
    few = 3
    amplitude, start, support = given
    exact = torch_code.hio(amplitude.double(), start.to(torch.complex128), support, few, BETA)

    def error(found) -> float:
        found = getattr(found, "object", found).reshape(exact.shape)
        return float((found - exact).norm() / exact.norm())

    # Complex FFTs of 5 n log2 n, modulus 9, real-space update 4 operations per pixel.
    pixels = size * size
    flops = pixels * (2 * 5 * math.log2(pixels) + 13)
    return Workload(
        write(*given, iterations),
        units=count * iterations,
        unit="image-iteration",
        error=error,
        judged=write(*given, few),
        flops=round(flops * count * iterations),
    )


for _count, _size in ((32, 128), (16, 256), (1, 256), (1, 512), (256, 64), (4, 98)):

    def _build(device: str, count: int = _count, size: int = _size) -> Workload:
        return hio(count, size, device)

    case(f"hio {_count}x{_size}x{_size}")(_build)

# A full GPU, which a CPU would need minutes for.
for _count, _size in ((1024, 64), (1024, 128), (128, 256), (1, 64), (1, 128)):

    def _build_full(device: str, count: int = _count, size: int = _size) -> Workload:
        return hio(count, size, device)

    case(f"hio {_count}x{_size}x{_size}", devices=("cuda",))(_build_full)
