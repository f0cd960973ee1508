"""Cases of the iteration: every rule, image and volume sizes, time per image-iteration."""

from __future__ import annotations

import math
from collections.abc import Callable

import phasing_loops
import torch
from bench_symmetries import objects
from cuda_variants import with_cuda
from registry import Workload, case
from torch import Tensor

import symbreak

BETA = 0.9
SHRINKWRAP = symbreak.Shrinkwrap(every=20, sigma=2.0, sigma_min=2.0, decay=1.0)
SLOW = ("eager torch", "compiled torch")
IMAGES = [(32, 128), (16, 256), (1, 256), (1, 512), (256, 64)]
OTHER_LENGTHS = [(4, n) for n in (75, 81, 98, 99, 100, 105, 126, 147)]
VOLUMES = [(1, 64), (8, 64), (1, 128), (1, 100)]


def problem(count: int, grid: tuple[int, ...], device: str) -> tuple[Tensor, Tensor, Tensor]:
    """Amplitude, a start and a box support on a grid."""
    ndim, box = len(grid), tuple(n // 2 for n in grid)
    generator = torch.Generator().manual_seed(1)
    if ndim == 2:
        x = objects(count, box[0], device)
    else:
        x = torch.randn(count, *box, dtype=torch.complex64, generator=generator).to(device)
    amplitude = symbreak.fourier_amplitude(x, shape=grid, ndim=ndim)
    start = torch.randn(amplitude.shape, dtype=torch.complex64, generator=generator).to(device)
    support = torch.zeros_like(amplitude, dtype=torch.bool)
    support[(..., *(slice(n) for n in box))] = True
    return amplitude, start, support


def loops(algorithm: str, shrinkwrap: symbreak.Shrinkwrap | None, compiled: bool) -> Callable:
    """The same iterations, written in several ways: a function of the problem and their number."""

    def variants(a: Tensor, x: Tensor, support: Tensor, iterations: int) -> dict:
        rule = phasing_loops.Rule(algorithm, BETA, shrinkwrap)
        given = (a, x, support, iterations, rule)
        result = {
            "symbreak": lambda: symbreak.reconstruct(
                a, f"{iterations}*{algorithm}", beta=BETA, initial=x, support=support,
                shrinkwrap=shrinkwrap, ndim=a.dim() - 1,
            ),
            "eager torch": lambda: phasing_loops.eager(*given),
            "in-place torch": lambda: phasing_loops.in_place(*given),
        }  # fmt: skip
        if compiled:
            result["compiled torch"] = lambda: phasing_loops.compiled(*given)
        return result

    return variants


def workload(
    count: int,
    grid: tuple[int, ...],
    device: str,
    algorithm: str = "HIO",
    shrinkwrap: symbreak.Shrinkwrap | None = None,
    compiled: bool = False,
) -> Workload:
    given = problem(count, grid, device)
    variants = loops(algorithm, shrinkwrap, compiled)
    pixels = math.prod(grid)
    # As many as in a run, so that what is done once per call is not what is measured; the eager
    # loop does nothing once per call, and need not be waited for so long.
    few_iterations = max(20, min(200, 2**24 // (count * pixels)))
    iterations = max(20, min(200, 2**27 // (count * pixels)))
    if device == "cuda":
        # A call's checks wait for the device some times, half a millisecond in all by estimate; 200
        # iterations of many small images are not much longer.
        iterations = max(200, min(1000, 2**32 // (count * pixels))) if count >= 128 else 200
    # HIO is chaotic: rounding errors are compared before they have grown.
    few = 3
    amplitude, start, support = given
    rule = phasing_loops.Rule(algorithm, BETA, shrinkwrap)
    exact = phasing_loops.eager(amplitude.double(), start.to(torch.complex128), support, few, rule)

    def error(found) -> float:
        found = getattr(found, "object", found).reshape(exact.shape)
        return float((found - exact).norm() / exact.norm())

    def write(steps: int, eager_steps: int) -> dict:
        functions = variants(*given, steps)
        for slow in SLOW:
            if slow in functions:
                functions[slow] = variants(*given, eager_steps)[slow]
        return with_cuda(functions, count) if device == "cuda" else functions

    timed = write(iterations, few_iterations)

    # Complex FFTs of 5 n log2 n, modulus 9, real-space update 4 operations per pixel; the
    # difference map does all of it twice. The support is half the grid on each axis: what is zero
    # outside has planes and rows whose transforms nobody needs.
    needed = sum(0.5**axis for axis in range(len(grid))) / len(grid) if algorithm == "ER" else 1
    flops = pixels * (2 * 5 * math.log2(pixels) * needed + 13) * (2 if algorithm == "DM" else 1)
    return Workload(
        timed,
        units={name: count * (few_iterations if name in SLOW else iterations) for name in timed},
        unit="image-iteration",
        error=error,
        judged=write(few, few),
        unit_flops=flops,
    )


def register(
    name: str,
    count: int,
    grid: tuple[int, ...],
    devices: tuple[str, ...] = ("cpu", "cuda"),
    **options,
) -> None:
    text = "x".join(str(n) for n in (count, *grid))
    case(f"{name} {text}", devices=devices)(lambda device: workload(count, grid, device, **options))


for _count, _size in IMAGES + OTHER_LENGTHS:
    register("hio", _count, (_size, _size))
for _count, _size in VOLUMES:
    register("hio", _count, (_size, _size, _size))
register("hio compiled", 16, (256, 256), compiled=True)
register("er", 16, (256, 256), algorithm="ER")
register("er", 1, (64, 64, 64), algorithm="ER")
register("raar", 16, (256, 256), algorithm="RAAR")
register("dm", 16, (256, 256), algorithm="DM")
register("hio shrinkwrap", 16, (256, 256), shrinkwrap=SHRINKWRAP)
register("hio shrinkwrap", 1, (64, 64, 64), shrinkwrap=SHRINKWRAP)
# A full GPU, which a CPU would need minutes for.
for _count, _size in ((1024, 64), (1024, 128), (128, 256), (1, 64), (1, 128)):
    register("hio", _count, (_size, _size), devices=("cuda",))
