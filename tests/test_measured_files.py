"""What files from beamlines taught: each layout here is that of a file found in public, in small.

None of those files is part of this repository; every test names the one it follows.
"""

import tracemalloc

import h5py
import numpy as np
import pytest
import tifffile
from typer.testing import CliRunner

from symbreak.cli.app import app
from symbreak.data.detector import series
from symbreak.data.detector.centering import find_center
from symbreak.data.detector.corrections import read_background, read_flat
from symbreak.data.detector.frames import open_frames
from symbreak.data.detector.layouts import BAD, INVALID, SATURATED
from symbreak.data.detector.prepare import prepare_pattern
from symbreak.data.detector.stacks import EVERYTHING, ArrayStack
from symbreak.data.files.arrays import DataError, Source, open_array

SHAPE = (40, 48)
COUNTS = np.random.default_rng(9).poisson(3.0, (3, *SHAPE)).astype(np.uint32)


def prepare(*words):
    """Run the command; its exit status and what it said, in one line."""
    result = CliRunner().invoke(app, ["prepare", *map(str, words)])
    return result.exit_code, " ".join(result.output.split())


def read_all(path):
    with open_frames([Source.parse(str(path))]) as opened:
        return np.stack([opened.read(k, EVERYTHING) for k in range(opened.shape[0])])


# --- virtual datasets -----------------------------------------------------------------------------


def virtual(path, file, name):
    """A file whose ``/entry/data/data`` is virtual and lies in ``file`` at ``name``."""
    layout = h5py.VirtualLayout(shape=COUNTS.shape, dtype=COUNTS.dtype)
    layout[...] = h5py.VirtualSource(file, name, shape=COUNTS.shape)
    with h5py.File(path, "w") as made:
        made.create_virtual_dataset("entry/data/data", layout)


@pytest.fixture
def linked(tmp_path):
    """Therm_6_2.nxs of nexusformat/exampledata (Eiger at Diamond's I04): a virtual dataset over
    ``data_000001`` of the same file, which is an external link to another one."""
    path = tmp_path / "scan.nxs"
    virtual(path, ".", "/entry/data/data_000001")
    with h5py.File(path, "a") as file:
        file["entry/data/data_000001"] = h5py.ExternalLink("scan_000001.h5", "/data")
    return path


def test_a_virtual_dataset_over_a_link_of_its_own_file(linked):
    with h5py.File(linked.parent / "scan_000001.h5", "w") as file:
        file["data"] = COUNTS
    assert np.array_equal(read_all(f"{linked}:/entry/data/data"), COUNTS)


def test_a_link_below_a_virtual_dataset_that_leads_nowhere_is_no_stack_of_zeros(linked):
    with h5py.File(linked) as file:
        assert not file["entry/data/data"][0].any()  # HDF5 itself says nothing
    with pytest.raises(DataError, match=r"part of it is in scan_000001.h5, which is not there"):
        read_all(f"{linked}:/entry/data/data")


@pytest.mark.parametrize("content", ["other", "virtual"])
def test_a_file_of_a_virtual_dataset_without_the_data(tmp_path, content):
    if content == "other":
        with h5py.File(tmp_path / "part.h5", "w") as file:
            file["other"] = COUNTS
        missing = "part.h5:/data"
    else:
        virtual(tmp_path / "part.h5", "deeper.h5", "/data")
        missing = "deeper.h5"
    name = "/data" if content == "other" else "/entry/data/data"
    virtual(tmp_path / "scan.h5", "part.h5", name)
    with pytest.raises(DataError, match=f"part of it is in {missing}, which is not there"):
        read_all(tmp_path / "scan.h5")


def test_files_that_were_copied_away_from_the_beamline_together(tmp_path):
    """HDF5 looks for a missing absolute path beside the file that names it, and so do we."""
    with h5py.File(tmp_path / "part.h5", "w") as file:
        file["data"] = COUNTS
    virtual(tmp_path / "scan.h5", "/no/such/beamline/part.h5", "/data")
    assert np.array_equal(read_all(tmp_path / "scan.h5"), COUNTS)


