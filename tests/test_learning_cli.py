"""simulate, train, evaluate and predict, one after the other on tiny data."""

import json

import h5py
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

pytest.importorskip("lightning")

import symbreak
from symbreak.cli.app import app
from symbreak.data import CrystalSettings, crystals
from symbreak.learning.evaluate import evaluate
from symbreak.learning.file_pairs import FilePairs
from symbreak.learning.fit import fit
from symbreak.learning.networks import load_network, read_checkpoint
from symbreak.learning.positions import InPositions, amplitude_distance
from symbreak.learning.rotated_pairs import RotatedPairs
from symbreak.learning.settings import TrainSettings
from symbreak.learning.turned_pairs import TurnedPairs


def run(*words):
    result = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize(("ndim", "most"), [(2, 6), (3, 1)])
def test_simulation_with_dislocations_anywhere_in_the_frame(tmp_path, ndim, most):
    words = ("--size", 16, "--train", 3, "--validation", 0, "--test", 0, "--ndim", ndim)
    run("simulate", tmp_path, *words, "--cores", "frame")
    settings = CrystalSettings(defects=(0, most), cores="frame")
    with h5py.File(tmp_path / "train.h5") as file:
        assert np.array_equal(file["object"], crystals(3, 16, ndim=ndim, settings=settings).numpy())
        assert file.attrs["cores"] == "frame"
        assert tuple(file.attrs["defects"]) == (0, most)


def test_simulation_behind_a_beamstop_and_between_gaps(tmp_path):
    words = ("--size", 16, "--train", 3, "--validation", 0, "--test", 0)
    run("simulate", tmp_path / "all", *words)
    run("simulate", tmp_path / "some", *words, "--beamstop", 1.5, "--gaps", 9, 2)
    with (
        h5py.File(tmp_path / "some/train.h5") as some,
        h5py.File(tmp_path / "all/train.h5") as all_,
    ):
        valid = some["valid"][()]
        assert "valid" not in all_
        assert np.array_equal(some["amplitude"], np.where(valid, all_["amplitude"], 0))
        assert some.attrs["beamstop"] == 1.5
        assert some.attrs["gaps"].tolist() == [9, 2]
    rows = np.fft.fftshift(valid)[:, 16 + 3]  # DC is row 16, in the middle of a module of 9
    assert np.flatnonzero(~rows).tolist() == [0, 10, 11, 21, 22]
    assert np.flatnonzero(~valid[:, 0]).tolist()[:2] == [0, 1]


@pytest.mark.parametrize("stream", [(), ("--stream",)])
def test_training_in_all_positions(tmp_path, stream):
    run("simulate", tmp_path, "--size", 16, "--train", 9, "--validation", 3, "--test", 0)
    files = (tmp_path / "train.h5", tmp_path / "validation.h5")
    more = ("--options", '{"width": 2}', "--batch", 4, "--max-epochs", 2, "--accelerator", "cpu")
    run("train", *files, "-o", tmp_path / "a", "--break", "--positions", *stream, *more)
    found = read_checkpoint(tmp_path / "a/final.ckpt")["state_dict"]

    source = FilePairs(files[0], broken=True).load()
    settings = TrainSettings(
        options={"width": 2}, batch=4, max_epochs=2, epoch_items=len(source), accelerator="cpu"
    )
    pairs = TurnedPairs(source, broken=True)
    fitted = fit(settings, pairs, FilePairs(files[1]).load(), tmp_path / "b")
    expected = read_checkpoint(fitted.final)["state_dict"]
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_training_at_many_angles(tmp_path):
    run("simulate", tmp_path, "--size", 16, "--train", 9, "--validation", 3, "--test", 0)
    files = (tmp_path / "train.h5", tmp_path / "validation.h5")
    more = ("--options", '{"width": 2}', "--batch", 4, "--max-epochs", 2, "--accelerator", "cpu")
    run("train", *files, "-o", tmp_path / "a", "--break", "--angles", 5, *more)
    found = read_checkpoint(tmp_path / "a/final.ckpt")["state_dict"]

    source = FilePairs(files[0], broken=True).load()
    settings = TrainSettings(
        options={"width": 2}, batch=4, max_epochs=2, epoch_items=len(source), accelerator="cpu"
    )
    pairs = RotatedPairs.of(source, angles=5, broken=True)
    fitted = fit(settings, pairs, FilePairs(files[1]).load(), tmp_path / "b")
    expected = read_checkpoint(fitted.final)["state_dict"]
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_what_many_angles_refuse(tmp_path):
    words = ("--size", 16, "--train", 3, "--validation", 2, "--test", 0)
    run("simulate", tmp_path, *words, "--photons", 1e4)
    words = ("train", tmp_path / "train.h5", tmp_path / "validation.h5", "-o", tmp_path / "run")
    for more, status, told in (
        ((), 1, "these have noise, masks or another grid"),
        (("--positions",), 2, "--angles goes with neither --positions nor --stream"),
        (("--stream",), 2, "--angles goes with neither --positions nor --stream"),
    ):
        done = CliRunner().invoke(app, [str(w) for w in (*words, "--angles", 3, *more)])
        assert done.exit_code == status
        assert told in " ".join(done.output.split())
    assert not (tmp_path / "run").exists()


