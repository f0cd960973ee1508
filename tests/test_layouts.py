"""Detector frames in the layouts of the large sources' files: what is found, what its mask says.

The layouts, and where each is described, are listed in `symbreak.data.detector.layouts`.
"""

import h5py
import numpy as np
import pytest
import tifffile
from stored_frames import COUNTS, SHAPE, frames

from symbreak.data.detector.frames import open_frames
from symbreak.data.detector.layouts import BAD, MISSING
from symbreak.data.detector.pattern_stack import open_stack
from symbreak.data.detector.patterns import read_pattern
from symbreak.data.detector.stacks import EVERYTHING
from symbreak.data.files.arrays import DataError, Source


@pytest.fixture
def eiger(tmp_path):
    """A Dectris master file, as PETRA III's P10 has it: links to files of some frames each."""
    for k, part in enumerate((COUNTS[:3], COUNTS[3:]), 1):
        with h5py.File(tmp_path / f"scan_data_{k:06d}.h5", "w") as file:
            file["entry/data/data"] = part
    mask = np.zeros(SHAPE, np.uint32)
    mask[4], mask[5, 6], mask[7, 8] = 1, 1 << 1, 1 << 31
    with h5py.File(tmp_path / "scan_master.h5", "w") as file:
        for k in (1, 2):
            file[f"entry/data/data_{k:06d}"] = h5py.ExternalLink(
                f"scan_data_{k:06d}.h5", "/entry/data/data"
            )
        specific = file.create_group("entry/instrument/detector/detectorSpecific")
        specific["pixel_mask"], specific["flatfield"] = mask, np.ones(SHAPE, np.float32)
        specific["countrate_correction_table"] = np.ones((2, 1000), np.float32)
    return tmp_path / "scan_master.h5"


def test_an_eiger_master_file_is_one_stack_in_the_order_of_its_parts(eiger):
    found, bits, notes = frames(eiger)
    assert np.array_equal(found, COUNTS)
    assert "detectorSpecific/pixel_mask" in notes
    assert "5 frames in 2 parts" in notes
    expected = np.zeros(SHAPE, np.uint32)
    expected[4] = expected[5, 6] = BAD  # a gap, a dead pixel; bit 31, virtual, rejects nothing
    assert all(np.array_equal(one, expected) for one in bits)


def test_one_part_of_a_master_file_can_be_named(eiger):
    found, *_ = frames(f"{eiger}:/entry/data/data_000002")
    assert np.array_equal(found, COUNTS[3:])
    found, *_ = frames(f"{eiger}:/entry/data")
    assert np.array_equal(found, COUNTS)


@pytest.mark.parametrize("part", [1, 2])
def test_a_part_that_is_not_there_is_named(eiger, part):
    (eiger.parent / f"scan_data_{part:06d}.h5").unlink()
    with pytest.raises(DataError, match=f"scan_data_{part:06d}.h5, which is not there"):
        frames(eiger)


def test_where_all_links_lead_nowhere_the_error_says_so(eiger):
    for path in eiger.parent.glob("scan_data_*"):
        path.unlink()
    with pytest.raises(DataError, match=r"lead nowhere: /entry/data/data_000001 -> scan_data_0"):
        frames(eiger)


def test_some_frames_are_chosen_across_the_parts(eiger):
    found, *_ = frames(eiger, chosen=slice(2, 4))
    assert np.array_equal(found, COUNTS[2:4])
    found, *_ = frames(eiger, chosen=slice(-1, None))
    assert np.array_equal(found, COUNTS[4:])
    with pytest.raises(DataError, match="no frame is chosen, there are 5"):
        frames(eiger, chosen=slice(5, 6))


@pytest.fixture
def nexus(tmp_path):
    """Diamond's NeXus: a virtual dataset over the detector's own file, ``signal`` and ``axes``."""
    with h5py.File(tmp_path / "raw.h5", "w") as file:
        file["data"] = COUNTS
    layout = h5py.VirtualLayout(COUNTS.shape, COUNTS.dtype)
    layout[:] = h5py.VirtualSource("raw.h5", "data", COUNTS.shape)
    mask = np.zeros((1, *SHAPE), np.uint8)
    mask[0, 2, 3] = 1 << 4
    with h5py.File(tmp_path / "scan.nxs", "w") as file:
        file.attrs["default"] = np.bytes_("entry")  # fixed length, as C programs write it
        file.create_group("entry").attrs["default"] = "data"
        data = file.create_group("entry/data")
        data.create_virtual_dataset("frames", layout)
        data["also_2d"], data["angle"] = np.ones(SHAPE), np.arange(5.0)
        data.attrs["signal"], data.attrs["axes"] = "frames", ["angle", ".", "."]
        file["entry/instrument/detector/pixel_mask"] = mask
    return tmp_path / "scan.nxs"


