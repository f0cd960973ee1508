"""From frames to a pattern: window, binning, sums, volumes, wrong arguments, the file."""

import re

import h5py
import numpy as np
import pytest
from conftest import SEED
from detector_frames import peak

import symbreak
from symbreak.data.detector.centering import find_center
from symbreak.data.detector.layouts import HOT, INVALID, MISSING
from symbreak.data.detector.pattern_file import write_pattern
from symbreak.data.detector.patterns import read_pattern
from symbreak.data.detector.prepare import prepare_pattern
from symbreak.data.detector.stacks import ArrayStack


def frame(shape=(90, 110), center=(40, 62)):
    """A frame of counts with a bright centre and speckles."""
    rng = np.random.default_rng(SEED)
    return rng.poisson(peak(shape, center, 6, 900) + 2).astype(np.uint32)


def test_a_frame_becomes_a_centred_square():
    counts = frame()
    valid = np.ones(counts.shape, bool)
    valid[30, 50] = False
    found = prepare_pattern(ArrayStack(counts, valid), center=(40, 62))
    assert found.intensity.shape == (80, 80)
    assert found.intensity.dtype == np.float32
    assert found.center == (40, 62)
    np.testing.assert_array_equal(
        np.where(found.valid, found.intensity, 0), np.where(valid, counts, 0)[0:80, 22:102]
    )
    assert np.array_equal(found.valid, valid[0:80, 22:102])
    assert prepare_pattern(ArrayStack(counts)).center == find_center(counts)


def test_pixels_that_nothing_around_them_explains_are_told():
    counts = frame()
    counts[70, 20] = counts[71, 90] = 500_000
    found = prepare_pattern(ArrayStack(counts))
    assert found.center == find_center(frame())
    told = [note for note in found.notes if "--hot" in note]
    share = 100 * 1_000_000 / counts.sum()
    assert told == [
        "2 pixels are more than 10 times as bright as all around, with "
        f"{share:.2g} % of the counts. Hot? --hot 10 leaves such pixels out."
    ]
    assert not any("--hot" in note for note in prepare_pattern(ArrayStack(counts), hot=10).notes)
    assert not any("--hot" in note for note in prepare_pattern(ArrayStack(frame())).notes)
    counts[71, 90] = 0
    told = prepare_pattern(ArrayStack(counts)).notes
    assert any(note.startswith("pixel (70, 20) is more than 10 times as bright") for note in told)


@pytest.mark.parametrize(
    ("dark", "which"),
    [
        ((), None),
        ((4,), "frame 4 holds no count and is taken as measured"),
        ((3, 4, 5), "frames 3 to 5 hold no count and are taken as measured"),
        ((0, 5), "2 frames hold no count and are taken as measured"),
    ],
)
@pytest.mark.parametrize("combine", ["sum", "volume"])
def test_frames_without_a_count_are_told(dark, which, combine):
    counts = np.stack([frame() for _ in range(6)])
    counts[list(dark)] = 0
    notes = prepare_pattern(ArrayStack(counts), combine=combine).notes
    told = [note for note in notes if "no count" in note]
    assert len(told) == (which is not None)
    assert which is None or told[0].startswith(f"{which}. If the scan was aborted there")


def test_integers_below_0_that_are_no_marks_are_told():
    counts = frame().astype(np.int32)
    below = counts - np.random.default_rng(SEED).poisson(4, counts.shape).astype(np.int32)
    (told,) = (note for note in prepare_pattern(ArrayStack(below)).notes if "below 0" in note)
    share = 100 * (below < 0).mean()
    assert share > 20
    assert told.startswith(f"{share:.0f} % of the first frame are integers of many values below 0")
    marked = np.where(below < 0, -1, below)
    assert not any("below 0" in note for note in prepare_pattern(ArrayStack(marked)).notes)
    real = prepare_pattern(ArrayStack(below.astype(np.float32)))
    assert not any("below 0" in note for note in real.notes)


def test_frames_along_the_last_axis_are_guessed():
    counts = np.stack([frame() for _ in range(12)]).transpose(1, 2, 0)
    with pytest.raises(ValueError, match="rows and columns are to be the last two axes, frames"):
        prepare_pattern(ArrayStack(counts), combine="sum")


