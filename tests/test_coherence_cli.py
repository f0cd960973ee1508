"""--partial-coherence, --coherence-length: the same as in Python, written down, resumable."""

import h5py
import numpy as np
import pytest
import torch
from command_line import run

import symbreak
from symbreak.cli.phasing_options import PARTLY_COHERENT, RULE
from symbreak.coherence import blurred_intensity, coherence_length, reconstruct
from symbreak.cross_validation import cross_validated_error
from symbreak.data import crystals, poisson_amplitude
from symbreak.data.files.cxi import read_cxi
from symbreak.evaluation import compare_starts
from symbreak.ops.schedule import total_iterations
from symbreak.supports import choose, phase_trial

SCHEDULE, GRID = "20*ER+60*HIO+10*ER", (48, 48)
OPTIONS = ("--schedule", SCHEDULE, "--starts", 3, "--seed", 3)
EVERYWHERE = torch.ones(GRID, dtype=torch.bool)


@pytest.fixture
def amplitude():
    x = torch.nn.functional.pad(crystals(1, 24, seed=2)[0], (0, 24, 0, 24))
    blurred = blurred_intensity(x, torch.tensor([0.7, 0.4]))
    scaled = (blurred * 1e6 / blurred.sum()).sqrt()
    return poisson_amplitude(scaled, 1e6).double().square().round().sqrt().float()


@pytest.fixture
def scan(tmp_path, amplitude):
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        counts = amplitude.double().square().round()
        file["data"] = np.fft.fftshift(counts.numpy()).astype(np.uint32)
    return tmp_path / "scan.h5"


def written(tmp_path, scan, *words):
    out = tmp_path / "out.cxi"
    result = run("reconstruct", scan, "-o", out, *OPTIONS, *words)
    assert result.exit_code == 0, result.output
    return read_cxi(out), result.output


def check(found, expected, amplitude, **options):
    best = expected.found
    compared = compare_starts(
        best.object, best.support, best.error, amplitude, EVERYWHERE, blur=expected.blur, **options
    )
    assert np.array_equal(found.starts["error"], expected.found.error.double())
    assert np.array_equal(found.starts["blur"], expected.blur)
    assert np.array_equal(found.results["history"], expected.found.history)
    np.testing.assert_allclose(found.starts["r_factor"], compared.r_factor)
    np.testing.assert_allclose(found.results["prtf"], compared.transfer.transfer)
    return compared


def test_the_blur_is_found_and_written(tmp_path, scan, amplitude):
    found, printed = written(tmp_path, scan, "--partial-coherence", "--plot", tmp_path / "a.png")
    expected = reconstruct(amplitude, SCHEDULE, starts=3, seed=3, shrinkwrap=RULE)
    compared = check(found, expected, amplitude)
    median = expected.blur[compared.good].quantile(0.5, 0)
    assert f"blur of the pattern: {median[0]:.2f} x {median[1]:.2f} pixels" in printed
    lengths = coherence_length(median, GRID)
    assert f"coherence lengths {lengths[0]:.0f} x {lengths[1]:.0f} pixels" in printed
    assert found.parameters["partial_coherence"] is True
    assert found.parameters["coherence_length"] is None


def test_known_lengths_are_kept(tmp_path, scan, amplitude):
    found, printed = written(tmp_path, scan, "--coherence-length", "10,20", "--free", 0.1)
    free = symbreak.free_pixels(GRID, fraction=0.1)
    widths = coherence_length(torch.tensor([10.0, 20.0], dtype=torch.float64), GRID)
    options = {"starts": 3, "seed": 3, "valid": ~free, "blur": widths, "shrinkwrap": RULE}
    expected = reconstruct(amplitude, SCHEDULE, **options)
    compared = check(found, expected, amplitude, free=free)
    likelihood = compared.free_log_likelihood
    np.testing.assert_allclose(found.starts["free_log_likelihood"], likelihood, rtol=1e-5)
    assert "blur of the pattern: 0.76 x 0.38 pixels" in printed
    assert "coherence lengths 10 x 20" in printed
    assert found.parameters["coherence_length"] == "10,20"
    assert "is kept" not in printed
    words = ("--coherence-length", "10,20", "--free", 0.1, "--partial-coherence")
    both, printed = written(tmp_path, scan, *words)
    assert np.array_equal(both.starts["blur"], found.starts["blur"])
    assert "note: --coherence-length 10,20 is kept: --partial-coherence finds" in printed


def test_supports_are_chosen_for_such_a_beam(tmp_path, scan, amplitude):
    found, _ = written(tmp_path, scan, "--partial-coherence", "--choose-support")
    choice = choose(amplitude, SCHEDULE, starts=3, seed=3, shrinkwrap=RULE, partly_coherent=True)
    crossed = torch.stack([trial.cross_validated for trial in choice.trials])
    np.testing.assert_allclose(found.results["trial_cross_validated"], crossed, rtol=1e-5)
    coherent = choose(amplitude, SCHEDULE, starts=3, seed=3, shrinkwrap=RULE)
    assert not torch.equal(coherent.trials[0].cross_validated, crossed[0])
    options = {"starts": 3, "seed": 3, "shrinkwrap": choice.shrinkwrap}
    check(found, reconstruct(amplitude, SCHEDULE, **options), amplitude)
    known = coherence_length(torch.tensor([10.0, 20.0], dtype=torch.float64), GRID)
    trial = phase_trial(
        amplitude, symbreak.Shrinkwrap(), SCHEDULE, valid=EVERYWHERE, starts=3, seed=3,
        partly_coherent=True, blur=known,
    )  # fmt: skip
    done = reconstruct(amplitude, SCHEDULE, starts=3, seed=3, blur=known).found
    expected = cross_validated_error(done.error, done.support, EVERYWHERE)
    assert torch.equal(trial.cross_validated, expected)


def test_a_coherent_result_has_no_blur(tmp_path, scan):
    found, printed = written(tmp_path, scan)
    assert "blur" not in found.starts
    assert "coherence" not in printed


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--coherence-length", "10"), "--coherence-length: expected a length above 0 for each"),
        (("--coherence-length", "10,a"), "expected a length above 0 for each axis"),
        (("--coherence-length", "10,-1"), "expected a length above 0 for each axis"),
        (("--coherence-length", "10,20,30"), "--coherence-length must have 2 lengths"),
    ],
)
def test_bad_options_are_one_line(tmp_path, scan, words, message):
    result = run("reconstruct", scan, "-o", tmp_path / "out.cxi", *words)
    assert result.exit_code == 2
    assert message in " ".join(result.output.replace("│", " ").split())
    assert not (tmp_path / "out.cxi").exists()


def test_the_schedule_has_another_end_by_default(tmp_path, scan):
    words = ("reconstruct", scan, "--starts", 1)
    run_to = {"said": ("--schedule", "30*ER"), "default": ()}
    found = {}
    for name, more in run_to.items():
        out = tmp_path / f"{name}.cxi"
        result = run(*words, "--partial-coherence", *more, "-o", out)
        assert result.exit_code == 0, result.output
        used = read_cxi(out).parameters
        found[name] = (used["schedule"], used["hold"], used["average_iterates"])
    assert found == {"said": ("30*ER", 0, 0), "default": (PARTLY_COHERENT, 0, 0)}
    assert total_iterations(PARTLY_COHERENT) == 720
    refused = run(*words, "--partial-coherence", "--average-iterates", 5, "-o", tmp_path / "no.cxi")
    assert refused.exit_code == 2
    assert "--average-iterates does not go together with partial coherence" in refused.stderr
