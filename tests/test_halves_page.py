"""The table that bench/halves.py keeps in a page, and what the page says of it."""

import sys
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
pytest.importorskip("skimage")  # bench/facets.py draws surfaces by it
import halves as bench  # noqa: E402
from scale_data import read_csv  # noqa: E402

ROWS = [
    {name: value if name == "data" else float(value) for name, value in row.items()}
    for row in read_csv(bench.CSV)
]
SOLVED = [row for row in ROWS if row["distance"] < bench.FAILED]
UNSOLVED = [row for row in ROWS if row not in SOLVED]


def test_the_page_shows_the_committed_results(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(bench.PAGE.read_text())
    bench.write_page(page, read_csv(bench.CSV))
    assert page.read_text() == bench.PAGE.read_text()
    assert len(ROWS) == len(list(bench.problems(12)))


def ratio(over, under, data, photons):
    chosen = [row for row in SOLVED if row["data"] in data and row["photons"] in photons]
    assert chosen
    return median(row[over] / row[under] for row in chosen)


def test_the_claims_of_the_page():
    assert (len(UNSOLVED), len(ROWS)) == (2, 88)
    for name, said in (("reach_halves", {0.04, 0.19}), ("reach_prtf", {0.50, 0.40})):
        assert {round(row[name], 2) for row in UNSOLVED} == said
    off = [row for row in SOLVED if row["reach_halves"] < 0.95 * row["reach_true"]]
    assert (len(off), len(SOLVED)) == (3, 86)
    groups = {(row["data"], row["photons"]) for row in ROWS}
    for data, photons in groups:
        reach = ratio("reach_halves", "reach_true", [data], [photons])
        phase = ratio("phase_true", "phase_halves", [data], [photons])
        if (data, photons) == ("2D on the grid", 1e7):
            assert 0.8 < phase < 1
        elif data.startswith("2D"):
            assert 1.15 < phase < 2.55
        else:
            assert 3.15 < phase < 4.25
        if photons == 1e5:
            assert 1.45 < reach < 1.65
            assert 1.95 < ratio("reach_prtf", "reach_true", [data], [photons]) < 2.15
        else:
            assert 1 <= reach < 1.135


@pytest.mark.parametrize("data", ["2D on the grid", "2D between", "3D between"])
def test_the_halves_are_of_photons(data):
    """Whole numbers, as many as were asked for, in proportion to the squared amplitudes."""
    counts = bench.photon_counts(data, 10**5, 0)
    assert abs(float(counts.sum()) - 1e5) < 5 * 1e5**0.5
    assert bool((counts == counts.round()).all())
    assert 0 < float(counts[counts > 0].min()) <= 2
    _, amplitude = bench.simulated(data, 10**5, 0)
    power = amplitude.double().square()
    assert bool(((power / power.sum() - counts / counts.sum()).abs() < 1e-8).all())
