"""One small call of every op and every phasing engine on the GPU, for compute-sanitizer."""

import os

import torch

import symbreak

generator = torch.Generator("cuda").manual_seed(0)
# Engine, grid: a length of each engine, two and three passes, one line a block and several.
PHASED = [
    ("two_pass", (32, 32)),
    ("two_pass", (96, 64)),
    ("two_pass", (48, 512)),
    ("on_chip", (64, 64)),
    ("on_chip", (128, 128)),
    ("on_chip", (256, 256)),
    ("general", (24, 22)),
    ("general", (6, 7, 8)),
]
RULES = (
    symbreak.Shrinkwrap(every=2, sigma=1.0, sigma_min=1.0),
    symbreak.Shrinkwrap(every=2, sigma=1.0, sigma_min=1.0, area=(0.3, 0.2)),
)


def sample(*shape: int, dtype: torch.dtype = torch.complex64) -> torch.Tensor:
    return torch.randn(shape, dtype=dtype, device="cuda", generator=generator)


def symmetries(dtype: torch.dtype) -> None:
    # 9 x 11 fits a block's shared memory, 300 x 200 takes several blocks.
    for x in (sample(3, 9, 11, dtype=dtype), sample(2, 300, 200, dtype=dtype)):
        symbreak.center(x, tol=0.1)
        symbreak.center(x, wrap=True)
        symbreak.center(x, wrap=True, tol=0.1)
        symbreak.break_symmetry(x)
        symbreak.break_symmetry(x, tol=0.1, rule="circulation")
        symbreak.apply_symmetry(x, flipped=torch.ones(len(x), dtype=torch.bool, device="cuda"))
    small = sample(2, 16, 15, dtype=dtype)
    symbreak.fourier_amplitude(small)
    symbreak.align(small, small.flip(-1).conj())
    symbreak.sa_mse(small, small, wrap=True)
    flat = 1 + 1e-5 * small  # more candidates than are kept
    symbreak.align(flat, flat.roll(1, -1), wrap=True)
    symbreak.break_symmetry(sample(2, 6, 7, 8, dtype=dtype), ndim=3)


def phasing(engine: str, grid: tuple[int, ...], dtype: torch.dtype) -> None:
    os.environ["SYMBREAK_CUDA_ENGINE"] = engine
    amplitude = torch.fft.fftn(sample(2, *grid, dtype=dtype), dim=tuple(range(1, len(grid) + 1)))
    valid = torch.rand(grid, device="cuda", generator=generator) > 0.1
    for rule in RULES:
        symbreak.reconstruct(
            amplitude.abs(), "2*ER+2*HIO+RAAR+DM", valid=valid, shrinkwrap=rule, starts=2,
            record_every=3, ndim=len(grid),
        )  # fmt: skip


for dtype in (torch.complex64, torch.complex128):
    symmetries(dtype)
    for engine, grid in PHASED:
        if engine != "on_chip" or dtype == torch.complex64:
            phasing(engine, grid, dtype)
torch.cuda.synchronize()
print("every op was called")
