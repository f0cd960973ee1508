"""The thread that calls the engine hears Ctrl-C also while it waits for the engine's others."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def test_it_looks_around_while_it_waits(tmp_path):
    program = tmp_path / "waiting"
    sources = ("tests/waiting_caller.cpp", "csrc/cpu/engine/team.cpp")
    command = ["g++", "-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-Icsrc"]
    try:
        made = subprocess.run(
            [*command, *sources, "-o", str(program)], cwd=ROOT, capture_output=True, text=True
        )
    except FileNotFoundError:
        pytest.skip("there is no g++ here")
    assert made.returncode == 0, made.stderr
    done = subprocess.run([program], capture_output=True, text=True, timeout=120)
    assert done.stdout == "pool: 1, own threads: 1\n"
    assert done.returncode == 0
