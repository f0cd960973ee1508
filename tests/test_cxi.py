"""CXI files: round trip, layout, nothing half-written; opening stacks of objects."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
import torch

from symbreak.data.files.arrays import DataError, Source
from symbreak.data.files.atomic import replacing
from symbreak.data.files.cxi import Phasing, read_cxi, write_cxi
from symbreak.data.files.objects import open_objects, read_objects


def phasing(grid=(6, 8), starts=3, dtype=np.complex64):
    rng = np.random.default_rng(1)
    stack = (rng.normal(size=(starts, *grid)) + 1j * rng.normal(size=(starts, *grid))).astype(dtype)
    return Phasing(
        object=stack[0],
        support=rng.random(grid) > 0.5,
        error=0.125,
        parameters={"schedule": "20*HIO", "seed": 3, "beta": 0.9, "wrap": True, "area": None},
        version="1.2.3",
        command="symbreak reconstruct 'a b.h5' -o ü.cxi",
        mean=stack.mean(0),
        starts={
            "data": stack,
            "support": rng.random((starts, *grid)) > 0.5,
            "error": rng.random(starts),
            "twin": np.array([False, True, False]),
            "good": np.array([True, True, False]),
        },
        results={"prtf": rng.random(5), "history": rng.random((starts, 4))},
    )


@pytest.mark.parametrize("grid", [(6, 8), (4, 5, 6)])
@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_round_trip(tmp_path, grid, dtype):
    written = phasing(grid, dtype=dtype)
    write_cxi(tmp_path / "a.cxi", written)
    found = read_cxi(tmp_path / "a.cxi")
    assert found.parameters == written.parameters
    assert {k: type(v) for k, v in found.parameters.items()} == {
        k: type(v) for k, v in written.parameters.items()
    }
    for name in ("error", "version", "command"):
        assert getattr(found, name) == getattr(written, name)
    for name in ("object", "support", "mean"):
        assert getattr(found, name).dtype == getattr(written, name).dtype
        assert np.array_equal(getattr(found, name), getattr(written, name))
    for part in ("starts", "results"):
        assert set(getattr(found, part)) == set(getattr(written, part))
        for name, value in getattr(written, part).items():
            assert np.array_equal(getattr(found, part)[name], value), name
    assert found.starts["twin"].dtype == bool


def test_numbers_say_what_they_are(tmp_path):
    kept = phasing()
    starts = {**kept.starts, "subpixel": np.zeros((3, 2)), "blur": np.ones((3, 2))}
    results = {**kept.results, "prtf_frequency": np.linspace(0, 0.5, 5)}
    write_cxi(tmp_path / "a.cxi", replace(kept, starts=starts, results=results))
    with h5py.File(tmp_path / "a.cxi") as file:
        for name, units, meaning in (
            ("result_1/prtf_frequency", "1/pixel", "cycles per pixel of the object"),
            ("result_1/history", "1", "error"),
            ("image_3/subpixel", "pixel", "moved before averaging"),
            ("image_3/blur", "pixel", "blur of the pattern"),
        ):
            attributes = file[f"entry_1/{name}"].attrs
            assert attributes["units"] == units, name
            assert meaning in attributes["long_name"], name


def test_the_free_log_likelihood_goes_along(tmp_path):
    mask = np.eye(6, 8, dtype=np.uint8)
    written = replace(phasing(), free_log_likelihood=0.375, results={"free_pixels": mask})
    write_cxi(tmp_path / "a.cxi", written)
    found = read_cxi(tmp_path / "a.cxi")
    assert found.free_log_likelihood == 0.375
    assert np.array_equal(found.results["free_pixels"], mask)
    write_cxi(tmp_path / "b.cxi", phasing())
    assert read_cxi(tmp_path / "b.cxi").free_log_likelihood is None


@pytest.mark.parametrize("name", ["object", "support", "mean"])
def test_tensors_are_told_how_to_become_arrays(tmp_path, name):
    tensor = torch.from_numpy(getattr(phasing(), name))
    with pytest.raises(TypeError, match=f"write_cxi: {name} must be a NumPy array, got Tensor"):
        write_cxi(tmp_path / "a.cxi", replace(phasing(), **{name: tensor}))
    assert list(tmp_path.iterdir()) == []


def test_starts_have_objects(tmp_path):
    with pytest.raises(ValueError, match="starts must hold data, their objects, got error"):
        write_cxi(tmp_path / "a.cxi", replace(phasing(), starts={"error": np.ones(2)}))


def test_layout_is_that_of_the_format(tmp_path):
    write_cxi(tmp_path / "a.cxi", phasing())
    with h5py.File(tmp_path / "a.cxi") as file:
        assert file["cxi_version"][()] == 160
        assert file["entry_1/image_1/data"].dtype == np.complex64
        assert file["entry_1/image_1/data"].id.get_type().get_member_name(0) == b"r"
        assert file["entry_1/image_1/support"].dtype == np.uint8
        assert file["entry_1/image_1/data_space"].asstr()[()] == "real"
        assert file["entry_1/data_1/data"] == file["entry_1/image_1/data"]
        assert file["entry_1/image_1/process_1/version"].asstr()[()] == "1.2.3"
        group = file
        while isinstance(group, h5py.Group):  # the way a NeXus viewer goes
            group = group[group.attrs.get("signal", group.attrs.get("default"))]
        assert group == file["entry_1/image_1/data"]


def test_same_content_same_bytes(tmp_path):
    for name in ("a.cxi", "b.cxi"):
        write_cxi(tmp_path / name, phasing())
    assert (tmp_path / "a.cxi").read_bytes() == (tmp_path / "b.cxi").read_bytes()


def test_an_error_leaves_the_old_file_and_no_part_of_the_new(tmp_path):
    path = tmp_path / "a.cxi"
    path.write_text("old")
    broken = phasing()
    broken.parameters["bad"] = object()
    with pytest.raises(TypeError):
        write_cxi(path, broken)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_temporary_file_is_beside_the_result_and_of_its_kind(tmp_path):
    with replacing(tmp_path / "a.png") as temporary:
        temporary.write_text("new")
        assert temporary.suffix == ".png"
        assert temporary.parent == tmp_path
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        ("absent/a.cxi", FileNotFoundError, "no folder"),
        ("", IsADirectoryError, "is a folder"),
    ],
)
def test_places_where_nothing_can_be_written(tmp_path, path, error, message):
    with pytest.raises(error, match=message):
        write_cxi(tmp_path / path, phasing())


def test_other_files_are_refused(tmp_path):
    with h5py.File(tmp_path / "a.cxi", "w") as file:
        file["entry_1/image_1/data"] = np.ones((4, 4))
    (tmp_path / "b.cxi").write_text("text")
    for name in ("a.cxi", "b.cxi"):
        with pytest.raises(DataError, match=f"{name}: not a CXI file of symbreak"):
            read_cxi(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        read_cxi(tmp_path / "none.cxi")


def test_objects_of_a_cxi_file_are_its_best_start_unless_named(tmp_path):
    written = phasing()
    write_cxi(tmp_path / "a.cxi", written)
    found, opened = read_objects(Source(tmp_path / "a.cxi"))
    assert np.array_equal(found, written.object)
    assert "the file's default" in opened.notes[0]
    stack, _ = read_objects(Source.parse(f"{tmp_path}/a.cxi:entry_1/image_3/data"))
    assert stack.shape == (3, 6, 8)
    assert stack.dtype == torch.complex64


def test_objects_are_read_only_when_indexed(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = np.ones((5, 4, 4), dtype=np.complex64)
        file["y"] = np.ones((5, 4, 4), dtype=np.float32)
    with open_objects(Source(tmp_path / "a.h5")) as opened:
        assert isinstance(opened.array, h5py.Dataset)
        assert opened.source.dataset == "/x"
        assert opened.array[2:4].shape == (2, 4, 4)


@pytest.mark.parametrize(
    ("array", "name", "ndim", "message"),
    [
        (np.ones((4, 4)), None, 2, "no dataset can be a stack of complex objects"),
        (np.ones((4, 4)), "/x", 2, "objects must be complex, got float64"),
        (np.ones((4, 4), dtype=complex), "/x", 3, "at least 3 axes"),
        (np.ones((0, 4, 4), dtype=complex), None, 2, "it is empty"),
    ],
)
def test_what_cannot_be_objects(tmp_path, array, name, ndim, message):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = array
    with pytest.raises(DataError, match=message):
        read_objects(Source(tmp_path / "a.h5", name), ndim=ndim)