def test_what_lies_outside_the_detector_was_not_measured():
    counts = frame()
    found = prepare_pattern(ArrayStack(counts), center=(40, 62), shape=(96, 64))
    assert found.intensity.shape == (96, 64)
    assert (found.mask[:8] == MISSING).all()
    assert found.valid[8:].all()
    np.testing.assert_array_equal(found.intensity[8:], counts[0:88, 30:94])
    assert np.array_equal(found.windows[0].positions(), np.arange(-8, 88))


def test_binning_sums_around_the_centre():
    counts = frame()
    found = prepare_pattern(ArrayStack(counts), center=(40, 62), bins=(2, 3), shape=(32, 30))
    start = (40 - 16 * 2 - 1, 62 - 15 * 3 - 1)
    part = counts[start[0] : start[0] + 64, start[1] : start[1] + 90]
    np.testing.assert_array_equal(found.intensity, part.reshape(32, 2, 30, 3).sum((1, 3)))


def test_a_sum_counts_only_pixels_measured_in_every_frame():
    counts = np.stack([frame() + k for k in range(3)])
    counts[1, 40, 60] = 2**32 - 1
    summed = prepare_pattern(ArrayStack(counts), combine="sum", center=(40, 62))
    mean = prepare_pattern(ArrayStack(counts), combine="mean", center=(40, 62), background=1.0)
    at = (40, 60 - 22)
    assert np.argwhere(~summed.valid).tolist() == [list(at)]
    assert summed.mask[at] == INVALID
    expected = counts[:, 0:80, 22:102].astype(float)
    good = summed.valid
    np.testing.assert_allclose(summed.intensity[good], expected.sum(0)[good])
    np.testing.assert_allclose(
        mean.intensity[good], np.maximum((expected - 1).mean(0), 0)[good], rtol=1e-6
    )


