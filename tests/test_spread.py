"""strain_spread: the standard deviation of what `strain` says of every start."""

import numpy as np
import pytest
from test_strain import GRID, SHAPE, ball

from symbreak.geometry import strain, strain_spread

RNG = np.random.default_rng(8)


def starts(count, noise=0.1):
    """The same crystal with other noise each time, each with a few voxels missing."""
    real, imaginary = noise * RNG.normal(size=(2, count, *SHAPE))
    there = ball() & (RNG.random((count, *SHAPE)) < 0.97)
    return np.where(there, 1 + real + 1j * imaginary, 0)


@pytest.mark.parametrize("count", [2, 5])
def test_it_is_the_standard_deviation(count):
    x, crystal = starts(count), ball()
    each = np.stack([strain(one, crystal, GRID) for one in x])
    with np.errstate(invalid="ignore"):
        known = np.isfinite(each).sum(0) > 1
    found = strain_spread(x, crystal, GRID)
    np.testing.assert_array_equal(np.isfinite(found), known)
    expected = np.nanstd(each[:, known], axis=0, ddof=1)
    assert expected.min() > 0
    np.testing.assert_allclose(found[known], expected, rtol=1e-9)
    assert known[crystal].mean() > 0.8
    assert (np.isfinite(each).sum(0)[known] < count).any() == (count > 2)


def test_starts_that_agree():
    x = np.stack([starts(1)[0]] * 3)
    found = strain_spread(x, ball(), GRID)
    assert np.nanmax(found) < 1e-15


def test_a_box_of_the_grid():
    x, crystal = starts(3), ball()
    whole = strain_spread(x, crystal, GRID)
    box = tuple(slice(3, n - 2) for n in SHAPE)
    part = strain_spread(x[(slice(None), *box)], crystal[box], GRID, shape=SHAPE)
    inner = tuple(slice(1, -1) for _ in SHAPE)
    np.testing.assert_allclose(part[inner], whole[box][inner], rtol=1e-9)


def test_what_it_refuses():
    x, crystal = starts(2), ball()
    with pytest.raises(TypeError, match="strain_spread: starts must be a complex array, got float"):
        strain_spread(x.real, crystal, GRID)
    with pytest.raises(TypeError, match="strain_spread: starts must be a complex array, got list"):
        strain_spread(list(x), crystal, GRID)
    for wrong in (x[:1], x[0]):
        with pytest.raises(ValueError, match="two 3D objects or more, got shape"):
            strain_spread(wrong, crystal, GRID)
    with pytest.raises(TypeError, match="strain_spread: support must be a boolean array"):
        strain_spread(x, crystal * 1.0, GRID)
    with pytest.raises(ValueError, match="strain_spread: object and support must be 3D"):
        strain_spread(x, crystal[1:], GRID)
    with pytest.raises(ValueError, match="strain_spread: grid must be that of a Bragg peak"):
        strain_spread(x, crystal, None)
