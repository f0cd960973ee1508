"""The table that bench/averaged_starts.py keeps in docs/phasing/starts.md, and its claims."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
import averaged_starts as bench  # noqa: E402
from scale_data import read_csv  # noqa: E402
from shrinkwraps import groups, problems  # noqa: E402

ROWS = read_csv(bench.CSV)


def ratios(factor, ndim, most=None):
    return [
        bench.ratio(own, factor)
        for (data, photons), own in groups(ROWS).items()
        if int(data[0]) == ndim and (most is None or int(photons) <= most)
    ]


def test_the_page_shows_the_committed_results(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(bench.PAGE.read_text())
    bench.write_page(page, ROWS)
    assert page.read_text() == bench.PAGE.read_text()
    assert len(ROWS) == len(list(problems(12)))
    assert bench.GOOD == 1.1


def test_the_claims_of_the_page():
    few = ratios(1.03, 2, 10**6)
    assert (round(max(few), 2), round(min(few), 2)) == (0.95, 0.77)
    assert all(0.985 < one < 1.005 for one in ratios(1.03, 3))
    assert 1.0 < ratios(1.03, 2)[-1] < 1.015
    every = ratios(1.05, 2) + ratios(1.05, 3)
    assert round(min(every), 2) == 0.93
    assert max(every) < 1.015
    assert max(ratios(1.3, 2)) > 1.5


def test_a_start_is_averaged_by_the_factor():
    for row in ROWS:
        counts = [int(row[f"averaged_{factor:g}"]) for factor in bench.FACTORS]
        assert counts == sorted(counts)
        assert counts[0] >= 1
        assert counts[-1] <= bench.STARTS
    (row, *_) = ROWS
    assert bench.ratio([row], bench.GOOD) == 1
    other = {**row, "distance_1.01": str(4 * float(row["distance_1.1"]))}
    same = {**row, "distance_1.01": row["distance_1.1"]}
    assert abs(bench.ratio([other, same], 1.01) - 2) < 1e-12
