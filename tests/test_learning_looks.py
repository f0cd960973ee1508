"""Files that networks would take for something else: another layout, intensities, holes."""

import h5py
import numpy as np
import pytest
import torch
from interruptions import run

from symbreak.data import CrystalSettings, beamstop, crystals, poisson_amplitude
from symbreak.learning.datasets import Pairs, make_pairs
from symbreak.learning.looks import SHIFTED, SQUARED, look_at_amplitudes, look_at_pairs
from symbreak.models import UNet


@pytest.fixture(scope="module", params=[0, 6])
def pairs(request):
    return make_pairs(crystals(16, 16, 1, settings=CrystalSettings(defects=(0, request.param))))


def shifted(amplitude):
    return torch.fft.fftshift(amplitude, dim=(1, 2))


def test_pairs_in_another_layout_are_told(pairs):
    a = pairs.amplitude
    for amplitude, notes in (
        (a, []),
        (1e4 * a, []),
        (shifted(a), [SHIFTED]),
        (a.square(), [SQUARED]),
        (shifted(a).square(), [SHIFTED, SQUARED]),
    ):
        assert look_at_pairs(Pairs(amplitude, pairs.object)) == notes


def test_noise_and_masks_are_no_other_layout(pairs):
    valid = beamstop((32, 32), 4)
    for amplitude in (
        pairs.amplitude * valid,
        poisson_amplitude(pairs.amplitude, 10),
        poisson_amplitude(pairs.amplitude, 100) * valid,
    ):
        assert look_at_pairs(Pairs(amplitude, pairs.object)) == []
        assert look_at_amplitudes(amplitude) == []


def test_patterns_in_another_layout_are_told(pairs):
    a = pairs.amplitude
    assert look_at_amplitudes(a) == []
    assert look_at_amplitudes(shifted(a)) == [SHIFTED]
    assert look_at_amplitudes(a.square().mul(10).round()) == [SQUARED]


@pytest.fixture
def files(tmp_path, pairs):
    hyper = {"network": "UNet", "object_shape": [16, 16], "measurement_shape": [32, 32]}
    network = UNet(16, width=4)
    weights = {f"network.{name}": value for name, value in network.state_dict().items()}
    checkpoint = {"hyper_parameters": {**hyper, "options": {"width": 4}}, "state_dict": weights}
    torch.save(checkpoint, tmp_path / "net.ckpt")

    def write(amplitude, **more):
        with h5py.File(tmp_path / "data.h5", "w") as file:
            file["amplitude"] = np.asarray(amplitude)
            for name, values in more.items():
                file[name] = np.asarray(values)
        return tmp_path / "data.h5"

    return write


def test_the_commands_tell_it(tmp_path, pairs, files):
    data = files(shifted(pairs.amplitude), object=pairs.object)
    checkpoint = tmp_path / "net.ckpt"
    words = ("predict", checkpoint, f"{data}:amplitude", "-o", tmp_path / "out.h5")
    assert SHIFTED in run(words).stderr
    assert SHIFTED in run(("evaluate", checkpoint, data)).stderr
    result = run(("train", data, data, "-o", tmp_path / "run", "--max-epochs", 1, "--batch", 16))
    assert result.stderr.count(SHIFTED) == 2


@pytest.mark.parametrize("value", [np.nan, np.inf, -1])
def test_nothing_is_estimated_of_holes(tmp_path, pairs, files, value):
    amplitude = pairs.amplitude.clone()
    amplitude[11, 3, 4] = value
    data, out = files(amplitude, object=pairs.object), tmp_path / "out.h5"
    for words in (
        ("predict", tmp_path / "net.ckpt", f"{data}:amplitude", "-o", out, "--batch", 4),
        ("evaluate", tmp_path / "net.ckpt", data),
    ):
        result = run(words)
        assert result.exit_code == 1
        assert "must be finite and >= 0, item 11 is not" in result.stderr
    assert not out.exists()


def test_what_a_file_holds_instead_is_told(tmp_path, pairs, files):
    data = files(pairs.amplitude, object=pairs.object.abs())
    line = run(("train", data, data, "-o", tmp_path / "run")).stderr
    assert "needs a complex dataset 'object' with 3 axes; it holds /amplitude (16, 32, 32)" in line
    assert "/object (16, 16, 16) float32" in line
    data = files(pairs.amplitude[:, :20])
    words = ("predict", tmp_path / "net.ckpt", data, "-o", tmp_path / "out.h5")
    assert "net.ckpt takes patterns of (32, 32), got (20, 32)." in run(words).stderr
