"""The table that bench/merged_scans.py keeps in a page, and what the page says of it."""

import sys
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
import halves  # noqa: E402
import merged_scans as bench  # noqa: E402
from scale_data import read_csv  # noqa: E402

ROWS = read_csv(bench.CSV)
GROUPS = bench.groups(ROWS)


def over(way, other, drift):
    """Of each group with this drift, how many times as far `way` is in the median."""
    return {
        (data, photons): bench.middle(own, way) / bench.middle(own, other)
        for (data, photons, its), own in GROUPS.items()
        if its == drift
    }


def test_the_page_shows_the_committed_results(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(bench.PAGE.read_text())
    bench.write_page(page, ROWS)
    assert page.read_text() == bench.PAGE.read_text()
    assert len(ROWS) == len(list(bench.problems(12)))


def test_scans_are_of_photons_and_drift_as_they_say():
    problem = bench.Problem("2D between", 10**4, "any", 40)
    truth = halves.crystal(problem.data, problem.item)
    scans, drift = bench.scans(problem, truth)
    assert not drift[0].any()
    assert 1 < np.abs(drift).max() < bench.MOST
    for scan in scans:
        assert abs(scan.intensity.sum() - 1e4) < 500
        assert (scan.intensity == scan.intensity.round()).all()
    far = torch.fft.fftn(bench.moved(truth.cdouble(), torch.tensor([2.0, -1.0]))).abs()
    near = torch.fft.fftn(truth.cdouble()).abs()
    assert torch.allclose(far, near.roll((2, -1), (0, 1)), rtol=1e-6, atol=1e-6 * float(near.max()))


def test_the_claims_of_the_page():
    ratios = [one for drift in bench.DRIFTS for one in over("parts", "long", drift).values()]
    assert (round(min(ratios), 2), round(max(ratios), 2)) == (0.69, 1.42)
    ratios = over("whole", "long", "any").values()
    assert round(max(ratios), 1) == 4.6
    farther = {group for group, ratio in over("whole", "one", "any").items() if ratio > 1}
    assert farther == {("2D between", 10**6), ("3D between", 10**5), ("3D between", 10**6)}
    for drift in ("whole pixels", "any"):
        for key, own in GROUPS.items():
            assert key[2] != drift or bench.middle(own, "none") > 0.85
    assert max(float(row["off"]) for row in ROWS) < 0.3
