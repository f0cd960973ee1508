"""Frames without a layout: a file each, EDF, dark frames, modules, compressed chunks."""

import subprocess
import sys

import h5py
import numpy as np
import pytest
import tifffile
from stored_frames import COUNTS, SHAPE, frames

from symbreak.data.detector.corrections import read_background
from symbreak.data.files.arrays import DataError, Source


def test_a_frame_in_each_of_many_files(tmp_path):
    paths = [tmp_path / f"frame_{k}.tif" for k in range(5)]
    for path, frame in zip(paths, COUNTS, strict=True):
        tifffile.imwrite(path, frame)
    found, bits, _ = frames(*paths)
    assert np.array_equal(found, COUNTS)
    assert not bits.any()
    np.save(tmp_path / "other.npy", COUNTS[:, :-1])
    with pytest.raises(DataError, match=r"its frames are \(23, 20\), those of .* \(24, 20\)"):
        frames(*paths, tmp_path / "other.npy")


def test_edf_files(tmp_path):
    fabio = pytest.importorskip("fabio")
    path = tmp_path / "frame.edf"
    fabio.edfimage.EdfImage(data=COUNTS[0]).write(str(path))
    found, *_ = frames(path)
    assert np.array_equal(found, COUNTS[:1])
    for suffix in ("edf", "cbf"):
        broken = tmp_path / f"broken.{suffix}"
        broken.write_bytes(b"no image")
        with pytest.raises(DataError, match=f"broken.{suffix}: not a readable"):
            frames(broken)


def test_edf_without_the_library(tmp_path, monkeypatch):
    (tmp_path / "frame.edf").write_bytes(b"{}")
    monkeypatch.setitem(sys.modules, "fabio", None)
    monkeypatch.setitem(sys.modules, "fabio.cbfimage", None)
    with pytest.raises(DataError, match=r"needs fabio.*pip install 'symbreak\[detectors\]'"):
        frames(tmp_path / "frame.edf")


def test_the_background_is_the_mean_of_the_dark_frames(tmp_path):
    dark = COUNTS.copy()
    dark[1, 2, 3] = 2**32 - 1
    np.save(tmp_path / "dark.npy", dark)
    found = read_background(Source(tmp_path / "dark.npy"), SHAPE)
    assert np.isnan(found[2, 3])
    found[2, 3] = expected = COUNTS.mean(0)[2, 3]
    np.testing.assert_allclose(found, COUNTS.mean(0))
    assert found[2, 3] == expected
    np.save(tmp_path / "offset.npy", COUNTS[0] - 4.0)  # someone subtracted the offset
    assert (read_background(Source(tmp_path / "offset.npy"), SHAPE) == COUNTS[0] - 4.0).all()
    np.save(tmp_path / "signed.npy", np.where(COUNTS[0] == 3, -1, COUNTS[0].astype(np.int32)))
    found = read_background(Source(tmp_path / "signed.npy"), SHAPE)
    assert np.array_equal(np.isnan(found), COUNTS[0] == 3)
    with pytest.raises(DataError, match="no dataset can be a background"):
        read_background(Source(tmp_path / "dark.npy"), (20, 24))


def test_modules_that_are_not_assembled(tmp_path):
    np.save(tmp_path / "modules.npy", np.ones((5, 16, 8, 8)))
    with pytest.raises(DataError, match="no dataset can be a frame"):
        frames(tmp_path / "modules.npy")
    with h5py.File(tmp_path / "modules.h5", "w") as file:
        file["data"] = np.ones((5, 16, 8, 8))
    with pytest.raises(DataError, match="Modules must be assembled first"):
        frames(f"{tmp_path}/modules.h5:data")


def test_compressed_frames_are_read_where_the_library_is(tmp_path):
    plugins = pytest.importorskip("hdf5plugin")
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file.create_dataset("data", data=COUNTS, chunks=(1, *SHAPE), **plugins.Bitshuffle())
    code = (
        "import sys\n"
        "from symbreak.data.files.arrays import Source, open_array, read\n"
        "assert 'hdf5plugin' not in sys.modules\n"
        f"with open_array(Source.parse({str(tmp_path / 'scan.h5')!r}), what='stack', "
        "wanted=lambda n, a: True) as opened:\n"
        "    print(read(opened.array, opened.source).sum())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == [str(COUNTS.sum())], done.stderr


def test_compressed_frames_without_the_library(tmp_path, monkeypatch):
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_chunk((8, 8))
        plan.set_filter(32767, h5py.h5z.FLAG_OPTIONAL)  # a number that no filter has
        kind, space = h5py.h5t.NATIVE_INT32, h5py.h5s.create_simple((8, 8))
        data = h5py.h5d.create(file.id, b"data", kind, space, dcpl=plan)
        data.write_direct_chunk((0, 0), bytes(256))
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)
    with pytest.raises(DataError, match=r"needs hdf5plugin: pip install 'symbreak\[detectors\]'"):
        frames(tmp_path / "scan.h5")
