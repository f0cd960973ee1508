"""Commands killed, or stopped by Ctrl-C, half way: the same command goes on to the same result."""

import os
import signal
import subprocess

import h5py
import numpy as np
import pytest
import torch
from interruptions import (
    LONGEST,
    assert_same,
    command,
    done_of,
    finish,
    run,
    stop,
)

import symbreak
from symbreak.data.simulation.crystals import crystals
from symbreak.data.simulation.pairs import Simulation, write_pairs

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills processes by signals")


@pytest.fixture
def objects(tmp_path):
    path = tmp_path / "objects.npy"
    np.save(path, crystals(4, 16).repeat(600, 1, 1).numpy() * np.arange(1, 2401)[:, None, None])
    return path


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_simulate(tmp_path, how):
    folder, journal = tmp_path / "data", tmp_path / "data" / ".train.part.json"
    words = ("simulate", folder, "--size", 16, "--train", 300, "--validation", 5, "--test", 0)
    status, text = stop((*words, "--chunk", 2, "--photons", 1e5), journal.exists, how)
    assert not (folder / "train.h5").exists()
    assert 0 < done_of(journal) < 300
    if how == signal.SIGINT:
        assert status == 130
        assert f"{done_of(journal)} of 300 are kept, the same command continues." in text
    finish((*words, "--photons", 1e5))
    assert {path.name for path in folder.iterdir()} == {"train.h5", "validation.h5"}
    write_pairs(tmp_path / "whole.h5", "train", 300, Simulation(16, photons=1e5))
    assert_same(tmp_path / "whole.h5", folder / "train.h5")


def test_simulate_leaves_whole_splits_alone_and_makes_others_anew(tmp_path):
    words = ("simulate", tmp_path, "--size", 16, "--validation", 3, "--test", 0, "--train")
    finish((*words, 4))
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    finish((*words, 5))
    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert before["validation.h5"] == after["validation.h5"]
    with h5py.File(tmp_path / "train.h5") as file:
        assert len(file["object"]) == 5


def test_break(tmp_path, objects):
    out, journal = tmp_path / "out.h5", tmp_path / ".out.part.json"
    words = ("break", objects, "-o", out)
    stop((*words, "--chunk", 1), journal.exists)
    assert 0 < done_of(journal) < 2400
    assert not out.exists()
    finish(words)
    finish(("break", objects, "-o", tmp_path / "whole.h5"))
    assert_same(tmp_path / "whole.h5", out)
    assert {p.name for p in tmp_path.iterdir()} == {"objects.npy", "out.h5", "whole.h5"}


@pytest.mark.parametrize("spoil", ["rule", "input", "part", "journal", "no part", "no journal"])
def test_what_does_not_belong_together_is_made_anew(tmp_path, objects, monkeypatch, spoil):
    out, journal = tmp_path / "out.h5", tmp_path / ".out.part.json"
    part = tmp_path / ".out.part.h5"
    with monkeypatch.context() as patch:
        results = iter([symbreak.break_symmetry(torch.from_numpy(np.load(objects)[:9]))])
        patch.setattr(symbreak, "break_symmetry", lambda x, **rules: next(results, None))
        result = run(("break", objects, "-o", out, "--chunk", 9))
    assert result.exit_code == 1
    assert done_of(journal) == 9
    with h5py.File(part, "r+") as file:  # what must not be taken over
        file["object"][:] = 7
    words = ("break", objects, "-o", out, "--rule", "circulation" if spoil == "rule" else "angle")
    if spoil == "input":
        os.utime(objects, ns=(1, 1))
    elif spoil == "part":
        part.write_bytes(part.read_bytes()[:1000])
    elif spoil == "journal":
        journal.write_text('{"done": 5')
    elif spoil in ("no part", "no journal"):
        (part if spoil == "no part" else journal).unlink()
    finish(words)
    x = torch.from_numpy(np.load(objects))
    expected = symbreak.break_symmetry(x, rule=words[-1])
    with h5py.File(out) as file:
        assert np.array_equal(file["object"], expected.object)


def test_two_commands_for_one_result(tmp_path, objects):
    with h5py.File(tmp_path / ".out.part.h5", "w"):
        words = command(("break", objects, "-o", tmp_path / "out.h5"))
        done = subprocess.run(words, capture_output=True, text=True, timeout=LONGEST)
    assert done.returncode == 1
    assert "another process is writing it" in done.stderr.splitlines()[-1]
    assert (tmp_path / ".out.part.h5").exists()


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    """A command that lacks its output only, and what it makes where nothing stops it."""
    pytest.importorskip("lightning")
    folder = tmp_path_factory.mktemp("training")
    for split in ("train", "validation"):
        write_pairs(folder / f"{split}.h5", split, 8, Simulation(16))
    words = ("train", folder / "train.h5", folder / "validation.h5", "--options")
    words = (*words, '{"width": 4}', "--accelerator", "cpu", "--max-epochs", 12, "-o")
    finish((*words, folder / "whole"))
    return words, folder / "whole"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_train(tmp_path, training, how):
    from symbreak.learning.networks import read_checkpoint

    words, whole = training
    begun = (tmp_path / "run" / "final.ckpt").exists
    status, text = stop((*words, tmp_path / "run"), begun, how)
    if how != signal.SIGKILL:
        assert status == (130 if how == signal.SIGINT else 143)
        assert "whole epochs are kept, the same command continues" in text
    assert read_checkpoint(tmp_path / "run" / "final.ckpt")["epoch"] < 11
    assert "going on with it" in finish((*words, tmp_path / "run")).stderr
    for name in ("final.ckpt", "best.ckpt"):
        a, b = (read_checkpoint(folder / name) for folder in (tmp_path / "run", whole))
        assert a["epoch"] == b["epoch"]
        assert all(torch.equal(a["state_dict"][k], b["state_dict"][k]) for k in b["state_dict"])


@pytest.mark.parametrize("name", ["align", "reconstruct"])
def test_in_chunks(tmp_path, monkeypatch, name):
    write_pairs(tmp_path / "data.h5", "train", 7, Simulation(16))
    objects = f"{tmp_path}/data.h5:object"
    words = ("align", objects, objects)
    if name == "reconstruct":
        words = ("reconstruct-stack", f"{tmp_path}/data.h5:amplitude", "--amplitudes")
        words = (*words, "--dc", "corner", "--starts", 2, "--schedule", "20*HIO+5*ER")
    words = (*words, "--chunk", 2, "-o")
    function, sizes = getattr(symbreak, name), []

    def twice(x, *rest, **options):
        if len(sizes) == 2:
            raise KeyboardInterrupt
        sizes.append(len(x))
        return function(x, *rest, **options)

    with monkeypatch.context() as patch:
        patch.setattr(symbreak, name, twice)
        result = run((*words, tmp_path / "out.h5"))
    assert result.exit_code == 130
    assert "4 of 7 are kept, the same command continues." in result.stderr
    sizes[:] = []

    def counting(x, *rest, **options):
        sizes.append(len(x))
        return function(x, *rest, **options)

    monkeypatch.setattr(symbreak, name, counting)
    finish((*words, tmp_path / "out.h5"))
    assert sizes == [2, 1]
    finish((*words, tmp_path / "whole.h5"))
    assert_same(tmp_path / "whole.h5", tmp_path / "out.h5")
