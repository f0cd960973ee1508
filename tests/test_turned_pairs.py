"""TurnedPairs: what make_pairs(positions=True) makes, of pairs that there are."""

from types import SimpleNamespace

import h5py
import pytest
import torch
from learning_problems import objects

from symbreak.learning.datasets import Pairs, make_pairs
from symbreak.learning.file_pairs import FilePairs
from symbreak.learning.positions import turn, turn_pattern
from symbreak.learning.turned_pairs import TurnedPairs


def everything(pairs):
    return pairs.__getitems__(range(len(pairs)))


@pytest.mark.parametrize("rule", ["angle", "circulation"])
@pytest.mark.parametrize("source_broken", [False, True])
def test_the_same_pairs_as_of_turned_objects(rule, source_broken):
    x = objects(5)
    expected = make_pairs(x, broken=True, positions=True, rule=rule, ambiguous="keep")
    source = make_pairs(x, broken=source_broken, ambiguous="keep")
    turned = TurnedPairs(source, broken=True, rule=rule)
    assert len(turned) == len(expected) == 40
    assert turned.object_shape == (16, 16)
    assert turned.measurement_shape == (32, 32)
    amplitude, found, indices = everything(turned)
    torch.testing.assert_close(amplitude, expected.amplitude, rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(found, expected.object, rtol=1e-4, atol=1e-4)
    assert indices.tolist() == list(range(40))


def test_raw_pairs_are_turned_as_they_are():
    x = objects(3)
    measured = Pairs(torch.rand(3, 20, 20), x)  # of no object
    amplitude, found, _ = everything(TurnedPairs(measured))
    for position in range(8):
        rows = slice(3 * position, 3 * position + 3)
        assert torch.equal(found[rows], turn(x, position))
        assert torch.equal(amplitude[rows], turn_pattern(measured.amplitude, position))


def test_on_every_device(device):
    held = TurnedPairs(make_pairs(objects(3)), broken=True)
    amplitude, found, indices = everything(held)
    there = everything(held.to(device))
    assert {part.device.type for part in there} == {device}
    torch.testing.assert_close(there[0].cpu(), amplitude)
    torch.testing.assert_close(there[1].cpu(), found, rtol=1e-4, atol=1e-4)
    assert there[2].tolist() == indices.tolist()


def test_any_order_and_repeated_and_negative_indices():
    turned = TurnedPairs(make_pairs(objects(3)), broken=True)
    amplitude, found, _ = everything(turned)
    indices = [23, 0, 7, 7, 16, -1, -24, 3]
    some = turned.__getitems__(indices)
    assert torch.equal(some[0], amplitude[indices])
    assert torch.equal(some[1], found[indices])
    assert some[2].tolist() == indices
    one = turned[9]
    assert torch.equal(one[0], amplitude[9])
    assert torch.equal(one[1], found[9])


def test_pairs_of_a_file_and_a_copy_on_a_device(tmp_path):
    pairs = make_pairs(objects(4))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["object"], file["amplitude"] = pairs.object.numpy(), pairs.amplitude.numpy()
    streamed = TurnedPairs(FilePairs(tmp_path / "a.h5"), broken=True, rule="circulation")
    held = TurnedPairs(pairs, broken=True, rule="circulation")
    expected = everything(held)
    for other in (streamed, streamed.to("cpu"), held.to("cpu")):
        assert all(torch.equal(a, b) for a, b in zip(everything(other), expected, strict=True))
    assert held.to("meta").pairs.object.device.type == "meta"


def test_they_are_kept_on_the_device_of_the_training():
    pytest.importorskip("lightning")
    from symbreak.learning.loaders import PairLoaders

    pairs = make_pairs(objects(2))
    choices = {"batch": 2, "seed": 0}
    for resident in (False, True):
        loaders = PairLoaders(TurnedPairs(pairs), pairs, resident=resident, **choices)
        strategy = SimpleNamespace(root_device=torch.device("meta"))
        loaders.trainer = SimpleNamespace(strategy=strategy)
        loaders.setup("fit")
        assert loaders.train.pairs.object.is_meta == resident
        assert loaders.validation.object.is_meta == resident


def test_what_it_refuses():
    with pytest.raises(ValueError, match=r"square 2D objects and patterns, got \(16, 8\)"):
        TurnedPairs(make_pairs(objects(2)[:, :, :8].contiguous()))
    with pytest.raises(ValueError, match=r"square 2D objects and patterns, got \(20, 24\)"):
        TurnedPairs(Pairs(torch.rand(2, 20, 24), objects(2)))
    with pytest.raises(ValueError, match=r"got \(8, 8, 8\)"):
        TurnedPairs(make_pairs(torch.ones(1, 8, 8, 8, dtype=torch.complex64)))
    with pytest.raises(TypeError, match="broken must be True or False"):
        TurnedPairs(make_pairs(objects(2)), broken=1)
    with pytest.raises(ValueError, match="rule must be angle or circulation, got 'x'"):
        TurnedPairs(make_pairs(objects(2)), rule="x")
