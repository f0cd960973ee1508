"""The table that bench/first_supports.py keeps in docs/phasing/support.md, and its claims."""

import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
import first_supports as bench  # noqa: E402
from scale_data import read_csv  # noqa: E402

ROWS = read_csv(bench.CSV)
GROUPS = bench.groups(ROWS)


def found(kind, way):
    return round(bench.found(GROUPS[kind], way), 1)


def solved(kind, way):
    return bench.solved(GROUPS[kind], way)


def test_the_page_shows_the_committed_results(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(bench.PAGE.read_text())
    bench.write_page(page, ROWS)
    assert page.read_text() == bench.PAGE.read_text()
    assert len(ROWS) == len(list(bench.problems(12))) == 96


def test_a_disk_missing():
    kinds = ("object, disk of 2.5 missing", "two objects, disk of 2.5 missing")
    assert [found(kind, "symbreak") for kind in kinds] == [14.1, 13.9]
    assert [found(kind, "0.04") for kind in kinds] == [8.3, 4.8]
    assert sum(solved(kind, "symbreak") for kind in kinds) == 18
    assert sum(solved(kind, "0.04") for kind in kinds) == 10
    more = "object, disk of 4.5 missing"
    assert [found(more, way) for way in ("symbreak", "0.04")] == [3.2, 1.2]
    assert solved(more, "symbreak") == 0


def test_saturated_pixels():
    kind = "crystal, least of brightest 20"
    assert [found(kind, way) for way in ("symbreak", "0.04", "0.15")] == [9.0, 9.0, 11.3]


def test_all_measured():
    one, two = "crystal, all measured", "two objects, all measured"
    for kind in (one, two):
        assert found(kind, "symbreak") == found(kind, "0.04")
    each = [found(one, way) for way in bench.WAYS]
    assert max(each) - min(each) < 2
    assert found(two, "0.15") > found(two, "0.04") + 2


def test_the_brightest_left_out():
    kind = "crystal, brightest 20 missing"
    assert found(kind, "symbreak") == found(kind, "0.04") < 2
    assert found(kind, "0.15") == 10.6


@pytest.mark.parametrize("kind", bench.KINDS)
def test_what_is_measured_of_one_pattern(monkeypatch, kind):
    monkeypatch.setattr(bench, "STARTS", 2)
    monkeypatch.setattr(bench, "SCHEDULE", "60*HIO+20*RAAR+120*ER")
    pattern = bench.simulated(bench.Problem(kind, 3))
    assert pattern.valid.all() == ("all measured" in kind)
    assert (pattern.saturated is None) == ("least" not in kind)
    assert (pattern.amplitude[~pattern.valid] > 0).any() == (pattern.saturated is not None)
    expected = torch.fft.fftn(pattern.truth).abs().square()[pattern.valid].sum()
    assert torch.isclose(pattern.amplitude.square()[pattern.valid].sum(), expected, rtol=0.03)
    row = bench.measured(bench.Problem(kind, 3))
    sizes = [row[f"size_{part:g}"] for part in bench.PARTS]
    assert sizes == sorted(sizes, reverse=True)
    assert set(bench.COLUMNS) <= set(row)


def test_two_objects_are_wider_than_half_the_grid():
    """On a periodic grid: what is left of it by the widest gap between two columns of theirs."""
    widths = []
    for problem in bench.problems(12):
        if problem.kind == "two objects, all measured":
            (columns,) = torch.nonzero(bench.simulated(problem).truth.any(0), as_tuple=True)
            gaps = (columns.roll(-1) - columns) % bench.phase_limits.SIZE
            widths.append(bench.phase_limits.SIZE + 1 - int(gaps.max()))
    assert (min(widths), max(widths)) == (43, 47)
