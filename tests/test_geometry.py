"""Where pixels lie in reciprocal space and voxels in real space, against the obvious formulas."""

import sys
from copy import deepcopy
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from instruments import DETECTOR, SAMPLE, TOML, instrument, seen

from symbreak.geometry import (
    Circle,
    ReciprocalGrid,
    instrument_file,
    orthogonal,
    read_instrument,
)
from symbreak.geometry.boxes import box_around
from symbreak.geometry.circles import AXES, rotation
from symbreak.geometry.instrument_file import _instrument as build
from symbreak.geometry.instrument_file import _toml
from symbreak.geometry.instrument_text import instrument_text

GIVEN = _toml().loads(TOML)
ANGLES = st.floats(-170, 170)


def circles(names):
    return st.tuples(*(st.builds(Circle, st.just(n), st.sampled_from(AXES), ANGLES) for n in names))


@pytest.mark.parametrize(("axis", "start", "end"), [("x+", 1, 2), ("y+", 2, 0), ("z+", 0, 1)])
def test_a_quarter_turn_takes_an_axis_to_the_next(axis, start, end):
    turn = Circle("a", axis, 90.0).rotation()
    np.testing.assert_allclose(turn @ np.eye(3)[start], np.eye(3)[end], atol=1e-15)
    back = Circle("a", f"{axis[0]}-", 90.0).rotation()
    np.testing.assert_allclose(back, turn.T, atol=1e-15)


def test_the_first_circle_carries_the_second():
    outer, inner = Circle("a", "z+", 90.0), Circle("b", "x+", 90.0)
    # The inner circle takes y to z, which the outer one leaves where it is.
    np.testing.assert_allclose(rotation((outer, inner)) @ [0, 1, 0], [0, 0, 1], atol=1e-15)


@given(detector=circles("dg"), sample=circles("tcp"), scan=st.sampled_from("tcp"))
def test_steps_are_the_differences_between_neighbours(detector, sample, scan):
    tilted = instrument(detector=detector, sample=sample, scan=scan, step=1e-4)
    try:
        grid = tilted.reciprocal()
    except ValueError as error:  # the axis is along Q: the scan leads nowhere
        if "must not lie in one plane" not in str(error):
            raise
        reject()
    for axis in range(3):
        step = np.eye(3)[axis] / 2
        expected = seen(tilted, *step) - seen(tilted, *-step)
        np.testing.assert_allclose(grid.steps[axis], expected, atol=1e-9)
    np.testing.assert_allclose(grid.center, seen(tilted, 0, 0, 0), atol=1e-9)


def test_an_energy_scan_stretches_q():
    scan = instrument(scan="energy", step=0.001)
    grid = scan.reciprocal()
    expected = (seen(scan, 1, 0, 0) - seen(scan, -1, 0, 0)) / 2
    np.testing.assert_allclose(grid.steps[0], expected, rtol=1e-9)


def test_bins_and_the_pixel_at_which_the_circles_point():
    pointing = instrument(center=(100.0, 150.0))
    grid = pointing.reciprocal(bins=(2, 3, 4), center=(110, 130))
    np.testing.assert_allclose(grid.center, seen(pointing, 0, 10, -20), rtol=1e-9)
    for axis, count in enumerate((2, 3, 4)):
        near = np.array([0.0, 10.0, -20.0])
        step = np.eye(3)[axis] / 2
        expected = count * (seen(pointing, *(near + step)) - seen(pointing, *(near - step)))
        np.testing.assert_allclose(grid.steps[axis], expected, rtol=1e-6, atol=1e-12)
    square = instrument().reciprocal(bins=2).steps / instrument().reciprocal().steps[:, :1]
    np.testing.assert_allclose(square[:, 0], [1, 2, 2])


def test_forward_scattering_has_the_pixels_that_everybody_knows():
    straight = instrument(detector=(), sample=(), scan=None)
    voxel = straight.reciprocal().voxel((200, 100))
    wavelength = 1.2398419843 / 9.0
    row = wavelength * 0.5 / (200 * 55e-6)
    column = wavelength * 0.5 / (100 * 55e-6)
    np.testing.assert_allclose(voxel, [[0, -row, 0], [column, 0, 0]], rtol=1e-9, atol=1e-9)
    assert not straight.reciprocal().is_bragg


