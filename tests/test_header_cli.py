"""prepare --geometry with what the frames' own file says of beam and detector."""

import h5py
import numpy as np
import pytest
from command_line import run
from instruments import TOML, instrument, write_rocking_curve

from symbreak.data.files.reciprocal import reciprocal_of
from symbreak.geometry.instrument_file import parse_instrument


@pytest.fixture
def frames(tmp_path):
    write_rocking_curve(tmp_path / "frames.npy")
    return tmp_path / "frames.npy"


@pytest.fixture
def nexus(frames, tmp_path):
    """The same frames in a file that knows energy, distance and pixel."""
    path = tmp_path / "scan.nxs"
    with h5py.File(path, "w") as file:
        detector = file.create_group("entry/instrument/detector")
        detector["data"] = np.load(frames)
        beam = file.create_group("entry/instrument/beam")
        for group, name, value, units in (
            (beam, "incident_energy", 9000.0, "eV"),
            (detector, "distance", 500.0, "mm"),
            (detector, "x_pixel_size", 55e-6, "m"),
            (detector, "y_pixel_size", 55.0, "um"),
        ):
            group[name] = value
            group[name].attrs["units"] = units
    return path


def test_what_the_file_of_the_frames_says_may_be_left_out(nexus, tmp_path):
    """And is kept, whole, with the pattern."""
    lines = TOML.splitlines()
    keep = [line for line in lines if line[:7] not in ("energy ", "distanc", "pixel =")]
    assert len(keep) == len(lines) - 3
    (tmp_path / "angles.toml").write_text("\n".join(keep))
    words = ("prepare", nexus, "-o", tmp_path / "p.h5", "--stack", "volume", "--geometry")
    prepared = run(*words, tmp_path / "angles.toml")
    assert prepared.exit_code == 0, prepared.output
    said = " ".join(prepared.output.split())
    assert "note: energy 9 keV, as scan.nxs:/entry/instrument/beam/incident_energy says." in said
    assert "note: distance 0.5 m, as" in said
    assert "note: pixel 55 x 55 micrometres, as scan.nxs:/entry/instrument/detector/y_pix" in said
    grid, text = reciprocal_of(tmp_path / "p.h5", 3)
    np.testing.assert_allclose(grid.steps, instrument().reciprocal().steps, rtol=1e-12)
    kept = parse_instrument(text.encode(), "kept")
    assert kept == instrument(distance=kept.distance, pixel=kept.pixel)
    assert "# energy 9 keV, as scan.nxs:/entry/instrument/beam/incident_energy says" in text
    # What the TOML file does say goes before.
    (tmp_path / "angles.toml").write_text("energy = 8.0\n" + "\n".join(keep))
    prepared = run(*words, tmp_path / "angles.toml")
    assert "note: energy" not in prepared.output
    assert "energy = 8.0" in reciprocal_of(tmp_path / "p.h5", 3)[1]


def test_the_detector_in_the_direct_beam(nexus, tmp_path):
    words = ("prepare", nexus, "-o", tmp_path / "p.h5", "--frames", "3", "--size", "36,32")
    prepared = run(*words, "--geometry", "direct")
    assert prepared.exit_code == 0, prepared.output
    row, column = (1.2398419843 / 9.0 * 0.5 / (n * 55e-6) for n in (36, 32))
    assert f"{row:.3g} x {column:.3g} nm" in prepared.output
    grid, text = reciprocal_of(tmp_path / "p.h5", 2)
    np.testing.assert_allclose(
        grid.voxel((36, 32)), [[0, -row, 0], [column, 0, 0]], atol=1e-12 * row
    )
    assert not grid.center.any()
    assert parse_instrument(text.encode(), "kept").detector == ()


def test_what_no_file_says_is_refused_before_the_work(frames, nexus, tmp_path):
    (tmp_path / "few.toml").write_text("energy = 9.0\n[detector]\nrows = 'y-'")
    with h5py.File(nexus, "a") as file:
        del file["entry/instrument/detector/distance"]
        del file["entry/instrument/detector/y_pixel_size"].attrs["units"]
    detector = "/entry/instrument/detector"
    (tmp_path / "misspelt.toml").write_text("energy = 9.0\n[detector]\ndistanz = 0.5")
    lacking = f"distance: it is not there; pixel: {detector}/y_pixel_size has no units"
    for words, code, message in (
        (
            (nexus, "--frames", "0", "--geometry", "direct"),
            *(1, f"--geometry direct: scan.nxs does not say what is missing here ({lacking})."),
        ),
        (
            (frames, "--frames", "0", "--geometry", tmp_path / "few.toml"),
            *(1, "few.toml: frames.npy does not say what is missing here (distance: it is not"),
        ),
        (
            (frames, "--frames", "0", "--geometry", tmp_path / "misspelt.toml"),
            *(1, "misspelt.toml: [detector] distanz is none of distance, pixel, rows, columns"),
        ),
        (
            (nexus, "--stack", "volume", "--geometry", "direct"),
            *(2, "direct is for a pattern of one frame; a volume needs an instrument's file"),
        ),
    ):
        refused = run("prepare", *words, "-o", tmp_path / "p.h5")
        assert refused.exit_code == code, refused.output
        assert message in " ".join(refused.output.replace("│", " ").split()), refused.output
    assert not (tmp_path / "p.h5").exists()
