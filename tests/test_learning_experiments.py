"""The experiments at a tiny scale, end to end: what they write, and that they continue."""

import csv
import json
from dataclasses import replace

import pytest
import torch
from typer.testing import CliRunner

pytest.importorskip("lightning")

import symbreak
from symbreak.cli.app import app
from symbreak.data import crystals
from symbreak.data.simulation.settings import CrystalSettings
from symbreak.experiments.cells import simulate_split
from symbreak.experiments.margins import CANDIDATES, write_margins
from symbreak.experiments.scales import AFTER, BEFORE, FINALLY, POSITIONS, SCALES, VARIANTS
from symbreak.experiments.square_root import SquareRoot, write_square_root
from symbreak.experiments.symmetries import write_symmetries
from symbreak.learning.networks import read_checkpoint
from symbreak.ops.break_symmetry import RULES
from symbreak.plotting.figures import FORMATS

TINY = replace(SCALES["tiny"], machine={"accelerator": "cpu"})


def pictures(folder):
    return {p.name for p in folder.iterdir() if p.suffix in FORMATS and p.stat().st_size > 5000}


def test_square_root_collapses_only_with_both_signs(tmp_path):
    quick = SquareRoot(ultra_dense=2000, hidden=20, most_steps=400)
    both, _, broken = write_square_root(tmp_path, quick)
    assert both.magnitude < 0.2
    assert broken.magnitude > 0.6
    assert broken.error < 0.1 < both.error
    assert pictures(tmp_path) == {"square-root.png"}


def test_symmetry_copies_have_one_amplitude(tmp_path):
    copies = write_symmetries(tmp_path, size=32)
    assert float(copies.difference.max()) < 1e-6
    assert all(float((x - copies.objects[0]).abs().max()) > 0.5 for x in copies.objects[1:])
    assert pictures(tmp_path) == {"symmetries.png"}


def test_margins_are_distances_to_the_cut(tmp_path):
    found = {m.rule: m for m in write_margins(tmp_path, count=12, size=24)}
    assert set(RULES) < set(found)
    angle = found["angle"]
    assert pictures(tmp_path) == {"margins.png"}
    # Going that far down the gradient of the angle, where it is short, meets the cut.
    x = symbreak.break_symmetry(crystals(12, 24).to(torch.complex128)).object
    k = int(angle.distance.argmin())
    item = x[k].clone().requires_grad_(True)
    odd = CANDIDATES["angle"](item)
    (slope,) = torch.autograd.grad(odd, item)
    slope = slope.where(item != 0, 0)
    step = angle.distance[k] * item.detach().norm() * slope / slope.norm()
    assert CANDIDATES["angle"](x[k] - step).abs() < 0.1 * odd
    for m in found.values():
        assert 0 <= m.share(0.02) <= m.share(0.1) <= 1
        assert bool((m.jump > 0).all())
        assert bool((m.jump <= 4 + 1e-12).all())


def test_tables_are_written_and_an_interrupted_run_continues(tmp_path):
    from symbreak.experiments.tables import run_tables

    def interrupt(text):
        if "after" in text:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run_tables(TINY, tmp_path, done=interrupt)
    saved = {p: p.stat().st_mtime_ns for p in tmp_path.glob("cells/*/result.json")}
    assert len(saved) == 2
    records = run_tables(TINY, tmp_path)
    assert len(records) == 1 + 2 * 2 * len(TINY.variants)
    assert all(path.stat().st_mtime_ns == when for path, when in saved.items())

    rows = list(csv.DictReader((tmp_path / "tables.csv").read_text().splitlines()))
    assert len(rows) == len(records)
    assert float(rows[1]["test_best_sa_mse"]) == records[1]["test_best"]["sa_mse"]
    ratio = float(rows[1]["test_final_label_mse_ratio"])
    assert ratio == records[1]["test_final"]["label_mse_ratio"] > 0
    assert rows[0]["test_final_label_mse_ratio"] == ""
    before, after = (r["test_final"] for r in records[1:3])
    assert before["label_mse_ratio"] == pytest.approx(before["mse_ratio"])
    assert after["label_mse_ratio"] != pytest.approx(after["mse_ratio"], rel=1e-3)
    text = (tmp_path / "tables.md").read_text()
    assert all(f"Table {k}" in text for k in range(1, 6))
    assert pictures(tmp_path) == {"tables.png", "estimates.png", "refinement.png"}
    assert "## Refined by rounds" in text
    refined = list(csv.DictReader((tmp_path / "refinement.csv").read_text().splitlines()))
    assert len(refined) == 3 * 2 * len(TINY.variants) + 2
    ends = {r["start"]: float(r["sa_mse_ratio"]) for r in refined if r["iterations"] == "40"}
    assert all(0 < ratio < 2 for ratio in ends.values())
    assert records == run_tables(TINY, tmp_path)
    with pytest.raises(ValueError, match="of other settings"):
        run_tables(replace(TINY, seed=1), tmp_path)
    first = next(iter(saved))
    assert json.loads(first.read_text())["epochs"] >= 2


