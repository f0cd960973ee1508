"""symbreak prepare --halves and symbreak resolution, on the command line."""

import warnings
from dataclasses import replace

import h5py
import numpy as np
import pytest
import torch
from command_line import run

pytest.importorskip("scipy")

from scipy.ndimage import binary_dilation
from stretched_crystal import SHAPE, grid_of, phasing

from symbreak.data import ArrayStack, crystals, prepare_halves, prepare_pattern
from symbreak.data.detector.patterns import read_pattern
from symbreak.data.files.arrays import Source
from symbreak.data.files.cxi import Phasing, read_cxi, write_cxi
from symbreak.geometry import Instrument, ReciprocalGrid
from symbreak.halves import compare_halves
from symbreak.ops.frequencies import frequency_radius


def done(*words):
    result = run(*words)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Frames, the pattern of all photons, those of both halves, and objects of these."""
    folder = tmp_path_factory.mktemp("halves")
    x = crystals(1, 24, seed=7)[0]  # found by nearly every start
    intensity = torch.fft.fftshift(torch.fft.fft2(x, s=(64, 64))).abs().square().numpy()
    counts = np.random.default_rng(2).poisson(intensity * 1e7 / intensity.sum() / 3, (3, 64, 64))
    np.save(folder / "frames.npy", counts.astype(np.uint32))
    words = ("--stack", "sum", "--center", "32,32", "--saturation", "1e7", "--halves")
    told = done("prepare", folder / "frames.npy", "-o", folder / "p.h5", *words)
    assert "pattern, half 1 of the photons:" in told
    for k in (1, 2):
        pattern = folder / f"p-half{k}.h5"
        words = ("--threshold", "0.3", "--sigma-min", "0.7", "--decay", "0.95", "--seed", k)
        done("reconstruct", pattern, "-o", folder / f"{k}.cxi", "--starts", "8", *words)
    return folder


def test_the_files_of_both_halves(folder):
    stack = ArrayStack(np.load(folder / "frames.npy"))
    whole = prepare_pattern(stack, combine="sum", center=(32, 32))
    halves = prepare_halves(stack, whole)
    assert not np.array_equal(halves[0].intensity, halves[1].intensity)
    for name, expected in (("p.h5", whole), ("p-half1.h5", halves[0]), ("p-half2.h5", halves[1])):
        pattern = read_pattern(Source(folder / name))
        intensity = np.fft.fftshift(pattern.amplitude.numpy().astype(np.float64) ** 2)
        np.testing.assert_allclose(intensity, expected.intensity, rtol=1e-6)
        with h5py.File(folder / name) as file:
            settings = file["entry_1/process_1/configuration"]
            assert settings["halves"][()]
            assert settings["center_found"][()] == b"32,32"
            title = file["entry_1/title"][()].decode()
        assert ("half" in title) == ("half" in name)


def test_background_and_flat_are_those_of_the_pattern(folder, tmp_path):
    counts = np.load(folder / "frames.npy") + 40
    np.save(tmp_path / "f.npy", counts)
    flat = np.linspace(0.6, 1.7, counts[0].size).reshape(counts[0].shape)
    np.save(tmp_path / "flat.npy", flat)
    words = ("--stack", "sum", "--center", "32,32", "--halves", "--saturation", "3000")
    words += ("--background", "3", "--flat", tmp_path / "flat.npy")
    done("prepare", tmp_path / "f.npy", "-o", tmp_path / "p.h5", *words)
    whole, *halves = (
        read_pattern(Source(tmp_path / f"p{part}.h5")) for part in ("", "-half1", "-half2")
    )
    total = sum(half.amplitude.double() ** 2 for half in halves)
    assert 100 < int((~whole.valid).sum()) < 300  # saturated
    for half in halves:
        assert torch.equal(half.valid, whole.valid)
    torch.testing.assert_close(
        total[whole.valid], whole.amplitude[whole.valid].double() ** 2, rtol=1e-5, atol=0
    )


def test_without_the_option_there_are_none(folder, tmp_path):
    words = ("--stack", "sum", "--center", "32,32")
    told = done("prepare", folder / "frames.npy", "-o", tmp_path / "p.h5", *words)
    assert "half" not in told
    assert [path.name for path in tmp_path.iterdir()] == ["p.h5"]


def test_resolution_tells_and_writes_what_the_comparison_finds(folder, tmp_path):
    files = folder / "1.cxi", folder / "2.cxi"
    told = done("resolution", *files, "-o", tmp_path / "a.csv", "--plot", tmp_path / "a.png")
    objects = [torch.from_numpy(read_cxi(file).mean) for file in files]
    expected = compare_halves(*objects)
    assert f"from photon noise: {expected.phase_error:.2g} rad" in told
    assert "the second is the twin" in told or not expected.flipped
    reach = expected.correlation.resolution()
    assert reach > 0.4
    assert f"half period {0.5 / reach:.3g} pixels" in told
    rows = np.loadtxt(tmp_path / "a.csv", delimiter=",", skiprows=1)
    head = (tmp_path / "a.csv").read_text().splitlines()[0]
    assert head == "cycles_per_pixel,pixels,correlation,half_bit,expected_of_all_photons"
    found = expected.correlation
    columns = (found.frequency, found.pixels, found.correlation, found.threshold, found.expected)
    np.testing.assert_allclose(rows.T, np.stack(columns), rtol=1e-5)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    rows = [line for line in run("resolution", *files).output.splitlines() if "│" in line]
    assert 8 <= len(rows) <= 16


def with_title(path, number, title):
    """Result ``number``, of another title, and of a pattern that is not compared otherwise."""
    parameters = {} if title is None else {"pattern_title": title}
    write_cxi(path, replace(read_cxi(number), parameters=parameters))
    return path


def test_two_results_of_the_same_photons_are_refused(folder, tmp_path):
    first, second = folder / "1.cxi", folder / "2.cxi"
    copied, linked = tmp_path / "copy.cxi", tmp_path / "link.cxi"
    copied.write_bytes(first.read_bytes())
    linked.symlink_to(first)
    words = ("--schedule", "20*ER", "--starts", "1", "--seed", "9")
    again = tmp_path / "again.cxi"
    done("reconstruct", folder / "p-half1.h5", "-o", again, *words)
    moved = tmp_path / "moved.h5"
    moved.write_bytes((folder / "p-half1.h5").read_bytes())
    elsewhere = tmp_path / "elsewhere.cxi"
    done("reconstruct", moved, "-o", elsewhere, *words)
    for other, status, line in (
        (first, 2, "are one file, expected two results"),
        (linked, 2, "are one file, expected two results"),
        (copied, 1, "hold the same object, expected the results of two halves"),
        (again, 1, f"were both phased from {folder / 'p-half1.h5'}:/entry_1/data_1/data, expected"),
        (elsewhere, 1, "were both phased from"),
    ):
        result = run("resolution", first, other, "-o", tmp_path / "no.csv")
        assert result.exit_code == status, result.output
        assert line in " ".join(result.output.split())
    assert not (tmp_path / "no.csv").exists()
    assert "note: " not in done("resolution", second, first).replace("note: the second is", "")


def test_results_that_do_not_say_what_they_are_of(folder, tmp_path):
    """Two of the same name are of the same pattern only where they lie in the same folder."""
    (tmp_path / "b").mkdir()
    for path, number in (("1.cxi", 1), ("2.cxi", 2), ("b/2.cxi", 2)):
        found = read_cxi(folder / f"{number}.cxi")
        write_cxi(tmp_path / path, replace(found, parameters={"pattern": "p.h5:/data"}))
    result = run("resolution", tmp_path / "1.cxi", tmp_path / "2.cxi")
    assert result.exit_code == 1
    assert "were both phased from p.h5:/data" in " ".join(result.output.split())
    told = done("resolution", tmp_path / "1.cxi", tmp_path / "b/2.cxi")
    assert "they are of an unknown pattern and an unknown pattern" in told


@pytest.mark.parametrize(
    ("titles", "known"),
    [
        (("a.h5, half 1 of the photons", "a.h5, half 2 of the photons"), True),
        (("a.h5, half 2 of the photons", "a.h5, half 1 of the photons"), True),
        (("a.h5, half 1 of the photons", "a.h5, half 1 of the photons"), False),
        (("a.h5, half 1 of the photons", "b.h5, half 2 of the photons"), False),
        (("a.h5, half 1 of the photons", "a.h5, prepared"), False),
        (("a.h5, half 1 of the photons", None), False),
    ],
)
def test_halves_are_known_by_the_titles_of_their_patterns(folder, tmp_path, titles, known):
    files = [
        with_title(tmp_path / f"{k}.cxi", folder / f"{k}.cxi", title)
        for k, title in enumerate(titles, 1)
    ]
    told = done("resolution", *files)
    assert ("cannot be told to be the two halves of one" in told) != known


def test_what_is_recorded_of_the_pattern(folder, tmp_path):
    found = read_cxi(folder / "1.cxi").parameters
    assert found["pattern_title"] == "frames.npy, half 1 of the photons"
    assert found["pattern_digest"] != read_cxi(folder / "2.cxi").parameters["pattern_digest"]
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["data"] = np.load(folder / "frames.npy")[0]
        file["entry_1/title"], file["entry_1/process_1/program"] = "half 1", 5
    done("reconstruct", tmp_path / "other.h5:data", "-o", tmp_path / "o.cxi", "--schedule", "9*ER")
    assert read_cxi(tmp_path / "o.cxi").parameters["pattern_title"] is None


def test_halves_that_agree_to_the_edge_to_a_frequency_and_not_at_all(folder, tmp_path):
    found = read_cxi(folder / "1.cxi")
    same = replace(found, mean=1j * found.mean, parameters={})
    write_cxi(tmp_path / "a.cxi", same)
    told = done("resolution", folder / "1.cxi", tmp_path / "a.cxi")
    assert "half period 1 pixels, the edge of the pattern" in told
    spectrum = np.fft.fft2(found.mean)
    phase = np.random.default_rng(0).uniform(0, 2 * np.pi, spectrum.shape)
    random = np.abs(spectrum) * np.exp(1j * phase)
    mixed = np.where(frequency_radius((64, 64)).numpy() < 0.25, spectrum, random)
    other = np.fft.ifft2(mixed).astype(np.complex64)
    write_cxi(tmp_path / "b.cxi", replace(same, object=other, mean=None))
    told = done("resolution", folder / "1.cxi", tmp_path / "b.cxi")
    assert float(told.split("half period ")[1].split()[0]) == pytest.approx(2, abs=0.1)
    assert "where the correlation falls below half a bit" in told
    write_cxi(tmp_path / "c.cxi", replace(same, object=0 * found.object, mean=None))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told = done(
            "resolution", folder / "1.cxi", tmp_path / "c.cxi", "--plot", tmp_path / "c.png"
        )
    assert "none: the halves do not agree" in told
    assert "rad, rms" not in told


def test_nanometres_and_strain_of_a_bragg_peak(tmp_path):
    """Two strains, 6e-4 and 6.8e-4: half their difference is 4e-5."""
    grid = grid_of()
    kept = phasing(grid)
    for name, power in (("a", 2.0), ("b", 2.0 + 0.8 / 3)):
        x = np.where(kept.support, kept.object**power, 0)
        write_cxi(tmp_path / f"{name}.cxi", replace(kept, mean=x))
    files = tmp_path / "a.cxi", tmp_path / "b.cxi"
    told = done("resolution", *files, "-o", tmp_path / "a.csv")
    strain = float(told.split("strain along Q from photon noise: ")[1].split(",")[0])
    assert strain == pytest.approx(4e-5, rel=0.02)
    assert "cycles_per_nm" in (tmp_path / "a.csv").read_text()
    objects = [torch.from_numpy(read_cxi(file).mean) for file in files]
    steps = torch.from_numpy(grid.steps / (2 * np.pi))
    expected = compare_halves(*objects, steps=steps, ndim=3)
    rows = np.loadtxt(tmp_path / "a.csv", delimiter=",", skiprows=1)
    np.testing.assert_allclose(rows[:, 0], expected.correlation.frequency, rtol=1e-5)
    longest = np.linalg.norm(grid.voxel(SHAPE), axis=1).max()
    assert rows[-1, 0] <= 0.5 / longest <= rows[-1, 0] + np.linalg.norm(steps, axis=1).max()


def test_the_strain_is_of_the_crystal(tmp_path):
    """Noise of a fifth of the magnitude around it, which --level 0 takes for crystal."""
    kept = phasing(grid_of())
    around = binary_dilation(kept.support, iterations=2) & ~kept.support
    rng = np.random.default_rng(1)
    for name in "ab":
        noise = 0.2 * np.exp(2j * np.pi * rng.random(SHAPE))
        x = np.where(around, noise, kept.object).astype(np.complex64)
        write_cxi(tmp_path / f"{name}.cxi", replace(kept, mean=x))
    found = []
    for words in ((), ("--level", "0")):
        told = done("resolution", tmp_path / "a.cxi", tmp_path / "b.cxi", *words)
        found.append(float(told.split("strain along Q from photon noise: ")[1].split(",")[0]))
    assert found[0] < 1e-5 < 1e-3 < found[1]


def test_the_direct_beam_has_nanometres_and_no_strain(folder, tmp_path):
    grid = Instrument(8.0, 2.0, (75e-6, 75e-6)).reciprocal()
    for k in (1, 2):
        write_cxi(tmp_path / f"{k}.cxi", replace(read_cxi(folder / f"{k}.cxi"), reciprocal=grid))
    told = done("resolution", tmp_path / "1.cxi", tmp_path / "2.cxi")
    assert "cycles/nm" in told
    assert "strain" not in told
    plain = done("resolution", folder / "1.cxi", folder / "2.cxi")
    half, pixels = (float(text.split("half period ")[1].split()[0]) for text in (told, plain))
    voxel = np.linalg.norm(grid.voxel((64, 64)), axis=1)
    assert half == pytest.approx(pixels * voxel[0], rel=5e-3)


def test_a_twin_is_told(folder, tmp_path):
    found = read_cxi(folder / "1.cxi")
    twin = np.roll(found.mean[::-1, ::-1].conj(), (1, 1), (0, 1))
    write_cxi(tmp_path / "b.cxi", replace(found, mean=twin, parameters={}))
    told = done("resolution", folder / "1.cxi", tmp_path / "b.cxi")
    assert "the second is the twin of the first; it was flipped back" in told
    assert "half period 1 pixels" in told


def test_two_instruments_have_no_common_nanometre(tmp_path):
    grid = grid_of()
    kept = phasing(grid)
    write_cxi(tmp_path / "a.cxi", kept)
    other = ReciprocalGrid(1.1 * grid.steps, grid.center)
    write_cxi(tmp_path / "b.cxi", replace(kept, mean=1j * kept.mean, reciprocal=other))
    write_cxi(tmp_path / "c.cxi", replace(kept, mean=1j * kept.mean, reciprocal=None))
    told = done("resolution", tmp_path / "a.cxi", tmp_path / "b.cxi")
    assert "different instruments: no nanometres" in told
    for name in ("b", "c"):
        told = done("resolution", tmp_path / "a.cxi", tmp_path / f"{name}.cxi")
        assert "cycles/voxel" in told
        assert "┃ voxels ┃" in told
        assert "strain" not in told


def test_double_precision_and_single_are_compared(folder, tmp_path):
    found = read_cxi(folder / "2.cxi")
    wide = {name: getattr(found, name).astype(np.complex128) for name in ("object", "mean")}
    write_cxi(tmp_path / "b.cxi", replace(found, **wide))
    told = [
        done("resolution", folder / "1.cxi", path)
        for path in (folder / "2.cxi", tmp_path / "b.cxi")
    ]
    assert told[0] == told[1]
    done("resolution", tmp_path / "b.cxi", folder / "1.cxi")


def test_what_resolution_refuses(folder, tmp_path):
    a = folder / "1.cxi"
    small = Phasing(np.ones((8, 8), np.complex64), np.ones((8, 8), bool), 0.1, {}, "0")
    write_cxi(tmp_path / "b.cxi", small)
    for words, status, line in (
        ((a, tmp_path / "b.cxi"), 1, "1.cxi holds an object on (64, 64), "),
        ((a, tmp_path / "absent.cxi"), 1, "absent.cxi: No such file"),
        ((a, folder / "p.h5"), 1, "p.h5"),
        ((a, a, "-o", tmp_path / "a.txt"), 2, "must end with .csv"),
        ((a, a, "--plot", tmp_path / "a.txt"), 2, "must end with"),
        ((a, folder / "2.cxi", "-o", a), 2, "must end with .csv"),
    ):
        result = run("resolution", *words)
        assert result.exit_code == status
        assert line in " ".join(result.output.split())
    assert not list(tmp_path.glob("*.txt"))


def test_frames_without_photons_leave_nothing_behind(folder, tmp_path):
    np.save(tmp_path / "f.npy", np.load(folder / "frames.npy")[0] / 3)
    out = tmp_path / "out"
    out.mkdir()
    result = run("prepare", tmp_path / "f.npy", "-o", out / "p.h5", "--center", "32,32", "--halves")
    assert result.exit_code == 1
    assert "halves are made of raw counts" in " ".join(result.output.split())
    assert not list(out.iterdir())
