"""crystal_mask: the crystal, and not what its support has beyond it."""

import numpy as np
import pytest

from symbreak.geometry import crystal_mask

RNG = np.random.default_rng(5)


def noisy_ball(noise, kind=np.complex128):
    """A ball of magnitude 1 to 1.2 in a support two voxels larger, noise beyond it."""
    far = np.linalg.norm(np.indices((20, 22, 24)) - 10.0, axis=0)
    ball, support = far < 6, far < 8
    magnitude = np.where(ball, 1 + 0.2 * RNG.random(far.shape), noise * RNG.random(far.shape))
    phase = np.exp(2j * np.pi * RNG.random(far.shape))
    return np.where(support, magnitude * phase, 0).astype(kind), support, ball


@pytest.mark.parametrize("kind", [np.complex64, np.complex128])
@pytest.mark.parametrize("noise", [0, 0.3])
def test_the_crystal_is_found_in_its_support(noise, kind):
    x, support, ball = noisy_ball(noise, kind)
    np.testing.assert_array_equal(crystal_mask(x, support), ball)
    np.testing.assert_array_equal(crystal_mask(1e-9 * x, support), ball)
    half = support & (np.indices(x.shape)[0] < 10)
    np.testing.assert_array_equal(crystal_mask(x, half), ball & half)


def test_neither_bright_voxels_nor_many_dim_ones_move_it():
    x, support, ball = noisy_ball(0.1)
    x[10, 10, 10:13] *= 10
    np.testing.assert_array_equal(crystal_mask(x, support), ball)
    everywhere = np.where(x == 0, 0.01, x)
    np.testing.assert_array_equal(crystal_mask(everywhere, np.ones_like(support)), ball)


@pytest.mark.parametrize("level", [0, 0.2, 0.9])
def test_the_level_by_its_definition(level):
    """Of magnitudes 1 to 4 the largest alone holds half of the power, 16 of 30."""
    x = np.array([[3, 1j, -4, 2, 0]], complex)
    found = crystal_mask(x, np.ones(x.shape, bool), level)
    np.testing.assert_array_equal(found, np.abs(x) > level * 4)


def test_nothing_is_no_crystal():
    x = np.zeros((3, 3), complex)
    assert not crystal_mask(x, x == 0).any()
    assert not crystal_mask(x + 1, x != 0).any()


def test_what_it_refuses():
    x = np.ones((3, 3), complex)
    with pytest.raises(TypeError, match="crystal_mask: object must be a complex array"):
        crystal_mask(x.real, x != 0)
    with pytest.raises(TypeError, match="crystal_mask: support must be a boolean array"):
        crystal_mask(x, x.real)
    with pytest.raises(ValueError, match=r"of one shape, got \(3, 3\) and \(2, 3\)"):
        crystal_mask(x, x[1:] != 0)
    with pytest.raises(TypeError, match=r"level must be a number, got '0\.4'"):
        crystal_mask(x, x != 0, "0.4")
    for level in (1, -0.1, float("nan")):
        with pytest.raises(ValueError, match=r"level must be in \[0, 1\)"):
            crystal_mask(x, x != 0, level)
