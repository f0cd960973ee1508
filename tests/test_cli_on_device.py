"""The commands with --device: a GPU gives what the CPU gives, up to rounding."""

import h5py
import numpy as np
import pytest
import torch
from command_line import succeeds
from conftest import blob

import symbreak
from symbreak.learning.networks import PREFIX, build_network

SHAPES = {"object_shape": [16, 16], "measurement_shape": [32, 32]}
STACK = "{objects}:amplitude --amplitudes --dc corner --starts 2 --schedule 20*ER"
# Of each command: what it is called with, and how far apart rounding may bring the results.
COMMANDS = {
    "break": (["{objects}:object"], 1e-5),
    "align": (["{objects}:object", "{objects}:twin"], 1e-5),
    "reconstruct-stack": (STACK.split(), 1e-3),
    "predict": (["{checkpoint}", "{objects}:amplitude", "--batch", "3"], 1e-2),  # TF32
}


@pytest.fixture
def files(tmp_path, generator):
    x = blob((5, 16, 16), dtype=torch.complex64, generator=generator)
    with h5py.File(tmp_path / "objects.h5", "w") as file:
        file["object"] = x.numpy()
        file["twin"] = x.flip(-1, -2).conj().resolve_conj().numpy()
        file["amplitude"] = symbreak.fourier_amplitude(x).numpy()
    network = build_network("UNet", **SHAPES, options={"width": 4})
    torch.save(
        {
            "hyper_parameters": {"network": "UNet", **SHAPES, "options": {"width": 4}},
            "state_dict": {PREFIX + name: value for name, value in network.state_dict().items()},
        },
        tmp_path / "network.ckpt",
    )
    return {"objects": tmp_path / "objects.h5", "checkpoint": tmp_path / "network.ckpt"}


@pytest.mark.parametrize("name", COMMANDS)
def test_results_of_the_device(device, tmp_path, files, name):
    words, tolerance = COMMANDS[name]
    found = []
    for where in ("cpu", device):
        out = tmp_path / f"{len(found)}.h5"
        succeeds(name, *(word.format(**files) for word in words), "-o", out, "--device", where)
        with h5py.File(out) as file:
            found.append({key: file[key][()] for key in file})
    assert found[0].keys() == found[1].keys()
    for key, expected in found[0].items():
        if expected.dtype.kind in "iub":
            assert np.array_equal(found[1][key], expected), key
        else:
            scale = max(1, np.nanmax(np.abs(expected)))  # objects and phases are of order one
            np.testing.assert_allclose(found[1][key], expected, rtol=0, atol=tolerance * scale)


def test_one_pattern_and_the_errors_of_a_network(device, tmp_path, files):
    with h5py.File(files["objects"]) as file:
        np.save(tmp_path / "pattern.npy", file["amplitude"][0])
    pattern = (tmp_path / "pattern.npy", "--amplitudes", "--dc", "corner")
    out = ("-o", tmp_path / "phased.cxi", "--plot", tmp_path / "phased.png")
    succeeds(
        "reconstruct", *pattern, *out, "--starts", 3, "--schedule", "20*ER", "--device", device
    )
    assert (tmp_path / "phased.png").stat().st_size > 1000
    picture = ("--picture", tmp_path / "estimates.png", "--device", device)
    shown = succeeds("evaluate", files["checkpoint"], files["objects"], *picture)
    assert "SA-MSE" in shown.stdout
