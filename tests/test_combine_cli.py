"""symbreak combine: from results of several reflections to the strain of a lattice."""

import numpy as np
import pytest
from crystals_of_gold import SAMPLES, jacobian, reflection
from test_vtk import floats, read_vti
from typer.testing import CliRunner

from symbreak.cli.app import app
from symbreak.cli.combine import _weak
from symbreak.data.files.cxi import Phasing, write_cxi
from symbreak.data.files.reflections import read_reflection
from symbreak.geometry import Instrument, ReciprocalGrid, match_reflections, strain_tensor
from symbreak.geometry.instrument_text import instrument_text


def run(*words):
    return CliRunner().invoke(app, ["combine", *(str(word) for word in words)])


def write(path, number, *, mean=False, starts=0, **seen):
    x, support, grid = reflection(number, **seen)
    told = Instrument(9.0, 1.0, (1e-5, 1e-5), sample=SAMPLES[number])
    kept = {}
    if starts:
        tilts = np.exp(0.05j * np.arange(starts).reshape(-1, 1, 1, 1) * np.indices(x.shape)[0] ** 2)
        kept = {"data": x * tilts, "good": np.arange(starts) < starts - 1}
    objects = {"object": x} if not mean else {"object": np.where(support, 1 + 0j, 0), "mean": x}
    write_cxi(
        path,
        Phasing(
            **objects,
            **{"support": support, "error": 0.1, "parameters": {}, "version": "1"},
            starts=kept,
            reciprocal=grid,
            instrument=instrument_text(told),
        ),
    )
    return path


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gold")
    return [
        write(folder / "111.cxi", 0),
        write(folder / "-111.cxi", 1, shift=(12, -5, 8), twin=True),
        write(folder / "1-11.cxi", 2, mean=True),
    ]


def test_vectors_near_a_plane_are_told():
    """As many times the error as the plane makes of it; of vectors in all directions nothing."""
    normal = np.array([2.0, -1, 2]) / 3
    along = np.linalg.svd(normal[None])[2][1:]
    angles = np.radians([0, 60, 120])
    flat = np.cos(angles)[:, None] * along[0] + np.sin(angles)[:, None] * along[1]
    lifted = flat + 0.1 * np.array([1, -1, 1])[:, None] * normal
    (told,) = _weak(25 * lifted)
    noise = np.random.default_rng(0).normal(size=(3, 20_000))
    u = np.linalg.pinv(lifted / np.linalg.norm(lifted, axis=1)[:, None]) @ noise
    factor = (normal @ u).std()
    assert f"errors of the displacement are {factor:.1f} times" in told
    axis = told.split("along (")[1].split(")")[0]
    np.testing.assert_allclose(floats(axis.replace(",", "")), normal, atol=0.2)
    assert not _weak(np.diag([3.0, 1, 2]))
    assert not _weak(np.array([[1.0, 1, 1], [-1, 1, 1], [1, -1, 1]]))


