"""The table that bench/saturated.py keeps in docs/faq.md, and what the page says of it."""

import sys
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
import saturated as bench  # noqa: E402
from scale_data import read_csv  # noqa: E402

ROWS = read_csv(bench.CSV)
GROUPS = bench.groups(ROWS)
FLAT = {key: own for key, own in GROUPS.items() if key[0] == 2 and key[2] < 200}
MANY = [own for key, own in GROUPS.items() if key[0] == 2 and key[2] == 200]
SOLID = {key: own for key, own in GROUPS.items() if key[0] == 3}


def ratio(own, way):
    return bench.from_mean(own, way) / bench.from_mean(own, "counted")


def test_the_page_shows_the_committed_results(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(bench.PAGE.read_text())
    bench.write_page(page, ROWS)
    assert page.read_text() == bench.PAGE.read_text()
    assert len(ROWS) == len(list(bench.problems(12))) == 168


def test_starts_in_two_dimensions():
    found = {way: [bench.found(own, way) for own in FLAT.values()] for way in bench.WAYS}
    assert 11 < min(found["counted"])
    assert 9.75 < min(found["least"]) < max(found["least"]) < 13
    few = [bench.found(own, "left_out") for key, own in FLAT.items() if key[2] < 60]
    assert 0.35 < min(few) < max(few) < 3.45
    assert max(found["left_out"]) <= 6


def test_means_in_two_dimensions():
    for (_, photons, saturated), own in FLAT.items():
        if saturated == 60 and photons >= 10**6:
            assert 0.35 < ratio(own, "left_out") < 0.95
            assert ratio(own, "least") < 1.85
        else:
            assert ratio(own, "left_out") > 5.5
            assert ratio(own, "least") < 1.55
    solved = {
        way: sum(float(row[f"mean_{way}"]) < 0.2 for own in FLAT.values() for row in own)
        for way in bench.WAYS
    }
    assert solved == {"counted": 102, "left_out": 59, "least": 99}


def test_a_twentieth_of_the_pattern():
    assert all(3 < bench.found(own, "least") < 5.25 for own in MANY)
    assert all(bench.found(own, "left_out") < 0.35 for own in MANY)
    rows = [row for own in MANY for row in own]
    assert len(rows) == 36
    assert sum(float(row["mean_least"]) < 0.2 for row in rows) == 15
    assert sum(float(row["mean_left_out"]) < 0.2 for row in rows) == 1


def test_three_dimensions():
    left_out = [bench.found(own, "left_out") for own in SOLID.values()]
    assert 7.1 < min(left_out) < max(left_out) < 14.3
    assert all(bench.found(own, "least") > 15.8 for own in SOLID.values())


def test_what_is_measured_of_one_pattern(monkeypatch):
    monkeypatch.setattr(bench, "STARTS", 2)
    monkeypatch.setattr(bench, "SCHEDULE", "60*HIO+20*RAAR+120*ER")
    for ndim in (2, 3):
        problem = bench.Problem(ndim, 10**5, 20, 1)
        row = bench.measured(problem)
        assert len({row[f"mean_{way}"] for way in bench.WAYS}) == 3
        truth, amplitude, saturated = bench.simulated(problem)
        assert saturated.sum() >= 20
        assert amplitude[saturated].min() >= amplitude[~saturated].max()
        turned = torch.roll(truth.flip(tuple(range(ndim))).conj(), 3, 0)
        assert bench.distances(truth, turned[None]) < 1e-6
