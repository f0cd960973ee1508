"""Printed tables lose no number: not in a pipe, nor in a narrow terminal."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from rich.console import Console

from symbreak.cli.output import table

COLUMNS = ("start", "error", "cross-validated", "free LLK", "R", "support (pixels)",
           "distance to best", "twin of best", "in mean")  # fmt: skip
ROW = ("11 (best)", "0.0437", "0.0480", "35.13", "0.0642", "175432", "0.2134", "yes", "no")


@pytest.mark.parametrize("width", [40, 60, 80, 100, 150])
def test_no_cell_is_cut(width):
    rows = table("starts", *COLUMNS)
    rows.add_row(*ROW)
    screen = Console(width=width, color_system=None)
    with screen.capture() as shown:
        screen.print(rows)
    lines = shown.get().splitlines()
    assert "…" not in shown.get()
    assert max(map(len, lines)) <= width
    parts = [re.split("[┃│]", line)[1:-1] for line in lines if line[0] in "┃│"]
    joined = ["".join("".join(column).split()) for column in zip(*parts, strict=True)]
    assert joined == [
        (name + cell).replace(" ", "") for name, cell in zip(COLUMNS, ROW, strict=True)
    ]
    if width >= 80:  # nor is any broken
        assert all(cell in shown.get().split("╇")[-1] for cell in ROW)


def test_a_pipe_has_no_edge(tmp_path):
    np.save(tmp_path / "p.npy", np.random.default_rng(0).poisson(9.0, (16, 16)))
    words = ("reconstruct", "p.npy", "-o", "p.cxi", "--schedule", "5*ER", "--free", "0.05")
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    done = subprocess.run(
        [sys.executable, "-m", "symbreak", *words, "--starts", "2"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        check=True,
        timeout=120,
    )
    assert "┃ distance to best ┃ twin of best ┃ in mean ┃" in done.stdout
    assert "…" not in done.stdout
