"""How far the starts of several reflections disagree about the lattice they give together."""

import numpy as np
import pytest
from crystals_of_gold import SAMPLES, Q, reflection

from symbreak.geometry import Reflection, match_reflections, strain_tensor

RNG = np.random.default_rng(11)


def different(x, count, seed):
    """Starts of one magnitude whose phases differ by smooth fields."""
    along = np.indices(x.shape) / 20 - 1
    weights = 0.1 * np.random.default_rng(seed).normal(size=(count, 3, 3))
    fields = np.einsum("nij,i...,j...->n...", weights, along, along)
    return (x * np.exp(1j * fields)).astype(x.dtype)


def seen(number, count=4, **choices):
    """A reflection with starts, and the same of every start alone."""
    x, support, grid = reflection(number, **choices)
    starts = different(x, count, number)
    whole = Reflection(x, support, grid, SAMPLES[number], starts=starts)
    return whole, [Reflection(start, support, grid, SAMPLES[number]) for start in starts]


@pytest.mark.parametrize("twin", [False, True])
@pytest.mark.parametrize("count", [2, 4])
def test_the_covariance_of_the_gradients(count, twin):
    whole, alone = seen(0, count)
    assert whole.has_starts
    place = RNG.uniform(-25, 25, (3, 40))
    place[:, 0] = 500  # outside
    each = np.stack([one.gradient(place, twin) for one in alone])
    found = whole.covariance(place, twin)
    assert found.shape == (3, 3, 40)
    assert np.isnan(found[..., 0]).all()
    for k in range(1, 40):
        np.testing.assert_allclose(found[..., k], np.cov(each[..., k].T), rtol=1e-4, atol=1e-12)
    assert np.isfinite(found[..., 1:]).all()
    assert np.abs(found[0, 1, 1:]).max() > 1e-8


def test_starts_that_are_not_known_everywhere():
    x, support, grid = reflection(0)
    starts = different(x, 3, 0)
    middle = tuple(n // 2 for n in x.shape)
    hole = tuple(slice(n - 3, n + 4) for n in middle)
    starts[0][hole] = 0
    place = np.zeros((3, 1))
    two = Reflection(x, support, grid, SAMPLES[0], starts=starts[1:]).covariance(place)
    three = Reflection(x, support, grid, SAMPLES[0], starts=starts).covariance(place)
    np.testing.assert_allclose(three, two, rtol=1e-9)
    starts[1][hole] = 0
    assert np.isnan(Reflection(x, support, grid, SAMPLES[0], starts=starts).covariance(place)).all()


def test_the_spread_of_the_tensor_is_what_single_changes_add_up_to():
    """The tensor is linear: with one reflection's starts in turn, variances add."""
    samples = 1e-3 * RNG.normal(size=(5, 4, 3, 2)).cumsum(2)  # starts, reflections, xyz, places
    covariance = np.empty((4, 3, 3, 2))
    for r, k in np.ndindex(4, 2):
        covariance[r, ..., k] = np.cov(samples[:, r, :, k].T)
    mean = samples.mean(0)
    tensor = strain_tensor(mean, Q, covariance)
    variance = np.zeros((3, 3, 2))
    for r in range(4):
        changed = np.repeat(mean[None], 5, 0)
        changed[:, r] = samples[:, r]
        variance += np.var([strain_tensor(one, Q).strain for one in changed], axis=0, ddof=1)
    np.testing.assert_allclose(tensor.spread, np.sqrt(variance), rtol=1e-9)
    assert strain_tensor(mean, Q).spread is None
    np.testing.assert_array_equal(tensor.strain, strain_tensor(mean, Q).strain)


def test_reflections_bring_their_covariances():
    choices = ({}, {"twin": True, "shift": (8, -5, 3)}, {"ramp": (0.05, -0.03, 0.02)})
    whole = [seen(k, **choice)[0] for k, choice in enumerate(choices)]
    found = match_reflections(whole, 9.0)
    assert found.twin.tolist() == [False, True, False]
    assert found.covariance.shape == (3, 3, *found.gradient.shape[1:])
    side = found.magnitude.shape[1]
    along = (np.arange(side) - side // 2) * 9.0
    place = np.stack(np.meshgrid(along, along, along, indexing="ij")[::-1])
    for k, one in enumerate(whole):
        expected = one.covariance(place - found.shift[k].reshape(3, 1, 1, 1), found.twin[k])
        np.testing.assert_array_equal(found.covariance[k], expected)
    without = match_reflections([*whole[:2], Reflection(*reflection(2), SAMPLES[2])], 9.0)
    assert without.covariance is None


def test_what_it_refuses():
    x, support, grid = reflection(0)
    with pytest.raises(TypeError, match="Reflection: starts must be a complex array, got float"):
        Reflection(x, support, grid, starts=np.ones((2, *x.shape)))
    with pytest.raises(ValueError, match=r"Reflection: starts must be \(starts, \*grid\) of"):
        Reflection(x, support, grid, starts=x[None, 1:])
    assert not Reflection(x, support, grid, starts=x[None]).has_starts
    with pytest.raises(ValueError, match="strain_tensor: covariance must be"):
        strain_tensor(np.zeros((4, 3, 2)), Q, np.zeros((4, 3, 2)))
