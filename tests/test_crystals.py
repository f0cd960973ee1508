"""Simulated crystals: shapes, magnitudes, filled area, and independence of items."""

import dataclasses
import sys

import numpy as np
import pytest
import torch

pytest.importorskip("shapely")

import shapely

from symbreak.data.simulation.crystals import crystals
from symbreak.data.simulation.polygons import polygon_mask, random_outline
from symbreak.data.simulation.polyhedra import random_polyhedron
from symbreak.data.simulation.settings import CrystalSettings


def test_one_dislocation_winds_the_phase_and_cuts_nothing():
    settings = CrystalSettings(defects=(1, 1), area=(0.3, 0.44), nonconvex=0.0)
    x = crystals(40, 48, seed=2, settings=settings).numpy()
    down, right = (np.angle(np.roll(x, -1, axis) * x.conj()) for axis in (1, 2))
    inside = np.abs(x) > 0
    below, beside = (inside & np.roll(inside, -1, axis) for axis in (1, 2))
    # Away from the core the phase is smooth; a cut would cross many pairs of pixels.
    steps = (below & (np.abs(down) > 1.2)).sum(axis=(1, 2)) + (beside & (np.abs(right) > 1.2)).sum(
        axis=(1, 2)
    )
    assert steps.max() < 16
    loop = right + np.roll(down, -1, 2) - np.roll(right, -1, 1) - down
    whole = below & np.roll(below, -1, 2) & beside
    turns = np.rint(np.where(whole, loop, 0.0) / (2 * np.pi))
    # The circuit around the core turns by Q.b / 2 pi, at most 2 here; some have Q.b = 0.
    vortices = np.abs(turns).sum(axis=(1, 2))
    assert set(np.unique(vortices)) <= {0.0, 1.0, 2.0}
    assert 10 <= (vortices > 0).sum() <= 38


def test_magnitude_is_zero_or_one():
    x = crystals(20, 32, seed=1)
    assert x.dtype == torch.complex64
    assert x.shape == (20, 32, 32)
    magnitude = x.abs()
    inside = magnitude > 0
    assert torch.allclose(magnitude[inside], torch.ones(()), rtol=0, atol=2e-7)
    assert inside.flatten(1).any(dim=1).all()


@pytest.mark.parametrize("size", [24, 64])
def test_mean_power_is_that_of_the_paper(size):
    power = crystals(400, size, seed=7).abs().square().mean(dim=(1, 2))
    # Area uniform over a range of 0.324: standard error 0.0047.
    assert abs(power.mean() - 0.278) < 0.0125
    assert power.std() > 0.07


@pytest.mark.parametrize("ndim", [2, 3])
def test_items_depend_on_seed_and_index_alone(ndim):
    size = 16
    whole = crystals(7, size, seed=3, ndim=ndim)
    assert torch.equal(crystals(3, size, seed=3, ndim=ndim, first=2), whole[2:5])
    assert not torch.equal(crystals(7, size, seed=4, ndim=ndim), whole)
    assert not torch.equal(whole[0], whole[1])
    assert crystals(0, size, ndim=ndim).shape == (0, *(size,) * ndim)


def test_worker_processes_change_nothing():
    assert torch.equal(crystals(70, 8, seed=3, workers=2), crystals(70, 8, seed=3))


def test_rigid_phase_and_defects_can_be_switched_off():
    plain = CrystalSettings(defects=(0, 0), rigid_phase=False)
    x = crystals(10, 16, settings=plain)
    assert torch.equal(x.imag, torch.zeros_like(x.imag))
    y = crystals(10, 16, settings=dataclasses.replace(plain, rigid_phase=True))
    assert torch.equal(y.abs() > 0, x.abs() > 0)
    inside = [item[item.abs() > 0] for item in y]
    assert all(torch.equal(values, values[:1].expand_as(values)) for values in inside)
    assert np.std([values[0].angle() for values in inside]) > 0.5


def test_cores_in_the_frame_strain_crystals_mostly_without_a_vortex():
    inside = CrystalSettings(defects=(1, 1), area=(0.2, 0.2))
    anywhere = dataclasses.replace(inside, cores="frame")
    winding, coherence = [], []
    for settings in (inside, anywhere):
        x = crystals(80, 32, seed=5, settings=settings)
        corners = (x[:, :-1, :-1], x[:, :-1, 1:], x[:, 1:, 1:], x[:, 1:, :-1])
        steps = zip(corners, (*corners[1:], corners[0]), strict=True)
        turns = sum((after * before.conj()).angle() for before, after in steps)
        whole = torch.stack(corners).abs().amin(0) > 0
        winding.append(((turns.abs() > 1) & whole).any(dim=(1, 2)))
        coherence.append(x.mean(dim=(1, 2)).abs() / x.abs().mean(dim=(1, 2)))
    # Q.b is not 0 for a half to two thirds of them; a fifth of the frame is crystal.
    assert 0.4 < winding[0].float().mean() < 0.8
    assert 0 < winding[1].float().mean() < 0.25
    strained = coherence[1][~winding[1]]
    assert (strained < 0.95).any()
    assert strained.mean() > coherence[0].mean() + 0.1


@pytest.mark.parametrize(("size", "ndim"), [(24, 2), (16, 3)])
def test_cores_lie_in_the_crystal_by_default(size, ndim):
    named = [CrystalSettings(defects=(0, 1), cores=cores) for cores in ("crystal", "frame")]
    default, inside, anywhere = (
        crystals(6, size, ndim=ndim, settings=settings)
        for settings in (CrystalSettings(defects=(0, 1)), *named)
    )
    assert torch.equal(inside, default)
    assert not torch.equal(anywhere, default)
    assert torch.equal(anywhere.abs() > 0, default.abs() > 0)


