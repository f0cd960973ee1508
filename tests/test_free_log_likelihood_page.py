"""The tables that bench/free_log_likelihood.py keeps in docs/phasing/starts.md, and claims."""

import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
pytest.importorskip("h5py")
import free_log_likelihood as bench  # noqa: E402

import symbreak  # noqa: E402
from symbreak.data import crystals  # noqa: E402


@pytest.fixture(scope="module")
def rows():
    return bench.read_csv(bench.CSV)


def test_the_page_shows_the_committed_results(tmp_path, rows):
    page = tmp_path / "starts.md"
    page.write_text(bench.PAGE.read_text())
    bench.write_page(page, rows)
    assert page.read_text() == bench.PAGE.read_text()


def average(rows, name):
    return sum(float(row[name]) for row in rows) / len(rows)


@pytest.mark.parametrize("trial", [*bench.IN_2D, *bench.IN_3D, *bench.MASKS], ids=str)
def test_between_settings_both_are_nearer_than_the_error(rows, trial):
    chosen = bench.across(bench.of_trial(rows, trial))
    nearest, today = average(chosen, "nearest"), average(chosen, "all_distance")
    assert nearest < average(chosen, "free_distance") < today
    assert average(chosen, "all_crossed_distance") < today
    for way in ("free", "all_crossed"):
        assert average(chosen, f"{way}_support") < average(chosen, "all_support")


@pytest.mark.parametrize("trial", [*bench.IN_2D, *bench.IN_3D], ids=str)
def test_cross_validation_chooses_as_the_page_says(rows, trial):
    chosen = bench.across(bench.of_trial(rows, trial))
    crossed, free = (average(chosen, f"{way}_distance") for way in ("all_crossed", "free"))
    assert crossed < 0.8 * free if trial[2] <= 1e5 else free < crossed < free + 0.06
    both = [row for row in bench.of_trial(rows, trial) if row["nearest"] and row["all_value"]]
    one_threshold = [row for row in both if row["rule"].startswith("threshold")]
    crossed, error, free = (
        average(one_threshold, f"{way}_distance") for way in ("all_crossed", "all", "free")
    )
    assert crossed < min(error, free + 0.02)
    one_area = [row for row in both if row["rule"].startswith("area")]
    assert average(one_area, "all_crossed_distance") == average(one_area, "all_distance")


def row(crystal, rule, **ways):
    values = {"crystal": crystal, "rule": rule, "nearest": "0.01"}
    for way, (value, distance) in ways.items():
        values |= {f"{way}_value": value, f"{way}_distance": distance, f"{way}_support": distance}
    return values


def test_each_way_takes_its_own_rule():
    def ways(error, free, everything):
        given = {"error": error, "free": free, "all": everything}
        return {**given, "crossed": error, "all_crossed": everything}

    found = bench.across(
        [
            row("0", "area 1", **ways(("2", "0.1"), ("9", "0.2"), ("3", "0.3"))),
            row("0", "area 2", **ways(("1", "0.4"), ("8", "0.5"), ("", ""))),
            row("0", "threshold 1", **ways(("3", "0.6"), ("7", "0.7"), ("2", "0.8"))),
            row("1", "threshold 1", **ways(("1", "0.6"), ("1", "0.7"), ("1", "0.8"))),
        ]
    )
    names = [f"{way}_distance" for way in ("error", "free", "all", "all_crossed")]
    assert [[one[name] for name in names] for one in found] == [
        ["0.4", "0.7", "0.8", "0.8"],
        ["0.6", "0.7", "0.8", "0.8"],
    ]
    assert bench.nearer(found, "free", "error") == "0 : 2"


def test_what_is_chosen_of_one_rule():
    truth, a = bench.pattern(crystals(1, 16, seed=1)[0], 3e4, 0)
    assert truth.shape == a.shape == (32, 32)
    assert a.double().square().sum().item() == pytest.approx(3e4, rel=0.05)
    expected = torch.fft.fft2(truth).abs().double().square().sum()
    assert expected.item() == pytest.approx(3e4, rel=1e-3)
    free = symbreak.free_pixels(a.shape)
    rule = symbreak.Shrinkwrap(area=(0.2, 0.15), sigma_min=1.0)
    found = bench.choices(truth, a, free, rule)
    assert set(found) | set(bench.FIELDS[:7]) == set(bench.FIELDS)
    assert float(found["nearest"]) <= float(found["error_distance"]) < 1
    assert float(found["nearest"]) <= float(found["free_distance"]) < 1
    size = 0.15 * 32 * 32 / int((truth != 0).sum())
    assert float(found["error_support"]) == pytest.approx(size, rel=0.02)
    wide = bench.choices(truth, a, free, symbreak.Shrinkwrap(area=1.0))
    assert wide["nearest"] == wide["all_value"] == ""  # more unknowns than data
