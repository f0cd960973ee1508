"""The tables that bench/small_scale_seeds.py keeps in its page, and their claims."""

import csv
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
import small_scale_seeds as bench  # noqa: E402

BEFORE, AFTER = [0.981, 0.99, 1.0], [0.5, 0.4, 0.3]
NAMES = [
    "after is below before at every size",
    "after falls at every step to more pairs",
    "before is no lower with the most pairs than with the fewest",
    "before falls at no step to more pairs",
    "before is within 0.1 of the zero predictor with the most pairs",
    "before is never below 0.98",
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
        (BEFORE, [0.5, 0.4, 1.0], [0, 1]),
        (BEFORE, [0.5, 0.5, 0.3], [1]),
        ([0.99, 0.98, 0.99], AFTER, [3]),
        ([1.09, 1.08, 1.07], AFTER, [2, 3]),
        ([0.97, 0.98, 0.99], AFTER, [5]),
        ([1.09, 1.10, 1.11], AFTER, [4]),
        ([0.87, 0.88, 0.89], AFTER, [4, 5]),
    ],
)
def test_claims(before, after, broken):
    curve = bench.Curve(before, after)
    assert list(bench.CLAIMS) == NAMES
    assert [k for k, name in enumerate(NAMES) if not bench.CLAIMS[name][1](curve)] == broken


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
    assert f"| {NAMES[2]} | 2 of 2 | - |" in lines


def test_cells_are_collected_from_a_folder(tmp_path):
    def errors(value):
        return dict(mse_ratio=value, sa_mse_ratio=value + 1, label_mse_ratio=value + 2)

    parts = ("train_final", "train_best", "test_final", "test_best")
    for variant in ("after", "before"):
        for pairs in (800, 50):
            record = {
                **dict(network="UNet", set=pairs, variant=variant, epochs=3, cpu_seconds=1.25),
                "scale": {"seed": 5, "options": {"UNet": {}}},
                **{part: errors(10.0 * k) for k, part in enumerate(parts)},
            }
            where = tmp_path / "cells" / f"UNet-{pairs}-{variant}" / "result.json"
            where.parent.mkdir(parents=True)
            where.write_text(json.dumps(record))
    rows = bench.collect(tmp_path)
    cells = [(row["set"], row["variant"]) for row in rows]
    assert cells == [("50", "before"), ("50", "after"), ("800", "before"), ("800", "after")]
    assert {row["seed"] for row in rows} == {"5"}
    measured = [float(rows[0][name]) for name in bench.MEASURES]
    assert measured == [31.0, 22.0, 11.0, 0.0]  # test SA-MSE and MSE, training SA-MSE and MSE
    with pytest.raises(SystemExit, match="no finished cells"):
        bench.collect(tmp_path / "cells")
