"""The phasing engine built alone, by another compiler for another machine, against this one's.

`make aarch64` builds it for 64-bit ARM and runs this file with an emulator; SYMBREAK_ENGINE_ALONE
is the command that starts the program of tests/engine_alone.cpp.
"""

import os
import shlex
import subprocess

import numpy as np
import pytest
import torch
from conftest import SEED
from phasing_problems import amplitudes, objects, relative

import symbreak

COMMAND = os.environ.get("SYMBREAK_ENGINE_ALONE", "")

pytestmark = pytest.mark.skipif(
    not COMMAND, reason="SYMBREAK_ENGINE_ALONE names no engine of another machine: make aarch64"
)

# HIO is chaotic: few iterations, before rounding has grown.
PROBLEMS = [
    ((32, 48), "20*ER", 0),
    ((48, 32), "8*HIO", 0),
    ((32, 32), "8*RAAR+2*ER", 0),
    ((36, 50), "5*DM", 0),
    ((64, 64), "20*ER", 5),
    ((16, 20, 18), "5*ER+5*HIO", 0),
]


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize(("grid", "schedule", "every"), PROBLEMS)
def test_another_machine_finds_the_same(grid, schedule, every, precision):
    generator = torch.Generator().manual_seed(SEED)
    real, tolerance = (torch.float32, 1e-4) if precision == "single" else (torch.float64, 1e-11)
    x, inside = objects(1, grid, generator=generator)
    amplitude = amplitudes(x, ndim=len(grid))[0]
    amplitude = (amplitude / amplitude.max()).to(real)
    start = torch.randn(grid, dtype=torch.complex128, generator=generator).to(real.to_complex())

    rows = (1, *grid)[-3:]
    done = subprocess.run(
        [*shlex.split(COMMAND), precision, *map(str, rows), schedule, str(every)],
        input=amplitude.numpy().tobytes() + start.numpy().tobytes() + inside.numpy().tobytes(),
        capture_output=True,
        check=True,
        timeout=300,
    )
    pixels, size = amplitude.numel(), real.itemsize
    theirs = np.frombuffer(done.stdout[: 2 * size * pixels], start.numpy().dtype).reshape(grid)
    support = np.frombuffer(done.stdout[2 * size * pixels : -size], bool).reshape(grid)
    error = np.frombuffer(done.stdout[-size:], amplitude.numpy().dtype)

    ours = symbreak.reconstruct(
        amplitude,
        schedule,
        initial=start,
        support=inside,
        shrinkwrap=symbreak.Shrinkwrap(every=every) if every else None,
        ndim=len(grid),
    )
    assert relative(torch.tensor(theirs), ours.object[0], len(grid)) < tolerance
    np.testing.assert_array_equal(support, ours.support[0])
    np.testing.assert_allclose(error, ours.error, rtol=tolerance)
