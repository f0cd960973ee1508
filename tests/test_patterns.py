"""Reading diffraction patterns: formats, layout, masks, guesses, what is refused."""

import h5py
import numpy as np
import pytest
import tifffile

from symbreak.data.detector.patterns import read_pattern
from symbreak.data.files.arrays import DataError, Source

COUNTS = np.add.outer(np.arange(6), np.arange(5)).astype(np.uint16) ** 2 + 1
COUNTS[3, 2] = 9000  # M // 2 on both axes, for an even and an odd one


def write(path, **arrays):
    if path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            for name, array in arrays.items():
                file[name.replace("__", "/")] = array
    elif path.suffix == ".npz":
        np.savez(path, **arrays)
    elif path.suffix == ".npy":
        np.save(path, next(iter(arrays.values())))
    else:
        tifffile.imwrite(path, next(iter(arrays.values())))
    return Source(path)


@pytest.mark.parametrize("suffix", [".h5", ".npy", ".npz", ".tif"])
def test_formats_give_amplitudes_with_dc_at_index_0(tmp_path, suffix):
    found = read_pattern(write(tmp_path / f"scan{suffix}", data=COUNTS))
    assert found.amplitude[0, 0] == np.sqrt(np.float32(9000))
    np.testing.assert_allclose(np.fft.fftshift(found.amplitude), np.sqrt(COUNTS), rtol=1e-6)
    assert found.valid.all()


def test_amplitudes_with_dc_at_the_corner_are_left_as_they_are(tmp_path):
    data = np.sqrt(np.fft.ifftshift(COUNTS)).astype(np.float32)
    source = write(tmp_path / "a.npy", data=data)
    found = read_pattern(source, values="amplitudes", origin="corner")
    assert np.array_equal(found.amplitude, data)
    assert found.notes == ()


@pytest.mark.parametrize("shape", [(6, 5, 1), (1, 6, 5), (6, 1, 5, 1)])
def test_axes_of_length_1_are_dropped_also_of_the_mask(tmp_path, shape):
    mask = np.zeros(COUNTS.shape, dtype=np.int8)
    mask[3, 2] = 1
    source = write(tmp_path / "a.h5", data=COUNTS.reshape(shape), mask=mask.reshape(shape))
    found = read_pattern(source, mask=Source.parse(":mask"))
    assert found.amplitude.shape == (6, 5)
    assert not found.valid[0, 0]
    assert found.valid.sum() == 29
    assert found.amplitude[0, 0] == 0


def test_valid_is_the_opposite_of_mask_and_may_lie_in_another_file(tmp_path):
    source = write(tmp_path / "a.npy", data=COUNTS)
    mask = COUNTS > 50
    outside = write(tmp_path / "mask.npy", mask=mask.astype(np.uint8))
    by_mask = read_pattern(source, mask=outside).valid
    by_valid = read_pattern(source, valid=outside).valid
    assert np.array_equal(by_mask, ~by_valid)
    assert by_valid.sum() == mask.sum()
    with pytest.raises(DataError, match="no pixel is left as measured"):
        read_pattern(source, valid=outside, mask=outside)


def test_nan_and_marks_of_detectors_are_not_measured(tmp_path):
    counts = COUNTS.astype(np.uint32)
    counts[0, 0] = np.iinfo(np.uint32).max
    found = read_pattern(write(tmp_path / "a.npy", data=counts))
    assert found.valid.sum() == 29
    assert "1 pixel at a mark of detectors: not measured" in " ".join(found.notes)
    for kind in (np.int64, np.uint64, np.float32, np.float64):  # what a conversion leaves of it
        found = read_pattern(write(tmp_path / "a.npy", data=counts.astype(kind)))
        assert np.argwhere(~found.valid.numpy()).tolist() == [[3, 3]]
        assert "1 pixel at a mark" in " ".join(found.notes)
    signed = COUNTS.astype(np.int32)
    signed[0, :3] = -1, -2, 2**31 - 1
    found = read_pattern(write(tmp_path / "a.npy", data=signed))
    assert found.valid.sum() == 27
    assert "2 pixels below 0: not measured" in " ".join(found.notes)
    assert "1 pixel at a mark" in " ".join(found.notes)
    floats = COUNTS.astype(np.float64)
    floats[0, :2] = np.nan, np.inf
    found = read_pattern(write(tmp_path / "b.npy", data=floats))
    assert found.valid.sum() == 28
    assert found.amplitude.isfinite().all()


def test_one_candidate_is_guessed_with_a_note_about_the_mask(tmp_path):
    source = write(
        tmp_path / "a.h5", entry__data=COUNTS, entry__mask=COUNTS > 0, entry__energy=np.ones(1)
    )
    found = read_pattern(source)
    assert found.source == Source(source.path, "/entry/data")
    assert any("taking /entry/data" in note for note in found.notes)
    assert any("--mask :NAME" in note for note in found.notes)


