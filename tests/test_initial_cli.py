"""--initial: `reconstruct` and `reconstruct-stack` begin from objects instead of random phases."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
import torch
from command_line import run, small_crystal, succeeds

import symbreak
from symbreak.cli.initial import fitted
from symbreak.cli.phasing_options import RULE
from symbreak.data import crystals
from symbreak.data.files.cxi import read_cxi

PATTERN = ("--amplitudes", "--dc", "corner")
SHORT = ("--schedule", "20*RAAR+10*ER", "--every", 7)


@pytest.fixture
def scans(tmp_path):
    """Two patterns of a crystal whose phase changed, the first of them phased."""
    crystal = small_crystal()
    phase = torch.linspace(-1, 1, 16)
    for name, x in {"a": crystal, "b": 3 * crystal * torch.exp(0.4j * phase**2)}.items():
        np.save(tmp_path / f"{name}.npy", symbreak.fourier_amplitude(x).numpy())
    words = ("reconstruct", tmp_path / "a.npy", *PATTERN, "--schedule", "40*HIO+20*ER")
    succeeds(*words, "--starts", 5, "-o", tmp_path / "a.cxi")
    return tmp_path


def phase_b(folder, out, *words):
    return run("reconstruct", folder / "b.npy", *PATTERN, *SHORT, *words, "-o", folder / out)


def from_objects(folder, objects, sigma=RULE.sigma_min):
    """The same by the public function; the first blur is as narrow as the last."""
    amplitude = torch.from_numpy(np.load(folder / "b.npy"))
    objects = torch.as_tensor(objects)
    valid = torch.ones(amplitude.shape, dtype=torch.bool)
    begun = fitted(objects, amplitude, valid, limited=False)
    return symbreak.reconstruct(
        amplitude,
        SHORT[1],
        shrinkwrap=replace(RULE, every=SHORT[3], sigma=sigma, sigma_min=min(sigma, RULE.sigma_min)),
        initial=begun,
        support=objects != 0,
        starts=len(objects),
    )


def test_a_result_stands_for_its_starts_and_their_supports(scans):
    result = phase_b(scans, "b.cxi", "--initial", scans / "a.cxi", "--good", 3)
    assert result.exit_code == 0, result.output
    before, after = read_cxi(scans / "a.cxi"), read_cxi(scans / "b.cxi")
    expected = from_objects(scans, before.starts["data"])
    assert len(after.starts["error"]) == 5
    np.testing.assert_array_equal(after.starts["error"], expected.error)
    assert f"5 starts begin from {scans / 'a.cxi'}:/entry_1/image_3/data." in result.stderr
    assert "the starts began from objects that were given" in result.stderr
    assert after.parameters["starts"] == 5
    assert after.parameters["seed"] is None
    assert after.parameters["initial"] == str(scans / "a.cxi")


@pytest.mark.parametrize("number", [1, 2])
def test_the_best_start_or_the_mean_alone(scans, number):
    name = f"/entry_1/image_{number}/data"
    result = phase_b(scans, "b.cxi", "--initial", f"{scans / 'a.cxi'}:{name}")
    assert result.exit_code == 0, result.output
    with h5py.File(scans / "a.cxi") as file:
        expected = from_objects(scans, file[name][()][None])
    np.testing.assert_array_equal(read_cxi(scans / "b.cxi").starts["error"], expected.error)
    assert "one start begins from" in result.stderr
    assert "the starts began" not in result.stderr


@pytest.mark.parametrize("sigma", [3.0, 0.5])
def test_a_first_blur_that_is_given_counts(scans, sigma):
    result = phase_b(scans, "b.cxi", "--initial", scans / "a.cxi", "--sigma", sigma)
    assert result.exit_code == 0, result.output
    after = read_cxi(scans / "b.cxi")
    expected = from_objects(scans, read_cxi(scans / "a.cxi").starts["data"], sigma)
    np.testing.assert_array_equal(after.starts["error"], expected.error)
    assert after.parameters["sigma"] == sigma


def test_a_support_that_is_given_counts_instead(scans):
    support = np.zeros((32, 32), dtype=np.uint8)
    support[8:24, 8:24] = 1
    np.save(scans / "support.npy", support)
    words = ("--initial", scans / "a.cxi", "--support", scans / "support.npy", "--fixed-support")
    assert phase_b(scans, "b.cxi", *words).exit_code == 0
    after = read_cxi(scans / "b.cxi")
    assert (after.starts["support"].sum((1, 2)) == 256).all()
    result = phase_b(scans, "same.cxi", *words)
    assert "--support holds" not in result.stderr
    np.save(scans / "support.npy", np.roll(support, 16, 0))
    result = phase_b(scans, "c.cxi", *words)
    assert "note: --support holds 0 % of an object of --initial only" in result.stderr


def test_objects_of_a_window_have_zeros_around_them(scans):
    objects = torch.stack([small_crystal(), small_crystal() + 0.1])
    np.save(scans / "objects.npy", objects.numpy())
    result = phase_b(scans, "b.cxi", "--initial", scans / "objects.npy")
    assert result.exit_code == 0, result.output
    wide = torch.nn.functional.pad(objects, (0, 16, 0, 16))
    np.testing.assert_array_equal(
        read_cxi(scans / "b.cxi").starts["error"], from_objects(scans, wide).error
    )
    assert "objects.npy, 16 x 16 with zeros around them on 32 x 32." in result.stderr


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_true_object_is_kept(tmp_path, ndim):
    """At whatever scale it is, also where a pixel was not measured."""
    crystal = small_crystal()
    if ndim == 3:
        crystal = torch.stack([crystal, 0.5j * crystal, *torch.zeros(6, 16, 16)])
    amplitude = symbreak.fourier_amplitude(crystal, ndim=ndim)
    valid = torch.ones(amplitude.shape)
    valid[..., :2, :3] = 0
    np.savez(tmp_path / "a.npz", a=(amplitude * valid).numpy(), valid=valid.numpy())
    np.save(tmp_path / "truth.npy", 100 * crystal.numpy())
    words = (f"{tmp_path / 'a.npz'}:a", *PATTERN, "--valid", ":valid", "--schedule", "1*ER")
    succeeds("reconstruct", *words, "--initial", tmp_path / "truth.npy", "-o", tmp_path / "out.cxi")
    found = torch.from_numpy(read_cxi(tmp_path / "out.cxi").object)
    wide = torch.zeros(found.shape, dtype=found.dtype)
    wide[tuple(slice(0, size) for size in crystal.shape)] = crystal
    assert float(symbreak.sa_mse(found, wide, wrap=True, ndim=ndim)) < 1e-9


@pytest.mark.parametrize("command", ["reconstruct", "reconstruct-stack"])
def test_a_limited_phase_begins_about_0(tmp_path, command):
    """Whatever global phase an earlier result without a limit has."""
    crystal = small_crystal().abs() + 0j
    amplitude = symbreak.fourier_amplitude(crystal).numpy()
    begun = crystal.numpy() * np.exp(2.5j)
    if "stack" in command:
        amplitude, begun = amplitude[None], begun[None]
    np.save(tmp_path / "a.npy", amplitude)
    np.save(tmp_path / "begun.npy", begun)
    words = (command, tmp_path / "a.npy", *PATTERN, "--schedule", "1*ER", "--phase-limit", 0.5)
    succeeds(*words, "--initial", tmp_path / "begun.npy", "-o", tmp_path / "out.h5")
    with h5py.File(tmp_path / "out.h5") as file:
        name = "error" if "stack" in command else "entry_1/image_3/error"
        assert file[name][0] < 1e-5


def test_partial_coherence_begins_there_too(scans):
    words = ("--initial", scans / "a.cxi", "--partial-coherence", "--free", 0.1)
    result = phase_b(scans, "b.cxi", *words)
    assert result.exit_code == 0, result.output
    assert read_cxi(scans / "b.cxi").starts["blur"].shape == (5, 2)


def test_an_interrupted_run_continues_with_the_starts_that_are_missing(scans, monkeypatch):
    words = ("--initial", scans / "a.cxi")
    assert phase_b(scans, "whole.cxi", *words).exit_code == 0
    with monkeypatch.context() as patch:
        calls, real = [], symbreak.reconstruct

        def fails_at_second(*arguments, **named):
            calls.append(named["first_start"])
            if len(calls) == 2:
                raise KeyboardInterrupt
            return real(*arguments, **named)

        patch.setattr(symbreak, "reconstruct", fails_at_second)
        patch.setattr("symbreak.cli.phasing.starts_at_once", lambda device: 2)
        assert phase_b(scans, "b.cxi", *words).exit_code != 0
    assert calls == [0, 2]
    resumed = phase_b(scans, "b.cxi", *words)
    assert resumed.exit_code == 0, resumed.output
    whole, found = read_cxi(scans / "whole.cxi"), read_cxi(scans / "b.cxi")
    for name, value in whole.starts.items():
        np.testing.assert_array_equal(found.starts[name], value)


def test_other_objects_do_not_continue_a_run(scans, monkeypatch):
    with monkeypatch.context() as patch:

        def dies(*_):
            raise KeyboardInterrupt

        patch.setattr("symbreak.cli.reconstruct.write_cxi", dies)
        assert phase_b(scans, "b.cxi", "--initial", scans / "a.cxi").exit_code != 0
    flipped = np.conj(read_cxi(scans / "a.cxi").starts["data"])
    np.save(scans / "twins.npy", flipped)
    other = phase_b(scans, "b.cxi", "--initial", scans / "twins.npy")
    assert other.exit_code == 0, other.output
    expected = from_objects(scans, flipped)
    np.testing.assert_array_equal(read_cxi(scans / "b.cxi").starts["error"], expected.error)


@pytest.fixture
def stack(tmp_path):
    objects = crystals(5, 16)
    amplitude = symbreak.fourier_amplitude(objects)
    amplitude[3] = 0
    estimates = objects + 0.1 * torch.randn(
        objects.shape, generator=torch.Generator().manual_seed(1)
    )
    estimates[3] = 0
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["amplitude"], file["estimate"] = amplitude.numpy(), estimates.numpy()
    return tmp_path, objects


def phase_stack(folder, *words):
    data = f"{folder / 'data.h5'}:amplitude"
    return run("reconstruct-stack", data, *PATTERN, *words, "-o", folder / "out.h5")


@pytest.mark.parametrize("free", [(), ("--free", 0.05)])
def test_every_pattern_begins_from_its_own_object(stack, free):
    folder, objects = stack
    result = phase_stack(
        folder, "--initial", ":estimate", "--schedule", "20*ER", "--chunk", 2, *free
    )
    assert result.exit_code == 0, result.output
    assert "data.h5:/estimate, 16 x 16 with zeros around them on 32 x 32." in result.stderr
    with h5py.File(folder / "out.h5") as file:
        found = torch.from_numpy(file["object"][()])
        assert file["errors"].shape == (5, 1)
        assert file.attrs["starts"] == 1
        assert file.attrs["initial"] == ":estimate"
        assert file.attrs["sigma"] == RULE.sigma_min
        assert np.isnan(file["error"][3])
    wide = torch.nn.functional.pad(objects, (0, 16, 0, 16))
    distance = symbreak.sa_mse(found, wide, wrap=True, reduction="none") / wide.abs().square().mean(
        (1, 2)
    )
    known = [0, 1, 2, 4]
    assert distance[known].max() < 0.02
    random = run(
        *("reconstruct-stack", f"{folder / 'data.h5'}:amplitude", *PATTERN, "--starts", 1),
        *("--schedule", "20*ER", "-o", folder / "random.h5"),
    )
    assert random.exit_code == 0
    with h5py.File(folder / "random.h5") as file:
        random = torch.from_numpy(file["object"][()])
    others = symbreak.sa_mse(random, wide, wrap=True, reduction="none") / wide.abs().square().mean(
        (1, 2)
    )
    assert others[known].min() > 5 * distance[known].max()


WRONG = {
    "starts": (("--starts", 3), "--initial leaves nothing random: leave out --starts"),
    "seed": (("--seed", 0), "--initial leaves nothing random: leave out --seed"),
    "choose": (
        ("--choose-support",),
        "--initial leaves nothing random: leave out --choose-support",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_random_does_not_go_together_with_it(scans, stack, name):
    words, told = WRONG[name]
    for result in (
        phase_b(scans, "b.cxi", "--initial", scans / "a.cxi", *words),
        phase_stack(stack[0], "--initial", ":estimate", *words),
    ):
        assert result.exit_code == 2
        assert told in result.stderr
    assert not (scans / "b.cxi").exists()


def objects_that_cannot_be(folder):
    """Names of files and what is said of them; the pattern is of 32 x 32."""
    dark = np.ones((2, 32, 32), dtype=np.complex64)
    dark[1] = 0
    broken = np.ones((2, 32, 32), dtype=np.complex64)
    broken[1, 3, 4] = np.nan
    files = {
        "real.npy": (np.ones((32, 32)), "no dataset can be a stack of complex objects"),
        "large.npy": (
            np.ones((33, 32), dtype=np.complex64),
            "its objects are on a grid of (33, 32), the pattern has (32, 32); another grid has "
            "other pixels of the object. Prepare both patterns with the same --size and --bin.",
        ),
        "dark.npy": (dark, "object 1 is 0 everywhere"),
        "broken.npy": (broken, "objects must be finite, object 1 is not"),
        "flat.npy": (
            np.ones(32, dtype=np.complex64),
            "no dataset can be a stack of complex objects",
        ),
    }
    for name, (array, told) in files.items():
        np.save(folder / name, array)
        yield name, told
    (folder / "text.h5").write_text("no objects")
    yield "text.h5", "not a whole HDF5 file"
    yield "missing.npy", "No such file"


def test_objects_that_cannot_be_are_one_line(scans):
    for name, told in objects_that_cannot_be(scans):
        result = phase_b(scans, "b.cxi", "--initial", scans / name)
        assert result.exit_code != 0, name
        lines = [line for line in result.stderr.splitlines() if "error:" in line]
        assert len(lines) == 1
        assert told in lines[0]
    assert not list(scans.glob("b.cxi*"))


def test_a_result_on_another_grid_has_other_pixels(scans):
    words = ("reconstruct", scans / "a.npy", *PATTERN, "--schedule", "2*ER", "--starts", 1)
    amplitude = np.load(scans / "a.npy")
    np.save(scans / "a.npy", np.fft.ifftshift(np.fft.fftshift(amplitude)[4:-4, 4:-4]))
    succeeds(*words, "-o", scans / "small.cxi")
    result = phase_b(scans, "b.cxi", "--initial", scans / "small.cxi")
    assert result.exit_code == 1
    assert "its objects are on a grid of (24, 24), the pattern has (32, 32)" in result.stderr


def test_objects_of_a_stack_that_cannot_be_are_one_line(stack):
    folder, objects = stack
    lost = objects.numpy().copy()
    lost[2] = 0
    np.save(folder / "few.npy", objects.numpy()[:4])
    np.save(folder / "lost.npy", lost)
    np.save(folder / "one.npy", objects.numpy()[0])
    told = {
        "few": "there must be one object for each of the 5 patterns, got shape (4, 16, 16)",
        "one": "there must be one object for each of the 5 patterns, got shape (16, 16)",
        "lost": "object 2 is 0 everywhere, its pattern is not",
    }
    for name, line in told.items():
        result = phase_stack(folder, "--initial", folder / f"{name}.npy", "--schedule", "2*ER")
        assert result.exit_code == 1, name
        assert line in result.stderr
        assert not (folder / "out.h5").exists()
