"""--phase-limit: what the commands make of it, record and refuse."""

import h5py
import numpy as np
import pytest
import torch
from command_line import run

import symbreak
from symbreak.cli.phasing_options import DEFAULT, SCHEDULE
from symbreak.data.files.cxi import read_cxi

WORDS = ("--amplitudes", "--dc", "corner", "--valid", ":valid", "--starts", 2)


@pytest.fixture
def pattern(tmp_path):
    """Amplitudes of a real, positive object whose middle was not measured, as a file."""
    x = torch.zeros(32, 32, dtype=torch.complex64)
    x[4:15, 6:14] = 1 + torch.rand(11, 8, generator=torch.Generator().manual_seed(4))
    x[4:8, 10:14] = 0
    a, valid = torch.fft.fft2(x).abs(), torch.ones(32, 32, dtype=torch.bool)
    valid[:2, :2] = valid[-1:, :2] = valid[:2, -1:] = valid[-1:, -1:] = False
    for name, values in (("one.h5", (a, valid)), ("stack.h5", (a[None], valid[None]))):
        with h5py.File(tmp_path / name, "w") as file:
            file["data"], file["valid"] = (value.numpy() for value in values)
    return a, valid


def largest_phase(x):
    seen = x[np.abs(x) > 1e-4 * np.abs(x).max()]
    return np.abs(np.angle(seen)).max()


@pytest.mark.parametrize("limit", [0, 0.5])
def test_one_pattern_is_phased_as_python_does(tmp_path, pattern, limit):
    out = tmp_path / "out.cxi"
    words = ("reconstruct", f"{tmp_path / 'one.h5'}:data", "-o", out, *WORDS)
    result = run(*words, "--phase-limit", limit)
    assert result.exit_code == 0, result.output
    a, valid = pattern
    options = {"valid": valid, "shrinkwrap": DEFAULT, "starts": 2}
    found = symbreak.reconstruct(a, SCHEDULE, phase_limit=limit, **options)
    unlimited = symbreak.reconstruct(a, SCHEDULE, **options)
    kept = read_cxi(out)
    assert kept.parameters["phase_limit"] == limit
    np.testing.assert_array_equal(kept.starts["error"], found.error.numpy())
    assert not np.array_equal(kept.starts["error"], unlimited.error.numpy())
    assert largest_phase(found.object.numpy()) <= limit * (1 + 1e-6)
    # The phase of a result is such that its mean is positive.
    assert largest_phase(kept.object) <= 2 * limit + 1e-4


def test_every_pattern_of_a_stack(tmp_path, pattern):
    words = ("reconstruct-stack", f"{tmp_path / 'stack.h5'}:data", *WORDS, "--phase-limit", 0.5)
    result = run(*words, "-o", tmp_path / "out.h5")
    assert result.exit_code == 0, result.output
    a, valid = pattern
    found = symbreak.reconstruct(
        a, SCHEDULE, phase_limit=0.5, valid=valid, shrinkwrap=DEFAULT, starts=2
    )
    with h5py.File(tmp_path / "out.h5") as file:
        np.testing.assert_array_equal(file["errors"][0], found.error.numpy())
        assert file.attrs["phase_limit"] == 0.5


@pytest.mark.parametrize(
    "more", [("--choose-support",), ("--coherence-length", "20,20"), ("--free", 0.05)]
)
def test_it_goes_together_with(tmp_path, pattern, more):
    words = ("reconstruct", f"{tmp_path / 'one.h5'}:data", *WORDS, *more)
    results = []
    for name, limit in (("free", ()), ("limited", ("--phase-limit", 0))):
        out = tmp_path / f"{name}.cxi"
        result = run(*words, *limit, "-o", out)
        assert result.exit_code == 0, result.output
        results.append(read_cxi(out))
    free, limited = results
    assert not np.array_equal(free.starts["error"], limited.starts["error"])
    assert largest_phase(limited.object) < 1e-3
    assert free.parameters["phase_limit"] is None
    if more == ("--choose-support",):  # its trials too
        trials = [result.results["trial_cross_validated"][:4] for result in results]
        assert not np.allclose(*trials, rtol=0.01, equal_nan=True)


@pytest.mark.parametrize("command", ["reconstruct", "reconstruct-stack"])
@pytest.mark.parametrize("limit", ["90", "-1", "half"])
def test_what_is_no_limit_is_wrong_usage(tmp_path, pattern, command, limit):
    name = "stack" if "stack" in command else "one"
    words = (command, f"{tmp_path / f'{name}.h5'}:data", *WORDS, "-o", tmp_path / "out.h5")
    result = run(*words, f"--phase-limit={limit}")
    assert result.exit_code == 2
    assert "--phase-limit" in result.stderr
    assert not (tmp_path / "out.h5").exists()


@pytest.mark.usefixtures("pattern")
def test_the_option_is_told_where_the_middle_is_missing(tmp_path):
    """Starts that are not one object: a single iteration of each leaves them apart."""
    words = ("reconstruct", f"{tmp_path / 'one.h5'}:data", "--amplitudes", "--dc", "corner")
    words = (*words, "--starts", 4, "--schedule", "ER", "--good", 9)
    for name, given, told in (
        ("middle", ("--valid", ":valid"), True),
        ("limited", ("--valid", ":valid", "--phase-limit", 1), False),
        ("whole", (), False),
    ):
        result = run(*words, *given, "-o", tmp_path / f"{name}.cxi")
        assert result.exit_code == 0, result.output
        assert "not one object" in result.stderr
        assert ("give --phase-limit 1." in result.stderr) == told
