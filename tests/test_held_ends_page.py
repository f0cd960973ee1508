"""The table that bench/held_ends.py keeps in docs/phasing/schedule.md, and its claims."""

import sys
from pathlib import Path

import pytest
import torch

import symbreak
from symbreak.cli.phasing_options import DEFAULT, SCHEDULE
from symbreak.ops.schedule import total_iterations

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
import held_ends as bench  # noqa: E402
from scale_data import read_csv  # noqa: E402
from shrinkwraps import groups, problems  # noqa: E402

ROWS = read_csv(bench.CSV)


def ratios(which, more):
    return [bench.ratio(own, which, more) for own in groups(ROWS).values()]


def test_the_page_shows_the_committed_results(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(bench.PAGE.read_text())
    bench.write_page(page, ROWS)
    assert page.read_text() == bench.PAGE.read_text()
    assert len(ROWS) == len(list(problems(12)))


def test_the_claims_of_the_page():
    longer = total_iterations(SCHEDULE) / total_iterations(bench.TWENTY)
    assert longer == pytest.approx(1.14, abs=0.005)
    assert bench.TWENTY.replace("+20*ER", "+120*ER") == SCHEDULE
    assert DEFAULT.hold == 120
    hundred = ratios("mean", 100)
    assert max(hundred) < 1.005
    assert min(hundred) == pytest.approx(0.8, abs=0.005)
    gained = [best / mean for best, mean in zip(ratios("best", 100), hundred, strict=True)]
    assert sum(gained) / len(gained) < 0.95
    assert max(gained) < 1.025
    steps = [two / one for two, one in zip(ratios("mean", 200), hundred, strict=True)]
    assert 0.96 < min(steps) < max(steps) < 1.005
    last = [four / two for four, two in zip(ratios("mean", 400), ratios("mean", 200), strict=True)]
    assert 0.96 < min(last) < max(last) < 1.04


def test_going_on_is_a_longer_schedule_that_holds_the_support():
    _, amplitude = bench.simulated("2D on the grid", 10**6, 0)
    rule = {"starts": 2, "seed": 3}
    shrinkwrap = symbreak.Shrinkwrap(every=4, hold=6)
    whole = symbreak.reconstruct(amplitude, "8*HIO+8*ER", shrinkwrap=shrinkwrap, **rule)
    first = symbreak.reconstruct(
        amplitude, "8*HIO+2*ER", shrinkwrap=symbreak.Shrinkwrap(every=4), **rule
    )
    objects, error = bench.held(amplitude, first.object, first.support, 6)
    assert torch.equal(first.support, whole.support)
    torch.testing.assert_close(objects, whole.object, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(error, whole.error, rtol=1e-3, atol=1e-5)