def test_several_candidates_are_listed(tmp_path):
    source = write(tmp_path / "a.h5", first=COUNTS, second=COUNTS.astype(np.float32))
    with pytest.raises(DataError, match=r"choose one .*/first \(6, 5\) uint16, /second") as caught:
        read_pattern(source)
    assert "\n" not in str(caught.value)
    named = Source.parse(f"{source.path}:second")
    assert read_pattern(named).source.dataset == "/second"
    assert read_pattern(Source.parse(f"{source.path}::/second")).source.dataset == "/second"


def test_the_files_own_default_is_followed_and_links_count_once(tmp_path):
    source = write(tmp_path / "a.h5", entry__scan__first=COUNTS, entry__scan__second=COUNTS)
    with h5py.File(source.path, "a") as file:
        file.attrs["default"] = "entry"
        file["entry"].attrs["default"] = "scan"
        file["entry/scan"].attrs["signal"] = "second"
    assert read_pattern(source).source.dataset == "/entry/scan/second"
    linked = write(tmp_path / "b.h5", data=COUNTS)
    with h5py.File(linked.path, "a") as file:
        file["again"] = h5py.SoftLink("/data")
        file["broken"] = h5py.ExternalLink("absent.h5", "/data")
    assert read_pattern(linked).amplitude.shape == (6, 5)


def test_numpy_files_are_never_unpickled(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("it was unpickled",))

    path = tmp_path / "a.npy"
    np.save(path, np.array([Bomb()], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="not a NumPy file of plain numbers"):
        read_pattern(Source(path))


@pytest.mark.parametrize("suffix", [".h5", ".cxi", ".npy", ".npz", ".tif"])
@pytest.mark.parametrize("content", [b"", b"this is no data", b"\x93NUMPY\x01\x00\xff"])
def test_files_that_are_not_what_their_name_says(tmp_path, suffix, content):
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"broken{suffix}: not a"):
        read_pattern(Source(path))


def test_a_truncated_file_is_refused(tmp_path):
    source = write(tmp_path / "a.h5", data=np.ones((64, 64)))
    source.path.write_bytes(source.path.read_bytes()[:9000])
    with pytest.raises(DataError, match="not a whole HDF5 file"):
        read_pattern(source)


@pytest.mark.parametrize(
    ("array", "options", "message"),
    [
        (np.ones((8, 8), dtype=complex), {}, "no dataset can be a pattern"),
        (np.ones(8), {}, "no dataset can be a pattern"),
        (np.ones((2, 3, 4, 5)), {}, "no dataset can be a pattern"),
        (np.zeros((8, 8)), {}, "every measured pixel is 0; a mask the wrong way round"),
        (-np.ones((8, 8)), {}, "no measured pixel is above 0, 64 pixels below"),
        (np.full((8, 8), np.nan), {}, "no pixel is left as measured"),
        (-np.ones((8, 8)), {"values": "amplitudes"}, "64 pixels below 0"),
    ],
)
def test_what_cannot_be_a_pattern(tmp_path, array, options, message):
    with pytest.raises(DataError, match=message):
        read_pattern(write(tmp_path / "a.npy", data=array), **options)


def test_missing_things_are_named(tmp_path):
    source = write(tmp_path / "a.h5", data=COUNTS, other=np.ones(3))
    with pytest.raises(FileNotFoundError):
        read_pattern(Source(tmp_path / "none.h5"))
    with pytest.raises(DataError, match=r"no dataset 'nothing'; it holds /data \(6, 5\) uint16"):
        read_pattern(Source(source.path, "nothing"))
    with pytest.raises(DataError, match=r"shape \(3,\) differs from the pattern's, \(6, 5\)"):
        read_pattern(source, mask=Source.parse(":other"))
    with pytest.raises(DataError, match=r"unknown kind of file '\.dat'"):
        read_pattern(Source(tmp_path / "a.dat"))


def test_a_mask_of_one_frame_holds_for_all(tmp_path):
    counts = np.stack([COUNTS] * 4)
    bad = np.zeros(COUNTS.shape, np.uint8)
    bad[1, 2] = 1
    source = Source(write(tmp_path / "a.h5", data=counts, bad=bad).path, "data")
    found = read_pattern(source, mask=Source.parse(":bad"), origin="corner")
    assert (~found.valid).nonzero().tolist() == [[k, 1, 2] for k in range(4)]


def test_negative_intensities_count_as_zero(tmp_path):
    data = COUNTS.astype(np.float32)
    data[0, 0] = -3
    found = read_pattern(write(tmp_path / "a.npy", data=data))
    assert found.amplitude[3, 3] == 0  # where ifftshift puts index (0, 0)
    assert any("1 pixel with negative" in note for note in found.notes)


