"""InPositions: which of the eight estimates it takes, what it makes of them, what it refuses."""

import pytest
import torch
from conftest import blob
from learning_problems import objects
from torch import nn

from symbreak import apply_symmetry, fourier_amplitude, sa_mse
from symbreak.learning.datasets import make_pairs
from symbreak.learning.evaluate import evaluate, predict
from symbreak.learning.positions import (
    POSITIONS,
    InPositions,
    amplitude_distance,
    turn,
    turn_back,
    turn_pattern,
)
from symbreak.models import UNet


def generator(seed):
    return torch.Generator().manual_seed(seed)


def assert_same(found, expected):
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


class Told(nn.Module):
    """Knows the pattern of every object in every position, and what to answer to it."""

    def __init__(self, objects, answers):
        super().__init__()
        self.object_shape = tuple(objects.shape[1:])
        turned = torch.cat([turn(objects, position) for position in range(POSITIONS)])
        self.patterns = fourier_amplitude(turned)
        self.measurement_shape = tuple(self.patterns.shape[1:])
        self.answers = torch.cat([turn(x, position) for position, x in enumerate(answers)])
        self.weight = nn.Parameter(torch.zeros(()))  # tells the device and the type

    def forward(self, amplitude):
        distance = (amplitude[:, None] - self.patterns).abs().amax((2, 3))
        assert distance.min(1).values.max() < 1e-3
        return self.answers[distance.argmin(1)]


def noise(x, level, seed=3):
    return level * torch.randn(x.shape, generator=generator(seed), dtype=x.dtype)


@pytest.mark.parametrize("position", range(POSITIONS))
@pytest.mark.parametrize(("size", "shape"), [(8, 16), (7, 14), (5, 13)])
def test_the_pattern_of_a_turned_object_is_the_turned_pattern(position, size, shape):
    x = blob((2, size, size), dtype=torch.complex128, generator=generator(1))
    turned = turn(x, position)
    expected = fourier_amplitude(turned.contiguous(), shape=(shape, shape))
    found = turn_pattern(fourier_amplitude(x, shape=(shape, shape)), position)
    torch.testing.assert_close(found, expected)
    assert_same(turn_back(turned, position), x)
    others = [turn(x, other) for other in range(POSITIONS) if other != position]
    assert all(not torch.equal(turned, other) for other in others)


@pytest.mark.parametrize("right", range(POSITIONS))
def test_the_estimate_that_fits_the_pattern_is_taken(right):
    x = objects(3)
    wrong = [x + noise(x, 0.2, position) for position in range(POSITIONS)]
    answers = [x if position == right else wrong[position] for position in range(POSITIONS)]
    found = InPositions(Told(x, answers), average=1)(fourier_amplitude(x))
    assert sa_mse(found, x).item() < 1e-10


def test_every_item_has_its_own_best_position():
    x = objects(POSITIONS)
    answers = [x + noise(x, 0.2, position) for position in range(POSITIONS)]
    for item, answer in enumerate(answers):
        answer[item] = x[item]
    network = InPositions(Told(x, answers), average=1)
    amplitude = fourier_amplitude(x)
    found = network(amplitude)
    assert sa_mse(found, x).item() < 1e-10
    assert_same(torch.cat([network(one) for one in amplitude.split(1)]), found)


@pytest.mark.parametrize("average", [2, 3, 8])
def test_the_best_are_aligned_and_averaged(average):
    """Noise of independent estimates falls as their number, whatever symmetry each chose."""
    x = objects(6)
    levels = [0.02 if position < average else 0.5 for position in range(POSITIONS)]
    answers = []
    for position, level in enumerate(levels):
        items = torch.arange(len(x))
        moved = apply_symmetry(
            x,
            shift=torch.zeros(len(x), 2, dtype=torch.int64),
            flipped=(items + position) % 2 == 1,
            phase=items * 0.3 + position,
        )
        answers.append(moved + noise(x, level, position) * (moved != 0))
    amplitude = fourier_amplitude(x)
    network = Told(x, answers)
    one = torch.stack([sa_mse(answer, x) for answer in answers[:average]]).mean().item()
    several = sa_mse(InPositions(network, average=average)(amplitude), x).item()
    assert several == pytest.approx(one / average, rel=0.15)


def test_on_every_device(device):
    x = objects(3)
    answers = [x + noise(x, 0.02 * (1 + position), position) for position in range(POSITIONS)]
    amplitude = fourier_amplitude(x)
    expected = InPositions(Told(x, answers))(amplitude)
    network = Told(x, answers)
    network.patterns, network.answers = network.patterns.to(device), network.answers.to(device)
    found = InPositions(network)(amplitude.to(device))
    assert found.device.type == device
    torch.testing.assert_close(found.cpu(), expected, rtol=1e-4, atol=1e-4)


