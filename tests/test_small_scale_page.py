"""The tables that bench/small_scale_seeds.py keeps in docs/experiments.md, and their claims."""

import csv
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
import small_scale_seeds as bench  # noqa: E402

BEFORE, AFTER = [0.90, 0.95, 0.99], [0.5, 0.4, 0.3]
NAMES = [
    "after is below before at every size",
    "after falls at every step to more pairs",
    "before is no lower with the most pairs than with the fewest",
    "before falls at no step to more pairs",
    "before is never below 0.9",
]


def test_the_page_shows_the_committed_results(tmp_path):
    page = tmp_path / "experiments.md"
    page.write_text(bench.PAGE.read_text())
    rows = bench.read_csv(bench.SMALL / "seeds.csv")
    bench.write_page(page, rows, bench.read_csv(bench.SMALL / "candidates.csv"))
    assert page.read_text() == bench.PAGE.read_text()


def test_the_tables_in_full_are_one_of_the_seeds():
    full = list(csv.DictReader((bench.SMALL / "tables.csv").read_text().splitlines()))
    seeds = {
        (row["network"], row["set"], row["variant"]): row["test_sa_mse"]
        for row in bench.read_csv(bench.SMALL / "seeds.csv")
        if row["seed"] == "0"
    }
    found = {(row["network"], row["set"], row["variant"]): row for row in full}
    assert len(seeds) == len(full) - 1  # the baseline
    for cell, ratio in seeds.items():
        assert float(found[cell]["test_best_sa_mse_ratio"]) == pytest.approx(float(ratio), abs=1e-4)


@pytest.mark.parametrize(
    ("before", "after", "broken"),
    [
        (BEFORE, AFTER, []),
        (BEFORE, [0.5, 0.4, 0.99], [0, 1]),
        (BEFORE, [0.5, 0.5, 0.3], [1]),
        ([0.95, 0.90, 0.95], AFTER, [3]),
        ([0.95, 0.94, 0.93], AFTER, [2, 3]),
        ([0.89, 0.95, 0.99], AFTER, [4]),
    ],
)
def test_claims(before, after, broken):
    curve = bench.Curve(before, after)
    assert list(bench.CLAIMS) == NAMES
    assert [k for k, name in enumerate(NAMES) if not bench.CLAIMS[name](curve)] == broken


def test_failing_seeds_are_named():
    rows = [
        {
            **dict(seed=seed, network="UNet", set=str(pairs), variant=variant),
            **dict.fromkeys(("test_sa_mse", "test_mse"), str(value)),
        }
        for seed, after in (("3", AFTER), ("7", AFTER[::-1]))
        for variant, values in (("before", BEFORE), ("after", after))
        for pairs, value in zip((800, 50, 200), (values[2], *values[:2]), strict=True)
    ]
    lines = bench.claims_table(rows).splitlines()
    assert f"| {NAMES[0]} | 2 of 2 | 2 of 2 |" in lines
    assert f"| {NAMES[1]} | 1 of 2 (not 7) | 1 of 2 (not 7) |" in lines
