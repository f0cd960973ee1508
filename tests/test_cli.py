"""The command line: what the commands write and print, and how they fail."""

import os
import subprocess
import sys

import h5py
import numpy as np
import pytest
import torch
from command_line import run, small_crystal

import symbreak
from symbreak.data.files.cxi import read_cxi


def fails(status, message, *words):
    """The command ends with `status` and one line on stderr that holds `message`."""
    result = run(*words)
    lines = [line for line in result.stderr.splitlines() if "error:" in line]
    assert result.exit_code == status, result.output
    assert len(lines) == 1
    assert message in lines[0]
    assert lines[0].startswith("symbreak: error: ")
    assert "Traceback" not in result.output
    return result


def shell(*words, **environment):
    """Run the real command in a process of its own."""
    return subprocess.run(
        [sys.executable, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "COLUMNS": "200", **environment},
    )


@pytest.fixture(scope="module")
def crystal():
    return small_crystal()


@pytest.fixture
def scan(tmp_path, crystal):
    """Its counts as a detector's file: DC in the middle, a mask over the beamstop."""
    amplitude = symbreak.fourier_amplitude(30 * crystal).numpy()
    counts = np.fft.fftshift(np.rint(amplitude**2)).astype(np.uint32)
    mask = np.zeros(counts.shape, dtype=np.uint8)
    mask[16, 16] = 1
    with h5py.File(tmp_path / "scan.h5", "w") as file:
        file["entry/data"] = counts * (1 - mask)
        file["entry/mask"] = mask
    return tmp_path / "scan.h5"


def test_reconstruct_finds_the_object_and_keeps_every_parameter(tmp_path, scan, crystal):
    out, picture = tmp_path / "out.cxi", tmp_path / "out.png"
    result = run(
        *("reconstruct", scan, "-o", out, "--plot", picture, "--mask", ":entry/mask"),
        *("--starts", 4, "--seed", 5, "--schedule", "200*HIO+50*ER"),
        *("--threshold", 0.25, "--relative-to", "max", "--sigma-min", 0.5, "--decay", 0.9),
        *("--hold", 30),
    )
    assert result.exit_code == 0, result.output
    assert "taking /entry/data" in result.stderr
    assert "(best)" in result.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")
    found = read_cxi(out)
    truth = torch.zeros(32, 32, dtype=torch.complex64)
    truth[:16, :16] = 30 * crystal
    aligned = symbreak.align(torch.from_numpy(found.object), truth, wrap=True)
    assert aligned.sa_mse.item() < 0.01 * truth.abs().square().mean().item()
    assert found.version == symbreak.__version__
    expected = {
        "schedule": "200*HIO+50*ER",
        "seed": 5,
        "starts": 4,
        "threshold": 0.25,
        "area": None,
        "hold": 30,
        "relative_to": "max",
        "beta": 0.9,
        "dc": "center",
        "amplitudes": False,
        "mask": ":entry/mask",
        "valid": None,
        "measured_pixels": 1023,
    }
    assert expected.items() <= dict(found.parameters).items()
    assert found.starts["data"].shape == (4, 32, 32)
    assert found.starts["error"].argmin() == found.starts["distance"].argmin()
    assert found.results["history"].shape == (4, 25)
    assert set(found.results) >= {"prtf", "prtf_frequency", "prtf_pixels"}


def test_reconstruct_aligns_by_parts_of_a_pixel_for_the_mean_only(tmp_path, scan):
    found = {}
    for name, words in (("whole", ()), ("parts", ("--subpixel",))):
        out = tmp_path / f"{name}.cxi"
        words += ("--starts", 4, "--schedule", "60*HIO+20*ER", "--good", 100)
        result = run("reconstruct", scan, "-o", out, "--mask", ":entry/mask", *words)
        assert result.exit_code == 0, result.output
        assert ("moved by parts of a pixel" in result.stdout) == (name == "parts")
        found[name] = read_cxi(out)
    whole, parts = found["whole"], found["parts"]
    assert np.array_equal(whole.starts["data"], parts.starts["data"])
    assert np.array_equal(whole.object, parts.object)
    assert not np.allclose(whole.mean, parts.mean)
    assert "subpixel" not in whole.starts
    shift = parts.starts["subpixel"]
    assert shift.shape == (4, 2)
    assert np.array_equal(np.isfinite(shift).all(1), parts.starts["good"])
    assert np.nanmax(np.abs(shift)) > 0.01
    assert parts.parameters["subpixel"] is True
    assert parts.results["prtf"].mean() > whole.results["prtf"].mean()


def test_reconstruct_twice_gives_the_same_numbers(tmp_path, scan):
    objects = []
    for name in ("a.cxi", "b.cxi"):
        words = ("--mask", ":entry/mask", "--starts", 2, "--schedule", "20*HIO")
        assert run("reconstruct", scan, "-o", tmp_path / name, *words).exit_code == 0
        objects.append(read_cxi(tmp_path / name).starts["data"])
    assert np.array_equal(*objects)


