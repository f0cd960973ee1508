"""symbreak export takes displacement and strain of the crystal, and tells how starts disagree."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("scipy")

from command_line import run
from scipy.ndimage import binary_dilation
from stretched_crystal import SHAPE, field, grid_of, phasing
from test_vtk import read_vti

from symbreak.cli.export_fields import around
from symbreak.data.files.cxi import write_cxi
from symbreak.geometry import crystal_mask, displacement, strain_spread
from symbreak.plotting import laboratory_figure


@pytest.mark.parametrize("level", [None, 0.2])
def test_strain_is_of_the_crystal_and_not_of_its_support(tmp_path, level):
    """A support two voxels wider than the crystal, noise there of 0.3 of its magnitude."""
    kept = phasing(grid_of())
    rng = np.random.default_rng(4)
    wide = binary_dilation(kept.support, iterations=2)
    noise = 0.3 * np.exp(2j * np.pi * rng.random(SHAPE))
    noisy = [np.where(kept.support, x, np.where(wide, noise, 0)) for x in (kept.object, kept.mean)]
    kept = replace(kept, object=noisy[0], mean=noisy[1], support=wide)
    write_cxi(tmp_path / "a.cxi", kept)
    words = () if level is None else ("--level", level)
    exported = run("export", tmp_path / "a.cxi", "-o", tmp_path / "a.vts", *words)
    assert exported.exit_code == 0, exported.output
    head, tail = (tmp_path / "a.vts").read_bytes().split(b'<AppendedData encoding="raw">\n_', 1)
    box = around(wide)
    for prefix, x, stretched in (("", noisy[0], 3e-4), ("mean_", noisy[1], 6e-4)):
        crystal = crystal_mask(x, wide, 0.4 if level is None else level)[box]
        assert (crystal.sum() == phasing(grid_of()).support.sum()) == (level is None)
        found = [field(head, tail, prefix + name) for name in ("crystal", "strain")]
        np.testing.assert_array_equal(found[0].reshape(crystal.shape), crystal)
        strained = found[1][crystal.ravel()]
        assert (np.abs(strained - stretched).max() < 1e-6) == (level is None)
        moved = displacement(x[box], crystal, grid_of())[crystal]
        found = field(head, tail, prefix + "displacement")[crystal.ravel()]
        np.testing.assert_allclose(found, moved, atol=1e-6)


def test_cubes_are_of_the_crystal_too(tmp_path):
    kept = phasing(grid_of())
    wide = binary_dilation(kept.support, iterations=2)
    x = np.where(wide & ~kept.support, 0.1j, kept.object)
    write_cxi(tmp_path / "a.cxi", replace(kept, object=x, support=wide))
    for level in ("0.4", "0"):
        words = ("--voxel", "6", "--level", level)
        exported = run("export", tmp_path / "a.cxi", "-o", tmp_path / "a.vti", *words)
        assert exported.exit_code == 0, exported.output
        _, _, arrays = read_vti(tmp_path / "a.vti")
        crystal, support = (arrays[name].astype(bool) for name in ("crystal", "support"))
        assert np.array_equal(crystal, support) == (level == "0")
        known = np.abs(arrays["strain"][crystal] - 3e-4) < 5e-5  # at the edge interpolated
        assert known.all() == (level == "0.4")


def test_the_spread_of_strain_over_the_good_starts(tmp_path):
    kept = phasing(grid_of())
    factors = np.array([1.0, 1.2, 3.0])  # of the strain
    x = np.stack([np.where(kept.support, kept.object**f, 0) for f in factors])
    good = np.array([True, True, False])
    for others, words in (({}, ()), ({"data": x, "good": good}, ("--voxel", 6))):
        write_cxi(tmp_path / "a.cxi", replace(kept, starts=others))
        name = "a.vti" if words else "a.vts"
        exported = run("export", tmp_path / "a.cxi", "-o", tmp_path / name, *words)
        assert exported.exit_code == 0, exported.output
        assert ("mean_strain_spread" in exported.output) == bool(others)
    _, _, arrays = read_vti(tmp_path / "a.vti")
    spread = arrays["mean_strain_spread"][arrays["mean_crystal"].astype(bool)]
    assert np.median(spread) == pytest.approx(3e-4 * 0.2 / np.sqrt(2), rel=1e-3)
    one = {"data": x, "good": np.array([True, False, False])}
    write_cxi(tmp_path / "a.cxi", replace(kept, starts=one))
    assert (
        "mean_strain_spread"
        not in run("export", tmp_path / "a.cxi", "-o", tmp_path / "b.vts").output
    )
    write_cxi(tmp_path / "a.cxi", replace(kept, starts=others))
    exported = run("export", tmp_path / "a.cxi", "-o", tmp_path / "b.vts")
    head, tail = (tmp_path / "b.vts").read_bytes().split(b'<AppendedData encoding="raw">\n_', 1)
    box = around(kept.support)
    expected = strain_spread(x[good], crystal_mask(kept.mean, kept.support), grid_of())[box]
    known = np.isfinite(expected)
    found = field(head, tail, "mean_strain_spread").reshape(known.shape)
    np.testing.assert_allclose(found[known], expected[known], atol=1e-9)
    # In the mean's crystal, not in all of a wider support.
    wide = binary_dilation(kept.support, iterations=4)
    noise = 0.1 * np.exp(2j * np.pi * np.random.default_rng(6).random(x.shape))
    starts = {"data": np.where(wide, x + noise, 0), "good": good}
    write_cxi(tmp_path / "a.cxi", replace(kept, support=wide, starts=starts))
    run("export", tmp_path / "a.cxi", "-o", tmp_path / "b.vts")
    head, tail = (tmp_path / "b.vts").read_bytes().split(b'<AppendedData encoding="raw">\n_', 1)
    far = ~binary_dilation(kept.support[around(wide)], np.ones((3, 3, 3)))
    assert (far & wide[around(wide)]).any()
    assert not field(head, tail, "mean_strain_spread")[far.ravel()].any()


def test_a_picture_is_of_the_crystal(tmp_path, monkeypatch):
    kept = phasing(grid_of())
    wide = binary_dilation(kept.support, iterations=2)
    x = np.where(wide & ~kept.support, 0.33j, kept.mean)  # the picture leaves out 0.3 by itself
    starts = {"data": np.stack([x, x]), "good": np.array([True, True])}
    write_cxi(tmp_path / "a.cxi", replace(kept, mean=x, support=wide, starts=starts))
    drawn = {}

    def figure(cubes, *more, **others):
        drawn.update(cubes)
        return laboratory_figure(cubes, *more, **others)

    monkeypatch.setattr("symbreak.plotting.laboratory_figure", figure)
    for level in (0.4, 0.2):
        exported = run("export", tmp_path / "a.cxi", "-o", tmp_path / "a.png", "--level", level)
        assert exported.exit_code == 0, exported.output
        assert {"displacement", "strain", "strain_spread"} <= set(drawn)
        dim = np.abs(drawn["object"][drawn["support"]]) < 0.34
        assert (dim.mean() < 0.01) == (level == 0.4)


def test_a_level_that_is_none(tmp_path):
    write_cxi(tmp_path / "a.cxi", phasing(grid_of()))
    exported = run("export", tmp_path / "a.cxi", "-o", tmp_path / "a.vts", "--level", "1")
    assert exported.exit_code == 2
    assert "Invalid value for '--level': level must be in [0, 1), got 1.0" in exported.output
    assert not (tmp_path / "a.vts").exists()