def test_outlines_are_convex_or_not_as_asked():
    rng = np.random.default_rng(0)
    settings = CrystalSettings()
    for convex in (True, False):
        outlines = [random_outline(rng, settings, convex) for _ in range(60)]
        solidity = np.array([shape.area / shape.convex_hull.area for shape in outlines])
        assert (solidity > 0.999).all() if convex else (solidity < 0.95).all()
        np.testing.assert_allclose([shape.area for shape in outlines], 1.0, rtol=1e-9)
        assert all(shape.is_valid and not shape.interiors for shape in outlines)


def test_rounding_removes_sharp_corners():
    def sharpest(rounding):
        settings = CrystalSettings(rounding=(rounding, rounding))
        shape = random_outline(np.random.default_rng(1), settings, True)
        edges = np.diff(shapely.get_coordinates(shape), axis=0)
        turn = edges[:, 0] + 1j * edges[:, 1]
        return np.abs(np.angle(np.roll(turn, -1) / turn)).max()

    assert sharpest(0.0) > 0.5
    assert sharpest(0.1) < 0.25


def test_content_is_not_cut_by_the_frame(monkeypatch):
    drawn = []
    contains = shapely.contains_xy

    def spy(outline, *args):
        drawn.append(outline.bounds)
        return contains(outline, *args)

    monkeypatch.setattr(shapely, "contains_xy", spy)
    # An area this large often has to be scaled down to fit.
    settings = CrystalSettings(area=(0.55, 0.6), aspect=(2.0, 3.0))
    rng = np.random.default_rng(2)
    for _ in range(5):
        assert polygon_mask(rng, 32, settings).any()
    bounds = np.array(drawn)
    assert bounds.min() >= -0.5 - 1e-9
    assert bounds.max() <= 31.5 + 1e-9
    assert np.ptp(bounds[:, 0]) > 0.5


def test_polyhedra_are_closed_and_of_unit_volume():
    rng = np.random.default_rng(4)
    for _ in range(5):
        facets, corners = random_polyhedron(rng, CrystalSettings())
        assert (corners @ facets[:, :3].T + facets[:, 3]).max() < 1e-9
        low, high = corners.min(axis=0), corners.max(axis=0)
        points = rng.uniform(low, high, (20000, 3))
        inside = ((points @ facets[:, :3].T + facets[:, 3]) <= 0).all(axis=1)
        assert abs(inside.mean() * np.prod(high - low) - 1.0) < 0.06


@pytest.mark.parametrize("seed", [3, 4])
def test_an_outline_as_wide_as_the_frame_has_a_place(seed):
    """Shrunk to fit, it is by rounding one unit in the last place wider than the frame."""
    settings = CrystalSettings(area=(0.55, 0.6), aspect=(2.5, 3.0))
    mask = polygon_mask(np.random.default_rng(seed), 24, settings)
    assert max(mask.any(0).sum(), mask.any(1).sum()) >= 23


def test_a_polyhedron_as_wide_as_the_frame_has_a_place():
    inside = crystals(1, 24, 0, ndim=3, first=3)[0].numpy() != 0
    assert max(inside.any(axes).sum() for axes in ((0, 1), (0, 2), (1, 2))) >= 23


def test_crystals_in_three_dimensions():
    settings = CrystalSettings(area=(0.3, 0.3), defects=(0, 1))
    x = crystals(6, 24, seed=1, ndim=3, settings=settings)
    assert x.shape == (6, 24, 24, 24)
    filled = (x.abs() > 0).double().mean(dim=(1, 2, 3))
    torch.testing.assert_close(filled, torch.full_like(filled, 0.3), rtol=0, atol=0.01)
    assert torch.allclose(x.abs()[x.abs() > 0], torch.ones(()), rtol=0, atol=2e-7)


@pytest.mark.parametrize(
    ("field_name", "value"),
    [
        ("area", (0.5, 0.4)),
        ("area", 0.3),
        ("area", (0.3, 0.7)),
        ("nonconvex", 1.5),
        ("vertices", (3, 8)),
        ("vertices", (5.0, 8.0)),
        ("rounding", (-0.1, 0.1)),
        ("aspect", (0.5, 1.0)),
        ("defects", (0, 65)),
        ("cores", "edge"),
        ("cores", np.ones(2)),
        ("miller", 0),
        ("poisson_ratio", 0.5),
    ],
)
def test_settings_out_of_range(field_name, value):
    with pytest.raises(ValueError, match=f"^CrystalSettings: {field_name} must be .*got .*\\.$"):
        CrystalSettings(**{field_name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [("count", -1), ("size", 4), ("size", 8.0), ("seed", -1), ("first", -2), ("workers", 0)],
)
def test_arguments_out_of_range(name, value):
    with pytest.raises(ValueError, match=f"^crystals: {name} must be an integer >= .*got {value}"):
        crystals(**{"count": 1, name: value})


def test_dimension_errors():
    with pytest.raises(ValueError, match="ndim must be 2 or 3, got 4"):
        crystals(1, 8, ndim=4)
    with pytest.raises(ValueError, match=r"defects must be within \[0, 1\] in 3D"):
        crystals(1, 8, ndim=3, settings=CrystalSettings())


@pytest.mark.parametrize(
    ("ndim", "library", "module"),
    [(2, "shapely", "polygons"), (3, "scipy.spatial", "polyhedra")],
)
def test_a_missing_library_is_named(monkeypatch, ndim, library, module):
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"symbreak.data.simulation.{module}", raising=False)
    with pytest.raises(ImportError, match=rf"{ndim}D crystals needs {library}: pip install 'symb"):
        crystals(1, 8, ndim=ndim)