def test_nexus_leads_to_its_default_signal(nexus):
    found, bits, notes = frames(nexus)
    assert np.array_equal(found, COUNTS)
    assert "/entry/data/frames, the file's default" in notes
    assert [tuple(k) for k in np.argwhere(bits[0])] == [(2, 3)]


@pytest.mark.parametrize(("value", "expected"), [(900, 900), ([900], 900), (-1, None)])
def test_nexus_says_from_where_a_pixel_is_saturated(nexus, value, expected):
    with open_frames([Source(nexus)]) as opened:
        assert opened.saturation is None
    with h5py.File(nexus, "a") as file:
        file["entry/instrument/detector/saturation_value"] = value
    with open_frames([Source(nexus)]) as opened:
        assert opened.saturation == expected


def test_nexus_without_a_default(tmp_path):
    """Diamond's I13-1: the detector's group has the detector's name."""
    with h5py.File(tmp_path / "scan.nxs", "w") as file:
        file["entry1/instrument/merlin_sw_hdf/data"] = COUNTS
        file["entry1/map/sums"] = np.ones((3, *SHAPE))
        file["entry1/instrument/t1/values"] = np.ones(SHAPE)
    found, _, notes = frames(tmp_path / "scan.nxs")
    assert np.array_equal(found, COUNTS)
    assert "as the file's layout says" in notes


def test_a_stack_is_preferred_to_images_where_no_layout_is_known(tmp_path):
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file["exp/scan_data/data_06"], file["exp/map"] = COUNTS, np.ones(SHAPE)
    assert np.array_equal(frames(tmp_path / "scan.h5")[0], COUNTS)


def test_a_virtual_dataset_without_its_data_is_no_stack_of_zeros(nexus):
    (nexus.parent / "raw.h5").unlink()
    with pytest.raises(DataError, match=r"part of it is in raw\.h5, which is not there"):
        frames(nexus)


@pytest.fixture(params=["LCLS", "EuXFEL"])
def cxi(request, tmp_path):
    """CXI: a stack with a mask for every frame; at EuXFEL data_1 is a link to the detector."""
    mask = np.zeros(COUNTS.shape, np.uint16)
    mask[0, 1, 1], mask[1, 2, 2], mask[2, 3, 3] = 0x2, 0x800, 0x2000 | 0x200
    with h5py.File(tmp_path / "run.cxi", "w") as file:
        file["cxi_version"] = 150
        detector = file.create_group("entry_1/instrument_1/detector_1")
        detector["data"], detector["mask"] = COUNTS.astype(np.float32), mask
        if request.param == "LCLS":
            file["entry_1/data_1/data"] = h5py.SoftLink("/entry_1/instrument_1/detector_1/data")
        else:
            file["entry_1/data_1"] = h5py.SoftLink("/entry_1/instrument_1/detector_1")
        file["entry_1/image_1/data"] = np.ones((5, 30, 30), np.float32)  # not the frames
    return tmp_path / "run.cxi"


def test_cxi_brings_a_mask_for_every_frame(cxi):
    found, bits, _ = frames(cxi)
    assert np.array_equal(found, COUNTS)
    where = {tuple(k): int(bits[tuple(k)]) for k in np.argwhere(bits)}
    assert where == {(0, 1, 1): 0x2, (2, 3, 3): MISSING}  # corrected artifacts reject nothing


def test_frames_that_are_chosen_bring_their_own_masks(cxi):
    found, bits, _ = frames(cxi, chosen=slice(2, None, 2))
    assert np.array_equal(found, COUNTS[2::2])
    assert [tuple(k) for k in np.argwhere(bits)] == [(0, 3, 3)]


def test_reconstruct_uses_the_mask_of_a_cxi_file_too(cxi):
    found = read_pattern(Source(cxi, "entry_1/data_1/data"), origin="corner")
    assert [tuple(k) for k in (~found.valid).nonzero().tolist()] == [(0, 1, 1), (2, 3, 3)]
    assert "using its mask" in " ".join(found.notes)


@pytest.fixture
def bliss(tmp_path):
    """ESRF's BLISS: many scans in a file, the detector linked from ``measurement``."""
    with h5py.File(tmp_path / "sample.h5", "w") as file:
        for scan in (1, 2):
            file[f"{scan}.1/instrument/mpx1x4/data"] = COUNTS + scan
            file[f"{scan}.1/measurement/mpx1x4"] = h5py.SoftLink(
                f"/{scan}.1/instrument/mpx1x4/data"
            )
            file[f"{scan}.1/measurement/eta"] = np.arange(5.0)
            file[f"{scan}.1/measurement/spectra"] = np.ones((5, 1024), np.uint32)
    return tmp_path / "sample.h5"


