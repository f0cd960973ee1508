"""Cases of the iteration: HIO with a fixed support, time per image-iteration."""

from __future__ import annotations

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


def error_after(iterations: int, amplitude: Tensor, start: Tensor, support: Tensor):
    """Relative L2 error of the iterate against float64. HIO is chaotic: few iterations only."""
    expected = torch_code.hio(
        amplitude.double(), start.to(torch.complex128), support, iterations, BETA
    )

    def error(found) -> float:
        found = getattr(found, "object", found).reshape(expected.shape)
        return float((found - expected).norm() / expected.norm())

    return error


def hio(count: int, size: int, device: str) -> Workload:
    amplitude, start, support = problem(count, size, device)
    iterations = max(5, min(100, 2**24 // (count * size * size)))
    schedule = f"{iterations}*HIO"
    variants = {
        "symbreak": lambda: symbreak.reconstruct(
            amplitude, schedule, beta=BETA, initial=start, support=support, shrinkwrap=None
        ),
        "eager torch": lambda: torch_code.hio(amplitude, start, support, iterations, BETA),
        "in-place torch": lambda: torch_code.hio_in_place(
            amplitude, start, support, iterations, BETA
        ),
    }
    # Complex FFTs of 5 n log2 n, modulus 9, real-space update 4 operations per pixel.
    pixels = size * size
    flops = pixels * (2 * 5 * (pixels.bit_length() - 1) + 13)
    return Workload(
        variants,
        units=count * iterations,
        unit="image-iteration",
        error=error_after(iterations, amplitude, start, support),
        flops=flops * count * iterations,
    )


for _count, _size in ((32, 128), (16, 256), (1, 256), (1, 512), (256, 64), (4, 98)):

    def _build(device: str, count: int = _count, size: int = _size) -> Workload:
        return hio(count, size, device)

    case(f"hio {_count}x{_size}x{_size}")(_build)
