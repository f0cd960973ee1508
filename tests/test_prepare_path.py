"""The whole path on the command line: raw detector frames, a pattern, an object, its VTK file."""

import subprocess
import sys

import h5py
import numpy as np
import pytest
import torch
from command_line import succeeds

import symbreak
from symbreak.data import crystals
from symbreak.data.files.cxi import read_cxi

ROWS, COLUMNS = 100, 130
CENTER = (46, 72)  # of the detector, far from its middle
FAR = 160  # pixels of the far field around it, more than the detector sees
PHOTONS = 3e7


def far_field(crystal):
    """F of the object at every pixel of the detector, in units of sqrt(photons)."""
    far = np.fft.fftshift(torch.fft.fft2(crystal, s=(FAR, FAR)).numpy())
    far *= np.sqrt(PHOTONS / (np.abs(far) ** 2).sum())
    first = [FAR // 2 - c for c in CENTER]
    return far[first[0] : first[0] + ROWS, first[1] : first[1] + COLUMNS]


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Eiger-like exposures: gaps, a beamstop, a hot pixel, a background, several frames."""
    folder = tmp_path_factory.mktemp("frames")
    far = far_field(crystals(1, size=32, seed=3)[0])
    rng = np.random.default_rng(1)
    counts = rng.poisson(np.abs(far) ** 2 / 4 + 0.5, (4, ROWS, COLUMNS)).astype(np.uint32)
    mask = np.zeros((ROWS, COLUMNS), np.uint32)
    mask[:, 60:62] = mask[20:23] = 1
    counts[:, mask == 1] = 2**32 - 1
    y, x = np.ogrid[:ROWS, :COLUMNS]
    stop = (y - CENTER[0]) ** 2 + (x - CENTER[1]) ** 2 <= 1
    mask[stop] = 1 << 8
    counts[:, stop] = 0
    counts[:, 80, 90] = 20_000
    with h5py.File(folder / "scan_data_000001.h5", "w") as file:
        file["entry/data/data"] = counts
    with h5py.File(folder / "scan_master.h5", "w") as file:
        file["entry/data/data_000001"] = h5py.ExternalLink(
            "scan_data_000001.h5", "/entry/data/data"
        )
        file["entry/instrument/detector/detectorSpecific/pixel_mask"] = mask
        file["entry/instrument/detector/saturation_value"] = 8e6
    return folder, far


def finer(x, times=4):
    """The same object on a finer grid, so that a shift by part of a pixel is one of whole ones."""
    spectrum = np.fft.fftshift(np.fft.fft2(x))
    margin = [(times - 1) * n // 2 for n in x.shape]
    wide = np.pad(
        spectrum, [(m, (times - 1) * n - m) for m, n in zip(margin, x.shape, strict=True)]
    )
    return torch.from_numpy(np.fft.ifft2(np.fft.ifftshift(wide)).astype(np.complex64))


def test_from_raw_frames_to_the_object(measured, tmp_path):
    folder, far = measured
    prepared = succeeds(
        "prepare", folder / "scan_master.h5", "-o", tmp_path / "pattern.h5", "--stack", "sum",
        "--background", 0.5, "--hot", 10, "--plot", tmp_path / "pattern.png",
    )  # fmt: skip
    with h5py.File(tmp_path / "pattern.h5") as file:
        rows, columns = (file[f"entry_1/data_1/{name}"][()].astype(int) for name in "yx")
        used = {
            k: v[()] for k, v in file["entry_1/process_1/configuration"].items() if v.shape == ()
        }
        mask = file["entry_1/instrument_1/detector_1/mask"][()]
    side = len(rows)
    assert side == len(columns) == 80
    # The brightest speckle of a strained crystal is near zero frequency, not at it.
    assert max(abs(rows[side // 2] - CENTER[0]), abs(columns[side // 2] - CENTER[1])) <= 6
    assert used["stack"] == b"sum"
    assert used["saturation"] == 8e6
    assert used["measured_pixels"] == (mask == 0).sum()
    assert (mask == 4).sum() == 1
    assert "hot" in prepared.output
    assert (tmp_path / "pattern.png").stat().st_size > 10_000
    result = succeeds(
        "reconstruct", tmp_path / "pattern.h5", "-o", tmp_path / "result.cxi", "--starts", 4,
        "--threshold", 0.3, "--sigma-min", 0.7, "--decay", 0.95,
    )  # fmt: skip
    assert "using its mask" in result.stderr
    found = read_cxi(tmp_path / "result.cxi")
    seen = far[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    truth = finer(np.fft.ifft2(np.fft.ifftshift(seen)))
    error = symbreak.sa_mse(finer(found.object), truth, wrap=True) / truth.abs().square().mean()
    assert float(error) < 0.06
    succeeds("export", tmp_path / "result.cxi", "-o", tmp_path / "result.vti")
    assert b'Scalars="amplitude"' in (tmp_path / "result.vti").read_bytes()


def test_preparing_arrays_needs_nothing_that_reads_files():
    code = (
        "import sys, numpy, symbreak.data\n"
        "frames = numpy.ones((40, 40))\n"
        "symbreak.data.prepare_pattern(symbreak.data.ArrayStack(frames), center=(20, 20))\n"
        "print({'h5py', 'tifffile', 'typer', 'matplotlib', 'shapely'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "set()", done.stderr


def test_one_frame_of_the_stack_with_options_of_every_kind(measured, tmp_path):
    folder, _ = measured
    np.save(tmp_path / "dark.npy", np.full((ROWS, COLUMNS), 1.0))
    np.save(tmp_path / "valid.npy", np.arange(ROWS)[:, None] + np.zeros(COLUMNS) > 10)
    succeeds(
        "prepare", folder / "scan_master.h5", "-o", tmp_path / "p.cxi", "--frames", "2",
        "--background", tmp_path / "dark.npy", "--valid", tmp_path / "valid.npy", "--bin", 2,
        "--center", "46,72", "--size", "50,48", "--saturation", 10_000,
    )  # fmt: skip
    with h5py.File(folder / "scan_data_000001.h5") as file:
        raw = file["entry/data/data"][2].astype(float)
    with h5py.File(tmp_path / "p.cxi") as file:
        found = file["entry_1/data_1/data"][()]
        mask = file["entry_1/instrument_1/detector_1/mask"][()]
    with h5py.File(folder / "scan_master.h5") as file:
        own = file["entry/instrument/detector/detectorSpecific/pixel_mask"][()] != 0
    bad = (raw > 10_000) | (np.arange(ROWS) <= 10)[:, None] | own
    clean = np.where(bad, np.nan, raw - 1)
    wide = np.pad(clean, 60, constant_values=np.nan)
    start = (46 - 25 * 2 - 1 + 60, 72 - 24 * 2 - 1 + 60)
    part = wide[start[0] : start[0] + 100, start[1] : start[1] + 96]
    expected = np.maximum(part.reshape(50, 2, 48, 2).sum((1, 3)), 0)
    assert np.array_equal(mask != 0, np.isnan(expected))
    saturated = mask == 2
    assert saturated.sum() > 20
    np.testing.assert_array_equal(found[~saturated], np.nan_to_num(expected)[~saturated])
    least = np.pad(np.minimum(raw, 10_000) - 1, 60)[start[0] :, start[1] :][:100, :96]
    least = least.reshape(50, 2, 48, 2).sum((1, 3))
    np.testing.assert_array_equal(found[saturated], least[saturated])


def test_the_mask_of_the_file_can_be_left_out(measured, tmp_path):
    folder, _ = measured
    words = ("--frames", "2", "--center", "46,72", "--size", "48")
    for name, option in (("with", ()), ("without", ("--no-own-mask",))):
        frames, path = folder / "scan_master.h5", tmp_path / f"{name}.cxi"
        prepared = succeeds("prepare", frames, "-o", path, *words, *option)
        assert ("using the detector mask" in prepared.stderr) is (not option)
        found = succeeds(
            *("reconstruct", path, "-o", tmp_path / "found.cxi", "--starts", 1),
            *("--schedule", "5*ER", *option),
        )
        assert ("using its mask" in found.stderr) is (not option)
        assert ("0.0 % not measured" in found.stderr) is bool(option)
    masks = []
    for name in ("with", "without"):
        with h5py.File(tmp_path / f"{name}.cxi") as file:
            masks.append(file["entry_1/instrument_1/detector_1/mask"][()] != 0)
    assert masks[0].sum() > masks[1].sum() > 0  # the marks in the counts are left
