"""The phasing engines of CUDA: phasing_engines.py, by emulation and on a GPU if there is one."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent


@pytest.mark.parametrize("machine", ["emulated", "gpu"])
def test_engines(machine):
    if machine == "emulated" and importlib.util.find_spec("symbreak._C_emulated") is None:
        pytest.skip("symbreak._C_emulated is not built here (make emulated)")
    if machine == "gpu" and not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    environment = {**os.environ, "SYMBREAK_EMULATE_CUDA": "0"}
    if machine == "emulated":  # beside other tests, torch's threads mostly wait for one another
        environment |= {"SYMBREAK_EMULATE_CUDA": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            HERE / "phasing_engines.py",
        ],
        env=environment,
        cwd=HERE.parent,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
