"""Arrays of MATLAB files, old and new, have their frames in front and their rows in order."""

import h5py
import numpy as np
import pytest
from command_line import run
from matlab_files import in_matlab, version_5, version_7_3

from symbreak.data.detector.patterns import read_pattern
from symbreak.data.files.arrays import DataError, Source
from symbreak.data.files.cxi import read_cxi
from symbreak.data.files.matlab import read_matlab

scipy_io = pytest.importorskip("scipy.io")

FRAMES = np.arange(60, dtype=np.uint16).reshape(5, 4, 3)
IMAGE = np.arange(12.0).reshape(4, 3)
CONTENT = {
    "frames": in_matlab(FRAMES),
    "scan": {"image": IMAGE, "mask": IMAGE > 3, "sample": "Au", "object": IMAGE - 2j},
    "title": "a text",
}
EXPECTED = {
    "frames": FRAMES,
    "scan/image": IMAGE,
    "scan/mask": IMAGE > 3,
    "scan/object": IMAGE - 2j,
}


def old(path, content, **options):
    scipy_io.savemat(path, content, **options)


def new(path, content):
    path.write_bytes(version_7_3(**content))


def compressed(path, content):
    old(path, content, do_compression=True)


@pytest.fixture(params=[old, compressed, new])
def save(request):
    return request.param


def test_every_array_of_numbers_in_our_order_of_axes(tmp_path, save):
    save(tmp_path / "a.mat", CONTENT)
    found = read_matlab(tmp_path / "a.mat")
    assert found.keys() == EXPECTED.keys()
    for name, expected in EXPECTED.items():
        assert found[name].shape == expected.shape
        assert found[name].dtype == expected.dtype
        np.testing.assert_array_equal(found[name], expected)


def test_more_axes_are_reversed(tmp_path, save):
    scans = np.arange(2 * 60).reshape(2, 5, 4, 3)
    save(tmp_path / "a.mat", {"scans": scans.transpose(2, 3, 1, 0)})
    np.testing.assert_array_equal(read_matlab(tmp_path / "a.mat")["scans"], scans)


def test_what_cells_refer_to_and_what_is_empty_does_not_count(tmp_path):
    (tmp_path / "a.mat").write_bytes(version_7_3(image=IMAGE, gone=np.zeros((2, 2))))
    with h5py.File(tmp_path / "a.mat", "a") as file:
        file["#refs#/a"] = IMAGE
        file["#refs#/a"].attrs["MATLAB_class"] = np.bytes_("double")
        file["gone"].attrs["MATLAB_empty"] = np.uint8(1)
        file["sparse/data"] = np.arange(3.0)
    assert list(read_matlab(tmp_path / "a.mat")) == ["image"]


def test_hdf5_of_another_program_is_taken_as_it_is(tmp_path):
    with h5py.File(tmp_path / "a.mat", "w") as file:
        file["entry/frames"] = FRAMES
    found = read_matlab(tmp_path / "a.mat")
    np.testing.assert_array_equal(found["entry/frames"], FRAMES)


def test_a_pattern_and_its_mask_are_phased(tmp_path, save):
    generator = np.random.default_rng(1)
    x = np.zeros((48, 40), complex)
    x[3:15, 5:17] = np.exp(1j * generator.uniform(0, 1, (12, 12)))
    counts = np.fft.fftshift(np.abs(np.fft.fft2(x)) ** 2)
    mask = counts > 0.9 * counts.max()
    save(tmp_path / "scan.mat", {"data": {"counts": counts, "hot": mask.astype(np.uint8)}})
    arguments = [f"{tmp_path}/scan.mat:data/counts", "-o", f"{tmp_path}/object.cxi"]
    options = ["--mask", ":data/hot", "--starts", "2", "--schedule", "20*ER"]
    result = run("reconstruct", *arguments, *options)
    assert result.exit_code == 0, result.output
    assert read_cxi(tmp_path / "object.cxi").object.shape == (48, 40)
    found = read_pattern(Source.parse(arguments[0]), mask=Source.parse(":data/hot"))
    np.testing.assert_allclose(
        np.fft.fftshift(found.amplitude)[~mask], np.sqrt(counts[~mask]), rtol=1e-5
    )
    assert (np.fft.fftshift(found.valid) == ~mask).all()


def test_which_array_is_asked_for_by_name(tmp_path, save):
    counts = np.add.outer(np.arange(6.0), np.arange(5)) + 1
    save(tmp_path / "a.mat", {"one": counts, "two": counts + 1})
    with pytest.raises(DataError, match=r"choose one as .*a.mat:NAME from one \(6, 5\)"):
        read_pattern(Source(tmp_path / "a.mat"))
    found = read_pattern(Source.parse(f"{tmp_path}/a.mat:two"), origin="corner")
    np.testing.assert_allclose(found.amplitude, np.sqrt(counts + 1), rtol=1e-6)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("stored", ["i1", "u1", "u2", "f4", "f8"])
@pytest.mark.parametrize("shape", [(4, 3), (2, 1), (1, 1)])  # (1, 1): data beside their length
def test_either_order_of_bytes_and_numbers_in_a_smaller_type(tmp_path, order, stored, shape):
    array = np.arange(float(np.prod(shape))).reshape(shape) + 1
    (tmp_path / "a.mat").write_bytes(version_5("image", array, order=order, stored=stored))
    found = read_matlab(tmp_path / "a.mat")["image"]
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, array)
    np.testing.assert_array_equal(scipy_io.loadmat(tmp_path / "a.mat")["image"], array)


def test_single_precision_stays_so(tmp_path, save):
    image = (IMAGE - 1j).astype(np.complex64)
    save(tmp_path / "a.mat", {"image": image, "real": image.real})
    found = read_matlab(tmp_path / "a.mat")
    assert found["image"].dtype == np.complex64
    assert found["real"].dtype == np.float32
    np.testing.assert_array_equal(found["image"], image)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "without the mark of versions 5 to 7.3; save it with -v7"),
        (b"this is no data", "without the mark"),
        (b"MATLAB 4".ljust(200), "without the mark"),
        (version_5("image", IMAGE)[:-8], "a piece of 72 bytes where 64 are left"),
        (
            version_5("image", IMAGE).replace(b"\x0c", b"\x0d", 1),
            "cannot reshape array",
        ),
    ],
)
def test_what_is_no_matlab_file(tmp_path, content, why):
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(DataError, match=rf"a.mat: not a readable MATLAB file \({why}"):
        read_pattern(Source(tmp_path / "a.mat"))
