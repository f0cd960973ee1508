"""Commands that are stopped half way, and their results."""

import json
import os
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
from typer.testing import CliRunner

from symbreak.cli.app import app

LONGEST = 120  # seconds until a command has done its first piece


def command(words):
    return [sys.executable, "-m", "symbreak", *map(str, words)]


def stop(words, begun, how=signal.SIGKILL):
    """Start a command and stop it as soon as ``begun()`` holds; its status and its stderr.

    One that does not end is aborted, and the failure shows where each of its threads was.
    """
    process = subprocess.Popen(
        command(words),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONFAULTHANDLER": "1"},
    )
    limit = time.monotonic() + LONGEST
    with process:
        try:
            while not begun():
                assert process.poll() is None, process.stderr.read().decode()
                assert time.monotonic() < limit
                time.sleep(0.001)
            process.send_signal(how)
            _, text = process.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)
            _, text = process.communicate(timeout=LONGEST)
            raise AssertionError(f"did not end:\n{text.decode()}") from None
        finally:
            process.kill()
    return process.returncode, text.decode()


def run(words):
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})


def finish(words):
    result = run(words)
    assert result.exit_code == 0, result.output
    return result


def done_of(journal):
    return json.loads(journal.read_text())["done"]


def content(path):
    """Everything that a file of symbreak holds but the command that made it."""
    with h5py.File(path) as file:
        arrays = {name: file[name][()] for name in file}
        attributes = {name: file.attrs[name] for name in file.attrs if name != "command"}
    return arrays, attributes


def assert_same(a, b):
    for first, second in zip(content(a), content(b), strict=True):
        assert first.keys() == second.keys()
        for name in first:
            assert np.array_equal(first[name], second[name]), name


def interrupt(*arguments, **options):
    raise KeyboardInterrupt
