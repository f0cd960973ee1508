"""The table that bench/mean_iterates.py keeps in docs/phasing/schedule.md, and its claims."""

import sys
from pathlib import Path
from statistics import geometric_mean

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
import mean_iterates as bench  # noqa: E402
from scale_data import read_csv  # noqa: E402
from shrinkwraps import groups  # noqa: E402

from symbreak.cli.phasing_options import DEFAULT, SCHEDULE  # noqa: E402
from symbreak.ops.schedule import total_iterations  # noqa: E402

ROWS = read_csv(bench.CSV)
GROUPS = groups(ROWS)


def ratios(what, end="mean_80"):
    return {kind: bench.ratio(own, what, end) for kind, own in GROUPS.items()}


def test_the_page_shows_the_committed_results(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(bench.PAGE.read_text())
    bench.write_page(page, ROWS)
    assert page.read_text() == bench.PAGE.read_text()
    assert len(ROWS) == len(bench.chosen(12)) == 6 * 12 + 4 * 6


def test_the_ends_are_what_the_page_calls_them():
    commands, longer = bench.ENDS["mean_80"], bench.ENDS["mean_160"]
    assert commands.schedule == SCHEDULE
    assert commands.of(DEFAULT) == DEFAULT
    said = f"--schedule '{longer.schedule}' --average-iterates {longer.average}"
    assert f"`{said} --hold {longer.hold}`" in bench.PAGE.read_text()
    assert 1.12 < total_iterations(longer.schedule) / total_iterations(SCHEDULE) < 1.13


def test_the_claims_of_the_page():
    nearer = ratios("mean")
    assert 0.635 < min(nearer.values()) < max(nearer.values()) < 0.985
    assert sorted(nearer, key=nearer.get)[-3:] == [
        ("2D between", "1000000"),
        ("2D on the grid", "10000"),
        ("2D between", "10000000"),
    ]
    assert max(ratios("best").values()) < 1.015
    assert geometric_mean(ratios("best").values()) < geometric_mean(nearer.values()) < 0.86
    assert geometric_mean(ratios("mean", "mean_160").values()) < geometric_mean(nearer.values())
    assert all(0.76 < size < 1.005 for size in ratios("support").values())


def test_what_is_measured_of_one_pattern(monkeypatch):
    monkeypatch.setattr(bench, "STARTS", 2)
    short = {"held": bench.End("40*HIO+20*RAAR+9*ER", 9, "")}
    short["mean_80"] = short["held"]._replace(average=20)
    monkeypatch.setattr(bench, "ENDS", short)
    row = bench.measured(bench.Problem("2D on the grid", 10**6, 3))
    for what in ("mean", "best", "support"):
        assert row[f"{what}_held"] != row[f"{what}_mean_80"]
    assert 0 < row["mean_held"] < 2
