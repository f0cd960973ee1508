"""One small call of every op on the GPU, for compute-sanitizer."""

import torch

import symbreak

generator = torch.Generator("cuda").manual_seed(0)


def sample(*shape: int, dtype: torch.dtype = torch.complex64) -> torch.Tensor:
    return torch.randn(shape, dtype=dtype, device="cuda", generator=generator)


for dtype in (torch.complex64, torch.complex128):
    # 9 x 11 fits a block's shared memory, 300 x 200 takes several blocks.
    for x in (sample(3, 9, 11, dtype=dtype), sample(2, 300, 200, dtype=dtype)):
        symbreak.center(x, tol=0.1)
        symbreak.center(x, wrap=True)
        symbreak.break_symmetry(x)
        symbreak.apply_symmetry(x, flipped=torch.ones(len(x), dtype=torch.bool, device="cuda"))
    small = sample(2, 16, 16, dtype=dtype)
    amplitude = symbreak.fourier_amplitude(small)
    symbreak.align(small, small.flip(-1).conj())
    symbreak.sa_mse(small, small)
    for grid in ((32, 32), (64, 64), (128, 128), (24, 24)):
        amplitude = torch.fft.fftn(sample(2, *grid, dtype=dtype), dim=(-2, -1)).abs()
        symbreak.reconstruct(amplitude, "2*ER+2*HIO+1*RAAR+1*DM")
symbreak.break_symmetry(sample(2, 6, 7, 8), ndim=3)
torch.cuda.synchronize()
print("every op was called")