def test_a_cell_of_all_positions(tmp_path):
    from symbreak.experiments.cells import run_cell, simulate_split
    from symbreak.learning.datasets import make_pairs

    settings = TINY.training("UNet", 8, POSITIONS)
    assert settings.epoch_items == 8
    assert TINY.training("UNet", 8, AFTER).epoch_items == 0
    assert settings.max_epochs == TINY.training("UNet", 8, AFTER).max_epochs
    objects = simulate_split(TINY, "train", 8)
    pairs = make_pairs(simulate_split(TINY, "test", 4))
    cell = run_cell(TINY, "UNet", 8, POSITIONS, objects, pairs, pairs, tmp_path)
    assert 56 <= cell["pairs"] <= 64
    assert cell["train_best"]["sa_mse_ratio"] > 0
    # Of an older version, it lacks what is measured last.
    record = tmp_path / "result.json"
    record.write_text(record.read_text().replace('"test_positions"', '"of old"'))
    again = run_cell(TINY, "UNet", 8, POSITIONS, objects, pairs, pairs, tmp_path)
    assert again["test_positions"] == cell["test_positions"]
    assert again["test_best"] == cell["test_best"]
    assert 0 < cell["test_positions"]["sa_mse_ratio"] != cell["test_best"]["sa_mse_ratio"]
    last = TINY.training("UNet", 8, FINALLY)
    assert last.final_loss == "sa_mse"
    assert last == replace(settings, final_loss="sa_mse")
    assert TINY.broken(FINALLY) == TINY.broken(AFTER) != TINY.broken(POSITIONS)
    assert {POSITIONS, FINALLY} <= set(SCALES["paper"].variants)
    assert POSITIONS not in SCALES["small"].variants


def test_a_cell_of_any_angle(tmp_path):
    from symbreak.experiments.cells import run_cell, simulate_split
    from symbreak.learning.datasets import make_pairs
    from symbreak.learning.fit import fit
    from symbreak.learning.rotated_pairs import RotatedPairs

    objects = simulate_split(TINY, "train", 8)
    pairs = make_pairs(simulate_split(TINY, "test", 4))
    cell = run_cell(TINY, "UNet", 8, FINALLY, objects, pairs, pairs, tmp_path / "a")
    assert cell["pairs"] == 2 * 64 * 8
    rotated = RotatedPairs(objects, angles=64, broken=True)
    fitted = fit(TINY.training("UNet", 8, FINALLY), rotated, pairs, tmp_path / "b")
    found = [
        read_checkpoint(path)["state_dict"] for path in (tmp_path / "a/final.ckpt", fitted.final)
    ]
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_columns_and_sets_are_added_to_a_folder(tmp_path):
    from symbreak.experiments.tables import run_tables

    def refined():
        rows = csv.DictReader((tmp_path / "refinement.csv").read_text().splitlines())
        return {(row["start"], row["iterations"]): row for row in rows}

    few = replace(TINY, sets=(8,), variants=(AFTER,))
    run_tables(few, tmp_path)
    first = refined()
    run_tables(replace(few, variants=(BEFORE, AFTER)), tmp_path)
    more = refined()
    assert len(more) == len(first) + 2 * 3
    # Times included: what was saved is not run again.
    assert first.items() <= more.items()
    # The refinement is of the largest set; the starts from random phases do not ask for it.
    run_tables(replace(TINY, variants=(AFTER,)), tmp_path)
    other = refined()
    assert other.keys() == first.keys()
    for key, row in other.items():
        assert (row == first[key]) == key[0].startswith("random"), key


