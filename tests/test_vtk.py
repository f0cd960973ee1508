"""VTK image data: read back by the format's rules, without the library that wrote it."""

import xml.etree.ElementTree as ElementTree

import h5py
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from symbreak.cli.app import app
from symbreak.data.files.cxi import Phasing, write_cxi
from symbreak.data.files.vtk import write_vti, write_vts

KINDS = {"Float32": "<f4", "Float64": "<f8", "UInt8": "<u1", "UInt32": "<u4", "Int32": "<i4"}


def read_vti(path):
    """The attributes of the image, the name of the active scalars, and the arrays as (z, y, x)."""
    head, tail = path.read_bytes().split(b'<AppendedData encoding="raw">\n_', 1)
    root = ElementTree.fromstring(head + b"</VTKFile>")
    assert root.attrib == {
        "type": "ImageData",
        "version": "1.0",
        "byte_order": "LittleEndian",
        "header_type": "UInt64",
    }
    image = root.find("ImageData")
    piece = image.find("Piece")
    assert piece.get("Extent") == image.get("WholeExtent")
    extent = [int(n) for n in image.get("WholeExtent").split()]
    assert extent[::2] == [0, 0, 0]
    shape = [n + 1 for n in reversed(extent[1::2])]
    arrays, end = {}, 0
    for field in piece.find("PointData"):
        assert field.get("format") == "appended"
        start = int(field.get("offset"))
        assert start == end
        size = int.from_bytes(tail[start : start + 8], "little")
        end = start + 8 + size
        numbers = np.frombuffer(tail[start + 8 : end], KINDS[field.get("type")])
        count = int(field.get("NumberOfComponents", 1))
        names = [field.get(f"ComponentName{k}") for k in range(count)]
        assert names in ([None], list("xyz"), ["xx", "yy", "zz", "xy", "yz", "xz"])
        arrays[field.get("Name")] = numbers.reshape(shape if count == 1 else [*shape, count])
    assert tail[end:] == b"\n</AppendedData>\n</VTKFile>\n"
    return image.attrib, piece.find("PointData").get("Scalars"), arrays


def floats(text):
    return [float(number) for number in text.split()]


@pytest.mark.parametrize("shape", [(5, 7), (4, 5, 6)])
@pytest.mark.parametrize("kind", ["f4", "f8", "u1", "i4", "u4", ">f4"])
def test_numbers_come_back(tmp_path, shape, kind):
    rng = np.random.default_rng(1)
    first = (100 * rng.random(shape)).astype(kind)
    second = np.asfortranarray(rng.random(shape).astype(np.float32))
    write_vti(tmp_path / "a.vti", {"first": first, 'a "b" <c>': second})
    _, shown, arrays = read_vti(tmp_path / "a.vti")
    assert shown == "first"
    assert list(arrays) == ["first", 'a "b" <c>']
    full = (1,) * (3 - len(shape)) + shape
    for name, expected in (("first", first), ('a "b" <c>', second)):
        assert arrays[name].shape == full
        assert np.array_equal(arrays[name].reshape(shape), expected)


@pytest.mark.parametrize("shape", [(5, 7), (4, 5, 6)])
def test_vectors_and_tensors(tmp_path, shape):
    rng = np.random.default_rng(4)
    arrays = {"a": rng.random(shape), "u": rng.random((*shape, 3)), "e": rng.random((*shape, 6))}
    write_vti(tmp_path / "a.vti", arrays)
    _, shown, found = read_vti(tmp_path / "a.vti")
    assert shown == "a"
    for name, expected in arrays.items():
        assert np.array_equal(found[name].reshape(expected.shape), expected), name


