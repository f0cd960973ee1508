"""The command line, called within the tests' own process."""

import torch
from typer.testing import CliRunner

from symbreak.cli.app import app


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "300"})


def succeeds(*words):
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result


def small_crystal():
    """A complex object with a box of 9 x 7 pixels, in a window of 16 x 16."""
    x = torch.zeros(16, 16, dtype=torch.complex64)
    y = torch.linspace(-1, 1, 9)[:, None]
    z = torch.linspace(-1, 1, 7)
    x[3:12, 5:12] = torch.exp(1.2j * (y - z**2))
    x[3:6, 9:12] = 0
    return x