def test_reconstruct_in_a_fixed_support(tmp_path, scan, crystal):
    support = np.zeros((32, 32), dtype=np.uint8)
    support[8:17, 20:27] = 1
    np.save(tmp_path / "support.npy", support)
    words = (
        "--support",
        tmp_path / "support.npy",
        "--fixed-support",
        "--schedule",
        "150*HIO+50*ER",
    )
    result = run("reconstruct", scan, "-o", tmp_path / "o.cxi", "--mask", ":entry/mask", *words)
    assert result.exit_code == 0, result.output
    found = read_cxi(tmp_path / "o.cxi")
    assert found.support.sum() == 63
    assert found.error < 0.02
    assert found.parameters["fixed_support"] is True


def test_break_gives_all_copies_one_form(tmp_path, crystal):
    flipped = torch.tensor([False, True, True, False])
    copies = symbreak.apply_symmetry(
        crystal.expand(4, 16, 16),
        shift=torch.tensor([[0, 0], [2, 3], [-3, 1], [1, -4]]),
        flipped=flipped,
        phase=torch.tensor([0.0, 1.0, -2.0, 3.0]),
    )
    np.save(tmp_path / "objects.npy", torch.cat([copies, 0 * copies[:1]]).numpy())
    out = tmp_path / "broken.h5"
    result = run("break", tmp_path / "objects.npy", "-o", out, "--chunk", 2)
    assert result.exit_code == 0, result.output
    assert "ambiguous, their flip is not decided: 4" in result.stderr
    with h5py.File(out) as file:
        forms = file["object"][()]
        assert file["ambiguous"][()].tolist() == [0, 0, 0, 0, 1]
        assert file["shift"].shape == (5, 2)
        assert file.attrs["rule"] == "angle"
        assert len(set(file["flipped"][:4] ^ flipped.numpy())) == 1
    np.testing.assert_allclose(forms[1:4], np.broadcast_to(forms[0], (3, 16, 16)), atol=1e-5)
    expected = symbreak.break_symmetry(crystal).object
    np.testing.assert_allclose(forms[0], expected, atol=1e-5)


@pytest.mark.parametrize("batch", [(), (5,), (3, 2)])
@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_break_in_chunks_of_any_size(tmp_path, crystal, batch, chunk):
    phase = torch.rand(batch)
    objects = crystal * torch.polar(torch.ones(batch), phase)[..., None, None]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = objects.numpy()
    result = run("break", tmp_path / "a.h5", "-o", tmp_path / "b.h5", "--chunk", chunk)
    assert result.exit_code == 0, result.output
    expected = symbreak.break_symmetry(objects)
    with h5py.File(tmp_path / "b.h5") as file:
        for name in ("object", "shift", "flipped", "phase", "margin"):
            assert np.array_equal(file[name][()], getattr(expected, name).numpy()), name


def test_align_prints_the_element_and_writes_the_aligned(tmp_path, crystal):
    moved = symbreak.apply_symmetry(
        crystal, shift=torch.tensor([2, -3]), flipped=torch.tensor(False), phase=torch.tensor(0.5)
    )
    np.save(tmp_path / "a.npy", torch.stack([moved, crystal]).numpy())
    np.save(tmp_path / "b.npy", crystal.numpy())
    out = tmp_path / "aligned.h5"
    result = run("align", tmp_path / "a.npy", tmp_path / "b.npy", "-o", out)
    assert result.exit_code == 0, result.output
    assert "-2, +3" in result.stdout
    assert "-0.5000" in result.stdout
    with h5py.File(out) as file:
        np.testing.assert_allclose(file["object"][0], crystal, atol=1e-5)
        assert file["sa_mse"][:].max() < 1e-10


def test_demo_makes_everything_it_says(tmp_path):
    result = run("demo", "-o", tmp_path / "demo", "--starts", 2)
    assert result.exit_code == 0, result.output
    made = {path.name for path in (tmp_path / "demo").iterdir()}
    assert made == {
        *("demo.png", "reconstruction.png", "breaking.png"),
        *("reconstruction.cxi", "pattern.h5", "objects.h5"),
    }
    for name in made:
        assert name in result.stdout
    again = run("break", tmp_path / "demo/objects.h5", "-o", tmp_path / "broken.h5")
    assert again.exit_code == 0, again.output
    error = float(read_cxi(tmp_path / "demo/reconstruction.cxi").error)
    assert error < 0.02


def test_info_and_version():
    result = run("info")
    assert result.exit_code == 0
    assert torch.__version__ in result.stdout
    assert run("--version").stdout.strip() == f"symbreak {symbreak.__version__}"


@pytest.mark.parametrize("command", ["reconstruct", "break", "align", "demo", "info"])
def test_help_has_examples(command):
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "Examples" in result.stdout
    assert f"symbreak {command}" in result.stdout.split("Examples")[1]


