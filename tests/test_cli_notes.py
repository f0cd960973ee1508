"""What the commands say of data: units, and where they look otherwise than they are taken."""

import h5py
import numpy as np
import pytest
import torch
from command_line import run

import symbreak


@pytest.mark.parametrize("command", ["reconstruct", "reconstruct-stack"])
@pytest.mark.parametrize(
    ("name", "option", "other"),
    [("amplitude", "--intensities", "--amplitudes"), ("counts", "--amplitudes", "--intensities")],
)
def test_a_dataset_called_otherwise_is_asked_about(tmp_path, command, name, option, other):
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file[name] = np.random.default_rng(0).random((1, 8, 8))
    words = (command, tmp_path / "scan.h5", "-o", tmp_path / "o.cxi", "--schedule", "2*ER")
    if command == "reconstruct-stack":
        words = (*words[:3], tmp_path / "o.h5", *words[4:])
    assert f"should it be {other}?" in run(*words, option).stderr
    assert "should it be" not in run(*words, other).stderr


@pytest.mark.parametrize(("ndim", "unit", "other"), [(2, "pixel", "voxel"), (3, "voxel", "pixel")])
def test_volumes_are_counted_in_voxels(tmp_path, ndim, unit, other):
    x = torch.zeros((8,) * ndim)
    x[(slice(2, 5),) * ndim] = 1
    pattern = symbreak.fourier_amplitude(x.cfloat(), ndim=ndim)
    np.save(tmp_path / "a.npy", pattern.numpy())
    made = run("reconstruct", tmp_path / "a.npy", "-o", tmp_path / "a.cxi", "--amplitudes", "--dc",
               "corner", "--schedule", "2*ER")  # fmt: skip
    assert made.exit_code == 0, made.output
    assert f"{' x '.join(['16'] * ndim)} {unit}s, 0.0 % not measured" in made.stderr
    assert f"support ({unit}s)" in made.stdout
    assert other not in made.stdout + made.stderr


@pytest.mark.parametrize("command", ["align", "break"])
def test_a_volume_of_a_cxi_file_is_not_silently_a_stack(tmp_path, command):
    volume = torch.zeros(8, 8, 8)
    volume[2:5, 3:6, 2:6] = 1
    np.save(tmp_path / "volume.npy", symbreak.fourier_amplitude(volume.cfloat(), ndim=3).numpy())
    cxi, out = tmp_path / "volume.cxi", tmp_path / "out.h5"
    made = run("reconstruct", tmp_path / "volume.npy", "-o", cxi, "--amplitudes", "--dc", "corner",
               "--schedule", "2*ER")  # fmt: skip
    assert made.exit_code == 0, made.output
    words = (cxi, cxi) if command == "align" else (cxi,)
    taken = run(command, *words, "-o", out)
    assert "16 objects of 16 x 16; if it is one volume: --ndim 3." in taken.stderr
    assert "one volume" not in run(command, *words, "-o", out, "--ndim", 3).stderr
