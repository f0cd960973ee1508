"""symbreak reconstruct-stack: every pattern as `reconstruct` phases it, dark ones left out."""

import h5py
import numpy as np
import pytest
import torch
from command_line import run

import symbreak
from symbreak.cli.phasing_options import RULE
from symbreak.coherence import blurred_intensity, coherence_length
from symbreak.coherence import reconstruct as partly_coherent
from symbreak.cross_validation import cross_validated_error
from symbreak.data.detector.pattern_file import write_pattern
from symbreak.data.detector.pattern_stack import open_stack
from symbreak.data.detector.patterns import read_pattern
from symbreak.data.detector.prepare import prepare_pattern
from symbreak.data.detector.stacks import ArrayStack
from symbreak.data.files.arrays import Source
from symbreak.data.simulation.crystals import crystals
from symbreak.data.simulation.noise import poisson_amplitude
from symbreak.supports import choose

SCHEDULE, SIZE, GRID = "30*HIO+10*ER", 16, 32
OPTIONS = ("--schedule", SCHEDULE, "--starts", 3, "--seed", 5)


def content(path):
    with h5py.File(path) as file:
        return {name: file[name][()] for name in file}


@pytest.fixture
def amplitude():
    return symbreak.fourier_amplitude(crystals(5, SIZE))


def expected(amplitude, valid=None):
    """The best start of each pattern, by the public functions."""
    found = symbreak.reconstruct(
        amplitude, SCHEDULE, valid=valid, starts=3, seed=5, shrinkwrap=RULE
    )
    measured = torch.ones_like(amplitude, dtype=torch.bool) if valid is None else valid
    crossed = cross_validated_error(found.error, found.support, measured)
    known = crossed.isfinite().any(1, keepdim=True)  # otherwise errors decide
    ranked = found._replace(error=torch.where(known, crossed, found.error))
    return found.error, ranked.error.argmin(1), ranked.best().centered()


def test_the_best_start_of_every_pattern(tmp_path, amplitude):
    np.save(tmp_path / "a.npy", amplitude.numpy())
    words = ("--amplitudes", "--dc", "corner", "-o", tmp_path / "out.h5", "--chunk", 2)
    result = run("reconstruct-stack", tmp_path / "a.npy", *words, *OPTIONS)
    assert result.exit_code == 0, result.output
    found = content(tmp_path / "out.h5")
    errors, start, best = expected(amplitude)
    assert np.array_equal(found["errors"], errors)
    assert np.array_equal(found["start"], start)
    assert np.array_equal(found["error"], errors.gather(1, start[:, None])[:, 0])
    assert np.array_equal(found["support"], best.support)
    assert np.array_equal(found["object"], best.object.where(best.support, 0))
    with h5py.File(tmp_path / "out.h5") as file:
        assert file.attrs["schedule"] == SCHEDULE
        assert file.attrs["starts"] == 3
        assert file.attrs["area"].shape is None


@pytest.mark.parametrize("lengths", [None, (9.0, 14.0)])
@pytest.mark.parametrize("free", [None, 0.1])
def test_a_partly_coherent_beam(tmp_path, amplitude, lengths, free):
    widths = torch.tensor([0.6, 0.4], dtype=torch.float64)
    x = torch.nn.functional.pad(crystals(5, SIZE), (0, SIZE, 0, SIZE))
    a = 100 * blurred_intensity(x, widths).sqrt()
    a[3] = 0
    np.save(tmp_path / "a.npy", a.numpy())
    words = ["--amplitudes", "--dc", "corner", "-o", tmp_path / "out.h5", "--chunk", 2, *OPTIONS]
    if lengths is None:
        words += ["--partial-coherence"]
    else:
        words += ["--coherence-length", "9,14"]
    if free is not None:
        words += ["--free", free]
    result = run("reconstruct-stack", tmp_path / "a.npy", *words)
    assert result.exit_code == 0, result.output
    found = content(tmp_path / "out.h5")
    blur = None
    if lengths is not None:
        blur = coherence_length(torch.tensor(lengths, dtype=torch.float64), (GRID, GRID))
    for k in (0, 1, 2, 4):
        hidden = torch.zeros(GRID, GRID, dtype=torch.bool)
        if free is not None:
            hidden = symbreak.free_pixels((GRID, GRID), fraction=free)
        given = {"valid": ~hidden, "starts": 3, "seed": 5, "shrinkwrap": RULE}
        done = partly_coherent(a[k], SCHEDULE, blur=blur, **given)
        assert np.array_equal(found["errors"][k], done.found.error)
        start = int(found["start"][k])
        assert np.array_equal(found["blur"][k], done.blur[start])
        assert np.array_equal(found["support"][k].sum(), done.found.support[start].sum())
        if free is not None:
            inside = done.found.object * done.found.support
            likelihood = symbreak.free_log_likelihood(inside, a[k], hidden, blur=done.blur)
            np.testing.assert_allclose(found["free_log_likelihood"][k], likelihood, rtol=1e-5)
    assert np.isnan(found["blur"][3]).all()
    middle = np.nanmedian(found["blur"], 0)
    assert f"blur of the patterns, median: {middle[0]:.2f} x {middle[1]:.2f} pixels" in (
        result.output
    )