@pytest.mark.parametrize("ndim", [2, 3])
def test_object_and_pattern_are_dual(ndim):
    grid = instrument().of_pattern(ndim)
    shape = (24, 40, 30)[:ndim]
    products = grid.voxel(shape) @ grid.steps.T
    np.testing.assert_allclose(products, np.diag(2 * np.pi / np.array(shape)), atol=1e-12)
    place = grid.positions(shape)
    assert place.shape == (*shape, 3)
    assert not place[tuple(n // 2 for n in shape)].any()
    np.testing.assert_allclose(
        place[(-1,) * ndim], [n - n // 2 - 1 for n in shape] @ grid.voxel(shape)
    )


def test_a_wave_of_the_object_comes_out_at_its_q():
    """The object exp(i q.r) at the places of the voxels has its peak where the pattern has q."""
    grid, shape = instrument().reciprocal(), (12, 10, 8)
    pixel = np.array([3, -2, 1])
    q = pixel @ grid.steps
    x = np.exp(1j * grid.positions(shape) @ q)
    pattern = np.abs(np.fft.fftshift(np.fft.fftn(x)))
    peak = np.unravel_index(pattern.argmax(), shape)
    assert tuple(peak) == tuple(np.array(shape) // 2 + pixel)
    assert pattern.max() > 0.999 * pattern.sum()


@pytest.mark.parametrize(
    ("pixel", "frames"), [((0, 48, 0), 0.31), ((0, 0, 48), 0.31), ((-48, -48, 48), 1.11)]
)
def test_what_is_not_linear(pixel, frames):
    """By how much Q is not on the grid, in its own steps: what the docstring and the page say."""
    grid = instrument().reciprocal()
    found = (seen(instrument(), *pixel) - grid.center) @ np.linalg.inv(grid.steps)
    off = np.abs(found - pixel)
    assert off[0] == pytest.approx(frames, abs=0.01)
    assert off[1:].max() < 0.21


def test_gold_at_9_kev():
    """The measured scan: {111} of gold, 0.2355 nm, to what its detector was out of place."""
    assert instrument().reciprocal().is_bragg
    assert instrument().reciprocal().lattice_spacing == pytest.approx(0.2355, rel=0.01)


def test_the_box_of_what_is_there():
    mask = np.zeros((10, 12), bool)
    assert box_around(mask, voxels=2) == (slice(0, 10), slice(0, 12))
    mask[1, 5:8] = True
    assert box_around(mask) == (slice(1, 2), slice(5, 8))
    assert box_around(mask, voxels=2) == (slice(0, 4), slice(3, 10))
    assert box_around(mask, share=0.5) == (slice(0, 3), slice(3, 10))
    assert box_around(mask, voxels=2, share=1.0) == (slice(0, 5), slice(0, 12))


def test_no_array_is_no_cube():
    with pytest.raises(ValueError, match="orthogonal: arrays must hold at least one, got none"):
        orthogonal({}, ReciprocalGrid(np.eye(3), np.zeros(3)), 1.0)


def test_cubes_hold_the_field_where_it_is():
    """A linear field of the place in the laboratory is what linear interpolation leaves alone."""
    grid, shape = instrument().reciprocal(), (16, 20, 24)
    place = grid.positions(shape)
    field = place @ [1.0, 2.0, -3.0] + 5000.0
    first, last = (3, 4, 5), (12, 15, 20)
    box = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
    given = {"field": field[box], "there": np.ones(shape, bool)[box]}
    cubes, begin = orthogonal(given, grid, 20.0, shape=shape, first=first)
    z, y, x = np.indices(cubes["field"].shape)
    expected = begin @ [1.0, 2.0, -3.0] + 20.0 * (x + 2.0 * y - 3.0 * z) + 5000.0
    inside = cubes["field"] > 4999.0 - np.abs(field - 5000.0).max()
    assert cubes["there"].dtype == bool
    assert inside.sum() > 300
    np.testing.assert_allclose(cubes["field"][inside], expected[inside], rtol=1e-9)
    # From the first point to the last: nothing is invented beyond them.
    between = np.prod(np.subtract(last, first) - 1)
    volume = abs(np.linalg.det(grid.voxel(shape))) * between
    assert cubes["there"].sum() * 20.0**3 == pytest.approx(volume, rel=0.05)


def test_a_file_says_what_the_arguments_say(tmp_path):
    path = tmp_path / "scan.toml"
    path.write_text(TOML)
    assert read_instrument(path) == instrument()
    path.write_text("energy = 8\n[detector]\ndistance = 2\npixel = [1e-4, 2e-4]\ncenter = [3, 4]\n")
    assert read_instrument(path) == instrument(
        energy=8,
        distance=2,
        pixel=(1e-4, 2e-4),
        center=(3, 4),
        detector=(),
        sample=(),
        scan=None,
        step=0.0,
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("energy = 9.0", "", "energy is missing"),
        ("energy = 9.0", "energy = 0", r"energy must be > 0 and finite \(keV\), got 0"),
        ("energy = 9.0", "energy = true", r"energy must be a number \(keV\), got True"),
        ("energy = 9.0", "energy = nan", "energy must be > 0 and finite"),
        ("energy = 9.0", "energy = ", "not a TOML file"),
        ("energy = 9.0", "energie = 9.0", "energie is none of energy, beam, scan, step"),
        ("distance = 0.5", "", r"\[detector\] distance is missing"),
        ("distance = 0.5", "distance = true", r"distance must be a number \(m\), got True"),
        ("distance = 0.5", 'distance = "arm"', "'arm' is the name of a motor: only .symbreak"),
        ("pixel = [55e-6, 55e-6]", "pixel = 55e-6", "pixel must be two numbers, row and column"),
        (
            "pixel = [55e-6, 55e-6]",
            "pixel = [55e-6, -1]",
            r"pixel must be > 0 and finite \(m\), got -1",
        ),
        ('rows = "y-"', 'rows = "down"', r"rows must be one of x\+, x-, .*got 'down'"),
        ('rows = "y-"', 'rows = "x-"', "rows, columns and beam must be at right angles"),
        ('rows = "y-"', 'beam = "z+"', r"\[detector\] beam is none of distance, pixel"),
        ('axis = "x-"', 'axis = "w"', "axis of gamma must be one of"),
        ("angle = 12.6346", "angel = 1", r"\[detector\] circles: angel is none of name, axis"),
        (", angle = 12.6346", "", r"\[detector\] circles: angle is missing in"),
        (
            "angle = 12.6346",
            "angle = [1]",
            r"angle of gamma must be a number \(degrees\), got \[1\]",
        ),
        ('name = "phi"', "name = 1", "name must be a text, got int"),
        (
            'scan = "theta"',
            'scan = "eta"',
            "scan must be one of theta, chi, phi, energy, got",
        ),
        ('name = "phi"', 'name = "theta"', "scan must be one of theta, chi, theta"),
        ("step = 0.005", "", "step is missing: by how much 'theta' changes from frame to frame"),
        ("step = 0.005", "step = 0", "step of the scan of theta must not be 0"),
        ("step = 0.005", 'step = "small"', "step must be a number"),
        ("[sample]", "[sample]\nfoo = 1", r"\[sample\] foo is none of circles"),
    ],
)
def test_a_file_that_cannot_be(tmp_path, old, new, message):
    path = tmp_path / "scan.toml"
    assert old in TOML
    path.write_text(TOML.replace(old, new, 1))
    with pytest.raises(ValueError, match=message) as caught:
        read_instrument(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content", ["sample = 3", "[sample]\ncircles = 3", "[sample]\ncircles = [3]"]
)
def test_tables_that_are_none(tmp_path, content):
    path = tmp_path / "scan.toml"
    path.write_text(f"energy = 9.0\n{content}\n[detector]\ndistance = 1\npixel = [1e-4, 1e-4]")
    with pytest.raises(ValueError, match=r"\[sample\].* must be a"):
        read_instrument(path)


def test_before_python_3_11_tomli_reads_it(tmp_path, monkeypatch):
    (tmp_path / "scan.toml").write_text(TOML)
    monkeypatch.setattr(instrument_file.sys, "version_info", (3, 10))
    monkeypatch.setitem(sys.modules, "tomli", SimpleNamespace(loads=lambda text: GIVEN))
    assert read_instrument(tmp_path / "scan.toml") == instrument()


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "scan.toml").write_bytes(b"\xff\xfe energy")
    with pytest.raises(ValueError, match=r"scan.toml: not a TOML file"):
        read_instrument(tmp_path / "scan.toml")


def test_a_scan_about_q_leads_nowhere():
    """The detector at 90 degrees, the sample turned about an axis that was laid along Q."""
    carrying, turning = Circle("a", "y+", 45.0), Circle("b", "x+", 0.0)
    detector = (Circle("d", "y+", 90.0),)
    about = instrument(detector=detector, sample=(carrying, turning), scan="b")
    with pytest.raises(ValueError, match="must not lie in one plane"):
        about.reciprocal()
    assert replace(about, scan="a").reciprocal().is_bragg


@pytest.mark.parametrize(
    ("steps", "center", "error", "message"),
    [
        ("abc", (0, 0, 0), TypeError, "steps must be real numbers, got 'abc'"),
        (np.eye(3), ["a", 1, 2], TypeError, "center must be real numbers"),
        (np.eye(4), (0, 0, 0), ValueError, r"steps must be \(2, 3\) or \(3, 3\)"),
        (np.eye(3), (0, 0), ValueError, r"center \(3,\), got \(3, 3\) and \(2,\)"),
        (np.eye(3) * np.nan, (0, 0, 0), ValueError, "must be finite"),
        (np.ones((2, 3)), (0, 0, 0), ValueError, "must not lie in one line"),
        (np.diag([1, 1, 0]), (0, 0, 0), ValueError, "must not lie in one plane"),
    ],
)
def test_grids_that_cannot_be(steps, center, error, message):
    with pytest.raises(error, match=message):
        ReciprocalGrid(steps, center)


def test_what_instruments_refuse():
    for change, error, message in (
        ({"detector": ("delta",)}, TypeError, "detector must be a tuple of circles"),
        ({"sample": SAMPLE[0]}, TypeError, r"sample must be a tuple of circles, got Circle\("),
        ({"energy": 9000.0}, ValueError, r"energy must be below 1000 \(keV\), got 9000.0: is it"),
        (
            {"distance": 800.0},
            ValueError,
            "distance must be below 100 .*, got 800.0: is it in mm",
        ),
        ({"pixel": (55, 55)}, ValueError, r"pixel must be below 0.1 \(m\), got \(55, 55\): is it"),
        ({"pixel": 1e-4}, TypeError, "pixel must be two numbers, row and column .*, got 0.0001"),
        ({"center": (1, "2")}, TypeError, r"center must be a number \(pixels\)"),
        ({"scan": 3}, ValueError, "scan must be one of"),
        ({"scan": "delta"}, ValueError, "scan must be one of theta, chi, phi, energy"),
    ):
        with pytest.raises(error, match=message):
            instrument(**change)
    pointing = instrument(center=(3, 4))
    for options, error, message in (
        ({}, ValueError, "center .* is needed, since the circles point at pixel"),
        ({"center": (1, 2, 3)}, ValueError, "center .* is needed"),
        ({"center": (1, 2), "bins": (1, 1)}, ValueError, "bins must be 3 numbers >= 1"),
        ({"center": (1, 2), "bins": 0}, ValueError, "bins must be 3 numbers >= 1"),
        ({"center": (1, 2), "bins": 1.5}, TypeError, "bins must be whole numbers, got 1.5"),
    ):
        with pytest.raises(error, match=message):
            pointing.reciprocal(**options)
    with pytest.raises(ValueError, match="scan and step are needed for a 3D pattern"):
        instrument(scan=None).of_pattern(3)
    assert DETECTOR != SAMPLE[:2]


def test_lists_and_arrays_are_as_good_as_tuples():
    given = {"pixel": (1e-4, 2e-4), "center": (3, 4), "detector": DETECTOR, "sample": SAMPLE}
    tuples = instrument(**given)
    arrays = instrument(
        pixel=np.array([1e-4, 2e-4]),
        center=[np.int64(3), 4],
        detector=[*DETECTOR],
        sample=[*SAMPLE],
    )
    assert arrays == tuples
    assert hash(arrays) == hash(tuples)
    assert instrument_text(arrays) == instrument_text(tuples)
    where = {"center": np.array([1, 2])}
    found = [tuples.reciprocal(bins=bins, **where).steps for bins in (np.array([1, 2, 2]), 2)]
    assert np.array_equal(*found)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2)
    ),
    max_leaves=4,
)
PLACES = [
    *[(key,) for key in ("energy", "scan", "step", "beam", "detector", "sample", "other")],
    *[("detector", key) for key in ("distance", "pixel", "rows", "columns", "center", "circles")],
    *[("sample", "circles", 1, key) for key in ("name", "axis", "angle", "other")],
    *[("detector", "pixel", 0), ("sample", "circles"), ("sample", "circles", 0)],
]


@given(place=st.sampled_from(PLACES), value=VALUES | st.just(10**400) | st.just(-(10**400)))
def test_any_value_anywhere_is_used_or_refused_in_one_line(place, value):
    content = deepcopy(GIVEN)
    inner = content
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    refused = ""
    build(GIVEN, {}).reciprocal(center=(3, 4))  # as it was, it is used
    try:
        build(content, {}).reciprocal(center=(3, 4))
    except (TypeError, ValueError) as error:
        refused = str(error)
    assert "\n" not in refused
    assert len(refused) < 300