def test_the_mean_is_plain():
    x = objects(2)
    answers = [(1 + 0.1 * position) * x for position in range(POSITIONS)]
    found = InPositions(Told(x, answers), average=8)(fourier_amplitude(x))
    torch.testing.assert_close(found, 1.35 * x)


def test_the_network_s_own_choice_among_the_symmetries_is_kept():
    x = objects(2)
    twin = apply_symmetry(
        x,
        shift=torch.zeros(2, 2, dtype=torch.int64),
        flipped=torch.tensor([True, True]),
        phase=torch.tensor([1.0, 2.0]),
    )
    own = 0.9 * x + noise(x, 0.01)  # farther from the pattern than the others, but says where
    found = InPositions(Told(x, [own, *[twin] * 7]))(fourier_amplitude(x))
    torch.testing.assert_close(found, x, atol=0.02, rtol=0)


def test_the_scale_of_estimate_and_pattern_does_not_matter():
    x = objects(4)
    answers = [x + noise(x, 0.05 * position, position) for position in range(1, POSITIONS + 1)]
    found = InPositions(Told(x, answers), average=1)(fourier_amplitude(x))
    scaled = [3.0 ** ((-1) ** k) * answer for k, answer in enumerate(answers)]
    again = InPositions(Told(x, scaled), average=1)(fourier_amplitude(x))
    torch.testing.assert_close(again, 3 * found)


def test_distance_by_its_formula():
    x, y = blob((2, 3, 8, 8), dtype=torch.complex128, generator=generator(2))
    amplitude, found = (torch.fft.fft2(z, s=(16, 16)).abs() for z in (x, y))
    scale = (found * amplitude).sum((1, 2)) / found.square().sum((1, 2))
    rest = scale[:, None, None] * found - amplitude
    expected = rest.square().sum((1, 2)) / amplitude.square().sum((1, 2))
    torch.testing.assert_close(amplitude_distance(y, amplitude), expected)
    assert amplitude_distance(x, amplitude).abs().max() < 1e-12
    huge = amplitude_distance(1e7 * y.to(torch.complex64), 1e9 * amplitude.float())
    torch.testing.assert_close(huge.double(), expected, rtol=1e-4, atol=1e-6)
    for z, a in ((torch.zeros_like(y), amplitude), (y, torch.zeros_like(amplitude))):
        assert amplitude_distance(z, a).tolist() == [1, 1, 1]


def test_black_and_damaged_patterns_stay_their_own_affair():
    network = InPositions(UNet(16, width=2).eval())
    amplitude = torch.rand(3, 32, 32, generator=generator(5))
    expected = network(amplitude)
    assert not expected.requires_grad
    amplitude[1, 4, 4] = float("nan")
    found = network(amplitude)
    assert_same(found[[0, 2]], expected[[0, 2]])
    x = objects(2)
    black = InPositions(Told(x, [torch.zeros_like(x)] * POSITIONS))(fourier_amplitude(x))
    assert_same(black, torch.zeros_like(x))


def test_predict_takes_it_batch_by_batch():
    network = InPositions(UNet(16, width=2).eval())
    amplitude = torch.rand(5, 32, 32, generator=generator(5))
    torch.testing.assert_close(predict(network, amplitude, batch=2), network(amplitude))
    assert_same(network(amplitude[:, None]), network(amplitude))


@pytest.mark.parametrize("training", [False, True])
def test_the_mode_of_the_network_is_kept(training):
    network = UNet(16, width=2).train(training)
    evaluate(InPositions(network), make_pairs(objects(2)))
    assert all(module.training == training for module in network.modules())


def test_the_network_says_what_is_wrong_with_the_amplitude():
    network = InPositions(UNet(16, width=2).eval())
    with pytest.raises(TypeError, match="UNet: amplitude must be floating point"):
        network(torch.zeros(1, 32, 32, dtype=torch.complex64))
    with pytest.raises(ValueError, match="UNet: amplitude"):
        network(torch.zeros(1, 16, 32))


def test_what_it_refuses():
    with pytest.raises(TypeError, match="network must be a module with object_shape"):
        InPositions(nn.Identity())
    with pytest.raises(ValueError, match=r"square 2D objects and patterns, got \(16, 32\)"):
        InPositions(UNet((16, 32), width=2))
    with pytest.raises(ValueError, match=r"square 2D objects and patterns, got \(8, 8, 8\)"):
        InPositions(UNet((8, 8, 8), width=2))
    for average in (0, 9, 2.5):
        with pytest.raises((TypeError, ValueError), match="average must be"):
            InPositions(UNet(16, width=2), average=average)
