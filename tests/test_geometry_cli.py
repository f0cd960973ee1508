"""From a rocking curve and a file on its instrument to nanometres and strain, by the commands."""

import h5py
import numpy as np
import pytest
from command_line import run
from instruments import TOML, instrument, write_rocking_curve
from stretched_crystal import SHAPE, field, grid_of, phasing
from test_vtk import floats, read_vti

from symbreak.cli.export_fields import around
from symbreak.data.files.arrays import DataError
from symbreak.data.files.cxi import Phasing, read_cxi, write_cxi
from symbreak.data.files.reciprocal import reciprocal_of
from symbreak.geometry import displacement, strain


@pytest.fixture
def result(tmp_path):
    write_cxi(tmp_path / "a.cxi", phasing(grid_of()))
    (tmp_path / "scan.toml").write_text(TOML)
    return tmp_path / "a.cxi"


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    """Frames of a rocking curve, and what an instrument file says of them."""
    folder = tmp_path_factory.mktemp("scan")
    write_rocking_curve(folder / "frames.npy")
    (folder / "scan.toml").write_text(TOML)
    pointing = TOML.replace("[detector]", "[detector]\ncenter = [10, 30]")
    (folder / "pointing.toml").write_text(pointing)
    (folder / "single.toml").write_text(TOML.replace('scan = "theta"\nstep = 0.005', ""))
    return folder


def test_prepare_reconstruct_export(scan, tmp_path):
    """The grid is that of the pattern's bins and centre, and goes with the data."""
    pattern, found = tmp_path / "p.h5", tmp_path / "r.cxi"
    prepared = run(
        *("prepare", scan / "frames.npy", "-o", pattern, "--stack", "volume"),
        *("--geometry", scan / "pointing.toml", "--bin", "2,1,2", "--size", "12,36,16"),
    )
    assert prepared.exit_code == 0, prepared.output
    assert "Bragg peak |Q|" in prepared.output
    # The middle of two columns, 19 and 20.
    expected = instrument(center=(10, 30)).reciprocal(bins=(2, 1, 2), center=(20, 19.5))
    with h5py.File(pattern) as file:
        group = file["entry_1/reciprocal_1"]
        np.testing.assert_array_equal(group["steps"], expected.steps)
        np.testing.assert_array_equal(group["center"], expected.center)
        assert group["steps"].attrs["units"] == group["center"].attrs["units"] == "1/nm"
        assert group["instrument"].asstr()[()] == (scan / "pointing.toml").read_text()
    phased = run("reconstruct", pattern, "-o", found, "--starts", "2", "--schedule", "20*ER")
    assert phased.exit_code == 0, phased.output
    assert "voxel of the object: " in phased.output
    kept = read_cxi(found)
    np.testing.assert_array_equal(kept.reciprocal.steps, expected.steps)
    assert kept.instrument == (scan / "pointing.toml").read_text()
    with h5py.File(found) as file:
        voxel = file["entry_1/image_1/voxel"]
        np.testing.assert_array_equal(voxel, expected.voxel((12, 36, 16)))
        assert voxel.attrs["units"] == "nm"
    exported = run("export", found, "-o", tmp_path / "r.vts")
    assert exported.exit_code == 0, exported.output
    assert "mean_strain" in exported.output


def test_the_pixel_of_the_circles_is_one_of_the_whole_detector(scan, tmp_path):
    """Frames of a part of it begin at --corner."""
    found = []
    for name, corner in (("pointing", ()), ("moved", ("--corner", "100,60"))):
        text = (scan / "pointing.toml").read_text().replace("[10, 30]", "[110, 90]")
        (tmp_path / "moved.toml").write_text(text)
        told = scan / "pointing.toml" if name == "pointing" else tmp_path / "moved.toml"
        out = tmp_path / f"{name}.h5"
        words = ("prepare", scan / "frames.npy", "-o", out, "--stack", "volume", "--geometry", told)
        result = run(*words, *corner)
        assert result.exit_code == 0, result.output
        with h5py.File(out) as file:
            group = file["entry_1/reciprocal_1"]
            found.append((group["steps"][()], group["center"][()]))
    np.testing.assert_allclose(found[1][0], found[0][0], rtol=1e-12)
    np.testing.assert_allclose(found[1][1], found[0][1], rtol=1e-12)


