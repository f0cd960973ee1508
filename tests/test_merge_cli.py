"""symbreak merge, on the command line."""

import h5py
import numpy as np
import pytest
from command_line import run
from instruments import TOML, instrument, write_rocking_curve

from symbreak.data.files.reciprocal import reciprocal_of


@pytest.fixture
def scans(tmp_path):
    """Three prepared scans of a rocking curve, the second of them moved, and its instrument."""
    write_rocking_curve(tmp_path / "1.npy")
    frames = np.load(tmp_path / "1.npy")
    rng = np.random.default_rng(0)
    for k, shift in ((2, (1, -2, 1)), (3, (0, 0, 0))):
        np.save(tmp_path / f"{k}.npy", rng.poisson(np.roll(frames, shift, (0, 1, 2))).astype("u4"))
    (tmp_path / "scan.toml").write_text(TOML)
    for k in (1, 2, 3):
        done = run(
            *("prepare", tmp_path / f"{k}.npy", "-o", tmp_path / f"scan{k}.h5"),
            *("--stack", "volume", "--center", "12,20,20", "--size", "24,32,32"),
            *("--geometry", tmp_path / "scan.toml"),
        )
        assert done.exit_code == 0, done.output
    return [tmp_path / f"scan{k}.h5" for k in (1, 2, 3)]


def test_merge_reconstruct_resolution(scans, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run("merge", *scans, "-o", "parts.h5")
    assert done.exit_code == 0, done.output
    with h5py.File("parts.h5") as file:
        found = file["entry_1/process_1/configuration/shifts"].asstr()[()].split()
    found = np.array([list(map(float, shift.split(","))) for shift in found])
    np.testing.assert_allclose(found, [[0, 0, 0], [-1, 2, -1], [0, 0, 0]], atol=0.05)
    done = run("merge", *scans, "-o", "m.h5", "--halves", "--align", "whole")
    assert done.exit_code == 0, done.output
    assert "-1, 2, -1" in done.output
    with h5py.File("m.h5") as file:
        merged, mask = file["entry_1/data_1/data"][()], file["entry_1/instrument_1/detector_1/mask"]
        assert not mask[()].any()
        first = h5py.File(scans[0])["entry_1/data_1"]
        assert merged.sum() == pytest.approx(3 * first["data"][()].sum(), rel=0.03)
        for axis in ("frame", "y", "x"):
            np.testing.assert_array_equal(file[f"entry_1/data_1/{axis}"], first[axis])
        configuration = file["entry_1/process_1/configuration"]
        assert configuration["shifts"].asstr()[()] == "0,0,0 -1,2,-1 0,0,0"
        assert "scan2.h5" in configuration["patterns"].asstr()[()]
    grid, text = reciprocal_of(tmp_path / "m.h5", 3)
    np.testing.assert_array_equal(grid.steps, instrument().reciprocal().steps)
    assert text == TOML
    for half in (1, 2):
        words = (f"m-half{half}.h5", "-o", f"{half}.cxi", "--starts", "2", "--seed", half)
        phased = run("reconstruct", *words, "--schedule", "40*HIO+20*ER")
        assert phased.exit_code == 0, phased.output
    done = run("resolution", "1.cxi", "2.cxi")
    assert done.exit_code == 0, done.output
    assert "cannot be told" not in done.output


def test_merge_tells_what_is_not_the_same(scans, tmp_path):
    other = np.roll(np.load(tmp_path / "1.npy"), (3, 5), (1, 2))
    np.save(tmp_path / "4.npy", other.astype("u4"))
    words = ("prepare", tmp_path / "4.npy", "-o", tmp_path / "scan4.h5", "--stack", "volume")
    assert run(*words, "--center", "12,20,20", "--size", "24,32,32").exit_code == 0
    words = (*scans[::2], tmp_path / "scan4.h5", "-o", tmp_path / "m.h5")
    done = run("merge", *words, "--align", "none")
    assert done.exit_code == 0, done.output
    said = " ".join(done.stderr.split())
    assert "scan4.h5: far from all others together, beyond photon noise." in said
    assert "scan1.h5: far" not in said
    assert "not all of them know their instrument" in said


def test_merge_refuses(scans, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.toml").write_text(TOML.replace("32.174", "33.174"))
    words = ("prepare", "1.npy", "--stack", "volume", "--center", "12,20,20", "-o")
    assert run(*words, "small.h5", "--size", "24,30,30").exit_code == 0
    done = run(*words, "other.h5", "--size", "24,32,32", "--geometry", "other.toml")
    assert done.exit_code == 0
    np.save("empty.npy", np.zeros((24, 32, 32), np.float32))
    for files, status, message in (
        (("scan1.h5",), 2, "two patterns or more are needed, got 1"),
        (("scan1.h5", "scan1.h5"), 2, "a pattern is named twice"),
        (("scan1.h5", "small.h5"), 1, "(24, 30, 30) pixels, scan1.h5:/entry_1/data_1/data has (24"),
        (("scan1.h5", "other.h5"), 1, "not measured at the same place of reciprocal space"),
        (("scan1.h5", "empty.npy"), 1, "every measured pixel is 0"),
        (("scan1.h5", "none.h5"), 1, "No such file"),
    ):
        done = run("merge", *files, "-o", "m.h5")
        assert done.exit_code == status, (files, done.output)
        assert message in " ".join(done.stderr.split())
        assert not (tmp_path / "m.h5").exists()
    done = run("merge", "scan1.h5", "scan2.h5", "-o", "scan2.h5")
    assert done.exit_code == 2
    assert "scan2.h5" in done.stderr
