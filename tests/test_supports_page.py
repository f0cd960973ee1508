"""The table that bench/supports.py keeps in docs/phasing/support.md, and its claims."""

import sys
from pathlib import Path
from statistics import mean, median

import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
pytest.importorskip("h5py")
import supports as bench  # noqa: E402

from symbreak.data import crystals  # noqa: E402
from symbreak.supports import choose  # noqa: E402


@pytest.fixture(scope="module")
def rows():
    return bench.read_csv(bench.CSV)


def of(rows, name, ndim, photons):
    return mean(float(row[name]) for row in own(rows, ndim, photons))


def own(rows, ndim, photons):
    key = (str(ndim), f"{photons:g}")
    return [row for row in rows if (row["ndim"], row["photons"]) == key]


def test_the_page_shows_the_committed_results(tmp_path, rows):
    page = tmp_path / "support.md"
    page.write_text(bench.PAGE.read_text())
    bench.write_page(page, rows)
    assert page.read_text() == bench.PAGE.read_text()


def test_the_claims_of_the_page(rows):
    gains = {
        (ndim, photons): of(rows, "chosen_mean", ndim, photons)
        / of(rows, "default_mean", ndim, photons)
        for ndim, _, photons in bench.TRIALS
    }
    expected = {(2, 1e3): 1.0, (2, 1e4): 1.0, (2, 1e5): 0.83, (2, 1e6): 0.79, (3, 1e5): 1.02}
    assert all(abs(gains[key] - gain) < 0.01 for key, gain in expected.items())
    assert 0.63 < gains[3, 1e6] < 0.67
    assert gains[2, 1e7] < 0.05
    middle = {photons: median(ratios(rows, 2, photons)) for photons in (1e5, 1e6)}
    assert (round(middle[1e5], 2), round(middle[1e6], 2)) == (0.70, 0.67)


def ratios(rows, ndim, photons):
    return [
        float(row["chosen_mean"]) / float(row["default_mean"]) for row in own(rows, ndim, photons)
    ]


def test_few_crystals_get_farther(rows):
    farther = {
        photons: sum(ratio > 1.2 for ratio in ratios(rows, 2, photons))
        for ndim, _, photons in bench.TRIALS
        if ndim == 2
    }
    assert farther == {1e3: 3, 1e4: 1, 1e5: 1, 1e6: 0, 1e7: 4}
    assert abs(median(ratios(rows, 2, 1e7)) - 1) < 0.01  # most are as they were
    for row, ratio in zip(own(rows, 2, 1e7), ratios(rows, 2, 1e7), strict=True):
        if ratio > 1.2:  # all are near
            assert float(row["chosen_mean"]) < 0.01
    for ndim, _, photons in bench.TRIALS:
        if photons > 1e3:
            for way in bench.WAYS:
                assert 0.95 < of(rows, f"{way}_support", ndim, photons) < 2.15


def test_what_is_measured_of_one_pattern():
    truth, a = bench.pattern(crystals(1, 16, seed=1)[0], 3e4, 0)
    row = bench.measured(truth, a)
    rule = choose(a, bench.SCHEDULE, shrinkwrap=bench.DEFAULT).shrinkwrap
    shown = rule.areas or [rule.threshold]
    assert [float(number) for number in row["rule"].split(",")] == shown
    assert set(row) | set(bench.KEY) == set(bench.FIELDS)
    for way in bench.WAYS:
        assert 0 < float(row[f"{way}_mean"]) < 1.5
        assert 0.5 < float(row[f"{way}_support"]) < 10
    moved = torch.roll(truth * 1j, (3, 5), (0, 1))
    assert float(bench.distance(moved, truth)) < 1e-6
    assert float(bench.distance(torch.zeros_like(truth), truth)) == pytest.approx(1)
