"""The table that bench/schedules.py keeps in docs/faq.md, and what the page says of it."""

import sys
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
import schedules as bench  # noqa: E402
from scale_data import read_csv  # noqa: E402

from symbreak.ops.schedule import SCHEDULE, total_iterations  # noqa: E402

ROWS = read_csv(bench.CSV)
SOLVED = [row for row in ROWS if float(row["distance_20"]) < bench.FAILED]


def test_the_page_shows_the_committed_results(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(bench.PAGE.read_text())
    bench.write_page(page, ROWS)
    assert page.read_text() == bench.PAGE.read_text()
    assert len(ROWS) == len(list(bench.problems(12)))


def test_the_schedules_are_what_the_page_calls_them():
    assert bench.SCHEDULES["20"] == SCHEDULE
    lengths = [total_iterations(schedule) for schedule in bench.SCHEDULES.values()]
    assert lengths == [620, 720, 920, 620]
    assert f"--schedule '{bench.SCHEDULES['120']}'" in bench.PAGE.read_text()


def test_the_claims_of_the_page():
    def of(rule, **key):
        return [
            row
            for row in SOLVED
            if row["shrinkwrap"] == rule and all(row[name] in key[name] for name in key)
        ]

    ratios = bench.ratios(of("default"), "120")
    assert (sum(ratio < 1 for ratio in ratios), len(ratios)) == (81, 83)
    assert 0.64 < median(ratios) < 0.70
    held = bench.ratios(SOLVED, bench.HELD)
    assert (sum(ratio < 1 for ratio in held), len(held)) == (138, 157)
    assert 0.875 < median(held) < 0.885
    good = [
        sum(int(row[f"good_{name}"]) for row in ROWS) / len(ROWS) for name in ("20", bench.HELD)
    ]
    assert [round(count) for count in good] == [9, 11]
    for few in (
        of("tight", photons=["100000"]),
        of("tight", data=["3D between"], photons=["10000000"]),
    ):
        assert median(bench.ratios(few, "120")) > 1.1
    assert median(bench.ratios(of("tight", photons=["1000000"]), "120")) < 0.85