def test_small_sets_take_fewer_items():
    scale = replace(TINY, passes=160, epochs=5)
    epochs = [scale.training("UNet", n, "after").max_epochs for n in (8, 16, 32, 40, 80)]
    assert epochs == [5, 5, 5, 4, 2]


def test_plateaus_of_small_sets_last_more_epochs():
    scale = replace(TINY, passes=10_000, patience=4, patience_items=100)
    patience = [scale.training("UNet", n, "after").patience for n in (8, 16, 25, 1000, 2000)]
    assert patience == [13, 7, 4, 3, 2]
    few = replace(scale, passes=160, epochs=15)
    assert few.training("UNet", 8, "after").patience == 5  # a third of the epochs at most


def test_the_last_epochs_of_the_papers_scale_have_a_lower_rate():
    assert SCALES["paper"].training("UNet", 5000, "after").final_epochs == 16
    assert SCALES["small"].training("UNet", 800, "after").final_epochs == 0
    with pytest.raises(ValueError, match="final must be > 0 for the column 'after, any angle, sa"):
        replace(SCALES["small"], variants=VARIANTS)
    assert replace(TINY, final=0.5).training("UNet", 8, "after").final_epochs == 2


@pytest.fixture
def chosen(monkeypatch):
    """The scales that the command was about to run."""
    scales = []

    def note(scale, folder, **_):
        scales.append(scale)
        return []

    monkeypatch.setattr("symbreak.experiments.tables.run_tables", note)
    return scales


def test_defects_are_chosen_on_the_command_line(tmp_path, chosen):
    for words in ([], ["--defects", "0"]):
        command = ["experiment", "tables", "--scale", "tiny", *words, "-o", str(tmp_path)]
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.output
    assert chosen[0] == SCALES["tiny"]
    # Without defects the phase is constant inside a crystal.
    vortices, plain = (simulate_split(scale, "test", 6) for scale in chosen)
    spread = [(x.mean((1, 2)).abs() / x.abs().mean((1, 2))).min() for x in (vortices, plain)]
    assert spread[0] < 0.9
    assert spread[1] == pytest.approx(1, abs=1e-5)


def test_how_a_machine_trains_is_chosen_on_the_command_line(tmp_path, chosen):
    command = ["experiment", "tables", "--scale", "paper", "-o", str(tmp_path), "--machine"]
    given = {"precision": "bf16", "channels_last": True}
    result = CliRunner().invoke(app, [*command, json.dumps(given)])
    assert result.exit_code == 0, result.output
    assert chosen[0] == replace(SCALES["paper"], machine=SCALES["paper"].machine | given)
    assert chosen[0].training("UNet", 500, BEFORE).precision == "bf16"
    for text, message in (
        ("{", "Expecting"),
        ('{"batch": 3}', "expected an object with fields of precision"),
        ('{"precision": "8"}', "precision must be one of 32, bf16"),
    ):
        result = CliRunner().invoke(app, [*command, text], env={"COLUMNS": "300"})
        assert result.exit_code == 2
        assert message in result.output
    assert len(chosen) == 1


def test_the_number_of_defects_leaves_the_other_settings_of_the_crystals(
    tmp_path, monkeypatch, chosen
):
    framed = replace(TINY, crystals=CrystalSettings(cores="frame", miller=2))
    monkeypatch.setitem(SCALES, "tiny", framed)
    command = ["experiment", "tables", "--scale", "tiny", "--defects", "3", "-o", str(tmp_path)]
    assert CliRunner().invoke(app, command).exit_code == 0
    expected = CrystalSettings(cores="frame", miller=2, defects=(0, 3))
    assert [scale.crystals for scale in chosen] == [expected]


def test_unknown_experiments_and_scales(tmp_path):
    for words in (["circles"], ["tables", "--scale", "huge"], ["tables", "--variant", "x"]):
        assert CliRunner().invoke(app, ["experiment", *words, "-o", str(tmp_path)]).exit_code == 2