def test_a_single_frame_has_no_first_step(scan, tmp_path):
    for name in ("scan.toml", "single.toml"):
        words = ("prepare", scan / "frames.npy", "-o", tmp_path / "p.h5", "--stack", "sum")
        prepared = run(*words, "--geometry", scan / name)
        assert prepared.exit_code == 0, prepared.output
        assert "pixel of the object" in prepared.output
        assert "Bragg" not in prepared.output
        grid, _ = reciprocal_of(tmp_path / "p.h5", 2)
        np.testing.assert_array_equal(grid.steps, instrument().reciprocal().steps[1:])
        assert reciprocal_of(tmp_path / "p.h5", 3) == (None, "")


@pytest.mark.parametrize("geometry", [False, True])
def test_a_grid_with_every_voxel_at_its_place(result, tmp_path, geometry):
    """What is written is what `strain` says, where `positions` says it is."""
    grid = instrument().of_pattern(3) if geometry else grid_of()
    words = ("--geometry", tmp_path / "scan.toml") if geometry else ()
    exported = run("export", result, "-o", tmp_path / "a.vts", *words)
    assert exported.exit_code == 0, exported.output
    head, tail = (tmp_path / "a.vts").read_bytes().split(b'<AppendedData encoding="raw">\n_', 1)
    kept = phasing(grid_of())
    box = around(kept.support)
    points = " x ".join(str(part.stop - part.start) for part in box)
    assert f"VTK structured grid, nm, {points} points" in " ".join(exported.output.split())
    for name, values in (
        ("strain", strain(kept.object, kept.support, grid)),
        ("mean_strain", strain(kept.mean, kept.support, grid)),
        ("displacement", displacement(kept.object, kept.support, grid)),
    ):
        found = field(head, tail, name).reshape([s.stop - s.start for s in box])
        known = np.isfinite(values[box])
        np.testing.assert_allclose(found[known], values[box][known], atol=1e-7)
    place = field(head, tail, "positions").reshape(*(s.stop - s.start for s in box), 3)
    np.testing.assert_allclose(place, grid.positions(SHAPE)[box], atol=1e-4)
    if not geometry:
        strained = field(head, tail, "strain")
        assert np.median(strained[strained != 0]) == pytest.approx(3e-4, rel=1e-4)


def test_cubes_along_the_laboratory(result, tmp_path):
    exported = run("export", result, "-o", tmp_path / "a.vti", "--voxel", "5")
    assert exported.exit_code == 0, exported.output
    image, shown, arrays = read_vti(tmp_path / "a.vti")
    assert shown == "amplitude"
    assert floats(image["Spacing"]) == [5.0, 5.0, 5.0]
    begin = np.array(floats(image["Origin"]))
    np.testing.assert_allclose(begin / 5, np.round(begin / 5))
    z, y, x = np.indices(arrays["amplitude"].shape)
    place = begin + 5.0 * np.stack([x, y, z], -1)
    far = np.linalg.norm(place, axis=-1)
    # A ball of 60 nm: its voxels are up to 16 nm apart, and linear interpolation cuts chords.
    assert (arrays["amplitude"][far < 40] > 0.9).all()
    assert not arrays["amplitude"][far > 95].any()
    assert arrays["support"][far < 40].all()
    expected = 3e-4 * place @ grid_of().center / np.linalg.norm(grid_of().center)
    inner = far < 40
    moved = arrays["displacement"][inner] - arrays["displacement"][inner].mean()
    np.testing.assert_allclose(moved, expected[inner] - expected[inner].mean(), atol=1e-3)
    np.testing.assert_allclose(arrays["strain"][inner], 3e-4, rtol=1e-4)
    np.testing.assert_allclose(arrays["mean_strain"][inner], 6e-4, rtol=1e-4)
    phase = np.exp(1j * arrays["phase"][inner])
    wanted = np.exp(-1j * expected[inner] * np.linalg.norm(grid_of().center))
    assert np.abs(phase - wanted).max() < 0.05


