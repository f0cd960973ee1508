"""The experiments at a tiny scale, end to end: what they write, and that they continue."""

import csv
import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from symbreak.cli.app import app
from symbreak.experiments.scales import SCALES
from symbreak.experiments.square_root import SquareRoot, write_square_root
from symbreak.experiments.symmetries import write_symmetries
from symbreak.plotting.figures import FORMATS

pytest.importorskip("lightning")

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
    text = (tmp_path / "tables.md").read_text()
    assert all(f"Table {k}" in text for k in range(1, 6))
    assert pictures(tmp_path) == {"tables.png", "estimates.png"}
    assert records == run_tables(TINY, tmp_path)
    with pytest.raises(ValueError, match="of other settings"):
        run_tables(replace(TINY, seed=1), tmp_path)
    first = next(iter(saved))
    assert json.loads(first.read_text())["epochs"] >= 2


def test_unknown_experiments_and_scales(tmp_path):
    for words in (["circles"], ["tables", "--scale", "huge"], ["tables", "--variant", "x"]):
        assert CliRunner().invoke(app, ["experiment", *words, "-o", str(tmp_path)]).exit_code == 2
