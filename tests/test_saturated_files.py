"""Saturated pixels from frames to a pattern's file, and from there to phasing."""

import h5py
import numpy as np
import pytest
import torch
from command_line import run

import symbreak
from symbreak.cli.coherence import SATURATED
from symbreak.data import ArrayStack, prepare_halves, prepare_pattern
from symbreak.data.detector.pattern_file import write_pattern
from symbreak.data.detector.pattern_stack import open_stack
from symbreak.data.detector.patterns import read_pattern
from symbreak.data.files.arrays import Source


def frames(count=4):
    """Frames that saturate in the middle: what came, and a pixel that was never read."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:64, :64] - 32
    came = rng.poisson(200 * np.exp(-(y**2 + x**2) / 18.0) + 1, (count, 64, 64))
    valid = np.ones((64, 64), dtype=bool)
    valid[33, 33] = False
    return came, valid


@pytest.mark.parametrize("combine", ["sum", "mean", "volume"])
@pytest.mark.parametrize("bins", [1, 2])
def test_prepared_patterns_keep_the_least(combine, bins):
    came, valid = frames()
    volume, size = combine == "volume", 24
    found = prepare_pattern(
        ArrayStack(np.minimum(came, 120), valid),
        combine=combine,
        center=(2, 32, 32) if volume else (32, 32),
        shape=(4, size, size) if volume else size,
        bins=bins,
        background=0.5,
        saturation=100,
    )
    start = 32 - size // 2 * bins - bins // 2
    window = slice(start, start + size * bins)

    def binned(values):
        part = values[:, window, window]
        return part.reshape(len(part), size, bins, size, bins).sum((2, 4))

    over, least = came > 100, np.minimum(came, 100) - 0.5
    if not volume:
        over, least = over.any(0)[None], least.sum(0)[None]
    saturated = binned(over) > 0
    saturated &= binned(np.broadcast_to(~valid, over.shape)) == 0
    expected = np.where(saturated, binned(least), 0) / (4 if combine == "mean" else 1)
    got, mask = found.least, found.mask
    assert saturated.sum() > 10
    np.testing.assert_allclose(got.reshape(expected.shape), expected, rtol=1e-6)
    assert np.array_equal(mask.reshape(expected.shape) == 2, saturated)
    assert not found.intensity[found.mask != 0].any()


def test_of_half_the_photons_there_was_half_the_least():
    came, valid = frames(1)
    stack, options = ArrayStack(came[0], valid), {"saturation": 100, "background": 0.5}
    whole = prepare_pattern(stack, center=(32, 32), shape=24, **options)
    for half in prepare_halves(stack, whole, **options):
        assert np.array_equal(half.mask, whole.mask)
        assert np.array_equal(half.least, whole.least / 2)
    assert whole.least.max() == 99.5


def prepared(path, values=100):
    """A pattern's file, whose middle is saturated: where, and where something was read."""
    came, valid = frames(1)
    pattern = prepare_pattern(
        ArrayStack(came[0], valid), center=(32, 32), shape=64, saturation=values
    )
    write_pattern(path, pattern, title="test", version="0")
    return came[0] > values, valid


def test_a_prepared_file_says_what_is_saturated(tmp_path):
    path = tmp_path / "p.cxi"
    over, valid = prepared(path)
    over &= valid
    left_out = read_pattern(path)
    assert not left_out.least.any()
    assert any(f"{over.sum()} pixels saturated: left out." in note for note in left_out.notes)
    found = read_pattern(path, own_saturated=True)
    assert torch.equal(found.valid, left_out.valid)
    assert torch.equal(found.amplitude, left_out.amplitude)
    assert np.array_equal(np.fft.fftshift(found.valid), valid & ~over)
    expected = np.where(over, 10, 0)
    np.testing.assert_allclose(np.fft.fftshift(found.least), expected, rtol=1e-6)
    assert not found.amplitude[found.least > 0].any()
    # A mask, by which the pixels count as not measured; and the file's own mask left out.
    np.save(tmp_path / "mask.npy", over.astype(np.uint8))
    masked = read_pattern(path, mask=tmp_path / "mask.npy", own_saturated=True)
    assert not masked.least.any()
    alone = read_pattern(path, own_mask=False, own_saturated=True)
    assert not alone.least.any()
    assert alone.valid.all()