def test_cubes_of_the_lattice(results, tmp_path):
    found = run(*results, "-o", tmp_path / "lattice.vti", "--voxel", "7.5")
    assert found.exit_code == 0, found.output
    said = " ".join(found.output.split())
    assert "cubes of 7.5 nm" in said
    assert "70.5" in said  # degrees between the normals of {111}
    assert "note" not in said
    image, shown, arrays = read_vti(tmp_path / "lattice.vti")
    assert shown == "amplitude"
    assert floats(image["Spacing"]) == [7.5] * 3
    origin = np.array(floats(image["Origin"]))
    z, y, x = np.indices(arrays["support"].shape)
    place = np.moveaxis(origin + 7.5 * np.stack([x, y, z], -1), -1, 0)
    inner = np.linalg.norm(place, axis=0) < 35
    assert arrays["support"][inner].all()
    known = jacobian(place)
    # VTK's order: xx, yy, zz, xy, yz, xz.
    for at, (j, k) in enumerate(((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (0, 2))):
        gap = arrays["strain"][..., at] - (known[j, k] + known[k, j]) / 2
        assert np.ptp(gap[inner]) < 1e-6, at
    for at, (j, k) in enumerate(((2, 1), (0, 2), (1, 0))):
        gap = arrays["rotation"][..., at] - (known[j, k] - known[k, j]) / 2
        assert np.ptp(gap[inner]) < 1e-6, at
    assert arrays["displacement"].shape == (*x.shape, 3)
    assert "strain xz" in said
    assert arrays["misfit"].max() < 1e-6
    assert arrays["amplitude"][inner] == pytest.approx(1, abs=0.01)


def test_how_far_the_starts_disagree(tmp_path):
    paths = [write(tmp_path / f"{k}.cxi", k, mean=True, starts=3) for k in range(3)]
    found = run(*paths, "-o", tmp_path / "a.vti", "--voxel", 9)
    assert found.exit_code == 0, found.output
    assert "strain_spread xz" in " ".join(found.output.split())
    _, _, arrays = read_vti(tmp_path / "a.vti")
    matched = match_reflections([read_reflection(path) for path in paths], 9.0)
    tensor = strain_tensor(matched.gradient, matched.q, matched.covariance)
    inner = np.isfinite(tensor.spread).all((0, 1)) & (arrays["support"] != 0)
    for at, pair in enumerate(((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (0, 2))):
        expected = tensor.spread[pair][inner]
        np.testing.assert_allclose(arrays["strain_spread"][..., at][inner], expected, rtol=1e-5)
    # Of two good starts of three.
    assert read_reflection(paths[0]).has_starts
    alone = write(tmp_path / "one.cxi", 0, mean=True, starts=2)
    assert not read_reflection(alone).has_starts
    found = run(*paths[1:], alone, "-o", tmp_path / "b.vti", "--voxel", 9)
    assert "strain_spread" not in found.output
    picture = run(*paths, "-o", tmp_path / "a.png", "--voxel", 9)
    assert picture.exit_code == 0, picture.output


def test_a_picture(results, tmp_path):
    found = run(*results, "-o", tmp_path / "lattice.png", "--voxel", "9")
    assert found.exit_code == 0, found.output
    assert (tmp_path / "lattice.png").stat().st_size > 50_000


def test_a_crystal_that_looks_alike_from_both_sides(tmp_path, monkeypatch):
    monkeypatch.setattr("crystals_of_gold.inside", lambda place: (place**2).sum(0) < 80**2)
    results = [write(tmp_path / f"{k}.cxi", k) for k in range(3)]
    found = run(*results, "-o", tmp_path / "lattice.vti")
    assert found.exit_code == 0, found.output
    said = " ".join(found.output.split())
    assert "note: 1.cxi: its twin fits the first nearly as well" in said
    assert "note: 2.cxi: its twin fits" in said


def test_what_cannot_be_combined(results, tmp_path):
    x, support, grid = reflection(0)
    plain, flat, lost = (tmp_path / f"{name}.cxi" for name in ("plain", "flat", "lost"))
    write_cxi(plain, Phasing(x, support, 0.1, {}, "1"))
    write_cxi(lost, Phasing(x, support, 0.1, {}, "1", reciprocal=grid))
    forward = ReciprocalGrid(grid.steps, np.zeros(3))
    text = instrument_text(Instrument(9.0, 1.0, (1e-5, 1e-5)))
    write_cxi(flat, Phasing(x, support, 0.1, {}, "1", reciprocal=forward, instrument=text))
    between = tmp_path / "between.cxi"
    vectors = [read_reflection(path).q for path in results[:2]]
    middle = ReciprocalGrid(grid.steps, vectors[0] + vectors[1])  # no circle has turned the sample
    write_cxi(between, Phasing(x, support, 0.1, {}, "1", reciprocal=middle, instrument=text))
    for words, code, message in (
        (results[:2], 2, "three results or more are needed, got 2"),
        ((*results[:2], plain), 1, "plain.cxi: it does not say where its voxels are: prepare"),
        ((*results[:2], lost), 1, "lost.cxi: it does not say how the sample stood: the text of"),
        ((*results[:2], flat), 1, "flat.cxi: Reflection: grid must be that of a Bragg peak"),
        (
            (results[0], results[1], results[0]),
            *(
                1,
                f"error: {results[0]}, {results[0]}: the same reflection, or along it; three refl",
            ),
        ),
        (
            (*results[:2], between),
            *(1, f"{results[1]}, {between}: their scattering vectors lie in one plane; three refl"),
        ),
        ((*results, "--voxel", "0"), 2, "voxel must be > 0 and finite (nm), got 0"),
        ((*results, "--voxel", "1e-3"), 1, "voxel (--voxel) = 0.001 nm"),
        ((*results[:2], tmp_path / "absent.cxi"), 1, "absent.cxi"),
    ):
        refused = run(*words, "-o", tmp_path / "b.vti")
        assert refused.exit_code == code, refused.output
        assert message in " ".join(refused.output.replace("│", " ").split()), refused.output
    assert not list(tmp_path.glob("b.*"))
    assert run(*results, "-o", results[0].with_suffix(".txt")).exit_code == 2
