"""reconstruct killed, or stopped by Ctrl-C, half way: it goes on with the starts that are kept."""

import os
import signal

import h5py
import numpy as np
import pytest
import torch
from interruptions import done_of, finish, interrupt, run, stop

import symbreak
from symbreak.cli.phasing_options import RULE
from symbreak.data.simulation.crystals import crystals

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills processes by signals")


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


@pytest.mark.parametrize("further", [(), ("--partial-coherence",)])
def test_interrupted_while_the_starts_are_compared(tmp_path, phasing, monkeypatch, further):
    words = (*phasing, tmp_path / "out.cxi", "--starts", 3, *further)
    with monkeypatch.context() as patch:
        patch.setattr("symbreak.cli.reconstruct.compare_starts", interrupt)
        result = run(words)
    assert result.exit_code == 130
    assert "3 of 3 starts are kept, the same command continues." in result.stderr
    with monkeypatch.context() as patch:
        patch.setattr(symbreak, "reconstruct", interrupt)  # both ways of phasing call it
        finish(words)
    finish((*phasing, tmp_path / "whole.cxi", "--starts", 3, *further))
    assert_same_phasing(tmp_path / "whole.cxi", tmp_path / "out.cxi")


@pytest.mark.parametrize(
    "other",
    [
        ("--seed", 1),
        ("--schedule", "1000*HIO+9*ER"),
        ("--beta", 0.8),
        ("--sigma", 2),
        ("--free", 0.1),
        ("--partial-coherence",),
        ("--coherence-length", "8,9"),
    ],
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
    at_once = symbreak.reconstruct(amplitude, "1000*HIO+10*ER", starts=3, seed=1, shrinkwrap=RULE)
    found = everything(tmp_path / "out.cxi")["entry_1/image_3/error"]
    assert np.array_equal(found, at_once.error.double())
    assert len(set(found)) == 3
