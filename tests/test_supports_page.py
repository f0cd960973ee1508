"""The table that bench/supports.py keeps in docs/faq.md, and what the page says of it."""

import sys
from pathlib import Path
from statistics import mean

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
    page = tmp_path / "faq.md"
    page.write_text(bench.PAGE.read_text())
    bench.write_page(page, rows)
    assert page.read_text() == bench.PAGE.read_text()


def test_it_helps_where_photons_are_fewest(rows):
    for name in ("distance", "mean"):
        default, chosen = (of(rows, f"{way}_{name}", 2, 1e3) for way in bench.WAYS)
        assert 0.6 < chosen / default < 0.72
    assert of(rows, "default_support", 2, 1e3) > 3 * of(rows, "chosen_support", 2, 1e3)


def test_elsewhere_most_means_come_nearer_and_single_ones_do_not(rows):
    nearer = [
        float(row["chosen_mean"]) < float(row["default_mean"])
        for row in rows
        if row["photons"] != "1000" and row["chosen_mean"] != row["default_mean"]
    ]
    assert sum(nearer) > 1.5 * (len(nearer) - sum(nearer))
    for photons in (1e4, 1e5):
        default, chosen = (of(rows, f"{way}_distance", 2, photons) for way in bench.WAYS)
        assert chosen > 1.2 * default
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