# --- what messages say ----------------------------------------------------------------------------


def test_a_link_that_leads_nowhere_comes_before_a_list_of_motors(tmp_path):
    """538039.nxs of nexusformat/exampledata (Diamond's I16): the frames lie in a file that is not
    there, beside hundreds of positions."""
    with h5py.File(tmp_path / "scan.nxs", "w") as file:
        for k in range(40):
            file[f"entry1/before_scan/motor{k:02d}"] = np.zeros(1)
        file["entry1/sample/orientation_matrix"] = np.zeros((1, 3, 3))
        file["entry1/instrument/pil100k/data"] = h5py.ExternalLink("100k.hdf", "/entry/data")
    with pytest.raises(DataError) as caught:
        read_all(tmp_path / "scan.nxs")
    said = str(caught.value)
    assert "nowhere: /entry1/instrument/pil100k/data -> 100k.hdf" in said
    assert said.index("100k.hdf") < said.index("orientation_matrix") < said.index("motor00")


def test_broken_links_are_named_also_where_maps_could_be_frames(tmp_path):
    """p45-1168.nxs of nexusformat/exampledata (Diamond's P45): images behind a broken link, and
    positions of a grid scan that could be small images."""
    with h5py.File(tmp_path / "scan.nxs", "w") as file:
        for name in ("stagex", "stagey"):
            file[f"entry/instrument/{name}/value"] = np.zeros((5, 5))
        file["entry/instrument/mic/data"] = h5py.ExternalLink("mic.hdf5", "/entry/data")
    with pytest.raises(DataError, match=r"several datasets .*stagex.* /entry/instrument/mic/data"):
        read_all(tmp_path / "scan.nxs")


def test_a_file_of_scalars_only(tmp_path):
    """file_2.nxs of nexusformat/exampledata (SOLEIL's DIFFABS): 86 readings, no image."""
    with h5py.File(tmp_path / "scan.nxs", "w") as file:
        for k in range(20):
            file[f"scan/motor{k:02d}"] = np.zeros(3)
    with pytest.raises(DataError, match=r"it holds 20 datasets, none of two axes\."):
        read_all(tmp_path / "scan.nxs")


def test_hdf5_under_another_name(tmp_path):
    """lrcs3701.nx5 of nexusformat/exampledata."""
    with h5py.File(tmp_path / "scan.nx5", "w") as file:
        file["Histogram1/data/data"], file["Histogram2/data/data"] = COUNTS[0], COUNTS[1, :20]
    source = Source.parse(f"{tmp_path / 'scan.nx5'}:/Histogram2/data/data")
    assert source.dataset == "/Histogram2/data/data"
    with open_array(source, what="frame", wanted=lambda name, array: True) as opened:
        assert np.array_equal(opened.array[()], COUNTS[1, :20])
        assert opened.source == source
    (tmp_path / "text.nx5").write_text("no HDF5")
    with pytest.raises(DataError, match=r"unknown kind of file '.nx5'"):
        read_all(tmp_path / "text.nx5")


def test_a_mask_of_unknown_meaning_is_pointed_out(tmp_path):
    """raw_ring.h5 of FXIhub/hawk keeps ``mask`` (1 = measured) beside ``intensities``."""
    with h5py.File(tmp_path / "raw.h5", "w") as file:
        file["intensities"], file["mask"] = COUNTS[0].astype("f4"), np.ones(SHAPE, "f4")
    with open_frames([Source(tmp_path / "raw.h5")]) as opened:
        assert "also holds /mask (40, 48) float32: give --valid :NAME" in " ".join(opened.notes)
    with open_frames([Source(tmp_path / "raw.h5")], valid=Source.parse(":mask")) as opened:
        assert "also holds" not in " ".join(opened.notes)
        assert not opened.rejected(0, EVERYTHING).any()


# --- a series of files ----------------------------------------------------------------------------


