"""Photon noise and detector masks."""

import pytest
import torch

from symbreak.data import beamstop, detector_gaps, poisson_amplitude


@pytest.fixture
def amplitude():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(4, 32, 32, generator=generator, dtype=torch.float64) * 50


def test_photon_count_and_unit_are_kept(amplitude):
    photons = 1e6
    noisy = poisson_amplitude(amplitude, photons)
    scale = photons / amplitude.square().sum(dim=(1, 2), keepdim=True)
    counts = noisy.square() * scale
    torch.testing.assert_close(counts, counts.round(), rtol=0, atol=1e-6)
    # Total: Poisson of mean 1e6, standard deviation 1e3.
    assert ((counts.sum(dim=(1, 2)) - photons).abs() < 5e3).all()
    assert not torch.equal(noisy, amplitude)


def test_variance_equals_the_mean():
    flat = torch.full((64, 64), 3.0)
    counts = poisson_amplitude(flat, 20 * flat.numel(), seed=1).square() * 20 / 9
    # 4096 draws of mean 20: standard errors 0.07 and 0.45.
    assert abs(counts.mean() - 20) < 0.35
    assert abs(counts.var() - 20) < 2.3


def test_noise_vanishes_with_many_photons(amplitude):
    torch.testing.assert_close(poisson_amplitude(amplitude, 1e16), amplitude, rtol=0, atol=1e-4)


def test_items_depend_on_their_index_alone(amplitude):
    noisy = poisson_amplitude(amplitude, 1e4, seed=5)
    assert torch.equal(poisson_amplitude(amplitude[2:], 1e4, seed=5, first=2), noisy[2:])
    assert not torch.equal(poisson_amplitude(amplitude, 1e4, seed=6), noisy)
    same = poisson_amplitude(amplitude[:1].expand(2, -1, -1), 1e4)
    assert not torch.equal(same[0], same[1])
    assert torch.equal(
        poisson_amplitude(amplitude.reshape(2, 2, 32, 32), 1e4, seed=5)[1, 0], noisy[2]
    )


def test_dtype_dark_items_and_three_dimensions():
    x = torch.ones(2, 4, 5, 6)
    x[1] = 0
    noisy = poisson_amplitude(x, 1e3, ndim=3)
    assert noisy.dtype == torch.float32
    assert noisy.shape == x.shape
    assert (noisy[1] == 0).all()
    assert (noisy[0] > 0).any()
    assert poisson_amplitude(x[0, 0], 10.0).shape == (5, 6)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"amplitude": torch.ones(4, 4, dtype=torch.complex64)},
            TypeError,
            "amplitude must be float",
        ),
        (
            {"amplitude": -torch.ones(4, 4)},
            ValueError,
            "amplitude must be finite and >= 0, at most",
        ),
        ({"amplitude": torch.full((4, 4), torch.nan)}, ValueError, "amplitude must be finite"),
        ({"photons": 0.0}, ValueError, "photons must be finite and > 0, at most 1e\\+18, got 0.0"),
        ({"photons": float("inf")}, ValueError, "photons must be finite"),
        ({"seed": -1}, ValueError, "seed must be an integer >= 0, got -1"),
        ({"first": -1}, ValueError, "first must be an integer >= 0, got -1"),
        ({"ndim": 3}, ValueError, "ndim must be 2 or 3 and at most"),
    ],
)
def test_poisson_errors(change, error, message):
    with pytest.raises(error, match=f"^poisson_amplitude: {message}"):
        poisson_amplitude(**{"amplitude": torch.ones(4, 4), "photons": 1.0, **change})


def test_beamstop_covers_a_disc_around_index_zero():
    valid = beamstop((8, 9), 2.0)
    shifted = torch.fft.fftshift(~valid)
    y, x = torch.meshgrid(torch.arange(8) - 4, torch.arange(9) - 4, indexing="ij")
    assert torch.equal(shifted, x * x + y * y <= 4)
    assert not beamstop((8, 8), 0.0)[0, 0]
    assert (~beamstop((8, 8), 0.0)).sum() == 1
    assert (~beamstop((6, 6, 6), 1.0)).sum() == 7


@pytest.mark.parametrize(("arm", "columns"), [(1, [0]), (2, [0, 1]), (3, [7, 0, 1])])
def test_beamstop_arm(arm, columns):
    valid = beamstop((8, 8), 0.0, arm=arm)
    expected = torch.ones(8, 8, dtype=torch.bool)
    for column in columns:
        expected[0:4, column] = False
    assert torch.equal(valid, expected)


def test_detector_gaps_in_detector_coordinates():
    valid = detector_gaps((8, 11), module=3, gap=2)
    shifted = torch.fft.fftshift(valid)
    rows = torch.tensor([1, 1, 1, 0, 0, 1, 1, 1]).bool()
    columns = torch.tensor([1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 1]).bool()
    assert torch.equal(shifted, rows[:, None] & columns)
    one = torch.fft.fftshift(detector_gaps((8, 11), module=3, gap=2, offset=1, axes=[1]))
    assert torch.equal(one, columns.roll(-1).index_fill(0, torch.tensor([10]), True).expand(8, 11))
    assert detector_gaps((8, 8, 8), module=3, gap=0).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: beamstop((8,), 1.0), "beamstop: shape must be 2 or 3 integers"),
        (lambda: beamstop((8, 8), -1.0), "beamstop: radius must be finite and >= 0, got -1.0"),
        (lambda: beamstop((8, 8), 1.0, arm=-1), "beamstop: arm must be an integer >= 0, got -1"),
        (lambda: detector_gaps((8, 0), module=3, gap=1), "detector_gaps: shape must be 2 or 3"),
        (lambda: detector_gaps((8, 8), module=0, gap=1), "detector_gaps: module must be .* got 0"),
        (lambda: detector_gaps((8, 8), module=3, gap=-1), "detector_gaps: gap must be .* got -1"),
        (lambda: detector_gaps((8, 8), module=3, gap=1, offset=0.5), "offset must be an integer"),
        (lambda: detector_gaps((8, 8), module=3, gap=1, axes=[2]), "axes must be axes of"),
    ],
)
def test_mask_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
