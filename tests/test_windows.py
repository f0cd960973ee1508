"""The window around zero frequency: fast lengths, the middle bin, blocks of pixels."""

import numpy as np
import pytest

from symbreak.data.detector.layouts import BAD, HOT, MISSING
from symbreak.data.detector.windows import (
    Window,
    bin_blocks,
    covering_length,
    fast_length,
    is_fast,
    largest_inside,
    smallest_covering,
)


def test_fast_lengths():
    fast = [n for n in range(1, 3000) if is_fast(n)]
    assert fast[:6] == [16, 18, 20, 21, 22, 24]
    assert fast[-1] == 2048
    assert all(is_fast(n) for n in (98, 143, 169, 2002, 1155))
    assert not any(is_fast(n) for n in (0, 15, 17, 34, 2050, 4096))
    assert [fast_length(n) for n in (15, 16, 17, 259, 5000)] == [0, 16, 16, 256, 2048]
    assert [covering_length(n) for n in (1, 33, 257, 2047, 3001)] == [16, 36, 260, 2048, 3001]


@pytest.mark.parametrize("bins", [1, 2, 3, 4])
@pytest.mark.parametrize("center", [20, 33, 71, 90])
def test_zero_frequency_lies_in_the_middle_bin(center, bins):
    length = 111
    size = largest_inside(center, length, bins)
    if size:
        window = Window(center, size, bins)
        first = window.start + (size // 2) * bins
        assert first <= center < first + bins
        assert window.start >= 0
        assert window.stop <= length
        assert window.positions()[size // 2] == pytest.approx(center, abs=0.5)
        larger = Window(center, fast_length(10**6), bins)
        assert larger.start < 0
    size = smallest_covering(center, length, bins)
    covering = Window(center, size, bins)
    assert covering.start <= 0
    assert covering.stop >= length


def test_blocks_with_a_pixel_that_was_not_measured_are_not_measured():
    counts = np.arange(24.0).reshape(4, 6)
    bits = np.zeros((4, 6), np.uint32)
    bits[0, 0], bits[3, 5], bits[2, 4] = HOT, BAD, MISSING
    sums, reasons = bin_blocks(counts, bits, (2, 3))
    assert reasons.tolist() == [[HOT, 0], [0, BAD | MISSING]]
    assert sums.tolist() == [[0, counts[:2, 3:].sum()], [counts[2:, :3].sum(), 0]]
    assert bin_blocks(counts, bits, (1, 1))[0] is counts