def test_turned_objects_want_to_be_broken(tmp_path):
    run("simulate", tmp_path, "--size", 16, "--train", 3, "--validation", 2, "--test", 0)
    words = ("train", tmp_path / "train.h5", tmp_path / "validation.h5", "--positions")
    more = ("--options", '{"width": 1}', "--max-epochs", 1, "--accelerator", "cpu")
    for number, (choice, told) in enumerate(
        (("--raw", True), ("--loss=sa_mse", False), ("--break", False))
    ):
        done = CliRunner().invoke(
            app, [str(w) for w in (*words, "-o", tmp_path / str(number), choice, *more)]
        )
        assert done.exit_code == 0, done.output
        assert ("mse wants --break" in " ".join(done.output.split())) == told


def test_from_simulation_to_prediction(tmp_path):
    data, training = tmp_path / "data", tmp_path / "run"
    counts = ("--train", 11, "--validation", 4, "--test", 3)
    run("simulate", data, "--size", 16, *counts, "--chunk", 5, "--seed", 7, "--photons", 1e6)
    with h5py.File(data / "train.h5") as file:
        objects = file["object"][()]
        assert np.array_equal(objects, crystals(11, 16, 7).numpy())
        assert file["amplitude"].shape == (11, 32, 32)
        assert file.attrs["seed"] == 7
        assert file.attrs["photons"] == 1e6
        assert file.attrs["version"] == symbreak.__version__
        assert tuple(file.attrs["defects"]) == (0, 6)
    with h5py.File(data / "test.h5") as file:
        assert not np.array_equal(file["object"][:3], objects[:3])

    words = (data / "train.h5", data / "validation.h5", "-o", training, "--break")
    more = ("--options", '{"width": 4}', "--batch", 4, "--accelerator", "cpu")
    run("train", *words, *more, "--max-epochs", 1)
    assert "best-validated" in run("train", *words, *more, "--max-epochs", 2, "--resume")

    words = (data / "train.h5", data / "validation.h5", "-o", tmp_path / "last", *more)
    run("train", *words, "--max-epochs", 2, "--final-epochs", 1, "--final-loss", "sa_mse")
    settings = json.loads((tmp_path / "last/summary.json").read_text())["settings"]
    assert (settings["final_epochs"], settings["final_loss"]) == (1, "sa_mse")

    picture = tmp_path / "test.png"
    shown = run("evaluate", training / "best.ckpt", data / "test.h5", "--picture", picture)
    assert "SA-MSE" in shown
    assert picture.stat().st_size > 1000
    run("predict", training / "best.ckpt", data / "test.h5", "-o", tmp_path / "found.h5")
    with h5py.File(tmp_path / "found.h5") as file:
        assert file["object"].shape == (3, 16, 16)
        single = file["object"][()]

    network = InPositions(load_network(training / "best.ckpt"))
    other = data.parent / "other.h5"
    with h5py.File(other, "w") as file:
        file["object"] = np.ones((2, 8, 8), np.complex64)
    refused = CliRunner().invoke(app, ["evaluate", str(training / "best.ckpt"), str(other)])
    assert refused.exit_code == 1
    assert "best.ckpt takes patterns of (32, 32), got (16, 16)" in " ".join(refused.output.split())
    shown = run("evaluate", training / "best.ckpt", data / "test.h5", "--positions")
    expected = evaluate(network, FilePairs(data / "test.h5"))
    assert f"{expected.sa_mse_ratio:.4f}" in shown
    words = ("predict", training / "best.ckpt", data / "test.h5", "-o", tmp_path / "eight.h5")
    run(*words, "--positions")
    with h5py.File(tmp_path / "eight.h5") as file, h5py.File(data / "test.h5") as test:
        amplitude = torch.from_numpy(test["amplitude"][()].astype(np.float32))
        eight = torch.from_numpy(file["object"][()])
    # Not the objects themselves: which three fit best may be a matter of rounding.
    found, expected = (amplitude_distance(x, amplitude) for x in (eight, network(amplitude)))
    torch.testing.assert_close(found, expected, atol=0.01, rtol=0)
    assert not np.allclose(eight, single)


def test_the_help_says_what_compiling_costs():
    text = CliRunner().invoke(app, ["train", "--help"], env={"COLUMNS": "300"}).output
    (line,) = (line for line in text.splitlines() if "--compile" in line)
    assert "minutes before the first epoch" in line
