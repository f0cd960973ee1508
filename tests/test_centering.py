"""Where zero frequency lies on a detector."""

import numpy as np
import pytest
import torch
from conftest import SEED
from detector_frames import peak

from symbreak.data.detector.centering import find_center


@pytest.mark.parametrize("method", ["max", "mass"])
@pytest.mark.parametrize(("shape", "center"), [((50,), (17,)), ((40, 61), (22, 30)),
                                               ((9, 20, 31), (4, 9, 16))])  # fmt: skip
def test_the_centre_of_a_blob(shape, center, method):
    blob = peak(shape, center, width=min(shape) / 12)
    assert find_center(blob, method=method) == center


def test_the_brightest_place_is_robust():
    blob = peak((80, 100), (20, 70)) + 30  # on a background, far from the middle
    valid = np.ones(blob.shape, bool)
    valid[19:22] = False  # a gap through the peak
    blob[60, 10] = 3e4  # a hot pixel
    blob[19:22] = 2.0**32
    assert find_center(blob, valid) == (20, 70)
    assert find_center(blob, valid, method="mass") != (20, 70)
    assert max(abs(np.subtract(find_center(peak((80, 100), (0, 99))), (0, 99)))) == 0


@pytest.mark.parametrize("wide", [1, 2])
def test_hot_pixels_are_no_centre(wide):
    """However bright, alone or in pairs; saturated ones and a narrow peak are."""
    blob = np.random.default_rng(SEED).poisson(peak((80, 100), (20, 70), 3, 4000) + 0.1)
    hot = blob.copy()
    hot[60, 10 : 10 + wide] = 2_000_000
    assert find_center(hot) == find_center(blob) == (20, 70)
    over = np.zeros(hot.shape, bool)
    over[60, 10] = True
    assert find_center(hot, saturated=over)[0] == 60
    narrow = np.fft.fftshift(np.abs(np.fft.fft2(np.pad(np.ones((32, 32)), (0, 32)))) ** 2)
    assert find_center(np.roll(narrow, (5, -7), (0, 1))) == (32 + 5, 32 - 7)


def test_the_centre_of_mass_takes_the_mean_phase_gradient_out():
    x = torch.zeros(64, 64, dtype=torch.complex128)
    x[10:40, 20:45] = 1 + torch.rand(30, 25, generator=torch.Generator().manual_seed(SEED))
    ramp = torch.exp(2j * torch.pi * (5 * torch.arange(64)[:, None] - 7 * torch.arange(64)) / 128)
    far = torch.fft.fftshift(torch.fft.fft2(x * ramp, s=(128, 128)).abs() ** 2).numpy()
    assert find_center(far, method="mass") == (64 + 5, 64 - 7)


@pytest.mark.parametrize("method", ["max", "mass"])
def test_masks_of_numbers_and_intensities_in_lists(method):
    blob = peak((40, 61), (22, 30), width=4)
    over = blob > 0.5 * blob.max()
    expected = find_center(blob, saturated=over, method=method)
    assert find_center(blob, saturated=over.astype(int), method=method) == expected
    assert find_center(blob.tolist(), np.ones((40, 61)), saturated=over, method=method) == expected


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_was_not_measured(bad):
    blob = peak((40, 61), (22, 30), width=4)
    blob[3, 4] = bad
    assert find_center(blob) == find_center(blob, method="mass") == (22, 30)


@pytest.mark.parametrize(
    ("intensity", "options", "message"),
    [
        (np.ones((4, 4)), {"method": "symmetry"}, "method must be one of max, mass"),
        (np.ones((4, 4)), {"blur": 0}, "blur must be finite and > 0, got 0"),
        (np.ones((4, 4)), {"valid": np.ones(4, bool)}, "valid must have the shape of intensity"),
        (np.ones((4, 4)), {"saturated": np.ones(4, bool)}, "saturated must have the shape of int"),
        (np.ones((4, 4)), {"method": np.ones(2)}, "method must be one of max, mass"),
        (np.ones((4, 4)), {"blur": "2"}, "blur must be finite and > 0, got '2'"),
        (np.ones((4, 4)) * 1j, {}, "intensity must be real, with 1 to 3 axes, got complex128"),
        (np.ones((4, 4, 4, 4)), {}, "intensity must be real, with 1 to 3 axes"),
        ([["a"]], {}, "intensity must be real"),
        (
            np.full((4, 4), np.nan),
            {},
            "no measured pixel above 0; 0 of 16 pixels count",
        ),
        (np.zeros((4, 4)), {}, "no measured pixel above 0"),
        (np.ones((4, 4)), {"valid": np.zeros((4, 4), bool)}, "no measured pixel above 0"),
    ],
)
def test_no_centre(intensity, options, message):
    with pytest.raises(ValueError, match=message):
        find_center(intensity, **options)


def test_noise_around_a_subtracted_background_does_not_pull_the_centre_of_mass():
    rng = np.random.default_rng(0)
    blob = peak((200, 240), (60, 70), 3, 400)
    counts = rng.poisson(blob + 3.0) - 3.0
    found = np.subtract(find_center(counts, method="mass"), (60, 70))
    assert abs(found).max() <= 4
    clipped = np.subtract(find_center(np.maximum(counts, 0), method="mass"), (60, 70))
    assert abs(clipped).max() > 10
    assert find_center(counts) == find_center(blob)
    # Where too much was subtracted, nothing is left to weigh but what is above 0.
    low = blob - 5.0
    assert find_center(low, method="mass") == find_center(np.maximum(low, 0), method="mass")
