"""symbreak reconstruct --choose-support: what it tries, takes, keeps and says."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
from command_line import run
from interruptions import finish, interrupt

import symbreak
from symbreak.cli.phasing_options import RULE
from symbreak.data import beamstop, crystals, poisson_amplitude
from symbreak.data.files.cxi import read_cxi
from symbreak.supports import choose

SCHEDULE, GRID = "60*HIO+10*ER", (48, 48)
OWN = replace(RULE, every=10, sigma=2, sigma_min=1)
STARTS = ("--schedule", SCHEDULE, "--starts", 3, "--seed", 3, "--beta", 0.8)
OPTIONS = (*STARTS, "--every", 10, "--sigma", 2, "--sigma-min", 1)


@pytest.fixture
def valid():
    return beamstop(GRID, 1.5)


@pytest.fixture
def amplitude():
    a = symbreak.fourier_amplitude(crystals(1, 16, seed=2)[0], shape=GRID)
    return poisson_amplitude(a * (2e4 / a.square().sum()).sqrt(), 2e4)


@pytest.fixture
def scan(tmp_path, amplitude, valid):
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        counts = amplitude.double().square().round()
        file["one"] = np.fft.fftshift(counts.numpy()).astype(np.uint32)
        file["valid"] = np.fft.fftshift(valid.numpy())
    return tmp_path / "scan.h5"


@pytest.fixture
def words(tmp_path, scan):
    given = ("reconstruct", f"{scan}:one", "--valid", ":valid", *OPTIONS, "--choose-support")
    return (*given, "-o", tmp_path / "out.cxi")


def chosen(amplitude, valid, **changed):
    given = {"shrinkwrap": OWN, "starts": 3, "seed": 3, "beta": 0.8, "valid": valid}
    return choose(amplitude.double().square().round().sqrt().float(), SCHEDULE, **given | changed)


def same(a, b):
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def test_it_phases_by_what_python_chooses(tmp_path, words, scan, amplitude, valid):
    result = run(*words)
    assert result.exit_code == 0, result.output
    choice, written = chosen(amplitude, valid), read_cxi(tmp_path / "out.cxi")
    rule, trials = choice.shrinkwrap, choice.trials
    crossed = np.stack([trial.cross_validated for trial in trials])
    assert same(written.results["trial_cross_validated"], crossed)
    assert same(written.results["trial_pixels"], np.stack([trial.pixels for trial in trials]))
    thresholds = [0.3, 0.35, 0.4, 0.45, 0.5, 0.8]
    assert same(written.results["trial_threshold"], np.array(thresholds + [np.nan] * 5))
    areas = [trial.shrinkwrap.areas or [np.nan] * 2 for trial in trials]
    assert same(written.results["trial_area"], np.array(areas))
    for name in ("mean_error", "criterion"):
        each = np.array([getattr(trial, name) for trial in trials])
        np.testing.assert_allclose(written.results[f"trial_{name}"], each, rtol=1e-5)
    assert f"{trials[choice.best].criterion:.4g}" in result.stdout
    assert result.stdout.count("(chosen)") == 1
    # Phased as by the option that the chosen row shows.
    (row,) = [line for line in result.stdout.splitlines() if "(chosen)" in line]
    option, value = row.split("│")[1].split()[:2]
    assert written.parameters["threshold"] == rule.threshold
    assert written.parameters["area"] == (None if option == "--threshold" else value)
    assert "free_pixels" not in written.results
    plain = ("reconstruct", f"{scan}:one", "--valid", ":valid", *OPTIONS, option, value)
    again = run(*plain, "-o", tmp_path / "again.cxi")
    assert again.exit_code == 0, again.output
    assert same(read_cxi(tmp_path / "again.cxi").starts["data"], written.starts["data"])
    assert {path.name for path in tmp_path.iterdir()} == {"scan.h5", "out.cxi", "again.cxi"}


def test_free_pixels_that_are_asked_for_are_not_seen_by_the_trials_either(
    tmp_path, words, amplitude, valid
):
    result = run(*words, "--free", 0.1)
    assert result.exit_code == 0, result.output
    written = read_cxi(tmp_path / "out.cxi")
    free = symbreak.free_pixels(GRID, valid=valid, fraction=0.1)
    choice = chosen(amplitude, valid & ~free)
    crossed = np.stack([trial.cross_validated for trial in choice.trials])
    assert same(written.results["trial_cross_validated"], crossed)
    assert same(written.results["free_pixels"], np.fft.fftshift(free.numpy()))


@pytest.mark.parametrize("when", ["trials", "starts"])
def test_interrupted_it_goes_on(tmp_path, words, monkeypatch, when):
    counted = []
    reconstruct = symbreak.reconstruct

    def counting(*given, **options):
        if len(counted) == (4 if when == "trials" else 12):
            interrupt()
        counted.append(options["shrinkwrap"])
        return reconstruct(*given, **options)

    with monkeypatch.context() as patch:
        patch.setattr("torch.get_num_threads", lambda: 8)  # all starts in one piece
        patch.setattr(symbreak, "reconstruct", counting)
        if when == "starts":
            patch.setattr("symbreak.cli.reconstruct.compare_starts", interrupt)
        result = run(*words)
    assert result.exit_code == 130
    kept = "4 of 11 trials" if when == "trials" else "3 of 3 starts and 11 of 11 trials"
    assert f"{kept} of supports are kept, the same command continues." in " ".join(
        result.stderr.split()
    )
    before, counted = counted, []
    with monkeypatch.context() as patch:
        patch.setattr("torch.get_num_threads", lambda: 8)
        patch.setattr(
            symbreak, "reconstruct", lambda *a, **k: (counted.append(k), reconstruct(*a, **k))[1]
        )
        finish(words)
    assert len(before) + len(counted) == 12
    assert {path.name for path in tmp_path.iterdir()} == {"scan.h5", "out.cxi"}
    finish((*words[:-1], tmp_path / "whole.cxi"))
    first, whole = (read_cxi(tmp_path / name) for name in ("out.cxi", "whole.cxi"))
    assert same(first.starts["data"], whole.starts["data"])
    for name, values in whole.results.items():
        assert same(first.results[name], values), name


@pytest.mark.parametrize(
    "other", [("--free", 0.1), ("--seed", 4), ("--beta", 0.9), ("--sigma", 3), ("--valid", ":one")]
)
def test_trials_of_other_settings_are_not_taken_over(tmp_path, words, monkeypatch, other):
    with monkeypatch.context() as patch:
        patch.setattr("symbreak.cli.reconstruct.compare_starts", interrupt)
        assert "11 of 11 trials" in run(*words).stderr
    finish((*words, *other))
    finish((*words, *other, "-o", tmp_path / "whole.cxi"))
    first, whole = (read_cxi(tmp_path / name).results for name in ("out.cxi", "whole.cxi"))
    assert same(first["trial_cross_validated"], whole["trial_cross_validated"])


@pytest.mark.parametrize(
    "option", [("--threshold", 0.2), ("--area", 0.1), ("--fixed-support", "--support", ":valid")]
)
def test_who_chooses_does_not_say_which(words, option):
    result = run(*words, *option)
    assert result.exit_code == 2
    assert f"--choose-support chooses it: leave out {option[0]}" in result.stderr


def test_a_pattern_that_determines_nothing(tmp_path, words, scan):
    """Every pixel alike: a single point, under a blur that fills half the grid and more."""
    with h5py.File(scan, "r+") as file:
        file["one"][...] = 5
    result = run(*words, "--sigma", 40, "--sigma-min", 40)
    assert result.exit_code == 1
    assert "a trial must leave a support of less than half the measured pixels" in result.stderr
    assert not (tmp_path / "out.cxi").exists()