def test_failures_are_one_line(tmp_path, scan):
    out = ("-o", tmp_path / "o.cxi")
    fails(1, "none.h5: No such file", "reconstruct", tmp_path / "none.h5", *out)
    fails(1, "no dataset '/nothing'", "reconstruct", f"{scan}:/nothing", *out)
    fails(1, "there is no folder", "reconstruct", scan, "-o", tmp_path / "none" / "o.cxi")
    wrong = fails(2, "'--schedule'", "reconstruct", scan, *out, "--schedule", "3*(20*EX)")
    text, caret = wrong.stderr.rstrip("\n").splitlines()[-2:]
    assert text.strip() == "3*(20*EX)"
    assert text[caret.index("^")] == "E"
    fails(2, "beta", "reconstruct", scan, *out, "--beta", 7)
    fails(2, "threshold", "reconstruct", scan, *out, "--threshold", 2)
    fails(1, "can be a stack of complex objects", "break", scan, "-o", tmp_path / "b.h5")
    fails(2, "rule must be", "break", *_objects(tmp_path), "-o", tmp_path / "b.h5", "--rule", "x")
    (other,) = _objects(tmp_path, (5, 5))
    fails(1, "one shape", "align", *_objects(tmp_path), other)
    assert {p.name for p in tmp_path.iterdir()} == {"scan.h5", "x8.npy", "x5.npy"}


def _objects(folder, grid=(8, 8)):
    np.save(folder / f"x{grid[0]}.npy", np.ones(grid, dtype=np.complex64))
    return (folder / f"x{grid[0]}.npy",)


def test_wrong_usage_is_one_line_and_status_2(tmp_path, scan):
    out = ("-o", tmp_path / "o.cxi")
    fails(2, "No such command 'rekonstruct'", "rekonstruct")
    fails(2, "--output", "reconstruct", scan)
    fails(2, "--nothing", "reconstruct", scan, *out, "--nothing")
    fails(2, "--starts", "reconstruct", scan, *out, "--starts", 0)
    fails(2, "START,END", "reconstruct", scan, *out, "--area", "wide")
    fails(2, "needs --support", "reconstruct", scan, *out, "--fixed-support")
    fails(2, "must end with .cxi", "reconstruct", scan, "-o", tmp_path / "o.txt")
    fails(2, "would be overwritten", "reconstruct", scan, "-o", scan)
    fails(2, "expected cpu or cuda", "reconstruct", scan, *out, "--device", "abacus")
    fails(2, "no device cuda:99 here", "reconstruct", scan, *out, "--device", "cuda:99")
    assert run().exit_code == 2
    assert "error" not in run().stderr
    assert [p.name for p in tmp_path.iterdir()] == ["scan.h5"]


def test_debug_keeps_the_traceback(tmp_path):
    result = run("reconstruct", tmp_path / "none.h5", "-o", tmp_path / "o.cxi", "--debug")
    assert isinstance(result.exception, FileNotFoundError)


def test_as_a_process(tmp_path, scan):
    words = ("--mask", ":entry/mask", "--starts", 2, "--schedule", "20*HIO", "-o")
    done = shell("-m", "symbreak", "reconstruct", scan, *words, tmp_path / "o.cxi")
    assert done.returncode == 0, done.stderr
    assert "best, mean and all starts" in done.stdout
    command = read_cxi(tmp_path / "o.cxi").command
    assert command.startswith(f"symbreak reconstruct {scan} --mask")
    failed = shell("-m", "symbreak", "break", "none.h5", "-o", tmp_path / "b.h5")
    assert failed.returncode == 1
    assert failed.stderr == "symbreak: error: none.h5: No such file or directory\n"


def test_importing_symbreak_imports_nothing_of_the_command_line():
    code = (
        "import sys, symbreak; not_for_all = ('h5py', 'tifffile', 'matplotlib', 'typer', 'rich'); "
        "print([name for name in not_for_all if name in sys.modules])"
    )
    done = shell("-c", code)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("package", ["h5py", "typer"])
def test_a_missing_package_is_named_with_what_installs_it(package):
    code = f"import sys; sys.modules[{package!r}] = None; from symbreak.cli import main; main()"
    done = shell("-c", code)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert f"needs {package}" in done.stderr
    assert "pip install 'symbreak[cli]'" in done.stderr


@pytest.mark.parametrize(
    ("command", "option", "said"),
    [
        ("prepare", "--stack", "Of several frames, which need it"),
        ("prepare", "--frames", "default: all"),
        ("prepare", "--background", "default: none"),
        ("prepare", "--flat", "default: none"),
        ("prepare", "--corner", "needed of those larger than a frame"),
        ("simulate", "--cores", "default: crystal"),
        ("experiment", "--set", "default: the scale's"),
        ("experiment", "--variant", "default: the scale's"),
        ("experiment", "--passes", "default: the scale's"),
        ("train", "--angles", "0: none"),
    ],
)
def test_help_says_what_holds_where_an_option_is_not_given(command, option, said):
    (line,) = (
        line
        for line in run(command, "--help").output.splitlines()
        if line.strip("│ ").startswith(f"{option} ")
    )
    assert said in line