def test_a_picture(result, tmp_path):
    exported = run("export", result, "-o", tmp_path / "a.png")
    assert exported.exit_code == 0, exported.output
    assert (tmp_path / "a.png").stat().st_size > 20_000
    assert "picture: " in exported.output


def test_what_is_said_where_nothing_is_interpolated(result, tmp_path):
    exported = run("export", result, "-o", tmp_path / "a.vti")
    assert "the instrument is known: a .vts, or --voxel, has true lengths" in exported.output
    assert "strain" not in exported.output
    exported = run("export", result, "-o", tmp_path / "a.vti", "--spacing", "2")
    assert "instrument" not in exported.output


def test_an_image_in_the_laboratory(tmp_path):
    write_cxi(tmp_path / "a.cxi", phasing(instrument().of_pattern(2), ndim=2))
    exported = run("export", tmp_path / "a.cxi", "-o", tmp_path / "a.vts")
    assert exported.exit_code == 0, exported.output
    assert "20 x 24 points" in exported.output
    for name in ("a.vti", "a.png"):
        exported = run("export", tmp_path / "a.cxi", "-o", tmp_path / name, "--voxel", "5")
        assert exported.exit_code == 2
        assert "--voxel and pictures are of 3D results" in exported.output


def test_geometry_is_refused_before_the_work(scan, result, tmp_path):
    frames, out = scan / "frames.npy", tmp_path / "p.h5"
    for words, code, message in (
        (("prepare", frames, "-o", out, "--geometry", "absent.toml"), 1, "absent.toml"),
        (("prepare", frames, "-o", out, "--geometry", frames), 1, "not a TOML file"),
        (
            ("prepare", frames, "-o", out, "--stack", "volume", "--geometry", scan / "single.toml"),
            *(2, "must say scan and step for a 3D pattern"),
        ),
        (
            ("export", result, "-o", tmp_path / "b.vts", "--spacing", "2"),
            2,
            "--spacing is for a .vti",
        ),
        (
            ("export", result, "-o", tmp_path / "b.vti", "--spacing", "2", "--voxel", "2"),
            2,
            "--spacing",
        ),
        (
            ("export", result, "-o", tmp_path / "b.vts", "--voxel", "2"),
            2,
            "--voxel is for a .vti or",
        ),
        (
            ("export", result, "-o", tmp_path / "b.vti", "--voxel", "0"),
            1,
            "voxel must be > 0 and finite (nm), got 0",
        ),
        (
            ("export", result, "-o", tmp_path / "b.vti", "--voxel", "1e-6"),
            1,
            "voxel (--voxel) = 1e-06 nm",
        ),
        (
            ("export", result, "-o", tmp_path / "b.vts", "--geometry", scan / "pointing.toml"),
            *(2, "only `symbreak prepare --geometry` can follow"),
        ),
    ):
        refused = run(*words)
        assert refused.exit_code == code, refused.output
        assert message in " ".join(refused.output.replace("│", " ").split()), refused.output
    assert not out.exists()
    assert not list(tmp_path.glob("b.*"))


def test_a_result_that_knows_no_instrument(tmp_path):
    x = np.ones((4, 4, 4), np.complex64)
    write_cxi(tmp_path / "a.cxi", Phasing(x, x.real > 0, 0.1, {}, "1"))
    assert read_cxi(tmp_path / "a.cxi").reciprocal is None
    refused = run("export", tmp_path / "a.cxi", "-o", tmp_path / "a.vts")
    assert refused.exit_code == 2
    assert "does not say where its voxels are: give" in " ".join(refused.output.split())


def test_a_damaged_grid(tmp_path):
    path = tmp_path / "p.h5"
    with h5py.File(path, "w") as file:
        file["entry_1/reciprocal_1/steps"] = np.eye(3)
    with pytest.raises(DataError, match=r"p.h5:/entry_1/reciprocal_1: not a grid of symbreak"):
        reciprocal_of(path, 3)
    np.save(tmp_path / "p.npy", np.ones(3))
    assert reciprocal_of(tmp_path / "p.npy", 3) == (None, "")