@pytest.mark.parametrize(
    "name", ["/2.1", "2.1/measurement", "/2.1/measurement/mpx1x4", "/2.1/instrument/mpx1x4/data"]
)
def test_a_scan_of_a_bliss_file_is_named_in_any_way(bliss, name):
    found, *_ = frames(f"{bliss}:{name}")
    assert np.array_equal(found, COUNTS + 2)


def test_several_scans_are_listed(bliss):
    with pytest.raises(DataError, match=r"several .*/1\.1/instrument/.*, /2\.1/instrument/"):
        frames(bliss)
    with pytest.raises(DataError, match=r"there is no dataset '3\.1'"):
        frames(f"{bliss}:3.1")


@pytest.mark.parametrize("name", ["S1_darksub", "scan_masked", "flatcorrected", "background"])
@pytest.mark.parametrize("suffix", [".npy", ".tif", ".h5"])
def test_the_name_of_the_only_array_says_nothing(tmp_path, name, suffix):
    path = tmp_path / f"{name}{suffix}"
    if suffix == ".npy":
        np.save(path, COUNTS)
    elif suffix == ".tif":
        tifffile.imwrite(path, COUNTS)
    else:
        with h5py.File(path, "w") as file:
            file[f"entry/{name}"] = COUNTS
    assert np.array_equal(frames(path)[0], COUNTS)
    if suffix != ".npy":
        return
    np.save(path, COUNTS[0].astype(np.float32))
    assert np.array_equal(read_pattern(path).source.path, path)
    np.save(path, COUNTS)
    with open_stack(Source(path)) as stack:
        assert stack.shape == COUNTS.shape


def test_beside_others_it_does_and_can_be_named(tmp_path):
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w") as file:
        file["scan/dark_subtracted"], file["scan/motor"] = COUNTS, np.arange(3.0)
    told = r"If it is /scan/dark_subtracted, in spite of its name, say .*scan.h5:/scan/dark_subtr"
    with pytest.raises(DataError, match=told):
        frames(path)
    assert np.array_equal(frames(f"{path}:/scan/dark_subtracted")[0], COUNTS)


def test_masks_that_are_given_count_beside_the_files_own(eiger, tmp_path):
    mask = np.zeros(SHAPE, bool)
    mask[9, 9] = True
    np.save(tmp_path / "mask.npy", mask)
    np.save(tmp_path / "valid.npy", COUNTS > 0)
    given = {"mask": Source(tmp_path / "mask.npy"), "valid": Source(tmp_path / "valid.npy")}
    own = frames(eiger)[1] != 0
    assert own.any()
    assert not (own & mask).any()
    _, bits, notes = frames(eiger, **given)
    assert np.array_equal(bits != 0, (COUNTS == 0) | mask | own)
    assert "pixel_mask" in notes
    _, bits, notes = frames(eiger, own_mask=False, **given)
    assert np.array_equal(bits != 0, (COUNTS == 0) | mask)
    assert "pixel_mask" not in notes
    np.save(tmp_path / "small.npy", mask[:-1])
    with pytest.raises(DataError, match=r"can be a mask of frames \(24, 20\); it holds small \(23"):
        frames(eiger, mask=Source(tmp_path / "small.npy"))
    table = "entry/instrument/detector/detectorSpecific/countrate_correction_table"
    with pytest.raises(DataError, match=r"shape of a frame, \(24, 20\), got float32 \(2, 1000\)"):
        frames(eiger, mask=Source(eiger, table))


def test_a_part_of_a_frame_is_read_with_its_part_of_the_mask(eiger):
    with open_frames([Source(eiger)]) as opened:
        box = (slice(3, 7), slice(2, 9))
        assert np.array_equal(opened.read(4, box), COUNTS[4][box])
        assert np.array_equal(np.argwhere(opened.rejected(4, box)[2]), [[4]])  # the pixel (5, 6)


def test_several_parts_of_the_frames_are_taken_once_and_in_order(eiger):
    with open_frames(str(eiger), chosen=[slice(3, 5), slice(0, 1), slice(4, 5)]) as opened:
        assert list(opened.chosen) == [0, 3, 4]
        found = [opened.read(k, EVERYTHING) for k in range(3)]
    assert np.array_equal(found, COUNTS[[0, 3, 4]])
