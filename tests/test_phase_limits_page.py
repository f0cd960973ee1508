"""The table that bench/phase_limits.py keeps in docs/phasing/not-measured.md, and its claims."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
import phase_limits as bench  # noqa: E402
from scale_data import read_csv  # noqa: E402

ROWS = read_csv(bench.CSV)
GROUPS = bench.groups(ROWS)


def of(missing, kind=None):
    """The groups with so much missing."""
    return [
        own
        for (name, radius, _), own in GROUPS.items()
        if radius == missing and kind in (None, name)
    ]


def test_the_page_shows_the_committed_results(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(bench.PAGE.read_text())
    bench.write_page(page, ROWS)
    assert page.read_text() == bench.PAGE.read_text()
    assert len(ROWS) == len(list(bench.problems(12))) == 216


def test_two_and_a_half_pixels_missing():
    free, one = ([bench.found(own, name) for own in of(2.5)] for name in ("none", "one"))
    assert 12.5 <= min(free) < max(free) <= 16
    assert 15.6 < min(one)
    nearer = [bench.from_mean(own, "none") / bench.from_mean(own, "one") for own in of(2.5)]
    assert 1.1 < min(nearer) < max(nearer) < 2.25


def test_more_than_a_speckle_missing():
    for own in of(4.5):
        assert bench.found(own, "one") < 8
        assert bench.from_mean(own, "one") < bench.from_mean(own, "none")


def test_nothing_missing():
    for own in of(0.0):
        assert bench.found(own, "one") == 16
        nearer = 1 - bench.from_mean(own, "one") / bench.from_mean(own, "none")
        assert 0.035 < nearer < 0.335
        assert bench.from_mean(own, "half") / bench.from_mean(own, "none") < 1.1
    for own in of(0.0, "real"):
        assert 0.35 < bench.from_mean(own, "zero") / bench.from_mean(own, "none") < 0.55


def test_which_limit():
    for own in of(2.5):
        assert bench.found(own, "half") > 15.7
        assert bench.from_mean(own, "half") < 1.3 * bench.from_mean(own, "one")
    for own in of(2.5, "half a pixel off"):
        assert bench.from_mean(own, "zero") > 1.5 * bench.from_mean(own, "none")
        assert bench.found(own, "zero") < bench.found(own, "none")


def test_what_is_measured_of_one_pattern(monkeypatch):
    monkeypatch.setattr(bench, "STARTS", 2)
    monkeypatch.setattr(bench, "SCHEDULE", "60*HIO+20*RAAR+120*ER")
    row = bench.measured(bench.Problem("real", 10**6, 1.5, 3))
    assert len({row[f"mean_{name}"] for name in bench.LIMITS}) == len(bench.LIMITS)
    assert all(0 <= row[f"found_{name}"] <= 2 for name in bench.LIMITS)
    for kind, largest in zip(bench.KINDS, (0, 1.57, 1.0), strict=True):
        truth, amplitude, valid = bench.simulated(bench.Problem(kind, 10**6, 2.5, 3))
        assert truth.angle().abs()[truth.abs() > 0].max() <= largest * 1.0001
        assert (~valid).sum() == 21
        assert amplitude.shape == (64, 64)
