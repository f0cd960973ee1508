"""--free: how well the starts predict what phasing did not see is told, and written down."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
from command_line import run

import symbreak
from symbreak.cli.phasing_options import RULE
from symbreak.cross_validation import cross_validated_error
from symbreak.data import beamstop, crystals, detector_gaps, poisson_amplitude
from symbreak.data.files.cxi import read_cxi

SCHEDULE, GRID = "120*HIO+20*ER+9*RAAR", (48, 48)
OPTIONS = ("--schedule", SCHEDULE, "--starts", 4, "--seed", 3, "--free", 0.1)
TIGHT = ("--area", "0.2,0.08")  # no support fits anything


@pytest.fixture
def counts():
    """Patterns of three crystals, zero frequency at the corner."""
    a = symbreak.fourier_amplitude(crystals(5, 16, seed=2)[[0, 3, 4]], shape=GRID)
    scaled = a * (2e4 / a.square().sum((1, 2), keepdim=True)).sqrt()
    return poisson_amplitude(scaled, 2e4).square().round()


@pytest.fixture
def valid():
    return beamstop(GRID, 1.5) & detector_gaps(GRID, module=9, gap=2, axes=[0])


@pytest.fixture
def scan(tmp_path, counts, valid):
    """As a detector's file: zero frequency in the middle, valid where measured."""
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file["all"] = np.fft.fftshift(counts.numpy(), (1, 2)).astype(np.uint32)
        file["one"], file["valid"] = file["all"][0], np.fft.fftshift(valid.numpy())
    return tmp_path / "scan.h5"


def phased(counts, valid, free):
    """By the public functions: the starts of one pattern, and how well they predict."""
    a = counts.double().sqrt().float()
    tight = replace(RULE, area=(0.2, 0.08))
    found = symbreak.reconstruct(
        a, SCHEDULE, valid=valid & ~free, starts=4, seed=3, shrinkwrap=tight
    )
    return found, symbreak.free_log_likelihood(found.object * found.support, a, free)


def test_reconstruct_tells_and_keeps_them(tmp_path, scan, counts, valid):
    out, picture = tmp_path / "out.cxi", tmp_path / "out.png"
    words = ("-o", out, "--valid", ":valid", "--plot", picture, *OPTIONS, *TIGHT)
    result = run("reconstruct", f"{scan}:one", *words)
    assert result.exit_code == 0, result.output
    free = symbreak.free_pixels(GRID, valid=valid, fraction=0.1)
    found, likelihood = phased(counts[0], valid, free)
    crossed = cross_validated_error(found.error, found.support, valid & ~free)
    assert bool(crossed.isfinite().all())
    best = int(crossed.argmin())
    written = read_cxi(out)
    assert np.array_equal(written.results["free_pixels"], np.fft.fftshift(free.numpy()))
    assert np.array_equal(written.starts["error"], found.error.double())
    np.testing.assert_allclose(written.starts["free_log_likelihood"], likelihood, rtol=1e-5)
    assert written.free_log_likelihood == written.starts["free_log_likelihood"][best]
    assert written.error == pytest.approx(float(found.error[best]))
    assert written.parameters["free"] == 0.1
    assert np.array_equal(written.starts["cross_validated"], crossed)
    assert written.parameters["free_pixels"] == int(free.sum())
    assert f"{best} (best)" in result.stdout
    assert f"{float(likelihood[best]):.4g}" in result.stdout
    assert f"median {float(likelihood.quantile(0.5)):.4g}; lower" in result.stdout  # of four
    assert "free LLK" in result.stdout
    assert "mean of the starts with cross-validated error <= 1.1 x the best" in result.stdout
    assert "and a free log-likelihood of 0." in result.stdout
    assert f"{int(free.sum())} of them left out of phasing" in result.stderr
    assert picture.exists()


def test_what_was_counted_on_them_is_not_seen_by_phasing(tmp_path, scan, counts, valid):
    free = np.fft.fftshift(symbreak.free_pixels(GRID, valid=valid, fraction=0.1).numpy())
    results = []
    for change in (0, 7):
        with h5py.File(scan, "r+") as file:
            file["one"][...] = file["all"][0] + change * free.astype(np.uint32)
        out = tmp_path / f"{change}.cxi"
        result = run("reconstruct", f"{scan}:one", "-o", out, "--valid", ":valid", *OPTIONS)
        assert result.exit_code == 0, result.output
        results.append(read_cxi(out))
    first, second = (result.starts for result in results)
    assert np.array_equal(first["error"], second["error"])
    assert np.array_equal(first["r_factor"], second["r_factor"])
    assert (first["free_log_likelihood"] != second["free_log_likelihood"]).all()


def test_without_them_nothing_is_said(tmp_path, scan):
    words = ("-o", tmp_path / "out.cxi", "--schedule", SCHEDULE, "--starts", 2)
    result = run("reconstruct", f"{scan}:one", *words)
    assert result.exit_code == 0, result.output
    assert "free" not in result.output
    written = read_cxi(tmp_path / "out.cxi")
    assert written.free_log_likelihood is None
    assert "free_pixels" not in written.results
    assert "free_log_likelihood" not in written.starts


def test_a_stack_is_judged_like_single_patterns(tmp_path, scan):
    words = ("--valid", ":valid", *OPTIONS)
    result = run("reconstruct-stack", f"{scan}:all", "-o", tmp_path / "out.h5", *words)
    assert result.exit_code == 0, result.output
    with h5py.File(tmp_path / "out.h5") as file:
        stack = {name: file[name][()] for name in file}
        assert file.attrs["free"] == 0.1
    for k in range(3):
        with h5py.File(scan, "r+") as file:
            file["one"][...] = file["all"][k]
        run("reconstruct", f"{scan}:one", "-o", tmp_path / "one.cxi", *words)
        one = read_cxi(tmp_path / "one.cxi")
        start = stack["start"][k]
        assert np.array_equal(stack["errors"][k], one.starts["error"].astype("f4"))
        likelihood = stack["free_log_likelihood"][k]
        np.testing.assert_allclose(likelihood, one.starts["free_log_likelihood"], rtol=1e-4)
        assert stack["error"][k] == pytest.approx(one.error)
        assert likelihood[start] == pytest.approx(one.free_log_likelihood, rel=1e-4)


def test_a_dark_pattern_of_a_stack(tmp_path, scan):
    with h5py.File(scan, "r+") as file:
        file["all"][1] = 0
    run("reconstruct-stack", f"{scan}:all", "-o", tmp_path / "out.h5", *OPTIONS)
    with h5py.File(tmp_path / "out.h5") as file:
        likelihood = file["free_log_likelihood"][()]
    assert np.isnan(likelihood).all(axis=1).tolist() == [False, True, False]