def numbered(folder, numbers, pattern="scan_{}.tif"):
    """A frame of ones times its number in each of many files."""
    paths = [folder / pattern.format(k) for k in numbers]
    for k, path in zip(numbers, paths, strict=True):
        tifffile.imwrite(path, np.full((64, 64), int(k), np.float64))
    return [Source(path) for path in paths]


def test_a_shells_order_of_numbers_is_pointed_out(tmp_path):
    """The names of cohere-ui's scan have leading zeros; without them a shell misorders a scan."""
    sources = numbered(tmp_path, [1, 10, 11, 2, 3])
    with open_frames(sources) as opened:
        assert "scan_11.tif comes before scan_2.tif" in " ".join(opened.notes)
    with open_frames([sources[k] for k in (0, 3, 4, 1, 2)]) as opened:
        assert "missing between scan_3.tif and scan_10.tif: of a vol" in " ".join(opened.notes)
    for numbers in ((1, 2, 3, 4), (5, 10, 15), (7, 1)):
        with open_frames(numbered(tmp_path, numbers)) as opened:
            assert not opened.notes
    two_scans = numbered(tmp_path, [1, 2, 3], "a{}.tif") + numbered(tmp_path, [1, 2], "b{}.tif")
    with open_frames(two_scans) as opened:
        assert not opened.notes


def test_a_series_may_be_larger_than_the_memory(tmp_path, monkeypatch):
    sources = numbered(tmp_path, range(40))  # 32 KiB each
    monkeypatch.setattr(series, "KEPT", 2**18)
    tracemalloc.start()
    with open_frames(sources) as opened:
        for k in range(40):
            box = (slice(3, 9), slice(None))
            assert np.array_equal(opened.read(k, box), np.full((6, 64), float(k)))
        _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40 * 2**15 / 2


# --- a saturated centre ---------------------------------------------------------------------------

MIDDLE = (52, 69)


@pytest.fixture
def saturated():
    """The centre of raw_ring.h5 of FXIhub/hawk: a disc and a ring of 65535, floats, off centre."""
    y, x = np.ogrid[:110, :130]
    radius = np.hypot(y - MIDDLE[0], x - MIDDLE[1])
    frame = 1e6 * np.cos(radius / 14) ** 2 * np.exp(-radius / 12)
    frame *= 1 + 0.004 * (x - MIDDLE[1])  # as no measured pattern is symmetric
    return np.minimum(frame, 65535).astype(np.float32)


@pytest.mark.parametrize(("method", "reach"), [("max", 0), ("mass", 3)])
def test_what_saturated_is_the_brightest_and_its_middle_the_centre(saturated, method, reach):
    prepared = prepare_pattern(ArrayStack(saturated), saturation=65000, center=method)
    apart = np.subtract(prepared.center, MIDDLE)
    assert np.abs(apart).max() <= reach, apart
    assert ((prepared.mask & SATURATED) != 0).any()
    assert not prepared.notes  # the hole in the middle is no beamstop


def test_a_plateau_looks_like_saturation(saturated):
    count = int((saturated == 65535).sum())
    notes = " ".join(prepare_pattern(ArrayStack(saturated)).notes)
    assert f"{count} pixels have the same largest count, 65535" in notes
    lower = ArrayStack(saturated / 1000)  # many pixels of one small count are no wonder
    assert "same largest" not in " ".join(prepare_pattern(lower).notes)


def test_of_places_as_bright_the_middle_is_taken():
    intensity = np.zeros((31, 33))
    intensity[8, 10] = intensity[20, 22] = 5.0
    assert find_center(intensity) == (14, 16)
    saturated = np.zeros(intensity.shape, bool)
    saturated[7:10, 9:12] = saturated[19:22, 21:24] = True
    counted = np.zeros(intensity.shape)
    counted[14, 16] = 1.0
    assert find_center(counted, saturated=saturated) == (14, 16)


# --- a part of the detector was read --------------------------------------------------------------

CORNER = (6, 2)
PART = (24, 32)


