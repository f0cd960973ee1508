"""The table that bench/shrinkwraps.py keeps in docs/phasing/support.md, and its claims."""

import sys
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
pytest.importorskip("skimage")  # bench/facets.py draws surfaces by it
import shrinkwraps as bench  # noqa: E402
from scale_data import read_csv  # noqa: E402

import symbreak  # noqa: E402
from symbreak.cli.phasing_options import DEFAULT, SCHEDULE  # noqa: E402

ROWS = read_csv(bench.CSV)
MANY = [row for row in ROWS if int(row["photons"]) >= 10**5]
FEW = [row for row in ROWS if row not in MANY]


def ratios(rows, over, under):
    return [float(row[f"distance_{over}"]) / float(row[f"distance_{under}"]) for row in rows]


def test_the_page_shows_the_committed_results(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(bench.PAGE.read_text())
    bench.write_page(page, ROWS)
    assert page.read_text() == bench.PAGE.read_text()
    assert len(ROWS) == len(list(bench.problems(12)))


def test_the_rules_are_what_the_page_calls_them():
    assert bench.RULES["python"] == symbreak.Shrinkwrap(**bench.END)
    assert bench.RULES["commands"] == DEFAULT
    text = bench.PAGE.read_text()
    for name in ("tight", "commands"):
        rule, plain = bench.RULES[name], symbreak.Shrinkwrap()
        changed = {
            field: getattr(rule, field)
            for field in ("threshold", "sigma_min", "decay", "relative_to")
            if getattr(rule, field) != getattr(plain, field)
        }
        said = ", ".join(
            f'{field}="{value}"' if isinstance(value, str) else f"{field}={value}"
            for field, value in changed.items()
        )
        assert f"({said})" in text or f"    {said}, hold=120, average_iterates=80\n" in text
    # Where the blur ends, in pixels: after the updates of the command's schedule.
    updates = (symbreak.ops.schedule.total_iterations(SCHEDULE) - DEFAULT.hold) // DEFAULT.every
    ends = [max(r.sigma * r.decay ** (updates - 1), r.sigma_min) for r in bench.RULES.values()]
    assert [round(end, 1) for end in ends] == [2.1, 0.7, 1.5, 1.5]
    assert bench.RULES["same_blur"].decay == DEFAULT.decay


def test_the_claims_of_the_page():
    assert len(MANY) == 96
    solved = [bench.solved(MANY, name) for name in ("commands", "python", "tight")]
    assert solved == [96, 95, 84]
    nearer = ratios(MANY, "commands", "python")
    assert sum(value < 1 for value in nearer) == 92
    assert round(median(nearer), 2) == 0.56
    few = [median(ratios(rows, "commands", "python")) for rows in bench.groups(FEW).values()]
    assert all(abs(value - 1) < 0.02 for value in few)
    assert bench.solved(FEW, "commands") == len(FEW) == 24


def test_the_tight_rule_is_nearer_where_it_was_made_for():
    for (_, photons), rows in bench.groups(MANY).items():
        both = [row for row in rows if float(row["distance_tight"]) < bench.FAILED]
        ratio = median(ratios(both, "commands", "tight"))
        assert ratio < 1 if photons == "100000" else 1.03 < ratio < 1.31
