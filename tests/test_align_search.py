"""The search of align: candidates that rounding cannot tell apart, long batches, odd sizes."""

import pytest
import torch
from conftest import DTYPES, blob

import symbreak
from symbreak.reference.align import flip
from symbreak.reference.center import translate


@pytest.mark.parametrize("grid", [(23, 13), (16, 36), (7, 9, 11)])
@pytest.mark.parametrize("flipped", [False, True])
def test_nearly_flat_periodic_objects_of_any_size(device, generator, grid, flipped):
    """All shifts correlate within complex64 rounding, of lengths with any prime factor."""
    ndim = len(grid)
    noise = torch.randn(3, *grid, dtype=torch.complex128, generator=generator)
    noise[1] *= 1e4  # a usual object between them
    x = (1 + 1e-4 * noise).to(torch.complex64)
    shift = (3, -4, 5)[:ndim]
    reference = torch.stack([flip(i, wrap=True) if flipped else i for i in x])
    reference = torch.roll(reference, shift, tuple(range(-ndim, 0)))
    found = symbreak.align(x.to(device), reference.to(device), wrap=True, ndim=ndim)
    assert found.shift.tolist() == [list(shift)] * 3
    assert found.flipped.tolist() == [flipped] * 3
    assert not found.sa_mse.any()


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_best_of_many_nearly_equal_points(device, ndim):
    """More points fit than are kept as candidates, all within complex64 rounding of the best."""
    grid = (9, 10, 9)[-ndim:]
    reference = torch.zeros(grid, dtype=torch.complex64, device=device)
    points = [(2 * (i // 5), 2 * (i % 5)) if ndim == 2 else (i % 9, i % 10, 7 * (i % 2))
              for i in range(20)]  # fmt: skip
    for i, point in enumerate(points):
        reference[point] = 1 + (9 + i % 10) * 2.0**-22
    best = max(points, key=lambda p: (reference[p].real.item(), [-n for n in p]))
    estimate = torch.zeros_like(reference)
    estimate[(1,) * ndim] = 1
    found = symbreak.align(estimate, reference, ndim=ndim)
    assert found.shift.tolist() == [n - 1 for n in best]
    assert not found.flipped


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_batch_longer_than_its_scratch(device, generator, dtype):
    """Pairs whose padded transforms take more memory than is used at once."""
    items = 800 if dtype == torch.complex64 else 400
    x = blob((5, 63, 40), dtype=dtype, generator=generator).to(device)
    moved = torch.stack([translate(item, (0, s - 2)) for s, item in enumerate(x)])
    few = symbreak.align(x, moved)
    estimate, reference = (y.repeat(items // 5, 1, 1) for y in (x, moved))
    for field, expected in zip(symbreak.align(estimate, reference), few, strict=True):
        assert torch.equal(field, expected.repeat(items // 5, *[1] * (expected.dim() - 1)))


@pytest.mark.parametrize("wrap", [False, True])
def test_both_objects_may_leave_most_of_a_long_axis_black(device, generator, wrap):
    """More pixels than one block takes, content in two corners, and a third axis of length 1."""
    x = torch.zeros(1, 300, 150, dtype=torch.complex64)
    x[0, :40, 10:30] = blob((40, 20), dtype=torch.complex64, generator=generator, fill=1.0)
    reference = torch.roll(x, (255, 115), (1, 2)).flip(0, 1, 2).conj() * 1j
    found = symbreak.align(x.to(device), reference.to(device), wrap=wrap, ndim=3)
    assert found.flipped
    assert found.sa_mse < 1e-12
    torch.testing.assert_close(found.object.cpu(), reference.resolve_conj(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("grid", [(16, 17), (70, 61)])
def test_nearly_symmetric_objects_are_told_from_their_flips(device, generator, grid):
    """Rounding of complex64 alone would name one of the two at random."""
    x = blob((12, *grid), generator=generator, fill=1.0)
    x = torch.stack([item + flip(item) for item in x])
    x = (x + 3e-5 * blob((12, *grid), generator=generator, fill=1.0)).to(torch.complex64)
    references = torch.cat([x, torch.stack([flip(item) for item in x])])
    found = symbreak.align(x.repeat(2, 1, 1).to(device), references.to(device))
    assert found.flipped.tolist() == [False] * 12 + [True] * 12
    assert not found.sa_mse.any()