@pytest.mark.parametrize("how", [(), ("--free", 0.1), ("--partial-coherence",)])
def test_every_pattern_chooses_its_support(tmp_path, amplitude, how):
    """As `symbreak.supports.choose` does for one, and as `reconstruct` phases with that."""
    a = poisson_amplitude(amplitude, 1e4)
    a[1] = 0
    a[2] = a[2] * (torch.rand(GRID, GRID, generator=torch.Generator().manual_seed(1)) > 0.3)
    np.save(tmp_path / "a.npy", a.numpy())
    words = ["--amplitudes", "--dc", "corner", "-o", tmp_path / "out.h5", "--chunk", 2, *OPTIONS]
    result = run("reconstruct-stack", tmp_path / "a.npy", *words, "--choose-support", *how)
    assert result.exit_code == 0, result.output
    found = content(tmp_path / "out.h5")
    hidden = torch.zeros(GRID, GRID, dtype=torch.bool)
    if "--free" in how:
        hidden = symbreak.free_pixels((GRID, GRID), fraction=0.1)
    rules = []
    for k in (0, 2, 3, 4):
        given = {"valid": ~hidden, "starts": 3, "seed": 5}
        coherent = "--partial-coherence" not in how
        try:
            choice = choose(a[k], SCHEDULE, shrinkwrap=RULE, partly_coherent=not coherent, **given)
            rule = choice.shrinkwrap
        except ValueError:  # of the pattern that was spoilt
            assert k == 2
            rule = RULE
        rules.append(rule)
        if coherent:
            phased = symbreak.reconstruct(a[k], SCHEDULE, shrinkwrap=rule, **given)
        else:
            phased = partly_coherent(a[k], SCHEDULE, shrinkwrap=rule, **given).found
        best = phased.best(valid=~hidden).centered()
        assert np.array_equal(found["errors"][k], phased.error)
        assert np.array_equal(found["object"][k], best.object.where(best.support, 0))
        area = (np.nan, np.nan) if rule.area is None else rule.area
        np.testing.assert_array_equal(found["area"][k], area)
        expected = rule.threshold if rule.area is None else np.nan
        np.testing.assert_array_equal(found["threshold"][k], expected)
    assert len(set(rules)) > 1
    for name in ("threshold", "area", "error"):
        assert np.isnan(found[name][1]).all()
    areas = [rule.area[1] for rule in rules if rule.area is not None]
    if areas:
        assert f"{len(areas)} x an area, median {np.median(areas):.3g}" in result.output
    for value in {rule.threshold for rule in rules if rule.area is None}:
        assert f" x threshold {value:g}" in result.output


def test_where_no_support_is_determined_the_default_is_taken(tmp_path):
    """A pattern that is bright in two pixels only: every support fits it."""
    a = np.ones((2, GRID, GRID), np.float32)
    valid = np.zeros((GRID, GRID), bool)
    valid[0, :3] = True
    np.save(tmp_path / "a.npy", a)
    np.save(tmp_path / "v.npy", valid)
    words = ["--amplitudes", "--dc", "corner", "--valid", tmp_path / "v.npy", *OPTIONS]
    for name, more in (("chosen", ["--choose-support"]), ("default", [])):
        result = run(
            "reconstruct-stack", tmp_path / "a.npy", *words, *more, "-o", tmp_path / f"{name}.h5"
        )
        assert result.exit_code == 0, result.output
    chosen, default = content(tmp_path / "chosen.h5"), content(tmp_path / "default.h5")
    for name in default:
        np.testing.assert_array_equal(chosen[name], default[name])
    assert (chosen["threshold"] == RULE.threshold).all()


