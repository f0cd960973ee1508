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
    assert bench.ENDS["20"] == (SCHEDULE, 0)
    lengths = [total_iterations(end.schedule) for end in bench.ENDS.values()]
    assert lengths == [620, 720, 920, 620, 720, 720, 920, 620]
    text = bench.PAGE.read_text()
    schedule, hold = bench.ENDS["120_held_100"]
    assert f"`--schedule '{schedule}' --hold {hold}`" in text
    assert f'"{schedule}", shrinkwrap=symbreak.Shrinkwrap(hold={hold})' in text
    assert bench.ENDS["120_held"] == (schedule, 120)


def ratios(end, rule=None):
    return bench.ratios([row for row in SOLVED if rule in (None, row["shrinkwrap"])], end)


def nearer(values):
    return sum(value < 1 for value in values), len(values), round(median(values), 2)


def test_the_claims_of_the_page():
    assert nearer(ratios("120_held_100")) == (143, 157, 0.80)
    assert nearer(ratios("120_held_100", "default")) == (81, 83, 0.76)
    tight = ratios("120_held", "tight")
    assert nearer(tight) == (65, 74, 0.92)
    assert max(tight) < 1.085


def test_a_support_is_held_from_the_start_of_er_or_from_one_update_later():
    """The last update is that after iteration 600, HIO's last, or after 620, as the page says."""
    for end, last in (("120_held", 600), ("320_held", 600), ("120_held_100", 620)):
        schedule, hold = bench.ENDS[end]
        assert (total_iterations(schedule) - hold) // 20 * 20 == last
