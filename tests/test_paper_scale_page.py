"""The table that bench/paper_scale_trials.py keeps, and what it measures."""

import math
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
pytest.importorskip("lightning")
pytest.importorskip("h5py")
import paper_scale_trials as bench  # noqa: E402
from scale_data import read_csv  # noqa: E402

from symbreak.experiments.scales import SCALES  # noqa: E402


def test_the_page_shows_the_committed_results(tmp_path):
    page = tmp_path / "experiments.md"
    rows = read_csv(bench.RESULTS)
    page.write_text(bench.PAGE.read_text().replace(f"| {rows[0]['trial']} |", "| another |"))
    assert page.read_text() != bench.PAGE.read_text()
    bench.write_page(page, rows)
    assert page.read_text() == bench.PAGE.read_text()


FRAME = "two in the frame"
POSITIONS = "5000, turned and mirrored"
COMPARED = {  # the SA-MSE of the best-validated network: what the page says, of which trial
    "without defects {train} are left on them and {new} on new crys": "no defects, standardised",
    "with two in the frame {train} and {new}": FRAME,
    "on its training set, {train}, as on new crystals, {new}:": f"{FRAME}, UNet, rate 0.001, 5000",
    "SiSPRNet has {train} left on its training set and {new} on new": f"{FRAME}, 5000, longer",
    "SiSPRNet with 5000 raw pairs is at {new} on new": f"{FRAME}, before, 5000",
    "{new} on new crystals and {train} on its training set, after 40": (
        f"{FRAME}, UNet of width 16, rate 0.001, 5000"
    ),
    "leave {train} on its training set instead of 0.126, and {new} on new": (
        f"{FRAME}, UNet of width 16, the scale's rule, 5000"
    ),
    "{new} on new crystals instead of 0.171 (0.155 expected), and {train} on its training set": (
        f"{FRAME}, UNet, rate 0.001, 5000, turned"
    ),
    "{new} instead of 0.238 (0.19 expected), and on its own pairs, {train} instead of 0.217": (
        f"{FRAME}, UNet, rate 0.001, log"
    ),
    "{new} instead of 0.250 on new crystals, and {train} instead of 0.138 on its": (
        f"{FRAME}, 5000, more dropout"
    ),
    "{new} on new crystals instead of 0.193 (0.16 expected)": (
        f"{FRAME}, {POSITIONS}, longer, finally SA-MSE"
    ),
}


def words():
    return " ".join(bench.PAGE.read_text().split())


def row_of(trial):
    return next(row for row in read_csv(bench.RESULTS) if row["trial"] == trial)


@pytest.mark.parametrize("said", COMPARED)
def test_training_and_new_crystals_are_compared_in_one_error(said):
    row = row_of(COMPARED[said])
    train, new = (f"{float(row[f'{name}_best_sa_mse']):.3f}" for name in ("train", "new"))
    assert said.format(train=train, new=new) in words()


def test_how_much_farther_new_crystals_are():
    def ratios(network, chosen):
        rows = [row for row in read_csv(bench.RESULTS) if row["network"] == network]
        rows = [row for row in rows if chosen(row["trial"])]
        return [float(row["new_best_sa_mse"]) / float(row["train_best_sa_mse"]) for row in rows]

    def upright(trial):
        return not any(word in trial for word in ("turned", "mirrored", "before", "log"))

    wide, few = "width 16", "5000"
    quarter = ratios("UNet", lambda t: upright(t) and wide not in t and few in t)
    half = ratios("UNet", lambda t: upright(t) and wide in t)
    many = ratios("UNet", lambda t: "mirrored" in t)
    angles = ratios("SiSPRNet", lambda t: "64 angles" in t)
    brief, long = (
        ratios("SiSPRNet", lambda t, end=end: t == f"{FRAME}, {POSITIONS}, {end}")
        for end in ("then lowered", "longer, finally SA-MSE")
    )
    own = ratios("SiSPRNet", upright)
    ends = (min(own), max(own), *quarter, min(half), max(half), *brief, *long, *angles)
    said = (
        "SiSPRNet, from crystals as they are, {:.1f} to {:.1f} times what it is on its pairs, for "
        "the UNet with 5000 pairs {:.2f} at a quarter of the width and {:.1f} to {:.1f} at half. "
        "From eight positions it is {:.1f} for SiSPRNet after 30 epochs and {:.1f} after 80, from "
        "64 angles {:.2f}, and {:.2f} to {:.2f} for the UNet from either."
    )
    assert said.format(*ends, min(many), max(many)) in words()


def test_every_result_is_of_a_trial_of_the_script():
    rows = read_csv(bench.RESULTS)
    assert len({row["trial"] for row in rows}) == len(rows) > 0
    for row in rows:
        found = [row[name] for name in bench.COLUMNS[1:8]]
        assert found == bench.head(bench.TRIALS[row["trial"]])
        trial = bench.TRIALS[row["trial"]]
        assert int(row["epochs"]) <= trial.epochs + trial.lowered


def test_trials_are_at_the_size_of_the_paper_s_scale_and_of_another_seed():
    assert SCALES["paper"].size == bench.SIZE
    assert bench.SEED not in {scale.seed for scale in SCALES.values()}


def test_vortices_are_counted_inside_alone():
    rows, columns = torch.meshgrid(torch.arange(12.0), torch.arange(12.0), indexing="ij")
    one = torch.polar(torch.ones(12, 12), torch.atan2(rows - 4.3, columns - 5.4))
    other = torch.polar(torch.ones(12, 12), torch.atan2(rows - 8.6, columns - 2.2))
    empty = one.clone()
    empty[4:6, 4:8] = 0  # the core lies in a hole
    objects = torch.stack([one, one * other, one * other.conj(), torch.ones_like(one), empty])
    assert bench.vortices(objects).tolist() == [1, 2, 2, 0, 0]
    errors = bench.by_vortices(torch.zeros_like(objects), objects)
    assert errors == [pytest.approx(1)] * 3
    errors = bench.by_vortices(
        torch.where(torch.arange(5)[:, None, None] == 0, objects, 0), objects
    )
    assert errors == [pytest.approx(1), pytest.approx(0, abs=1e-6), pytest.approx(1)]


def test_the_constant_estimate_is_the_mean_object():
    objects = torch.tensor([[[1.0, 1j]], [[1.0, -1j]]])
    assert bench.constant_error(objects) == pytest.approx(0.5)


def test_a_trial_is_continued_and_its_seconds_add_up(tmp_path):
    settings = bench.TrainSettings(
        network="UNet", options={"width": 1}, max_epochs=2, final_epochs=1, accelerator="cpu"
    )
    pairs = bench.make_pairs(bench.crystals(8, 16, 0))
    found, seconds = bench.train_in(tmp_path / "a", settings, pairs, pairs)
    assert found.epochs == 2
    again, more = bench.train_in(tmp_path / "a", settings, pairs, pairs)
    assert again == found
    assert 0 < seconds < more
    assert more < 1.5 * seconds + 1


def test_missing_groups_are_shown_as_such():
    row = dict.fromkeys(bench.COLUMNS, "0.25") | {"trial": "x", "new_1_vortex": str(math.nan)}
    assert bench.trials_table([row]).splitlines()[-1].endswith("| 0.250 | - | 0.250 |")
