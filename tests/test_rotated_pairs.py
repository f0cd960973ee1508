"""RotatedPairs: objects turned by any angle, patterns simulated with them."""

from types import SimpleNamespace

import pytest
import torch
from learning_problems import objects

import symbreak
from symbreak.data import crystals
from symbreak.learning.datasets import Pairs, make_pairs
from symbreak.learning.positions import turn
from symbreak.learning.rotated_pairs import RotatedPairs, rotate


def everything(pairs):
    return pairs.__getitems__(range(len(pairs)))


def wave(n, angle):
    """A Gaussian with a phase ramp, off the middle, turned by an angle: from the formula."""
    y, x = torch.meshgrid(*[torch.arange(n).double() - (n - 1) / 2] * 2, indexing="ij")
    angle = torch.tensor(angle).double()
    v = y * angle.cos() + x * angle.sin()  # where the pixel came from
    u = -y * angle.sin() + x * angle.cos()
    return torch.polar(torch.exp(-((v - 4) ** 2 + u**2) / 200), 0.1 * v + 0.05 * u)


@pytest.mark.parametrize("degrees", [10, 37, 90, 200, 300])
@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
def test_a_turn_by_any_angle(degrees, dtype):
    angle = torch.deg2rad(torch.tensor(float(degrees)))
    x = wave(40, 0.0).to(dtype)
    found = rotate(x[None], angle[None])[0]
    assert found.dtype == dtype
    expected = wave(40, float(angle))
    inside = expected.abs() > 0.3
    off = (found - expected)[inside]
    # The magnitude of the nearest pixel, at most 0.7 pixels away, and the phase between pixels.
    assert float(off.abs().max()) < 0.06
    turned = (found * expected.conj())[inside].angle()
    assert float(turned.abs().max()) < 5e-3


