"""Cases of the symmetry operators: 64x64 objects, as in the paper's training sets."""

from __future__ import annotations

import math

import torch
import torch_code
from registry import Workload, case
from torch import Tensor

import symbreak


def objects(count: int, size: int, device: str, seed: int = 0) -> Tensor:
    """Random complex discs, each at its own place in a black window."""
    generator = torch.Generator().manual_seed(seed)
    grid = torch.arange(size)
    radius = size * (0.15 + 0.15 * torch.rand(count, 1, 1, generator=generator))
    middle = radius + (size - 1 - 2 * radius) * torch.rand(count, 2, 1, generator=generator)
    rows, columns = grid[None, :, None] - middle[:, :1], grid[None, None, :] - middle[:, 1:]
    inside = rows**2 + columns**2 <= radius**2
    wave = torch.rand(count, 2, 1, 1, generator=generator) * 0.6
    phase = wave[:, 0] * rows + wave[:, 1] * columns + 0.02 * rows**2
    return (inside * torch.polar(torch.ones_like(phase), phase)).to(device)


def transform_flops(length: int) -> int:
    """Additions and multiplications of one complex line, counted as is usual: 5 n log2 n."""
    return round(5 * length * math.log2(length))


def difference(expected: Tensor):
    """The largest error of a variant's result, relative to the largest value."""

    def error(found) -> float:
        found = getattr(found, "object", found)
        return float((found.to(expected.dtype) - expected).abs().max() / expected.abs().max())

    return error


@case("center 1024x64x64")
def center(device: str) -> Workload:
    x = objects(1024, 64, device)
    return Workload(
        {"symbreak": lambda: symbreak.center(x), "eager torch": lambda: torch_code.center(x)},
        units=len(x),
        unit="object",
        error=difference(symbreak.center(x.to(torch.complex128)).object),
        bytes=2 * x.nbytes,
    )


@case("break_symmetry 256x64x64")
def break_symmetry(device: str) -> Workload:
    return breaking(objects(256, 64, device))


@case("break_symmetry 8192x64x64")
def break_symmetry_many(device: str) -> Workload:
    return breaking(objects(8192, 64, device))


@case("break_symmetry 100000x64x64", devices=("cuda",))
def break_symmetry_full(device: str) -> Workload:
    """A full GPU, on more memory than any cache holds, beside a copy of as many bytes."""
    x = objects(4000, 64, device).repeat(25, 1, 1)
    run = lambda: symbreak.break_symmetry(x)  # noqa: E731
    target = torch.empty_like(x)
    return Workload(
        {"symbreak": run, "copy": lambda: target.copy_(x)},
        units=len(x),
        unit="object",
        error=difference(symbreak.break_symmetry(x.to(torch.complex128)).object),
        judged={"symbreak": run, "copy": run},  # a copy has no error
        bytes=2 * x.nbytes,
    )


def breaking(x: Tensor) -> Workload:
    return Workload(
        {
            "symbreak": lambda: symbreak.break_symmetry(x),
            "eager torch": lambda: torch_code.break_symmetry(x),
        },
        units=len(x),
        unit="object",
        error=difference(symbreak.break_symmetry(x.to(torch.complex128)).object),
        bytes=2 * x.nbytes,
    )


@case("apply_symmetry 1024x64x64")
def apply_symmetry(device: str) -> Workload:
    x = objects(1024, 64, device)
    flipped = torch.ones(len(x), dtype=torch.bool, device=device)
    return Workload(
        {
            "symbreak": lambda: symbreak.apply_symmetry(x, flipped=flipped),
            "eager torch": lambda: torch_code.flip(x),
        },
        units=len(x),
        unit="object",
        error=difference(symbreak.apply_symmetry(x.to(torch.complex128), flipped=flipped)),
        bytes=2 * x.nbytes,
    )


@case("fourier_amplitude 256x64x64")
def fourier_amplitude(device: str) -> Workload:
    x = objects(256, 64, device)
    return Workload(
        {
            "symbreak": lambda: symbreak.fourier_amplitude(x),
            "eager torch": lambda: torch_code.fourier_amplitude(x),
        },
        units=len(x),
        unit="object",
        error=difference(torch_code.fourier_amplitude(x.to(torch.complex128))),
        bytes=3 * x.nbytes,
    )


def moved_pair(count: int, device: str, noise: float = 0.0) -> tuple[Tensor, Tensor]:
    """Objects and their flips; with noise the content fills the window, as a network's output."""
    reference = objects(count, 64, device)
    generator = torch.Generator().manual_seed(1)
    reference += (noise * torch.randn(reference.shape, generator=generator)).to(device)
    return symbreak.apply_symmetry(reference, flipped=True, phase=1.0), reference


# Of two 64x64 windows padded to 128x128: 128 rows forward, 512 columns and 256 rows back.
PAIR_FLOPS = (2 * 64 + 4 * 128 + 2 * 128) * transform_flops(128)


@case("align 256x64x64")
def align(device: str) -> Workload:
    return aligning(*moved_pair(256, device))


@case("align 1024x64x64", devices=("cuda",))
def align_many(device: str) -> Workload:
    return aligning(*moved_pair(1024, device))


@case("align 256x64x64, full windows")
def align_full(device: str) -> Workload:
    return aligning(*moved_pair(256, device, noise=1e-3), flops=PAIR_FLOPS)


def aligning(estimate: Tensor, reference: Tensor, flops: int | None = None) -> Workload:
    return Workload(
        {
            "symbreak": lambda: symbreak.align(estimate, reference),
            "eager torch": lambda: torch_code.align(estimate, reference),
        },
        units=len(estimate),
        unit="pair",
        error=difference(reference.to(torch.complex128)),
        unit_flops=flops,
    )


@case("sa_mse 256x64x64")
def sa_mse(device: str) -> Workload:
    return comparing(*moved_pair(256, device))


@case("sa_mse 256x64x64, full windows")
def sa_mse_full(device: str) -> Workload:
    return comparing(*moved_pair(256, device, noise=1e-3), flops=PAIR_FLOPS)


def comparing(estimate: Tensor, reference: Tensor, flops: int | None = None) -> Workload:
    return Workload(
        {
            "symbreak": lambda: symbreak.sa_mse(estimate, reference, reduction="none"),
            "eager torch": lambda: torch_code.sa_mse(estimate, reference),
        },
        units=len(estimate),
        unit="pair",
        error=lambda found: float(found.abs().max()),  # the pairs are equal up to symmetry
        unit_flops=flops,
    )