@pytest.mark.parametrize("values", ["intensities", "amplitudes"])
def test_an_array_says_what_is_saturated(tmp_path, values):
    counts = np.random.default_rng(1).poisson(30, (8, 9)).astype(np.float32)
    over = counts > 33
    counts[0, 0] = np.nan
    over[0, 0] = True  # of which nothing is known
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["data"], file["saturated"] = counts, over.astype(np.uint8)
        file["mask"] = over.astype(np.uint8)
    source, named = tmp_path / "a.h5", {"mask": ":mask", "saturated": ":saturated"}
    found = read_pattern(source, values=values, **named)
    assert np.array_equal(np.fft.fftshift(found.valid), ~over)
    expected = np.where(over, np.nan_to_num(counts), 0)
    if values == "intensities":
        expected = np.sqrt(expected)
    np.testing.assert_allclose(np.fft.fftshift(found.least), expected, rtol=1e-6)
    assert 3 < (found.least > 0).sum() < 40
    given = {name: Source.parse(text) for name, text in named.items()}
    with h5py.File(tmp_path / "s.h5", "w") as file:
        file["data"] = np.stack([counts] * 3)
        file["saturated"] = file["mask"] = over.astype(np.uint8)
    with open_stack(Source(tmp_path / "s.h5"), values=values, **given) as stack:
        read = stack.read(slice(1, 3))
    for name in ("amplitude", "valid", "least"):
        np.testing.assert_allclose(read[name][0], getattr(found, name), rtol=1e-6)


def test_a_mark_is_no_count(tmp_path):
    counts = np.full((6, 7), 9, dtype=np.uint16)
    counts[2, 3], counts[4, 4] = 65535, 1000
    np.save(tmp_path / "a.npy", counts)
    np.save(tmp_path / "over.npy", counts > 9)
    found = read_pattern(tmp_path / "a.npy", saturated=tmp_path / "over.npy")
    assert found.least.flatten().sort().values[-2:].tolist() == [0, np.sqrt(np.float32(1000))]
    assert found.valid.sum() == 40


@pytest.mark.parametrize("masked", [False, True])
def test_the_commands_take_the_least(tmp_path, masked):
    """They find what the library finds with the same arguments; a mask makes it not measured."""
    path, words = tmp_path / "p.cxi", ["--schedule", "20*HIO+10*ER", "--starts", 2, "--every", 50]
    over, _ = prepared(path)
    if masked:
        np.save(tmp_path / "mask.npy", over.astype(np.uint8))
        words += ["--mask", tmp_path / "mask.npy"]
    words += ["--own-saturated"]
    pattern = read_pattern(path, own_saturated=True)
    bounded = pattern.least > 0
    expected = symbreak.reconstruct(
        pattern.amplitude + pattern.least,
        "20*HIO+10*ER",
        valid=pattern.valid,
        saturated=None if masked else bounded,
        starts=2,
        shrinkwrap=None,
    )
    done = run("reconstruct", path, "-o", tmp_path / "r.cxi", *words)
    assert done.exit_code == 0, done.output
    assert (f"of {int(bounded.sum())} pixels the least is known" in done.stderr) is not masked
    with h5py.File(tmp_path / "r.cxi") as file:
        errors = file["entry_1/image_3/error"][()]
        used = file["entry_1/image_1/process_1/configuration/saturated_pixels"][()]
    np.testing.assert_allclose(np.sort(errors), np.sort(expected.error), rtol=1e-5)
    assert used == (0 if masked else bounded.sum())
    with h5py.File(path) as file, h5py.File(tmp_path / "s.cxi", "w") as stack:
        stack["entry_1/data_1/data"] = file["entry_1/data_1/data"][()][None]
        mask = file["entry_1/instrument_1/detector_1/mask"][()]
        stack["entry_1/instrument_1/detector_1/mask"] = mask
    done = run("reconstruct-stack", tmp_path / "s.cxi", "-o", tmp_path / "r.h5", *words)
    assert done.exit_code == 0, done.output
    with h5py.File(tmp_path / "r.h5") as file:
        np.testing.assert_allclose(file["errors"][0], expected.error, rtol=1e-5)


def test_a_stack_says_what_it_leaves_out(tmp_path):
    path = tmp_path / "p.cxi"
    over, valid = prepared(path)
    with h5py.File(path) as file, h5py.File(tmp_path / "s.cxi", "w") as stack:
        stack["entry_1/data_1/data"] = file["entry_1/data_1/data"][()][None].repeat(2, 0)
        mask = file["entry_1/instrument_1/detector_1/mask"][()]
        stack["entry_1/instrument_1/detector_1/mask"] = mask
    said = f"in the first patterns {2 * int((over & valid).sum())} pixels saturated: left out."
    for own in (False, True):
        with open_stack(Source(tmp_path / "s.cxi"), own_saturated=own) as stack:
            assert any(note.startswith(said) for note in stack.looks()) is not own
            assert stack.read(slice(0, 2))["least"].any() == own


def test_a_partly_coherent_beam_takes_it_for_not_measured(tmp_path):
    path = tmp_path / "p.cxi"
    prepared(path)
    words = ("--schedule", "40*HIO+10*ER", "--starts", 1, "--partial-coherence")
    words += ("--own-saturated",)
    done = run("reconstruct", path, "-o", tmp_path / "r.cxi", *words)
    assert done.exit_code == 0, done.output
    assert SATURATED in done.stderr
    with h5py.File(path) as file, h5py.File(tmp_path / "s.h5", "w") as stack:
        stack["data"] = file["entry_1/data_1/data"][()][None]
    done = run("reconstruct-stack", tmp_path / "s.h5", "-o", tmp_path / "o.h5", *words)
    assert done.exit_code == 0, done.output
    assert SATURATED in done.stderr
