"""Commands killed, or stopped by Ctrl-C, half way: the same command goes on to the same result."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import h5py
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import symbreak
from symbreak.cli.app import app
from symbreak.data.simulation.crystals import crystals
from symbreak.data.simulation.pairs import Simulation, write_pairs
from symbreak.data.streaming.resumable import resuming

LONGEST = 120  # seconds until a command has done its first piece

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills processes by signals")


def command(words):
    return [sys.executable, "-m", "symbreak", *map(str, words)]


def stop(words, begun, how=signal.SIGKILL):
    """Start a command and stop it as soon as ``begun()`` holds; its status and its stderr."""
    process = subprocess.Popen(command(words), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    limit = time.monotonic() + LONGEST
    try:
        while not begun():
            assert process.poll() is None, process.stderr.read().decode()
            assert time.monotonic() < limit
            time.sleep(0.001)
        process.send_signal(how)
        _, text = process.communicate(timeout=LONGEST)
    finally:
        process.kill()
        process.wait()
    return process.returncode, text.decode()


def run(words):
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})


def finish(words):
    result = run(words)
    assert result.exit_code == 0, result.output
    return result


def done_of(journal):
    return json.loads(journal.read_text())["done"]


def content(path):
    """Everything that a file of symbreak holds but the command that made it."""
    with h5py.File(path) as file:
        arrays = {name: file[name][()] for name in file}
        attributes = {name: file.attrs[name] for name in file.attrs if name != "command"}
    return arrays, attributes


def assert_same(a, b):
    for first, second in zip(content(a), content(b), strict=True):
        assert first.keys() == second.keys()
        for name in first:
            assert np.array_equal(first[name], second[name]), name


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


class Interrupted:
    """Ctrl-C comes while this is destroyed, where Python prints the exception and goes on."""

    def __del__(self):
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_in_a_destructor_is_not_lost(tmp_path, capsys):
    def make():
        with resuming(path, {"x": ((5,), "f4")}, 5, {}) as result:
            for k in range(5):
                if k == 1:
                    Interrupted()
                made.append(k)
                result.advance(1)

    path, made = tmp_path / "out.h5", []
    with pytest.raises(KeyboardInterrupt, match="2 of 5 are kept, the same command continues"):
        make()
    assert made == [0, 1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not capsys.readouterr().err
    with resuming(path, {"x": ((5,), "f4")}, 5, {}) as result:
        assert result.done == 2


def test_other_handlers_of_ctrl_c_stay(tmp_path):
    heard = []
    before = signal.signal(signal.SIGINT, lambda *call: heard.append(call))
    try:
        with resuming(tmp_path / "out.h5", {"x": ((5,), "f4")}, 5, {}) as result:
            signal.raise_signal(signal.SIGINT)
            result.advance(5)
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(heard) == 1


def test_results_are_made_in_other_threads_too(tmp_path):
    def make():
        with resuming(tmp_path / "out.h5", {"x": ((5,), "f4")}, 5, {}) as result:
            result.advance(5)

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    assert (tmp_path / "out.h5").exists()


def test_two_commands_for_one_result(tmp_path, objects):
    with h5py.File(tmp_path / ".out.part.h5", "w"):
        words = command(("break", objects, "-o", tmp_path / "out.h5"))
        done = subprocess.run(words, capture_output=True, text=True, timeout=LONGEST)
    assert done.returncode == 1
    assert "another process is writing it" in done.stderr.splitlines()[-1]
    assert (tmp_path / ".out.part.h5").exists()


def test_train(tmp_path):
    pytest.importorskip("lightning")
    from symbreak.learning.networks import read_checkpoint

    for split in ("train", "validation"):
        write_pairs(tmp_path / f"{split}.h5", split, 8, Simulation(16))
    words = ("train", tmp_path / "train.h5", tmp_path / "validation.h5", "--options")
    words = (*words, '{"width": 4}', "--accelerator", "cpu", "--max-epochs", 6, "-o")
    stop((*words, tmp_path / "run"), (tmp_path / "run" / "final.ckpt").exists)
    assert read_checkpoint(tmp_path / "run" / "final.ckpt")["epoch"] < 5
    assert "going on with it" in finish((*words, tmp_path / "run")).stderr
    finish((*words, tmp_path / "whole"))
    for name in ("final.ckpt", "best.ckpt"):
        a, b = (read_checkpoint(tmp_path / run / name) for run in ("run", "whole"))
        assert a["epoch"] == b["epoch"]
        assert all(torch.equal(a["state_dict"][k], b["state_dict"][k]) for k in b["state_dict"])


def everything(path):
    """All datasets of a CXI file but the command that made it."""
    found = {}

    def keep(name, item):
        if isinstance(item, h5py.Dataset) and not name.endswith(("/command", "/pattern")):
            found[name] = None if item.shape is None else item[()]

    with h5py.File(path) as file:
        file.visititems(keep)
    return found


def assert_same_phasing(a, b):
    first, second = everything(a), everything(b)
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert np.array_equal(value, second[name]), name


@pytest.fixture
def phasing(tmp_path):
    """A command that phases a pattern from 60 starts, but for the name of its result."""
    np.save(tmp_path / "a.npy", symbreak.fourier_amplitude(crystals(1, 16)[0]).numpy())
    words = ("reconstruct", tmp_path / "a.npy", "--amplitudes", "--dc", "corner")
    return (*words, "--starts", 60, "--schedule", "1000*HIO+10*ER", "-o")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_reconstruct(tmp_path, phasing, monkeypatch, how):
    journal = tmp_path / ".out.part.json"
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    status, text = stop((*phasing, tmp_path / "out.cxi"), journal.exists, how)
    done = done_of(journal)
    assert 0 < done < 60
    assert not (tmp_path / "out.cxi").exists()
    if how == signal.SIGINT:
        assert status == 130
        assert f"{done} of 60 starts are kept, the same command continues." in text
    counted = []

    def counting(amplitude, *rest, starts, **options):
        counted.append(starts)
        return reconstruct(amplitude, *rest, starts=starts, **options)

    reconstruct = symbreak.reconstruct
    monkeypatch.setattr(symbreak, "reconstruct", counting)
    finish((*phasing, tmp_path / "out.cxi"))
    assert sum(counted) == 60 - done
    finish((*phasing, tmp_path / "whole.cxi"))
    assert_same_phasing(tmp_path / "whole.cxi", tmp_path / "out.cxi")
    assert {p.name for p in tmp_path.iterdir()} == {"a.npy", "out.cxi", "whole.cxi"}


def test_reconstruct_interrupted_while_the_starts_are_compared(tmp_path, phasing, monkeypatch):
    words = (*phasing, tmp_path / "out.cxi", "--starts", 3)
    with monkeypatch.context() as patch:
        patch.setattr("symbreak.cli.reconstruct.compare_starts", interrupt)
        result = run(words)
    assert result.exit_code == 130
    assert "3 of 3 starts are kept, the same command continues." in result.stderr
    with monkeypatch.context() as patch:
        patch.setattr(symbreak, "reconstruct", interrupt)
        finish(words)


@pytest.mark.parametrize(
    "other", [("--seed", 1), ("--schedule", "1000*HIO+9*ER"), ("--beta", 0.8), ("--sigma", 2)]
)
def test_starts_of_other_settings_are_not_taken_over(tmp_path, phasing, monkeypatch, other):
    words = (*phasing, tmp_path / "out.cxi", "--starts", 3)
    with monkeypatch.context() as patch:
        patch.setattr("symbreak.cli.reconstruct.compare_starts", interrupt)
        run(words)
    finish((*words, *other))
    finish((*phasing, tmp_path / "whole.cxi", "--starts", 3, *other))
    assert_same_phasing(tmp_path / "whole.cxi", tmp_path / "out.cxi")


def test_the_starts_of_reconstruct_are_those_of_python(tmp_path, phasing):
    finish((*phasing, tmp_path / "out.cxi", "--starts", 3, "--seed", 1))
    amplitude = torch.from_numpy(np.load(tmp_path / "a.npy"))
    at_once = symbreak.reconstruct(amplitude, "1000*HIO+10*ER", starts=3, seed=1)
    found = everything(tmp_path / "out.cxi")["entry_1/image_3/error"]
    assert np.array_equal(found, at_once.error.double())
    assert len(set(found)) == 3


def interrupt(*arguments, **options):
    raise KeyboardInterrupt


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