def test_the_last_axis_is_x_and_the_middle_is_at_zero(tmp_path):
    array = np.zeros((4, 5, 6), np.uint8)
    write_vti(tmp_path / "a.vti", {"a": array}, spacing=(3.0, 2.0, 0.5))
    image, *_ = read_vti(tmp_path / "a.vti")
    assert floats(image["Spacing"]) == [0.5, 2.0, 3.0]
    assert floats(image["Origin"]) == [-1.5, -4.0, -6.0]
    write_vti(tmp_path / "b.vti", {"a": array[0]}, spacing=2.0, origin=(7.0, 8.0))
    image, *_ = read_vti(tmp_path / "b.vti")
    assert floats(image["Spacing"]) == [2.0, 2.0, 1.0]
    assert floats(image["Origin"]) == [8.0, 7.0, 0.0]


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        ({"a": np.ones((2, 3)), "b": np.ones((3, 2))}, {}, r"b has \(3, 2\), the first \(2, 3\)"),
        ({"a": np.ones(3)}, {}, "2D or 3D"),
        ({"a": np.ones((2, 3)), "b": np.ones((2, 3, 4))}, {}, r"or that and 3 or 6 components, b"),
        ({"a": np.ones((2, 3)), "b": np.ones((2, 3, 3, 1))}, {}, r"b has \(2, 3, 3, 1\)"),
        ({"a": np.ones((2, 3), complex)}, {}, "a must be one of f4, f8, u1, i4, u4, got complex"),
        ({"a": np.ones((2, 3))}, {"spacing": 0.0}, "spacing must be 2 numbers > 0"),
        ({"a": np.ones((2, 3))}, {"spacing": (1.0,)}, "spacing must be 2 numbers > 0"),
        ({"a": np.ones((2, 3))}, {"spacing": float("nan")}, "spacing must be 2 numbers > 0"),
        ({"a": np.ones((2, 3))}, {"origin": (0, 0, 0)}, r"origin must be 2 finite numbers, got \("),
        ({"a": np.ones((2, 3))}, {"origin": ()}, r"origin must be 2 finite numbers, got \(\)"),
        ({"a": np.ones((2, 3))}, {"origin": (0, np.inf)}, "origin must be 2 finite numbers"),
        ({}, {}, "arrays must hold at least one, got none"),
    ],
)
def test_what_cannot_be_written(tmp_path, arrays, options, message):
    with pytest.raises(ValueError, match=message):
        write_vti(tmp_path / "a.vti", arrays, **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("origin", [(7, 5, 3), [7.0, 5, 3], np.array([7, 5, 3])])
def test_the_origin_is_given_in_the_order_of_the_axes(tmp_path, origin):
    write_vti(tmp_path / "a.vti", {"a": np.zeros((2, 3, 4))}, origin=origin)
    assert b'Origin="3.0 5.0 7.0"' in (tmp_path / "a.vti").read_bytes()


def test_arrays_are_those_of_numpy(tmp_path):
    with pytest.raises(TypeError, match="write_vti: x must be a NumPy array, got Tensor"):
        write_vti(tmp_path / "a.vti", {"x": torch.zeros(2, 3)})
    with pytest.raises(TypeError, match="write_vts: positions must be a NumPy array, got list"):
        write_vts(tmp_path / "a.vts", {"x": np.zeros((2, 3))}, [])
    with pytest.raises(ValueError, match="write_vts: arrays must hold at least one, got none"):
        write_vts(tmp_path / "a.vts", {}, np.zeros(3))


@pytest.mark.parametrize("grid", [(6, 8), (4, 5, 6)])
def test_export_holds_what_the_cxi_file_holds(tmp_path, grid):
    rng = np.random.default_rng(2)
    x = (rng.normal(size=(2, *grid)) + 1j * rng.normal(size=(2, *grid))).astype(np.complex64)
    support = rng.random(grid) > 0.5
    write_cxi(tmp_path / "a.cxi", Phasing(x[0] * support, support, 0.1, {}, "1", mean=x[1]))
    words = ["export", f"{tmp_path}/a.cxi", "-o", f"{tmp_path}/a.vti", "--spacing", "2.5"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    image, shown, arrays = read_vti(tmp_path / "a.vti")
    assert shown == "amplitude"
    assert floats(image["Spacing"])[:2] == [2.5, 2.5]
    found = {name: array.reshape(grid) for name, array in arrays.items()}
    with h5py.File(tmp_path / "a.cxi") as file:
        best, mean = (file[f"entry_1/image_{k}/data"][()] for k in (1, 2))
    np.testing.assert_array_equal(found["amplitude"], np.abs(best))
    np.testing.assert_array_equal(found["phase"][support], np.angle(best)[support])
    np.testing.assert_array_equal(found["support"], support)
    np.testing.assert_array_equal(found["mean_amplitude"], np.abs(mean))
    np.testing.assert_array_equal(found["mean_phase"], np.angle(mean))
    assert (found["phase"][~support] == 0).all()


def test_viewers_are_led_to_the_object(tmp_path):
    """What silx and other NeXus viewers follow from the root of the result's CXI file."""
    x = np.ones((6, 8), np.complex64)
    write_cxi(tmp_path / "a.cxi", Phasing(x, x.real > 0, 0.1, {}, "1"))
    with h5py.File(tmp_path / "a.cxi") as file:
        entry = file[file.attrs["default"]]
        plot = entry[entry.attrs["default"]]
        assert entry.attrs["NX_class"] == "NXentry"
        assert plot.attrs["NX_class"] == "NXdata"
        assert plot[plot.attrs["signal"]].dtype == np.complex64
