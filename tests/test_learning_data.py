"""Pairs in memory and in files, the order of the items, evaluation."""

import re

import h5py
import pytest
import torch
from learning_problems import objects
from torch.utils.data import DataLoader

import symbreak
from symbreak.data import CrystalSettings, crystals
from symbreak.learning.datasets import make_pairs
from symbreak.learning.evaluate import compare, embed, evaluate, predict
from symbreak.learning.file_pairs import FilePairs
from symbreak.learning.networks import build_network, load_network
from symbreak.learning.samplers import PADDING, Shares


@pytest.fixture
def x():
    found = objects(7)
    found[3] = 0  # ambiguous
    return found


@pytest.fixture
def file(tmp_path, x):
    path = tmp_path / "train.h5"
    with h5py.File(path, "w") as file:
        file["object"] = x.numpy()
        file["amplitude"] = symbreak.fourier_amplitude(x).numpy()
    return path


def test_broken_pairs_hold_canonical_objects_and_the_same_amplitudes(x):
    raw, broken = make_pairs(x), make_pairs(x, broken=True, ambiguous="keep")
    assert torch.equal(raw.object, x)
    assert torch.equal(broken.object, symbreak.break_symmetry(x).object)
    assert torch.equal(broken.amplitude, raw.amplitude)


def test_pairs_are_a_dataset_of_pytorch(x):
    pairs = make_pairs(x, broken=False)
    loader = DataLoader(pairs, batch_size=3, collate_fn=lambda batch: batch)
    amplitudes, targets, indices = zip(*loader, strict=True)
    assert torch.equal(torch.cat(amplitudes), pairs.amplitude)
    assert torch.equal(torch.cat(targets), pairs.object)
    assert torch.cat(indices).tolist() == list(range(len(x)))


@pytest.mark.parametrize("where", ["memory", "file"])
def test_ambiguous_objects_are_dropped_kept_or_raise(x, file, where):
    def pairs(choice):
        if where == "memory":
            return make_pairs(x, broken=True, ambiguous=choice)
        return FilePairs(file, broken=True, ambiguous=choice)

    assert len(pairs("drop")) == 6
    assert len(pairs("keep")) == 7
    with pytest.raises(ValueError, match="1 of 7 objects are ambiguous"):
        pairs("raise")
    with pytest.raises(ValueError, match="must be drop, keep or raise"):
        pairs("perhaps")


@pytest.mark.parametrize("broken", [False, True])
def test_file_gives_the_same_batches_as_memory(x, file, broken):
    memory = make_pairs(x, broken=broken)
    stored = FilePairs(file, broken=broken)
    assert stored.object_shape == memory.object_shape
    assert stored.measurement_shape == memory.measurement_shape
    for got, expected in zip(
        stored.__getitems__([4, 0, 4, -1]), memory.__getitems__([4, 0, 4, -1]), strict=True
    ):
        assert torch.equal(got, expected)
    assert torch.equal(stored.load().object, memory.object)


def test_file_without_amplitudes_and_with_marked_items(tmp_path, x):
    path = tmp_path / "broken.h5"
    with h5py.File(path, "w") as file:
        file["object"] = x.numpy()
        file["ambiguous"] = (x.abs().sum((1, 2)) == 0).numpy()
    pairs = FilePairs(path)
    assert len(pairs) == 6
    assert torch.equal(pairs.load().amplitude, make_pairs(x).amplitude[[0, 1, 2, 4, 5, 6]])


def test_file_of_something_else(tmp_path):
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file["object"] = [1.0, 2.0]
    with pytest.raises(ValueError, match="needs a complex dataset 'object' with 3 axes"):
        FilePairs(path)


def test_real_objects_are_told_how_to_become_complex(tmp_path):
    path, x = tmp_path / "real.h5", crystals(4, 12).abs().numpy()
    with h5py.File(path, "w") as file:
        file["object"] = x
    line = "float32; store objects that are real as object.astype('complex64')."
    with pytest.raises(ValueError, match=re.escape(line)):
        FilePairs(path)
    with h5py.File(path, "w") as file:
        file["object"] = x.astype("complex64")
    assert torch.equal(FilePairs(path).load().object.real, torch.from_numpy(x))


def test_file_of_volumes_says_what_they_are(tmp_path):
    path = tmp_path / "volumes.h5"
    with h5py.File(path, "w") as file:
        file["object"] = torch.ones(2, 4, 4, 4, dtype=torch.complex64).numpy()
    with pytest.raises(ValueError, match="with 3 axes; of 3D objects: ndim=3"):
        FilePairs(path)


