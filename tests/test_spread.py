"""strain_spread: the standard deviation of what `strain` says of every start."""

import numpy as np
import pytest

pytest.importorskip("scipy")

from scipy.ndimage import binary_dilation
from test_strain import GRID, SHAPE, ball

from symbreak.geometry import halves_strain_error, strain, strain_spread

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


def test_halves_leave_half_their_difference():
    """Strains of 4e-4 and 6e-4, noise in a shell around the crystal that counts for nothing."""
    place = GRID.positions(SHAPE)
    inside = ball()
    halves = [np.where(inside, np.exp(-1j * e * (place @ GRID.center)), 0) for e in (4e-4, 6e-4)]
    assert halves_strain_error(*halves, GRID) == pytest.approx(1e-4, rel=1e-3)
    assert halves_strain_error(halves[0], halves[0], GRID) < 1e-12
    rng = np.random.default_rng(3)
    around = binary_dilation(inside, iterations=2) & ~inside
    noise = 0.2 * np.exp(2j * np.pi * rng.random((2, *SHAPE)))
    noisy = [np.where(around, n, x) for n, x in zip(noise, halves, strict=True)]
    assert halves_strain_error(*noisy, GRID) == pytest.approx(1e-4, rel=1e-3)
    assert halves_strain_error(*noisy, GRID, level=0) > 1e-3
    assert np.isnan(halves_strain_error(0 * halves[0], 0 * halves[1], GRID))


def test_halves_that_are_refused():
    x = starts(2)
    with pytest.raises(TypeError, match="halves_strain_error: second must be a complex array"):
        halves_strain_error(x[0], x[1].real, GRID)
    with pytest.raises(ValueError, match="must be 3D objects of one shape, got"):
        halves_strain_error(x[0], x[1][1:], GRID)
    with pytest.raises(ValueError, match="must be 3D objects of one shape, got"):
        halves_strain_error(x[0][0], x[1][0], GRID)
    with pytest.raises(ValueError, match=r"level must be in \[0, 1\)"):
        halves_strain_error(x[0], x[1], GRID, level=1.0)


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