def test_negative_counts_of_whole_numbers_were_not_measured(tmp_path):
    data = COUNTS.astype(np.int32)
    data[0, 0] = -1  # the gap of a Pilatus
    found = read_pattern(write(tmp_path / "a.npy", data=data))
    assert (~found.valid).nonzero().tolist() == [[3, 3]]
    assert any("1 pixel below 0: not measured" in n for n in found.notes)
    with pytest.raises(DataError, match="1 pixel below 0"):
        read_pattern(write(tmp_path / "b.npy", data=data), values="amplitudes")


def far_field():
    rng = np.random.default_rng(0)
    x = np.zeros((32, 32))
    x[10:18, 12:19] = 1
    return rng.poisson(np.abs(np.fft.fft2(x)) ** 2)  # DC at the corner


@pytest.mark.parametrize(
    ("data", "values", "origin", "hint"),
    [
        (far_field(), "intensities", "corner", None),
        (far_field(), "intensities", "center", "--dc corner"),
        (np.fft.fftshift(far_field()), "intensities", "center", None),
        (np.fft.fftshift(far_field()), "intensities", "corner", "--dc center"),
        (np.sqrt(far_field()), "amplitudes", "corner", None),
        (np.sqrt(far_field()), "intensities", "corner", "--amplitudes"),
        (far_field(), "amplitudes", "corner", "--intensities"),
    ],
)
def test_a_note_where_the_data_look_otherwise(tmp_path, data, values, origin, hint):
    found = read_pattern(write(tmp_path / "a.npy", data=data), values=values, origin=origin)
    notes = " ".join(found.notes)
    assert (hint in notes) if hint else notes == ""


def speckles(counts, shape=(32, 32)):
    """A simulated pattern with the middle at M // 2, float64."""
    x = np.zeros(shape, dtype=complex)
    inside = tuple(slice(0, m // 2) for m in shape)
    x[inside] = np.exp(2j * np.random.default_rng(2).random(x[inside].shape))
    pattern = np.abs(np.fft.fftshift(np.fft.fftn(x))) ** 2
    return pattern * counts / pattern.sum()


def notes(tmp_path, data, **options):
    return " ".join(read_pattern(write(tmp_path / "seen.npy", data=data), **options).notes)


def test_a_mask_the_wrong_way_round_is_told(tmp_path):
    counts = speckles(1e6)
    np.save(tmp_path / "mask.npy", counts > np.percentile(counts, 97))
    told = f"the mask leaves {100 * (1024 - 31) / 1024:.1f} %"
    right, wrong = (notes(tmp_path, counts, **{name: tmp_path / "mask.npy"})
                    for name in ("mask", "valid"))  # fmt: skip
    assert "wrong way round" not in right
    assert "the mask leaves 3.0 % of the pixels: is it the wrong way round?" in wrong
    assert told not in wrong


def test_a_background_is_told_and_a_pattern_without_is_not(tmp_path):
    counts = speckles(1e6)
    noisy = np.random.default_rng(0).poisson(counts)
    for clean in (counts, noisy, np.sqrt(counts)):
        assert "background" not in notes(tmp_path, clean)
    assert "background" not in notes(tmp_path, np.sqrt(noisy), values="amplitudes")
    assert "is there a background? `symbreak prepare" in notes(tmp_path, noisy + 1000)


def test_a_plateau_is_told(tmp_path):
    counts = np.random.default_rng(0).poisson(speckles(1e5))
    assert "largest count" not in notes(tmp_path, counts)
    counts[3, 4:20] = 65535  # a 16-bit detector's mark in a wider type
    assert "16 pixels have the same largest count, 65535" in notes(tmp_path, counts)


def test_a_flat_volume_may_be_a_stack(tmp_path):
    assert "one volume" not in notes(tmp_path, speckles(1e6, (16, 20, 24)))
    told = notes(tmp_path, speckles(1e6, (8, 20, 24)))
    assert "taken as one volume of 8 x 20 x 24 voxels; exposures" in told


def test_a_mask_that_is_given_counts_beside_the_files_own(tmp_path):
    mask = np.zeros(COUNTS.shape, np.uint32)
    mask[0] = 1
    source = write(
        tmp_path / "scan.h5", entry__data__data=COUNTS, entry__instrument__detector__pixel_mask=mask
    )
    hot = np.zeros(COUNTS.shape, bool)
    hot[4, 3] = True
    np.save(tmp_path / "hot.npy", hot)
    np.save(tmp_path / "valid.npy", ~hot)
    for options in ({"mask": tmp_path / "hot.npy"}, {"valid": tmp_path / "valid.npy"}):
        found = read_pattern(source, origin="corner", **options)
        assert np.array_equal(~found.valid.numpy(), (mask == 1) | hot)
        assert any("using its mask" in note for note in found.notes)
        alone = read_pattern(source, origin="corner", own_mask=False, **options)
        assert np.array_equal(~alone.valid.numpy(), hot)
        assert not any("using its mask" in note for note in alone.notes)
    assert read_pattern(source, own_mask=False).valid.all()
