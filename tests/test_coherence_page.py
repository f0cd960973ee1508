"""The table that bench/coherence.py keeps in docs/phasing/partial-coherence.md, and its claims."""

import sys
from pathlib import Path
from statistics import median

import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
pytest.importorskip("h5py")
import coherence as bench  # noqa: E402

from symbreak.coherence import reconstruct  # noqa: E402
from symbreak.data import crystals  # noqa: E402


@pytest.fixture(scope="module")
def rows():
    return bench.read_csv(bench.CSV)


def of(rows, name, ndim, photons, blur):
    key = (str(ndim), f"{photons:g}", blur)
    own = [row for row in rows if (row["ndim"], row["photons"], row["blur"]) == key]
    return median(float(row[name]) for row in own)


def test_the_page_shows_the_committed_results(tmp_path, rows):
    page = tmp_path / "partial-coherence.md"
    page.write_text(bench.PAGE.read_text())
    bench.write_page(page, rows)
    assert page.read_text() == bench.PAGE.read_text()


def test_what_is_measured_of_one_pattern():
    widths = torch.tensor([0.6, 0.3], dtype=torch.float64)
    (crystal,) = crystals(1, 16, seed=1)
    truth, a = bench.pattern(crystal, 1e5, widths, 0)
    assert float(truth.abs().square().sum()) * truth.numel() == pytest.approx(1e5, rel=1e-5)
    assert float(a.square().sum()) == pytest.approx(1e5, rel=0.02)
    row = bench.measured(truth, a, widths)
    assert set(row) | set(bench.KEY) | {"width_2"} == set(bench.FIELDS)
    for way in bench.WAYS:
        assert 0 < float(row[f"{way}_mean"]) < 1.5
    assert 0 <= float(row["width_0"]) <= 2


@pytest.mark.parametrize(
    ("ndim", "photons", "most", "off"),
    [
        (2, 1e5, 0.65, 0.2),
        (2, 1e6, 0.18, 0.065),
        (2, 1e7, 0.1, 0.01),
        (3, 1e5, 0.6, 0.305),
        (3, 1e6, 0.45, 0.145),
    ],
)
def test_it_helps_where_the_page_says_so(rows, ndim, photons, most, off):
    for name in ("distance", "mean"):
        coherent, fitted, known = (
            of(rows, f"{way}_{name}", ndim, photons, "strong") for way in bench.WAYS
        )
        assert fitted < most * coherent
        assert fitted < known + 0.05
    for axis, true in enumerate(bench.WIDTHS["strong"][:ndim]):
        found = of(rows, f"width_{axis}", ndim, photons, "strong")
        assert true - off <= found < true + 0.01


def test_it_helps_a_weak_blur_of_many_photons(rows):
    shown = []
    for photons in (1e6, 1e7):
        ways = (of(rows, f"{way}_mean", 2, photons, "weak") for way in bench.WAYS[:2])
        shown += [round(value, 3) for value in ways]
    assert shown == [0.025, 0.018, 0.023, 0.001]


@pytest.mark.parametrize(
    ("ndim", "photons"), [(n, p) for n, _, p, b in bench.TRIALS if b == "none"]
)
def test_without_a_blur_none_is_found_and_what_the_fit_costs(rows, ndim, photons):
    for axis in range(ndim):
        assert of(rows, f"width_{axis}", ndim, photons, "none") < 0.05
    coherent, fitted, known = (of(rows, f"{way}_mean", ndim, photons, "none") for way in bench.WAYS)
    assert known == pytest.approx(coherent, abs=1e-3)
    few = (ndim, photons) == (3, 1e4)
    assert fitted < coherent + (0.03 if few else 0.005)


def test_how_often_it_costs(rows):
    own = [row for row in rows if row["ndim"] == "2" and row["blur"] == "none"]
    farther = [float(row["fitted_mean"]) - float(row["coherent_mean"]) for row in own]
    assert sum(value > 0 for value in farther) == 29
    assert sum(value < 0 for value in farther) == 28
    assert len(farther) == 64


def test_what_a_correction_costs():
    """In iterations, ten of which lie between two: docstring and page say what was measured."""
    measured = bench.read_csv(bench.RESULTS / "epyc-zen4-2cores-coherence.csv")
    seconds = {(row["case"], row["variant"]): float(row["seconds_per_unit"]) for row in measured}
    cases = {case for case, _ in seconds}
    assert len(cases) == 2
    for case in cases:
        ratio = seconds[case, "symbreak"] / seconds[case, "symbreak, coherent"]
        assert 2 <= 10 * (ratio - 1) <= 4
    assert "one costs what 2 to 4 iterations do" in reconstruct.__doc__
    assert "now it is two to four" in (ROOT / "docs" / "performance.md").read_text()
