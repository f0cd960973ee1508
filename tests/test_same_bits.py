"""Grids without codelets: neither the batch nor the number of threads changes a bit."""

import numpy as np
import pytest
import torch
from conftest import threads

import symbreak

# Grids without codelets, of which torch's FFT rounds some otherwise with other threads or batches.
AWKWARD = [
    ((18, 107), torch.float64),
    ((40, 158), torch.float64),
    ((24, 364), torch.float32),
    ((26, 10_100), torch.float32),  # transformed in blocks, like volumes
    ((49, 6892), torch.float32),  # of which one would be a single line
    ((10, 12, 14), torch.float32),
    ((15, 9, 11), torch.float64),
    ((7, 5, 7), torch.float32),
]


@pytest.mark.parametrize(("grid", "dtype"), AWKWARD)
def test_neither_threads_nor_the_batch_change_a_bit(grid, dtype):
    random = torch.Generator().manual_seed(0)
    a = torch.rand(3, *grid, dtype=dtype, generator=random)
    x = torch.complex(a, torch.rand(a.shape, dtype=dtype, generator=random))
    ndim = len(grid)
    shrinkwrap = symbreak.Shrinkwrap(every=3)

    def found(part):
        phased = symbreak.reconstruct(a[part], "3*HIO+DM+2*ER", shrinkwrap=shrinkwrap, ndim=ndim)
        seen = symbreak.fourier_amplitude(x[part], oversampling=1, ndim=ndim)
        aligned = symbreak.align(x[part], x[part].flip(-1) + 0.1, ndim=ndim)
        return phased.object, phased.error, seen, aligned.object

    with threads(1):
        expected = found(slice(None))
    for count in (1, 2, 3):
        with threads(count):
            pieces = [found(slice(k, k + 1)) for k in range(3)]
            for whole, *parts in zip(found(slice(None)), *pieces, strict=True):
                assert torch.equal(torch.cat(parts), whole)
            for one, other in zip(expected, found(slice(None)), strict=True):
                assert torch.equal(one, other)


@pytest.mark.parametrize("grid", [(521, 523), (26, 10_100), (3, 5, 7), (31, 62, 29)])
def test_transforms_in_blocks_are_transforms(grid):
    random = np.random.default_rng(0)
    x = random.normal(size=(2, *grid)) + 1j * random.normal(size=(2, *grid))
    axes = tuple(range(1, len(grid) + 1))
    expected = np.abs(np.fft.fftn(x, axes=axes))
    for count in (1, 2):
        with threads(count):
            found = symbreak.fourier_amplitude(
                torch.from_numpy(x), oversampling=1, ndim=len(grid)
            ).numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * expected.max())
