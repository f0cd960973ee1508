"""One detector frame: what of it counts as measured, background, hot pixels."""

import numpy as np
import pytest
from conftest import SEED

import symbreak
from symbreak.data import crystals
from symbreak.data.detector.cleaning import clean, hot_pixels
from symbreak.data.detector.layouts import BAD, INVALID, SATURATED

NONE = np.zeros((2, 3), np.uint32)


@pytest.mark.parametrize(
    ("frame", "marked"),
    [
        (np.array([[1, 2**32 - 1, 3], [4, 5, 6]], np.uint32), (0, 1)),
        (np.array([[1, 2, 3], [65535, 5, 6]], np.uint16), (1, 0)),
        (np.array([[1, 2, 3], [4, 5, -2]], np.int32), (1, 2)),
        (np.array([[1, 2, np.nan], [4, 5, 6]], np.float32), (0, 2)),
        (np.array([[np.inf, 2, 3], [4, 5, 6]]), (0, 0)),
    ],
)
def test_marks_of_detectors_are_not_counts(frame, marked):
    counts, bits = clean(frame, NONE)
    assert [tuple(k) for k in np.argwhere(bits)] == [marked]
    assert bits[marked] == INVALID
    assert counts[marked] == 0
    assert np.array_equal(counts[bits == 0], frame[bits == 0])


def test_background_saturation_and_what_is_known_already():
    frame = np.array([[1.0, -3.0, 9.0], [4.0, 5.0, 6.0]])
    known = NONE.copy()
    known[1, 1] = BAD
    dark = np.array([[2.0, 0.0, 0.0], [1.5, 0.0, np.nan]])
    counts, bits = clean(frame, known, background=dark, saturation=8)
    assert bits.tolist() == [[0, 0, SATURATED], [0, BAD, INVALID]]
    assert counts.tolist() == [[-1, -3, 0], [2.5, 0, 0]]
    assert clean(frame, known, saturation=9)[1].tolist() == [[0, 0, 0], [0, BAD, 0]]
    assert known.tolist() == [[0, 0, 0], [0, BAD, 0]]


def test_hot_pixels_are_found_and_speckles_are_not():
    crystal = crystals(4, size=32, seed=SEED)
    for amplitude in symbreak.fourier_amplitude(crystal):
        counts = np.fft.fftshift(amplitude.double().numpy()) ** 2
        counts = np.random.default_rng(0).poisson(counts * 1e7 / counts.sum()).astype(float)
        bits = np.zeros(counts.shape, np.uint32)
        assert not hot_pixels(counts, bits, 10).any()
        assert not hot_pixels(counts - 1.5, bits, 10).any()  # below 0 is as 0
        counts[5, 7], counts[0, 0] = 1e5, 1e5
        counts[50, 50:52] = 1e5  # a pair
        counts[12, 50:53] = 1e5  # too many, as documented

        def found(counts=counts, bits=bits):
            return [tuple(map(int, k)) for k in np.argwhere(hot_pixels(counts, bits, 10))]

        # Of three in a row each end has one bright neighbour, the middle has two.
        more = [(12, 50), (12, 52), (50, 50), (50, 51)]
        assert found() == [(0, 0), (5, 7), *more]
        bits[4, 6] = bits[5, 7] = BAD
        assert found() == [(0, 0), *more]
        bits[0, 1] = BAD  # two neighbours are too few to tell
        assert found() == more