@pytest.mark.parametrize("option", [("--threshold", 0.2), ("--area", 0.1)])
def test_who_chooses_does_not_say_which(tmp_path, amplitude, option):
    np.save(tmp_path / "a.npy", amplitude.numpy())
    words = ("reconstruct-stack", tmp_path / "a.npy", "-o", tmp_path / "out.h5")
    refused = run(*words, "--choose-support", *option)
    assert refused.exit_code == 2
    assert f"--choose-support chooses it: leave out {option[0]}" in refused.output


@pytest.mark.parametrize("every", [False, True])
def test_counts_with_masks_and_a_dark_frame(tmp_path, amplitude, every):
    valid = torch.ones(5, GRID, GRID, dtype=torch.bool)
    valid[:, 3:5, 7] = False
    if every:
        valid[2, 10] = False
    counts = (amplitude**2).double().round()
    counts[3] = 0
    stored = np.fft.fftshift(counts.numpy().astype(np.uint16), (1, 2))
    stored[1, 0, 0] = 65535  # saturated, at the corner of the file
    corner = torch.ones(5, GRID, GRID, dtype=torch.bool)
    corner[1, GRID // 2, GRID // 2] = False
    mask = np.fft.fftshift(~valid.numpy(), (1, 2)).astype("u1")
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file["data"], file["mask"] = stored, mask if every else mask[0]
    words = ("--mask", ":mask", "-o", tmp_path / "out.h5", *OPTIONS)
    result = run("reconstruct-stack", tmp_path / "scan.h5", *words)
    assert result.exit_code == 0, result.output
    found = content(tmp_path / "out.h5")
    bright = [0, 1, 2, 4]
    errors, start, best = expected(counts.sqrt().float()[bright], (valid & corner)[bright])
    assert np.array_equal(found["errors"][bright], errors)
    assert np.array_equal(found["start"][bright], start)
    assert np.array_equal(found["object"][bright], best.object.where(best.support, 0))
    assert np.isnan(found["error"][3])
    assert found["start"][3] == -1
    assert not found["object"][3].any()
    assert not found["support"][3].any()


@pytest.mark.parametrize(
    ("make", "words", "message"),
    [
        (lambda a: a[0], (), "no dataset can be a stack of patterns"),
        (lambda a: a[:0], (), "it is empty"),
        (lambda a: a.astype(complex), (), "no dataset can be a stack of patterns"),
        (lambda a: -a, ("--amplitudes",), "amplitudes must be >= 0, pattern 0 has negative ones"),
        (lambda a: a, ("--mask", ":a"), "there is no dataset 'a'"),
        (lambda a: a, ("--valid", "{}/m.npy"), "m.npy: no dataset can be a mask"),
        (lambda a: a, ("--schedule", "5*FOO"), "schedule"),
        (lambda a: a, ("--beta", 3), "beta must be in (0, 2], got 3.0"),
        (lambda a: a, ("--coherence-length", "9,14,20"), "--coherence-length must have 2 lengths"),
    ],
)
def test_bad_input_leaves_nothing(tmp_path, amplitude, make, words, message):
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file["x"] = make(amplitude.numpy())
    np.save(tmp_path / "m.npy", np.ones((GRID, GRID + 1)))
    words = [str(word).format(tmp_path) for word in words]
    result = run("reconstruct-stack", tmp_path / "d.h5", "-o", tmp_path / "out.h5", *words)
    assert result.exit_code != 0
    assert message in result.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"d.h5", "m.npy"}