@pytest.mark.parametrize(("items", "world"), [(7, 3), (8, 2), (1, 4), (5, 1)])
def test_shares_cover_every_item(items, world):
    for seed in (None, 3):
        shares = [list(Shares(items, rank, world, seed)) for rank in range(world)]
        assert {len(s) for s in shares} == {-(-items // world)}
        seen = [k for s in shares for k in s if k != PADDING]
        assert set(seen) == set(range(items))
        if seed is None:
            assert len(seen) == items


def test_order_depends_on_seed_and_epoch_alone():
    def order(seed, epoch):
        sampler = Shares(50, 0, 1, seed)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert order(1, 2) == order(1, 2)
    assert len({tuple(order(*key)) for key in ((1, 2), (2, 1), (1, 3), (0, 2))}) == 4


@pytest.mark.parametrize("world", [1, 2, 3])
def test_an_epoch_draws_some_items_other_ones_each_time(world):
    taken = []
    for epoch in range(40):
        shares = []
        for rank in range(world):
            sampler = Shares(50, rank, world, seed=3, drawn=7)
            sampler.set_epoch(epoch)
            shares.append(list(sampler))
            assert len(shares[-1]) == len(sampler) == -(-7 // world)
        drawn = {item for share in shares for item in share}
        assert len(drawn) == 7
        taken.append(drawn)
    assert set.union(*taken) == set(range(50))
    assert len({frozenset(drawn) for drawn in taken}) > 30
    assert len(Shares(5, 0, 1, seed=3, drawn=7)) == 5


def test_all_positions_are_the_square_s():
    """Eight copies, closed under turns; each is broken as an object of its own."""
    square = crystals(3, 16, settings=CrystalSettings(defects=(2, 4)))
    pairs = make_pairs(square, positions=True)
    assert len(pairs) == 24
    assert torch.equal(pairs.object[:3], square)
    assert torch.equal(pairs.object[3:6], square.rot90(1, (1, 2)))
    assert torch.equal(pairs.object[12:15], square.flip(1))
    torch.testing.assert_close(pairs.amplitude, symbreak.fourier_amplitude(pairs.object))
    group = {tuple(copy.flatten().tolist()) for copy in pairs.object[::3]}
    assert len(group) == 8
    assert {tuple(y.rot90(1, (0, 1)).flatten().tolist()) for y in pairs.object[::3]} == group
    broken = make_pairs(square, positions=True, broken=True, ambiguous="keep")
    for item, canonical in zip(pairs.object, broken.object, strict=True):
        assert torch.equal(symbreak.break_symmetry(item).object, canonical)
    with pytest.raises(ValueError, match=r"positions asks for square 2D objects, got \(16, 8\)"):
        make_pairs(square[:, :, :8].contiguous(), positions=True)
    with pytest.raises(ValueError, match=r"square 2D objects, got \(8, 8, 8\)"):
        make_pairs(torch.zeros(1, 8, 8, 8, dtype=torch.complex64), positions=True)
    with pytest.raises(TypeError, match="positions must be True or False"):
        make_pairs(square, positions=1)


def test_zero_predictor_and_perfect_estimate(x):
    moved = symbreak.apply_symmetry(x, phase=torch.full((7,), 0.7))
    perfect = compare(moved, x)
    assert perfect.sa_mse < 1e-12
    assert perfect.mse > 0.01
    zero = compare(torch.zeros_like(x), x)
    assert zero.sa_mse_ratio == pytest.approx(1)
    assert zero.mse_ratio == pytest.approx(1)
    assert zero.zero_sa_mse == pytest.approx(float(x.abs().square().mean()))


def test_embed_keeps_the_values(x):
    wide = embed(x, (32, 40))
    assert wide.shape == (7, 32, 40)
    assert torch.equal(wide[:, :16, :16], x)
    assert float(wide.abs().sum()) == pytest.approx(float(x.abs().sum()))


def test_evaluation_does_not_depend_on_the_batch(x):
    pairs = make_pairs(x)
    network = build_network("UNet", (16, 16), (32, 32), {"width": 4})
    whole, pieces = evaluate(network, pairs), evaluate(network, pairs, batch=3)
    assert network.training
    assert whole.mse == pytest.approx(pieces.mse, rel=1e-5)
    assert torch.allclose(whole.items, pieces.items, rtol=1e-4)
    network.eval()
    assert predict(network, pairs.amplitude).shape == (7, 16, 16)


def test_errors_of_networks(tmp_path):
    with pytest.raises(ValueError, match="name must be one of UNet, SiSPRNet"):
        build_network("VGG", (16, 16), (32, 32))
    with pytest.raises(ValueError, match="UNet does not take these options"):
        build_network("UNet", (16, 16), (32, 32), {"colour": 1})
    path = tmp_path / "x.ckpt"
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(ValueError, match=r"x\.ckpt: not a checkpoint"):
        load_network(path)
