"""--hold and --average-iterates: how a schedule ends, by itself and as said."""

import h5py
import numpy as np
import pytest
import torch
from command_line import run, small_crystal

import symbreak
from symbreak.cli.phasing_options import DEFAULT, SCHEDULE
from symbreak.data import poisson_amplitude
from symbreak.data.files.cxi import read_cxi


@pytest.mark.parametrize("command", ["reconstruct", "reconstruct-stack"])
def test_the_support_is_held_at_the_end(tmp_path, command):
    amplitude = symbreak.fourier_amplitude(small_crystal())
    np.save(
        tmp_path / "a.npy", amplitude.numpy()[None] if "stack" in command else amplitude.numpy()
    )
    words = ("--amplitudes", "--dc", "corner", "--starts", 2, "--schedule", "30*HIO+20*ER")
    words = (command, tmp_path / "a.npy", *words, "--every", 10, "--sigma-min", 0.5)
    words = (*words, "--threshold", 0.35, "--relative-to", "rms")
    supports, notes = {}, {}
    for hold in (0, 25, 41):
        out = tmp_path / f"{hold}.h5"
        result = run(*words, "-o", out, "--hold", hold)
        assert result.exit_code == 0, result.output
        notes[hold] = result.stderr
        rule = symbreak.Shrinkwrap(
            every=10, sigma_min=0.5, threshold=0.35, hold=hold, relative_to="rms"
        )
        found = symbreak.reconstruct(amplitude, "30*HIO+20*ER", shrinkwrap=rule, starts=2)
        expected = found.best(valid=torch.ones(amplitude.shape, dtype=torch.bool))
        with h5py.File(out) as file:
            if command == "reconstruct":
                supports[hold] = file["entry_1/image_1/support"][()]
                file = file["entry_1/image_1/process_1/configuration"]
                assert file["hold"][()] == hold
                assert file["relative_to"][()] == b"rms"
            else:
                supports[hold] = file["support"][0]
                assert (file.attrs["hold"], file.attrs["relative_to"]) == (hold, "rms")
        assert supports[hold].sum() == expected.support.sum()
    assert len({int(support.sum()) for support in supports.values()}) == 3
    assert "note: --hold 41 of 50 iterations: the support stays as it is at first" in notes[41]
    never = run(*words, "-o", tmp_path / "never.h5", "--every", 60)
    assert "--hold" not in notes[0] + notes[25] + never.stderr
    assert "note" not in notes[0] + notes[25]
    assert "note: --every 60 of 50 iterations: the support stays as it is at first" in never.stderr
    taken = ("--every", 60, "--hold", 20, "--average-iterates", 10)  # from the mean
    result = run(*words, "-o", tmp_path / "mean.h5", *taken)
    assert result.exit_code == 0, result.output
    assert "note: --" not in result.stderr
    last = run(*words, "-o", tmp_path / "last.h5", "--every", 50)  # the result obeys its support
    assert "note: --every 50 of 50 iterations: the support stays" in last.stderr


@pytest.mark.parametrize("command", ["reconstruct", "reconstruct-stack"])
def test_only_the_default_schedule_holds_the_support_by_itself(tmp_path, command):
    amplitude = poisson_amplitude(symbreak.fourier_amplitude(small_crystal()), 1e4)
    np.save(
        tmp_path / "a.npy", amplitude.numpy()[None] if "stack" in command else amplitude.numpy()
    )
    words = (command, tmp_path / "a.npy", "--amplitudes", "--dc", "corner", "--starts", 1)
    spaced = SCHEDULE.replace("+", " + ")
    held = {(): 120, ("--schedule", spaced): 120, ("--hold", 7): 7}
    held |= {("--schedule", "40*ER"): 0, ("--schedule", "40*ER", "--hold", 3): 3}
    supports = {}
    for number, (given, hold) in enumerate(held.items()):
        out = tmp_path / f"{number}.h5"
        result = run(*words, *given, "-o", out)
        assert result.exit_code == 0, result.output
        with h5py.File(out) as file:
            if command == "reconstruct":
                supports[given] = file["entry_1/image_1/support"][()]
                assert file["entry_1/image_1/process_1/configuration/hold"][()] == hold
            else:
                supports[given] = file["support"][0]
                assert file.attrs["hold"] == hold
    found = symbreak.reconstruct(amplitude, SCHEDULE, shrinkwrap=DEFAULT)
    assert DEFAULT.hold == 120
    assert supports[()].sum() == found.support.sum() != supports["--hold", 7].sum()


def test_there_is_no_mean_where_the_support_is_fixed(tmp_path):
    amplitude = symbreak.fourier_amplitude(small_crystal()).numpy()
    np.save(tmp_path / "a.npy", amplitude)
    np.save(tmp_path / "support.npy", np.pad(small_crystal().abs().numpy(), (0, 16)))
    words = ("reconstruct", tmp_path / "a.npy", "--amplitudes", "--dc", "corner", "--starts", 1)
    words = (*words, "--support", tmp_path / "support.npy", "--fixed-support")
    result = run(*words, "-o", tmp_path / "out.cxi")
    assert result.exit_code == 0, result.output
    used = read_cxi(tmp_path / "out.cxi").parameters
    assert (used["schedule"], used["average_iterates"]) == (SCHEDULE, 0)
    refused = run(*words, "-o", tmp_path / "no.cxi", "--hold", 9, "--average-iterates", 20)
    assert refused.exit_code == 2
    assert "--average-iterates does not go together with --fixed-support" in refused.stderr