@pytest.fixture
def scan(tmp_path):
    """The Bragg scan of AdvancedPhotonSource/cohere-ui's example (34-ID-C, Timepix): numbered TIFF
    files of a part of the chip as int32; dark (a list of bad pixels) and white of all of it."""
    rng = np.random.default_rng(4)
    white = rng.uniform(9e3, 2e4, SHAPE).astype(np.float32)
    white[15, 18], white[20, 20] = 0, 5
    dark = np.zeros(SHAPE, np.int32)
    dark[12, 9] = 100
    part = tuple(slice(c, c + n) for c, n in zip(CORNER, PART, strict=True))
    y, x = np.ogrid[: PART[0], : PART[1]]
    light = 1e4 * np.exp(-((y - 11) ** 2 + (x - 15) ** 2) / 30)
    for k in range(6):
        counts = light * np.exp(-((k - 3) ** 2)) * white[part] / np.median(white[part])
        tifffile.imwrite(tmp_path / f"S0054_{k:05d}.tif", np.rint(counts).astype(np.int32))
    tifffile.imwrite(tmp_path / "dark.tif", dark)
    tifffile.imwrite(tmp_path / "white.tif", white)
    return tmp_path, light, part


def test_a_flat_field_of_the_whole_detector(scan):
    folder, light, _ = scan
    words = [*sorted(folder.glob("S0054_*.tif")), "-o", folder / "volume.h5", "--stack", "volume"]
    words += ["--size", "20,20", "--mask", folder / "dark.tif", "--flat", folder / "white.tif"]
    status, said = prepare(*words, "--corner", "6,2")
    assert status == 0, said
    with h5py.File(folder / "volume.h5") as file:
        found = file["entry_1/data_1/data"][()]
        mask = file["entry_1/instrument_1/detector_1/mask"][()]
        frame, row, column = (
            int(file[f"entry_1/data_1/{axis}"][0]) for axis in ("frame", "y", "x")
        )
    peak = light[row : row + 20, column : column + 20]
    inside = mask[3 - frame]
    assert inside[12 - CORNER[0] - row, 9 - CORNER[1] - column] == BAD
    assert inside[15 - CORNER[0] - row, 18 - CORNER[1] - column] == INVALID
    assert inside[20 - CORNER[0] - row, 20 - CORNER[1] - column] == INVALID
    assert (inside != 0).sum() == 3
    # Rounding to whole counts, magnified by the least sensitive pixels.
    np.testing.assert_allclose(
        found[3 - frame][inside == 0], peak[inside == 0], rtol=1e-3, atol=1.5
    )


def test_the_whole_detector_needs_a_corner(scan):
    folder, _, part = scan
    words = [folder / "S0054_00003.tif", "-o", folder / "out.h5", "--size", "20"]
    for option in ("--mask", "--background"):
        status, said = prepare(*words, option, folder / "dark.tif")
        assert status == 1
        assert "is 40 x 48, the frames 24 x 32: if it is of the whole detector, corner" in said
    status, said = prepare(*words, "--flat", folder / "white.tif", "--corner", "20,2")
    assert status == 1
    assert "that begin at (20, 2) reach over the edge of the flat field, 40 x 48" in said
    status, said = prepare(*words, "--corner", "6")
    assert status == 2
    assert "expected ROW,COLUMN, got '6'" in said
    dark = read_background(Source(folder / "dark.tif"), PART, CORNER)
    assert np.array_equal(dark, tifffile.imread(folder / "dark.tif")[part])


def test_flat_fields_that_are_none(tmp_path):
    np.save(tmp_path / "zero.npy", np.zeros(PART))
    with pytest.raises(DataError, match="the flat field is nowhere above 0"):
        read_flat(Source(tmp_path / "zero.npy"), PART)
    stack = ArrayStack(COUNTS[0])
    with pytest.raises(ValueError, match="flat must be a number or have the shape"):
        prepare_pattern(stack, flat=np.ones(PART))
    with pytest.raises(ValueError, match="flat must be > 0"):
        prepare_pattern(stack, flat=np.zeros(SHAPE))
