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


def of(rows, name, ndim, photons, repeats=1):
    key = (str(ndim), f"{photons:g}", str(repeats))
    own = [row for row in rows if (row["ndim"], row["photons"], row["repeats"]) == key]
    return mean(float(row[name]) for row in own)


def test_the_page_shows_the_committed_results(tmp_path, rows):
    page = tmp_path / "faq.md"
    page.write_text(bench.PAGE.read_text())
    bench.write_page(page, rows)
    assert page.read_text() == bench.PAGE.read_text()


@pytest.mark.parametrize(
    ("ndim", "photons", "repeats"),
    [(2, 1e3, 1), (2, 1e5, 1), (2, 1e6, 1), (2, 1e6, 3), (3, 1e4, 1), (3, 1e5, 1), (3, 1e6, 1)],
)
def test_it_helps_where_the_page_says_so(rows, ndim, photons, repeats):
    for name in ("distance", "mean"):
        default, chosen = (of(rows, f"{w}_{name}", ndim, photons, repeats) for w in bench.WAYS)
        assert chosen < 0.75 * default
    assert 1 < of(rows, "chosen_support", ndim, photons, repeats) < 2.1
    assert of(rows, "chosen_support", ndim, photons) < of(rows, "default_support", ndim, photons)


def test_and_not_where_the_page_says_so(rows):
    for repeats in (1, 3):
        default, chosen = (of(rows, f"{way}_mean", 2, 1e4, repeats) for way in bench.WAYS)
        assert abs(chosen - default) < 0.02
    default, chosen = (of(rows, f"{way}_mean", 2, 1e5, 3) for way in bench.WAYS)
    assert abs(chosen - default) < 0.02
    default, chosen = (of(rows, f"{way}_distance", 2, 1e5, 3) for way in bench.WAYS)
    assert chosen < 0.85 * default


def test_what_is_measured_of_one_pattern():
    truth, a = bench.pattern(crystals(1, 16, seed=1)[0], 3e4, 0)
    row = bench.measured(truth, a, 1)
    rule = choose(a).shrinkwrap
    shown = rule.areas or [rule.threshold]
    assert [float(number) for number in row["rule"].split(",")] == shown
    assert set(row) | set(bench.KEY) == set(bench.FIELDS)
    for way in bench.WAYS:
        assert 0 < float(row[f"{way}_mean"]) < 1.5
        assert 0.5 < float(row[f"{way}_support"]) < 10
    moved = torch.roll(truth * 1j, (3, 5), (0, 1))
    assert float(bench.distance(moved, truth)) < 1e-6
    assert float(bench.distance(torch.zeros_like(truth), truth)) == pytest.approx(1)
