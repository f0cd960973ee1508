"""align where elements are hard to tell apart: near ties, flat, empty, not finite, of any scale."""

import math

import pytest
import torch
from conftest import DTYPES, blob

import symbreak
from symbreak.reference.align import flip


def test_nearly_symmetric_object_is_told_from_its_flip(device, generator):
    """The two correlations differ by 1e-9 of their size, far below complex64 rounding."""
    x = blob((16, 17), dtype=torch.complex128, generator=generator)
    x = x + flip(x)
    x = (x + 3e-5 * blob((16, 17), generator=generator)).to(torch.complex64).to(device)
    for reference, flipped in ((x, False), (flip(x), True)):
        found = symbreak.align(x, reference)
        assert found.flipped == flipped
        assert found.sa_mse == 0


@pytest.mark.parametrize("grid", [(24, 20), (60, 61)])
def test_flat_objects_are_told_from_their_flips(device, generator, grid):
    """Transforms of flat objects lose most: the better of two elements comes out lower by more than
    one eps for some of these, so that a band of candidates as narrow as that would lose it."""
    noise = torch.randn(128, *grid, dtype=torch.complex128, generator=generator)
    x = (1 + 3e-5 * noise).to(torch.complex64).to(device)
    for reference, flipped in ((x, False), (x.flip(-2, -1).conj().resolve_conj(), True)):
        found = symbreak.align(x, reference)
        assert (found.flipped == flipped).all()
        assert (found.sa_mse == 0).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_nearly_flat_periodic_object_is_found_among_all_shifts(device, generator, dtype):
    """Every shift correlates within complex64 rounding of the best: the search turns precise."""
    noise = torch.randn(24, 20, dtype=torch.complex128, generator=generator)
    x = (1 + 1e-4 * noise).to(dtype).to(device)
    found = symbreak.align(x, torch.roll(x, (5, -7), (0, 1)), wrap=True)
    assert found.shift.tolist() == [5, -7]
    assert found.sa_mse == 0


@pytest.mark.parametrize("dtype", DTYPES)
def test_ties_go_to_the_unflipped_then_to_the_lowest_shift(device, dtype):
    x = torch.zeros(6, 6, dtype=dtype, device=device)
    x[2, 2] = x[2, 4] = 1  # its own flip
    assert not symbreak.align(x, x).flipped
    single = torch.zeros_like(x)
    single[1, 3] = 1  # fits either point of x
    assert symbreak.align(single, x).shift.tolist() == [1, -1]
    assert symbreak.align(single, x, wrap=True).shift.tolist() == [
        1,
        1,
    ]  # -1 is 5 around the circle
    flat = torch.ones_like(x)
    assert symbreak.align(flat, flat, wrap=True).shift.tolist() == [0, 0]


def test_content_pushed_out_of_the_window_counts_as_error(device):
    x, reference = torch.zeros(2, 1, 5, dtype=torch.complex64, device=device)
    x[0, 0], x[0, 4] = 1, 10
    reference[0, 0] = 10  # the 10 goes there, whereby the 1 falls out of the window
    for estimate, bright in ((x, 1), (x.flip(-1), 2)):
        found = symbreak.align(estimate, reference)
        assert not found.flipped
        assert found.sa_mse.item() == pytest.approx(1 / 5)
        assert (found.object.abs() > 0).sum() == bright


@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_zero_and_non_finite_items_keep_the_identity(device, generator, wrap, bad):
    estimate, reference = (
        blob((6, 5, 6), dtype=torch.complex64, generator=generator) for _ in range(2)
    )
    estimate[1] = 0
    reference[2] = 0
    estimate[3, 1, 2] = complex(0, bad)
    reference[4, 4, 0] = complex(bad, 1)
    found = symbreak.align(estimate.to(device), reference.to(device), wrap=wrap)
    assert not found.shift[1:5].any()
    assert not found.flipped[1:5].any()
    assert not found.phase[1:5].any()
    torch.testing.assert_close(
        found.object[1:5].cpu(), estimate[1:5], rtol=0, atol=0, equal_nan=True
    )
    power = torch.stack([reference[1], estimate[2]]).abs().square().mean((1, 2))
    torch.testing.assert_close(found.sa_mse[1:3].cpu(), power)
    assert found.sa_mse[3:5].isnan().all()
    alone = symbreak.align(estimate[[0, 5]].to(device), reference[[0, 5]].to(device), wrap=wrap)
    for together, apart in zip(found, alone, strict=True):
        assert torch.equal(together[[0, 5]], apart)


def test_uncorrelated_items_keep_the_identity(device):
    n = torch.arange(8, device=device)
    wave = torch.exp(2j * math.pi * n / 8).expand(8, 8)  # orthogonal to a constant up to rounding
    found = symbreak.align(wave, torch.ones_like(wave), wrap=True)
    assert (found.shift.tolist(), found.flipped, found.phase) == ([0, 0], False, 0)
    assert found.sa_mse.item() == pytest.approx(2)


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160])
def test_any_scale(device, generator, scale):
    x = blob((6, 7), generator=generator).to(device)
    found = symbreak.align(scale * x, torch.roll(x, 1, 1).conj().flip(0, 1) / scale)
    assert found.flipped
    assert symbreak.align(scale * x, scale * flip(x)).sa_mse == 0


def test_phase_is_never_minus_pi(device):
    x = torch.ones(2, 2, dtype=torch.complex64, device=device)
    for turned in (-x, x * complex(-1, -1e-12), x * complex(-1, 1e-12), (-x.conj()).resolve_conj()):
        assert symbreak.align(x, turned).phase == torch.tensor(math.pi, dtype=torch.float32)
