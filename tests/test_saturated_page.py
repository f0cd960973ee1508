"""The table that bench/saturated.py keeps in docs/phasing/not-measured.md, and its claims."""

import sys
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
import saturated as bench  # noqa: E402
from scale_data import read_csv  # noqa: E402

ROWS = read_csv(bench.CSV)
GROUPS = bench.groups(ROWS)
SMALL = {key: own for key, own in GROUPS.items() if key[:2] == (2, 32) and key[3] < 200}
MANY = [own for key, own in GROUPS.items() if key[:2] == (2, 32) and key[3] == 200]
LARGE = {key: own for key, own in GROUPS.items() if key[:2] == (2, 64)}
SOLID = {key: own for key, own in GROUPS.items() if key[0] == 3}


def solved(rows, way):
    return sum(float(row[f"mean_{way}"]) < 0.2 for row in rows)


def ratio(own, way):
    return bench.from_mean(own, way) / bench.from_mean(own, "counted")


def test_the_page_shows_the_committed_results(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(bench.PAGE.read_text())
    bench.write_page(page, ROWS)
    assert page.read_text() == bench.PAGE.read_text()
    assert len(ROWS) == len(list(bench.problems(12))) == 200


def test_starts_in_two_dimensions():
    found = {way: [bench.found(own, way) for own in SMALL.values()] for way in bench.WAYS}
    assert 11 < min(found["counted"])
    assert 9.75 < min(found["least"]) < max(found["least"]) < 13
    few = [bench.found(own, "left_out") for key, own in SMALL.items() if key[3] < 60]
    assert 3.2 < min(few) < max(few) < 6.4
    assert 1.45 < min(found["left_out"])


def test_means_in_two_dimensions():
    for (_, _, photons, saturated), own in SMALL.items():
        if saturated == 60 and photons >= 10**6:
            assert 0.35 < ratio(own, "left_out") < 0.95
            assert ratio(own, "least") < 1.85
        else:
            assert ratio(own, "left_out") > 2.6
            assert ratio(own, "least") < 1.55
    rows = [row for own in SMALL.values() for row in own]
    assert [solved(rows, way) for way in bench.WAYS] == [102, 72, 99]


def test_a_twentieth_of_the_pattern():
    assert all(3 < bench.found(own, "least") < 5.25 for own in MANY)
    assert all(bench.found(own, "left_out") < 0.35 for own in MANY)
    rows = [row for own in MANY for row in own]
    assert len(rows) == 36
    assert [solved(rows, way) for way in ("left_out", "least")] == [1, 15]


def test_larger_crystals():
    few = [own for key, own in LARGE.items() if key[3] == 20]
    more = [own for key, own in LARGE.items() if key[3] == 80]
    assert all(12.5 < bench.found(own, "least") < 13.6 for own in few)
    assert all(2.6 < bench.found(own, "left_out") < 4.4 for own in few)
    assert all(14.3 < bench.found(own, "counted") < 15.7 for own in few)
    assert [round(bench.found(own, "least"), 1) for own in more] == [7.8, 4.8]
    assert [round(bench.found(own, "left_out"), 1) for own in more] == [0.2, 3.1]
    one = next(row for row in LARGE[2, 64, 10**7, 80] if row["item"] == "6")
    assert [one[f"found_{way}"] for way in bench.WAYS] == ["15", "5", "0"]
    for rows, expected in ((few, [10, 16]), (more, [5, 8])):
        counts = [sum(solved(own, way) for own in rows) for way in ("left_out", "least")]
        assert counts == expected


def test_three_dimensions():
    left_out = [bench.found(own, "left_out") for own in SOLID.values()]
    assert 7.1 < min(left_out) < max(left_out) < 14.3
    assert all(bench.found(own, "least") > 15.8 for own in SOLID.values())


def test_what_is_measured_of_one_pattern(monkeypatch):
    monkeypatch.setattr(bench, "STARTS", 2)
    monkeypatch.setattr(bench, "SCHEDULE", "60*HIO+20*RAAR+120*ER")
    for ndim in (2, 3):
        problem = bench.Problem(ndim, 16, 10**5, 20, 1)
        row = bench.measured(problem)
        assert len({row[f"mean_{way}"] for way in bench.WAYS}) == 3
        truth, amplitude, saturated = bench.simulated(problem)
        assert saturated.sum() >= 20
        assert amplitude[saturated].min() >= amplitude[~saturated].max()
        turned = torch.roll(truth.flip(tuple(range(ndim))).conj(), 3, 0)
        assert bench.distances(truth, turned[None]) < 1e-6
