"""The main job on measured data: the far field of a ring, its centre missing, through the command.

The pattern is one of the examples of the program Hawk and not part of this repository. It is looked
for in the folder that SYMBREAK_SHARED names, else in ../shared beside the repository.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from symbreak.cli.app import app
from symbreak.data.files.cxi import read_cxi

SHARED = os.environ.get("SYMBREAK_SHARED", Path(__file__).resolve().parents[2] / "shared")
RING = Path(SHARED) / "data" / "ring.h5"


WAYS = {
    "the README's": ["--phase-limit", "1"],
    "more RAAR": ["--schedule", "1000*RAAR+100*ER"],
    "of known size": ["--schedule", "1000*RAAR+100*ER", "--area", "0.10,0.035", "--decay", "0.99"],
    "the support chosen": ["--choose-support"],
}


@pytest.fixture(scope="module", params=WAYS)
def ring(tmp_path_factory, request):
    if not RING.is_file():
        pytest.skip(f"no measured pattern at {RING} (set SYMBREAK_SHARED to the folder of data/)")
    out = tmp_path_factory.mktemp("ring") / "ring.cxi"
    words = ["reconstruct", str(RING), "-o", str(out), "--plot", str(out.with_suffix(".png"))]
    words += ["--amplitudes", "--dc", "corner", "--valid", ":mask", "--starts", "8"]
    words += WAYS[request.param]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    return read_cxi(out)


def test_the_best_start_agrees_with_the_measured_pixels(ring):
    best = ring.starts["error"].argmin()
    assert ring.starts["r_factor"][best] <= 0.15
    assert ring.parameters["measured_pixels"] == 9141


def test_twins_are_found(ring):
    twin = ring.starts["twin"]
    assert 0 < twin.sum() < len(twin)
    good = ring.starts["good"]
    assert good.sum() >= 2
    assert (ring.starts["distance"][good] < 0.2).all()  # flipped back, the good starts agree


def test_it_is_a_ring(ring):
    magnitude = np.abs(ring.object)
    assert 0.028 < ring.support.mean() < 0.042
    rows, columns = np.nonzero(magnitude > 0.5 * magnitude.max())
    for spread in (np.ptp(rows) + 1, np.ptp(columns) + 1):
        assert 18 <= spread <= 22
    y, x = round(rows.mean()), round(columns.mean())
    assert magnitude[y - 2 : y + 3, x - 2 : x + 3].max() < 0.3 * magnitude.max()  # the hole
    assert abs(y - 49) <= 2  # in the middle of the picture
    assert abs(x - 49) <= 2