@pytest.mark.parametrize(
    ("combine", "bins", "shape", "center"),
    [
        ("sum", 1, 64, (32, 32)),
        ("mean", 4, 16, (34, 34)),
        ("volume", (20, 2, 2), (20, 32, 32), (210, 33, 33)),
    ],
)
def test_noise_around_the_background_cancels_out(combine, bins, shape, center):
    """Cut off at 0 frame by frame, two thirds of a background of 0.4 counts would stay."""
    pattern = peak((64, 64), (32, 32), 3, 3)
    counts = np.random.default_rng(SEED).poisson(pattern + 0.4, (400, 64, 64)).astype(np.uint16)
    found = prepare_pattern(
        ArrayStack(counts), combine=combine, background=0.4, bins=bins, shape=shape, center=center
    )
    share = 1 / len(counts) if combine == "mean" else 1
    assert found.kept == pytest.approx(found.survey.image.sum() * share)
    expected, noise = share * len(counts) * pattern.sum(), share * np.sqrt(counts.sum())
    assert abs(found.kept - expected) < 5 * noise
    # Where nothing is expected half of the sums are cut off, and the rest is as the noise is.
    dark = found.intensity[..., : found.intensity.shape[-1] // 8]
    under = 0.4 * counts.size / found.intensity.size
    assert 0.3 < dark.mean() / (share * np.sqrt(under)) < 0.5


def rocking(count=9, center=(3, 40, 62)):
    rng = np.random.default_rng(SEED)
    return rng.poisson(peak((count, 90, 110), center, 2.5, 4000) + 1).astype(np.uint16)


def test_a_rocking_curve_becomes_a_volume_that_leaves_no_frame_out():
    counts = rocking()
    counts[5, 20, 30] = 65535
    counts[:, 70, 90] = 20000
    reported = []
    found = prepare_pattern(
        ArrayStack(counts),
        combine="volume",
        shape=(48, 64),
        hot=10,
        progress=lambda done, total: reported.append((done, total)),
    )
    assert found.center == (3, 40, 62)
    assert found.intensity.shape == (16, 48, 64)
    assert reported == [(k, 18) for k in range(1, 19)]
    first = 8 - 3
    assert (found.mask[:first] == MISSING).all()
    assert (found.mask[first + 9 :] == MISSING).all()
    part = counts[:, 16:64, 30:94].astype(np.float32)
    bad = np.zeros(part.shape, np.uint32)
    bad[5, 4, 0] = INVALID
    np.testing.assert_array_equal(found.mask[first : first + 9], bad)
    np.testing.assert_array_equal(found.intensity[first : first + 9], np.where(bad, 0, part))
    wide = prepare_pattern(ArrayStack(counts), combine="volume", hot=10, shape=(9, 64, 80))
    assert wide.intensity.shape == (9, 64, 80)
    hot = np.argwhere(wide.mask & HOT)
    assert {tuple(k[1:]) for k in hot} == {(70 - 8, 90 - 22)}


def test_a_pixel_of_a_volume_is_left_out_only_in_the_frames_that_lack_it():
    counts = rocking()
    counts[3, 38:43, 60:65] = 65535  # the peak itself, saturated in one frame
    counts[:, 20, 30] = 65535
    background = np.add.outer(np.arange(90), np.arange(110)) / 100
    options = {"combine": "volume", "shape": (9, 48, 64), "background": background}
    found = prepare_pattern(ArrayStack(counts), **options)
    assert np.argwhere(found.survey.always).tolist() == [[20, 30]]
    assert len(np.argwhere(found.survey.ever)) == 26
    assert max(np.abs(np.subtract(found.center[1:], (40, 62)))) <= 1
    assert found.notes == ("no fast transform has length 9: phasing will be slower. Fast are "
                           "products of 2, 3, 5, 7, 11, 13 from 16 to 2048.",)  # fmt: skip
    found = prepare_pattern(ArrayStack(counts), center=(4, 40, 62), **options)
    box = (slice(16, 64), slice(30, 94))
    part = counts[:, box[0], box[1]].astype(float)
    bad = part == 65535
    assert np.array_equal(found.mask != 0, bad)
    expected = np.where(bad, 0, np.maximum(part - background[box], 0))
    np.testing.assert_allclose(found.intensity, expected, rtol=1e-6)


def test_a_volume_is_binned_along_all_axes():
    counts = rocking(12)
    found = prepare_pattern(
        ArrayStack(counts), combine="volume", center=(6, 40, 62), bins=(2, 2, 4), shape=(6, 16, 20)
    )
    part = counts[6 - 6 - 1 + 1 :, 40 - 16 - 1 : 40 + 15, 62 - 40 - 2 : 62 + 38]
    assert found.windows[0].start == -1
    blocks = found.intensity[1:5]
    lined = part[1:9].reshape(4, 2, 16, 2, 20, 4).sum((1, 3, 5))
    np.testing.assert_array_equal(blocks, lined)
    assert (found.mask[0] == MISSING).all()


def test_a_centre_beside_the_beamstop_is_pointed_out():
    counts = frame()
    valid = np.ones(counts.shape, bool)
    valid[38:43, 60:65] = False
    found = prepare_pattern(ArrayStack(counts, valid))
    assert "were not measured" in found.notes[0]
    assert prepare_pattern(ArrayStack(counts, valid), center=(40, 62)).notes == ()
    assert "length 34" in prepare_pattern(ArrayStack(counts), shape=34).notes[0]


@pytest.mark.parametrize(
    ("frames", "options", "message"),
    [
        (3, {}, r"combine \(--stack\) must say what the 3 frames are"),
        (3, {"combine": "max"}, "combine must be one of sum, mean, volume, got 'max'"),
        (3, {"combine": "volume"}, "volume needs at least 4 frames, got 3"),
        (1, {"center": "middle"}, "center must be max, mass or a pixel, got 'middle'"),
        (1, {"center": (1, 2, 3)}, r"center \(--center\) must be 2 .* >= 0, got \(1, 2, 3\)"),
        (1, {"center": (90, 2)}, r"center must lie inside the frames, \(90, 110\), got \(90, 2\)"),
        (1, {"center": (5, 62)}, r"around the centre \(5, 62\) no window of 32 pixels"),
        (1, {"shape": 0}, r"shape \(--size\) must be 2 whole numbers >= 4, got 0"),
        (1, {"shape": 2.5}, r"shape \(--size\) must be 2 whole numbers >= 4, got 2.5"),
        (1, {"bins": (2, 0)}, r"bins \(--bin\) must be 2 .* >= 1, got \(2, 0\)"),
        (9, {"combine": "volume", "bins": (1,)}, r"bins \(--bin\) must be 2 or 3 .* >= 1"),
        (1, {"background": -1.0}, "background must be finite and >= 0, got -1.0"),
        (1, {"background": np.ones(3)}, r"shape of a frame, \(90, 110\), got \(3,\)"),
        (1, {"background": 1e9}, "no measured pixel above 0"),
        (1, {"hot": 1}, r"factor \(--hot\) must be > 1, got 1"),
        (1, {"saturation": -1.0}, "no measured pixel above 0"),
    ],
)
def test_wrong_arguments(frames, options, message):
    with pytest.raises(ValueError, match=message):
        prepare_pattern(ArrayStack(np.stack([frame()] * frames)), **options)


@pytest.mark.parametrize(
    ("counts", "valid", "message"),
    [
        (np.ones(5), None, "2 or 3 axes"),
        (np.ones((5, 5), complex), None, "must be real"),
        (np.ones((0, 5, 5)), None, "not empty"),
        (np.ones((5, 5)), np.ones((5, 4), bool), r"valid must have the shape of frames, \(5, 5\)"),
    ],
)
def test_what_is_no_stack(counts, valid, message):
    with pytest.raises(ValueError, match=message):
        ArrayStack(counts, valid)


def test_a_window_beside_the_pattern_is_pointed_out():
    stack = ArrayStack(np.stack([frame()] * 2))  # the pattern's centre is (40, 62)
    for combine in ("sum", "mean"):
        assert prepare_pattern(stack, combine=combine, center=(40, 62)).notes == ()
        (line,) = prepare_pattern(stack, combine=combine, center=(70, 20)).notes
        assert re.fullmatch(
            r"the window keeps \d+ % of the counts: .* row 70 and column 20 .*", line
        )


@pytest.mark.parametrize("volume", [False, True])
def test_the_file_is_what_reconstruct_and_viewers_look_for(tmp_path, volume):
    counts = rocking() if volume else frame()
    counts[..., 30, 50] = np.iinfo(counts.dtype).max
    found = prepare_pattern(ArrayStack(counts), combine="volume" if volume else None)
    for name in ("a.h5", "b.h5"):
        write_pattern(tmp_path / name, found, title="t", version="1", parameters={"hot": None})
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    with h5py.File(tmp_path / "a.h5") as file:
        assert file.attrs["NX_class"] == "NXroot"
        group = file
        while isinstance(group, h5py.Group):
            plot, group = group, group[group.attrs.get("signal", group.attrs.get("default"))]
        assert plot.attrs["NX_class"] == "NXdata"
        assert group == file["entry_1/instrument_1/detector_1/data"]
        axes = list(plot.attrs["axes"])
        assert [len(plot[name]) for name in axes] == list(group.shape)
        assert [plot[n][m // 2] for n, m in zip(axes, group.shape, strict=True)] == list(
            found.center
        )
        assert file["entry_1/process_1/configuration/hot"].shape is None
    source = symbreak.data.files.arrays.Source(tmp_path / "a.h5")
    read = read_pattern(source)
    np.testing.assert_array_equal(np.fft.fftshift(read.valid), found.valid)
    np.testing.assert_allclose(np.fft.fftshift(read.amplitude) ** 2, found.intensity, rtol=1e-6)
    assert 0 < (~read.valid).sum() < read.valid.numel()


def test_a_frame_of_which_nothing_was_measured_is_named():
    counts = np.random.default_rng(SEED).poisson(peak((4, 90, 110), (2, 40, 62)) + 1.0)
    dark = counts.astype(np.float64)
    dark[2] = np.nan
    with pytest.raises(ValueError, match=r"of frame 2, the first being 0, no pixel was measured"):
        prepare_pattern(ArrayStack(dark), combine="sum")
    found = prepare_pattern(ArrayStack(dark), combine="volume", shape=(16, 48, 48))
    assert found.survey.unmeasured == (2,)


def test_the_detector_is_looked_at_as_a_pattern_is():
    """A background, a mask the wrong way round, a plateau that hides where the centre is."""
    counts = np.random.default_rng(SEED).poisson(peak((90, 110), (40, 62), 6, 4000) + 100.0)
    assert "is there a background?" in " ".join(prepare_pattern(ArrayStack(counts)).notes)
    subtracted = prepare_pattern(ArrayStack(counts), background=100.0)
    assert "is there a background?" not in " ".join(subtracted.notes)
    valid = np.zeros(counts.shape, bool)
    valid[30:50, 50:72] = True
    found = prepare_pattern(ArrayStack(counts, valid), center=(40, 62), shape=64)
    assert "the mask leaves 4.4 % of the pixels" in " ".join(found.notes)
    counts[3, 5:60] = 65535
    with pytest.raises(ValueError, match=r"give shape .*But 55 pixels have the same largest count"):
        prepare_pattern(ArrayStack(counts))
