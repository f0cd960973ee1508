"""The CPU kernels of the symmetry operators on every instruction set this machine has."""

import os
import subprocess
import sys
from functools import cache

import pytest
import torch
from test_engine import ISAS

import symbreak

PROGRAM = """
import sys, torch, symbreak
generator = torch.Generator().manual_seed(7)
results = []
for dtype in (torch.complex64, torch.complex128):
    pair = torch.zeros(2, 3, 45, 61, dtype=torch.complex128)
    pair[:, :, 3:40, 10:57] = torch.randn(2, 3, 37, 47, dtype=torch.complex128, generator=generator)
    pair[1, 0] = 2j * pair[0, 0].roll((4, -7), (0, 1))
    pair[1, 1] = pair[0, 1].flip(0, 1).conj()
    estimate, reference = pair.to(dtype)
    results += symbreak.align(estimate, reference)
    results += symbreak.align(*torch.nn.functional.pad(pair, (0, 3, 0, 3)).to(dtype), wrap=True)
    results += symbreak.break_symmetry(estimate)
    results.append(symbreak.fourier_amplitude(estimate, shape=(96, 160)))
torch.save((symbreak.build_info()["cpu_isa"], results), sys.argv[1])
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    @cache
    def results(isa):
        path = tmp_path_factory.mktemp("isa") / "results.pt"
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, path],
            # One thread: beside other tests, torch's threads mostly wait for one another.
            env={**os.environ, "OMP_NUM_THREADS": "1", "SYMBREAK_CPU_ISA": isa},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        name, tensors = torch.load(path)
        assert name == isa
        return tensors

    return results


@pytest.mark.parametrize("isa", ISAS[1:])
def test_every_instruction_set_of_this_machine_gives_the_same(run, isa):
    if isa not in symbreak.build_info()["cpu_isas"]:
        pytest.skip(f"this machine has no {isa}")
    for found, expected in zip(run(isa), run("baseline"), strict=True):
        if found.is_floating_point() or found.is_complex():
            single = found.dtype in (torch.float32, torch.complex64)
            close = (1e-5 if single else 1e-13) * expected.abs().max()
            torch.testing.assert_close(found, expected, rtol=0, atol=float(close) + 1e-20)
        else:
            assert torch.equal(found, expected)