@pytest.mark.parametrize(
    ("words", "hints"),
    [
        (("--dc", "corner"), []),
        ((), ["in the first patterns the corners are brightest: should it be --dc corner?"]),
        (("--dc", "corner", "--amplitudes"), ["should it be --intensities?"]),
    ],
)
def test_one_note_where_the_patterns_look_otherwise(tmp_path, amplitude, words, hints):
    counts = (1000 * amplitude**2 / amplitude.amax() ** 2).double().round().numpy()
    counts[0] = 0  # dark
    counts[1, GRID // 2 - 2, GRID // 2 - 2] = 3e6  # a ray of the cosmos is not zero frequency
    valid = np.ones(counts.shape, dtype="u1")
    valid[1, GRID // 2 - 2, GRID // 2 - 2] = 0
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file["x"], file["valid"] = counts, valid
    words = (*words, "--valid", ":valid", "--chunk", 2, "-o", tmp_path / "out.h5")
    result = run("reconstruct-stack", tmp_path / "d.h5", *words, *OPTIONS)
    assert result.exit_code == 0, result.output
    notes = [line for line in result.stderr.splitlines() if "should it be" in line]
    assert len(notes) == len(hints)
    assert all(hint in note for hint, note in zip(hints, notes, strict=True))


@pytest.mark.parametrize("every", [False, True])
@pytest.mark.parametrize("own", [False, True])
def test_the_mask_of_a_known_layout_is_used_beside_one_that_is_given(
    tmp_path, amplitude, every, own
):
    bits = np.zeros(amplitude.shape, np.uint32)
    bits[:, 3:5, 7] = 1
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file["entry/data/data"] = amplitude.numpy()
        file["entry/instrument/detector/pixel_mask"] = bits if every else bits[0]
        file["other"] = np.zeros(amplitude.shape[1:], "u1")
        file["other"][9, 2] = 1
    words = ("--amplitudes", "--dc", "corner", "-o", tmp_path / "out.h5", *OPTIONS)
    words = (*words, "--mask", ":other", *(() if own else ("--no-own-mask",)))
    result = run("reconstruct-stack", f"{tmp_path}/scan.h5:/entry/data/data", *words)
    assert result.exit_code == 0, result.output
    assert ("using its mask" in result.stderr) is own
    valid = torch.from_numpy(bits == 0) if own else torch.ones(bits.shape, dtype=torch.bool)
    valid[:, 9, 2] = False
    assert np.array_equal(content(tmp_path / "out.h5")["errors"], expected(amplitude, valid)[0])


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32])
def test_a_pattern_of_a_stack_is_read_as_one_alone(tmp_path, kind):
    """The marks of detectors too: an unsigned type's largest value, a signed one's negative."""
    counts = np.random.default_rng(4).integers(0, 50, (3, 8, 8)).astype(kind)
    counts[:, 2, 5] = -1 if kind is not np.uint16 else np.iinfo(kind).max
    np.save(tmp_path / "stack.npy", counts)
    with open_stack(Source(tmp_path / "stack.npy")) as stack:
        found = stack.read(slice(0, 3))
    for k, pattern in enumerate(counts):
        np.save(tmp_path / "one.npy", pattern)
        alone = read_pattern(Source(tmp_path / "one.npy"))
        assert np.array_equal(found["valid"][k], alone.valid.numpy())
        np.testing.assert_array_equal(
            found["amplitude"][k] * found["valid"][k], (alone.amplitude * alone.valid).numpy()
        )
    assert (~found["valid"]).sum() == (0 if kind is np.float32 else 3)


def test_a_prepared_volume_is_told_from_a_stack(tmp_path):
    counts = np.random.default_rng(4).poisson(9, (12, 40, 40)).astype(np.uint16)
    counts[6, 20, 20] = 900
    prepared = prepare_pattern(
        ArrayStack(counts), combine="volume", center=(6, 20, 20), shape=(12, 32, 32)
    )
    write_pattern(tmp_path / "volume.h5", prepared, title="", version="0")
    with h5py.File(tmp_path / "stack.h5", "w") as file:
        file["entry_1/data_1/data"] = prepared.intensity
        file["entry_1/data_1"].attrs["axes"] = ["frame", "y", "x"]
        file["entry_1/program_name"] = "another"
    for name in ("volume", "stack"):
        with open_stack(Source(tmp_path / f"{name}.h5")) as opened:
            told = any("one volume, of which every frame" in note for note in opened.notes)
        assert told is (name == "volume")
