"""The table that bench/series.py keeps in docs/phasing/series.md, and its claims."""

import sys
from pathlib import Path
from statistics import geometric_mean

import pytest
import torch

import symbreak
from symbreak.cli.phasing_options import DEFAULT, SCHEDULE

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
import series as bench  # noqa: E402
from scale_data import read_csv  # noqa: E402

ROWS = read_csv(bench.CSV)
GROUPS = bench.groups(ROWS)
SMALL = [own for (*_, change), own in GROUPS.items() if float(change) <= 1]
LARGE = {kind[:2]: own for kind, own in GROUPS.items() if float(kind[2]) == 2}


def reach(way):
    """Least and largest distance over that from random phases, up to 1 rad."""
    ratios = [bench.ratio(own, way) for own in SMALL]
    return round(min(ratios), 2), round(max(ratios), 2)


def away(rows, way):
    return geometric_mean(float(row[f"distance_{way}"]) for row in rows)


def test_the_page_shows_the_committed_results(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(bench.PAGE.read_text())
    bench.write_page(page, ROWS)
    assert page.read_text() == bench.PAGE.read_text()
    assert len(ROWS) == len(list(bench.problems(12))) == 6 * 12 + 3 * 8


def test_the_ways_are_what_the_page_calls_them():
    page = bench.PAGE.read_text()
    assert f"`{bench.END}`" in page
    assert SCHEDULE.endswith(bench.END)
    assert f"--schedule '{bench.HIO_END}' --average-iterates 80 --hold 120" in page
    assert (DEFAULT.average_iterates, DEFAULT.hold) == (80, 120)
    assert (bench.NARROW, DEFAULT.sigma) == (1.5, 3)
    assert bench.share("end_narrow") == pytest.approx(0.27, abs=0.005)
    assert bench.share("hio_end_narrow") == pytest.approx(0.34, abs=0.005)


def test_the_claims_up_to_a_radian():
    assert reach("again_narrow") == (0.92, 1.05)
    assert reach("hio_end_narrow") == (0.75, 1.44)
    assert reach("end_narrow") == (0.76, 1.56)
    assert reach("end") == (0.99, 2.86)
    assert reach("random_end")[0] > 2
    few = [own for own in SMALL if bench.good(own, "random") < 5.5]  # good starts of 8
    assert all(bench.good(own, "again_narrow") > bench.good(own, "random") + 0.5 for own in few)
    assert len(few) == 2


def test_the_claims_for_a_large_change():
    assert all(bench.ratio(own, "end_narrow") > 2.4 for own in LARGE.values())
    assert max(bench.ratio(own, "hio_end_narrow") for own in LARGE.values()) > 2.5
    whole = {kind: bench.ratio(own, "again_narrow") for kind, own in LARGE.items()}
    assert max(whole, key=whole.get) == ("2D on the grid", "1000000")
    assert sorted(whole.values())[-2] < 1.1 < 1.7 < max(whole.values())
    wrong = [LARGE["3D between", "1000000"], LARGE["2D on the grid", "100000"]]
    for own in wrong:
        assert bench.good(own, "end_narrow") > 7
        assert 0.2 < away(own, "end_narrow") < 0.35


def test_the_change_is_what_it_is_called():
    truth = bench.crystal("2D on the grid", 1)
    after = bench.changed(truth, 0.3, 1)
    inside = truth.abs() > 0.5
    change = torch.angle(after[inside] * truth[inside].conj()).double()
    assert float(change.square().mean().sqrt()) == pytest.approx(0.3, rel=0.02)
    torch.testing.assert_close(after.abs(), truth.abs())


def test_a_way_from_before_begins_there():
    _, amplitude = bench.counted(bench.crystal("2D on the grid", 1), 10**5, 1)
    first = bench.phased(amplitude, "40*HIO+200*ER", 1, None, 3.0)
    again = bench.phased(amplitude, bench.END, 2, first, 1.5)
    other = bench.phased(amplitude, bench.END, 3, first, 1.5)
    assert torch.equal(again.error, other.error)  # whatever the seed
    expected = symbreak.reconstruct(
        amplitude,
        bench.END,
        initial=first.objects,
        support=first.supports,
        starts=8,
        shrinkwrap=symbreak.Shrinkwrap(**{**DEFAULT.__dict__, "sigma": 1.5}),
    )
    assert torch.equal(again.error, expected.error)
