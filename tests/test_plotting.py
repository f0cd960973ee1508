"""Pictures: the colours mean what the key says, and every figure draws what it is given."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib.image import imread

from symbreak.evaluation import compare_starts
from symbreak.plotting import (
    breaking_figure,
    demo_figure,
    laboratory_figure,
    panels,
    reconstruction_figure,
    save,
)
from symbreak.plotting.colour import complex_colours, hue, wheel
from symbreak.plotting.panels import crop_box


def test_brightness_is_magnitude_and_hue_is_phase():
    magnitudes = complex_colours(np.array([0, 0.25, 0.5, 1.0, 2.0]), full=1.0)
    assert np.all(magnitudes[0] == 0)
    np.testing.assert_allclose(magnitudes[1:4].max(axis=-1), [0.25, 0.5, 1.0])
    assert np.array_equal(magnitudes[3], magnitudes[4])
    assert magnitudes[3].argmax() == 0  # phase 0 is red
    np.testing.assert_allclose(hue(np.array(math.pi)), hue(np.array(-math.pi)), atol=1e-12)
    quarters = hue(np.arange(4) * math.pi / 2)
    gaps = np.abs(quarters[:, None] - quarters[None]).max(-1) + np.eye(4)
    assert gaps.min() > 0.3
    assert np.all(complex_colours(np.array([np.nan, 1.0]))[0] == 0.5)


def test_the_key_has_phase_0_at_the_right_and_pi_half_above():
    disc = wheel(101)
    np.testing.assert_allclose(disc[50, 98, :3], hue(np.array(0.0)) * 0.96, atol=0.01)
    np.testing.assert_allclose(disc[2, 50, :3], hue(np.array(math.pi / 2)) * 0.96, atol=0.01)
    assert disc[0, 0, 3] == 0


def test_crop_is_a_square_around_the_support():
    support = np.zeros((40, 50), dtype=bool)
    support[10:18, 30:42] = True
    rows, columns = crop_box(support, margin=0.25)
    assert (rows.stop - rows.start) == (columns.stop - columns.start) == 18
    assert rows.start <= 10
    assert rows.stop >= 18
    assert columns.start <= 30
    assert columns.stop >= 42
    assert crop_box(np.zeros((4, 4), dtype=bool)) == (slice(None), slice(None))


def starts(grid, count):
    """`count` starts that agree, and one with a large error."""
    x = torch.zeros(grid, dtype=torch.complex64)
    x[tuple(slice(2, 7) for _ in grid)] = 1
    x[tuple(slice(3, 5) for _ in grid)] = 1j
    objects = x.expand(count + 1, *grid).contiguous()
    error = torch.linspace(0.10, 0.105, count + 1)
    error[-1] = 0.5
    a, valid = torch.fft.fftn(x).abs(), torch.ones(grid, dtype=torch.bool)
    valid.view(-1)[0] = False
    return a, valid, compare_starts(objects, objects != 0, error, a, valid, ndim=len(grid))


def painted(path):
    """The share of a picture that is not white."""
    return float((imread(path)[..., :3].min(-1) < 0.99).mean())


@pytest.mark.parametrize(("grid", "count"), [((24, 20), 1), ((14, 16, 18), 2), ((24, 20), 20)])
def test_reconstruction_figure(tmp_path, grid, count):
    a, valid, compared = starts(grid, count)
    history = torch.rand(count + 1, 7) + 0.1
    figure = reconstruction_figure(a, valid, compared, history=history, every=10, title="title")
    save(figure, tmp_path / "a.png")
    assert painted(tmp_path / "a.png") > 0.2
    words = {text.get_text() for half in figure.subfigs for ax in half.axes for text in ax.texts}
    assert "π/2" in words
    titles = [ax.get_title() for half in figure.subfigs for ax in half.axes]
    assert sum("start " in t and "0." in t for t in titles) == min(count + 1, 16)
    assert any("PRTF" in ax.get_ylabel() for half in figure.subfigs for ax in half.axes)


def test_starts_are_drawn_in_the_order_of_the_cross_validated_error():
    a, valid, compared = starts((24, 20), 2)
    crossed = torch.tensor([0.3, 0.1, 0.2], dtype=torch.float64)
    nothing = torch.full((3,), torch.inf, dtype=torch.float64)
    for ranks, known, order in (
        (crossed, True, ["1: 0.1", "2: 0.2"]),
        (nothing, False, ["0: 0.1"]),
    ):
        ranked = replace(compared, cross_validated=ranks, determined=torch.full((3,), known))
        figure = reconstruction_figure(a, valid, ranked)
        strip = figure.subfigs[1]
        titles = [ax.get_title() for ax in strip.axes]
        assert all(t.startswith(f"start {o}") for t, o in zip(titles, order, strict=False))
        name = "cross-validated error" if known else "error"
        assert strip.get_suptitle().startswith(f"starts by {name}, aligned")


def test_the_slice_of_a_3d_object_goes_through_the_object():
    """Dim specks far from a crystal, as noise leaves them, move its bounding box but not it."""
    x = torch.zeros(24, 16, 16, dtype=torch.complex64)
    x[2:7, 5:9, 5:9], x[14, 5, 5] = 1, 0.1
    a, valid = torch.fft.fftn(x).abs(), torch.ones(x.shape, dtype=torch.bool)
    compared = compare_starts(x[None], x[None] != 0, torch.tensor([0.1]), a, valid, ndim=3)
    shown = compared.objects[0].abs()
    assert shown[12].max() == 0  # the middle of the grid
    figure = reconstruction_figure(a, valid, compared)
    drawn = {ax.get_title(): ax for half in figure.subfigs for ax in half.axes}
    middle = int(shown.sum(dim=(1, 2)).nonzero()[2])
    assert any(t.startswith("best of 1") and t.endswith(f", slice {middle}") for t in drawn)
    magnitude = np.asarray(drawn["magnitude of the best start"].images[0].get_array())
    assert magnitude.max() == 1
    assert panels.middle_of(np.zeros((5, 3, 3))) == 2
    assert panels.middle_of(np.ones((5, 3))) is None


@pytest.mark.parametrize("grid", [(24, 20), (6, 24, 20)])
def test_where_pixels_are_known_pictures_are_in_nanometres(grid):
    """A row of 20 nm is twice as high as a column of 10 nm is wide."""
    a, valid, compared = starts(grid, 2)
    plain, true = (
        [ax for half in figure.subfigs for ax in half.axes]
        for figure in (
            reconstruction_figure(a, valid, compared, steps=steps) for steps in (None, (20.0, 10.0))
        )
    )
    drawn = 0
    for before, after in zip(plain, true, strict=True):
        if before.get_xlabel() == "pixels" or before.get_title().startswith("start"):
            rows, columns = before.get_images()[0].get_array().shape[:2]
            assert after.get_images()[0].get_extent() == [0, 10 * columns, 20 * rows, 0]
            assert after.get_aspect() == 1
            assert after.get_xlabel() == before.get_xlabel().replace("pixels", "nm")
            drawn += 1
        else:
            assert after.get_xlabel() == before.get_xlabel()
    assert drawn == 3 + len(compared.error)


def test_reconstruction_figure_without_history(tmp_path):
    a, valid, compared = starts((16, 16), 1)
    save(reconstruction_figure(a, valid, compared), tmp_path / "a.pdf")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


def test_breaking_and_demo_figures(tmp_path):
    a, valid, compared = starts((16, 16), 3)
    x = compared.objects
    save(breaking_figure(x, x, torch.tensor([True, False] * 2)), tmp_path / "b.png")
    save(demo_figure(x[0], a, valid, x[1], x[2], caption="caption"), tmp_path / "d.png")
    for name in ("b.png", "d.png"):
        assert painted(tmp_path / name) > 0.3


def test_a_picture_of_no_known_kind_is_refused(tmp_path):
    _, _, compared = starts((16, 16), 1)
    figure = breaking_figure(compared.objects, compared.objects, compared.twin)
    with pytest.raises(ValueError, match="must end with one of"):
        save(figure, tmp_path / "a.docx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bragg", [True, False])
def test_three_planes_of_the_laboratory(bragg):
    """A box with one corner: every panel has it where its axes say, what is dim is not drawn."""
    x = np.zeros((12, 16, 20), complex)  # z, y, x
    x[3:9, 4:12, 5:15] = 1
    x[3:5, 10:12, 12:15] = 0.1  # too dim for its phase
    cubes = {"object": x, "support": x != 0}
    if bragg:
        z, y, _ = np.indices(x.shape)
        cubes |= {"displacement": 1.0 * y, "strain": z - 6.0, "strain_spread": 0.1 * z}
    first, edge = np.array([-100.0, -80.0, -60.0]), 10.0
    figure = laboratory_figure(cubes, first, edge, np.array([20.0, 0.0, 1.0]), title="crystal")
    panels_ = [axes for axes in figure.axes if axes.get_xlabel()]
    names = ["object", "displacement along Q", "strain along Q", "its spread over starts"]
    names = names[: 4 if bragg else 1]
    assert [axes.get_title().split(",")[0] for axes in panels_] == names * 3
    labels = [(axes.get_ylabel()[0], axes.get_xlabel()[0]) for axes in panels_[:: len(names)]]
    assert labels == [("y", "x"), ("z", "x"), ("z", "y")]
    # The window of the first panel: the box, 15 % of it more on every side.
    left, right, bottom, top = panels_[0].images[0].get_extent()
    assert (left, right) == (-100 + 10 * (5 - 2 - 0.5), -100 + 10 * (15 + 2 - 0.5))
    assert (bottom, top) == (-80 + 10 * (4 - 2 - 0.5), -80 + 10 * (12 + 2 - 0.5))
    arrows = [axes for axes in panels_ if any(text.get_text() == "Q" for text in axes.texts)]
    assert len(arrows) == 2  # along x: not where x is the line of sight
    if bragg:
        drawn = panels_[1].images[0].get_array()
        assert drawn.shape == (8 + 4, 10 + 4)
        known = np.isfinite(np.ma.filled(drawn, np.nan))
        assert known.sum() == 80  # the plane z = 6 has no dim corner
        assert np.ma.filled(drawn, np.nan)[2, 2] == 4.0  # the lowest row is the smallest y
        lowest = panels_[5].images[0].get_array()  # z against x, at the middle y
        assert np.ma.filled(lowest, np.nan)[1, 2] == 7.0
        scales = [axes.images[0].get_clim() for axes in panels_[1:4]]
        assert [low == -high for low, high in scales[:2]] == [True, True]
        assert scales[2] == (0, pytest.approx(0.8, rel=0.05))