def test_quarter_turns_are_exact():
    x = objects(3)
    quarter = torch.full((3,), torch.pi / 2)
    for k in range(4):
        found = rotate(x, k * quarter)
        torch.testing.assert_close(found, x.rot90(k, (1, 2)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("rule", ["angle", "circulation"])
def test_four_angles_are_the_eight_positions(rule):
    """Up to translation, which breaking takes away."""
    x = crystals(4, 16, 3)
    expected = make_pairs(x, broken=True, positions=True, rule=rule, ambiguous="keep")
    rotated = RotatedPairs(x, angles=4, broken=True, rule=rule)
    assert len(rotated) == len(expected) == 32
    amplitude, found, indices = everything(rotated)
    assert indices.tolist() == list(range(32))
    order = [0, 1, 2, 3, 4, 7, 6, 5]  # mirrored first and turned then: the other way round
    rows = torch.cat([torch.arange(4) + 4 * k for k in order])
    torch.testing.assert_close(found, expected.object[rows], rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(amplitude, expected.amplitude[rows], rtol=1e-3, atol=1e-2)


def test_pairs_fit_each_other_and_their_shapes():
    x = objects(3)
    rotated = RotatedPairs(x, angles=5, oversampling=3)
    assert rotated.object_shape == (16, 16)
    assert rotated.measurement_shape == (48, 48)
    amplitude, found, _ = everything(rotated)
    assert len(found) == 30
    torch.testing.assert_close(amplitude, symbreak.fourier_amplitude(found, oversampling=3))
    middle = symbreak.center(x).object
    torch.testing.assert_close(found[:3], middle, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found[15:18], turn(middle, 4), rtol=1e-5, atol=1e-5)
    assert float((found[3:6] - middle).abs().max()) > 0.1


def test_crystals_stay_what_they_are():
    """Magnitudes 0 and 1, as many pixels within a few percent, no orientation preferred."""
    x = crystals(40, 64, 1)
    _, found, _ = everything(RotatedPairs(x, angles=7))
    magnitude = found.abs()
    assert float(torch.minimum(magnitude, (magnitude - 1).abs()).max()) < 1e-5
    filled = magnitude.mean((1, 2)).reshape(14, 40) / x.abs().mean((1, 2))
    assert float((filled.mean(1) - 1).abs().max()) < 0.02


def test_any_order_and_repeated_and_negative_indices():
    rotated = RotatedPairs(objects(3), angles=4, broken=True)
    amplitude, found, _ = everything(rotated)
    indices = [23, 0, 7, 7, 16, -1, -24, 3]
    some = rotated.__getitems__(indices)
    torch.testing.assert_close(some[0], amplitude[indices])
    torch.testing.assert_close(some[1], found[indices])
    assert some[2].tolist() == indices
    one = rotated[9]
    torch.testing.assert_close(one[0], amplitude[9])
    torch.testing.assert_close(one[1], found[9])


def test_on_every_device(device):
    held = RotatedPairs(objects(3), angles=3, broken=True, rule="circulation", oversampling=3)
    amplitude, found, indices = everything(held)
    there = everything(held.to(device))
    assert {part.device.type for part in there} == {device}
    torch.testing.assert_close(there[0].cpu(), amplitude, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(there[1].cpu(), found, rtol=1e-3, atol=1e-3)
    assert there[2].tolist() == indices.tolist()


def test_they_are_kept_on_the_device_of_the_training():
    pytest.importorskip("lightning")
    from symbreak.learning.loaders import PairLoaders

    pairs = make_pairs(objects(2))
    for resident in (False, True):
        rotated = RotatedPairs(objects(2), angles=3)
        rotated.to = lambda device: ("moved to", device)
        loaders = PairLoaders(rotated, pairs, resident=resident, batch=2, seed=0)
        strategy = SimpleNamespace(root_device=torch.device("cpu"))
        loaders.trainer = SimpleNamespace(strategy=strategy)
        loaders.setup("fit")
        assert (loaders.train == ("moved to", torch.device("cpu"))) == resident


def test_of_pairs_whose_amplitudes_can_be_simulated():
    x = objects(3)
    for times in (2, 3):
        rotated = RotatedPairs.of(make_pairs(x, oversampling=times), angles=3, broken=True)
        assert (rotated.oversampling, rotated.angles, rotated.broken) == (times, 3, True)
        torch.testing.assert_close(rotated.objects, symbreak.center(x).object)
    assert RotatedPairs.of(make_pairs(x), rule="circulation").rule == "circulation"
    good = make_pairs(x)
    noisy = Pairs(good.amplitude + 0.01 * good.amplitude.max(), x)
    masked = Pairs(torch.where(good.amplitude > 1, good.amplitude, torch.nan), x)
    for wrong in (noisy, masked, Pairs(torch.rand(3, 40, 40), x), Pairs(torch.rand(3, 8, 8), x)):
        with pytest.raises(ValueError, match="have noise, masks or another grid"):
            RotatedPairs.of(wrong)


def test_what_it_refuses():
    x = objects(2)
    for wrong, told in ((x[0], r"\(16, 16\)"), ([1], "list"), (x[:, None], r"\(2, 1, 16, 16\)")):
        with pytest.raises(ValueError, match=rf"must be a tensor \(items, N, N\), got {told}"):
            RotatedPairs(wrong)
    with pytest.raises(TypeError, match="objects must be complex, got float32"):
        RotatedPairs(x.real)
    with pytest.raises(ValueError, match=r"square 2D objects and patterns, got \(16, 8\)"):
        RotatedPairs(x[:, :, :8].contiguous())
    with pytest.raises(ValueError, match="angles must be"):
        RotatedPairs(x, angles=0)
    with pytest.raises(ValueError, match="oversampling must be"):
        RotatedPairs(x, oversampling=1.5)
    with pytest.raises(TypeError, match="broken must be True or False"):
        RotatedPairs(x, broken=1)
    with pytest.raises(ValueError, match="rule must be angle or circulation, got 'x'"):
        RotatedPairs(x, rule="x")
