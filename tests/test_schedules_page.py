"""The table that bench/schedules.py keeps in docs/phasing/schedule.md, and its claims."""

import sys
from pathlib import Path
from statistics import mean, median

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
pytest.importorskip("skimage")  # bench/facets.py draws surfaces by it
import found_starts  # noqa: E402
import schedules as bench  # noqa: E402
from scale_data import read_csv  # noqa: E402

import symbreak  # noqa: E402
from symbreak.cli import phasing_options  # noqa: E402
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
    assert bench.ENDS["20"].schedule == SCHEDULE
    assert bench.ENDS["raar_mean"].schedule == phasing_options.SCHEDULE
    for rule in bench.RULES.values():
        ended = bench.ENDS["raar_mean"].of(rule)
        assert (ended.hold, ended.average_iterates) == (120, 80)
    assert phasing_options.DEFAULT == bench.ENDS["raar_mean"].of(phasing_options.DEFAULT)
    lengths = [total_iterations(end.schedule) for end in bench.ENDS.values()]
    assert lengths == [620, 720, 920, 620, 720, 720, 920, 620, 720, 820, 820, 620, 800]
    text = bench.PAGE.read_text()
    assert f"```text\n{phasing_options.SCHEDULE}\n```" in text
    assert f'    amplitude, "{phasing_options.SCHEDULE}", starts=8, shrinkwrap=rule\n' in text
    assert "`--average-iterates 80`" in text
    assert f'"{phasing_options.SCHEDULE}"' in symbreak.reconstruct.__doc__
    quickstart = ROOT / "docs" / "quickstart.md"
    assert f"`{phasing_options.SCHEDULE}`" in quickstart.read_text()
    schedule, hold = bench.ENDS["120_held_100"][:2]
    holding = bench.PAGE.with_name("support.md").read_text()
    assert f"`{schedule}`, `--hold {hold}`" in holding
    assert "`--hold 100`, or `Shrinkwrap(hold=100)`" in holding


def ratios(end, rule=None):
    return bench.ratios([row for row in SOLVED if rule in (None, row["shrinkwrap"])], end)


def nearer(values):
    return sum(value < 1 for value in values), len(values), round(median(values), 2)


def test_the_claims_of_the_page():
    settled = ratios("raar_mean")
    assert nearer(settled) == (153, 157, 0.51)
    assert nearer(ratios("raar_20"))[::2] == (151, 0.61)
    assert nearer(ratios("raar_120_held"))[::2] == (151, 0.57)
    ends = ("20", "raar_mean")
    good = [round(mean(int(row[f"good_{end}"]) for row in SOLVED), 1) for end in ends]
    assert f"of 16 starts are good instead of {good[0]}" in bench.PAGE.read_text()
    assert f"in the median, and {good[1]} of 16 starts" in bench.PAGE.read_text()
    assert nearer(ratios("120_held_100")) == (143, 157, 0.80)
    solved = [
        sum(float(row[f"distance_{end}"]) < bench.FAILED for row in ROWS)
        for end in ("20", "raar_mean", "raar_20_of_620")
    ]
    assert (solved, len(ROWS)) == ([157, 155, 162], 168)


def test_less_hio_solves_more_where_photons_are_few():
    few = [row for row in ROWS if row["photons"] == "100000" and row["shrinkwrap"] == "tight"]
    solved = [
        sum(float(row[f"distance_{end}"]) < bench.FAILED for row in few)
        for end in ("raar_20_of_620", "20", "raar_mean")
    ]
    assert (solved, len(few)) == ([21, 15, 13], 24)


def test_raar_is_nearer_in_every_group():
    groups = {tuple(row[name] for name in bench.KEY[:3]) for row in SOLVED}
    assert len(groups) == 14
    for group in groups:
        chosen = [row for row in SOLVED if tuple(row[name] for name in bench.KEY[:3]) == group]
        assert median(bench.ratios(chosen, "raar_20")) < 0.85
        assert median(bench.ratios(chosen, "120_held")) < 1


def test_a_support_is_held_from_the_start_of_er_or_from_one_update_later():
    """The last update is that after iteration 600, HIO's last, or after 620, as the page says."""
    for end, last in (("120_held", 600), ("320_held", 600), ("120_held_100", 620)):
        schedule, hold = bench.ENDS[end][:2]
        assert (total_iterations(schedule) - hold) // 20 * 20 == last


def test_without_noise_as_many_starts_find_the_crystal(tmp_path):
    page, rows = tmp_path / "page.md", read_csv(found_starts.CSV)
    page.write_text(found_starts.PAGE.read_text())
    found_starts.write_page(page, rows)
    assert page.read_text() == found_starts.PAGE.read_text()
    assert len(rows) == len(list(found_starts.problems(24))) == 9
    shares = [[float(row[name]) for name in found_starts.SCHEDULES] for row in rows]
    for at_last in (1, 2):
        assert all(share[at_last] >= share[0] for share in shares)
    assert all(
        instead < settled
        for row, (_, _, settled, instead) in zip(rows, shares, strict=True)
        if row["shrinkwrap"] == "default"
    )


def test_without_noise_the_command_finds_as_many_as_the_tight_rule():
    share = {
        (row["shrinkwrap"], row["defects"]): float(row["raar_mean"])
        for row in read_csv(found_starts.CSV)
    }
    for defects in ("0 to 2", "2 to 6", "6 to 12"):
        assert abs(share["command", defects] - share["tight", defects]) < 0.04
    assert share["command", "6 to 12"] > 1.95 * share["default", "6 to 12"]
