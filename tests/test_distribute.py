"""Chunks on Dask's workers, real processes: the same results, and what cannot run."""

import os
import subprocess
import sys

import h5py
import numpy as np
import pytest
import torch
from command_line import succeeds
from shared_work import LONGEST, SIMULATE, assert_same, slowest_first
from typer.testing import CliRunner

from symbreak.cli.app import app
from symbreak.data.simulation.pairs import Simulation, write_pairs
from symbreak.data.streaming.distribute import HERE, running

pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def address():
    from symbreak.data.streaming.dask_workers import local_address

    with local_address(2) as found:
        yield found


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "data.h5"
    write_pairs(path, "train", 11, Simulation(16))
    return path


def test_this_process_takes_tasks_as_they_are_needed():
    taken = []
    results = HERE.map(lambda x: 2 * x, (taken.append(k) or k for k in range(5)))
    assert next(results) == 0
    assert taken == [0]
    assert list(results) == [2, 4, 6, 8]


PHASING = ("--amplitudes", "--dc", "corner", "--schedule", "20*HIO+5*ER", "--starts", 3)

COMMANDS = {
    "break": ("break", "{}:object", "--chunk", 2),
    "align": ("align", "{}:object", "{}:object", "--chunk", 2),
    "align to one": ("align", "{}:object", "{}.npy", "--chunk", 2),
    "reconstruct-stack": ("reconstruct-stack", "{}:amplitude", "--chunk", 2, *PHASING),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_same_as_one_process(tmp_path, address, data, name):
    with h5py.File(data) as file:
        np.save(f"{data}.npy", file["object"][3])
    words = [str(word).format(data) for word in COMMANDS[name]]
    alone = succeeds(*words, "-o", tmp_path / "one.h5").stdout.replace("one.h5", "")
    shared = succeeds(*words, "-o", tmp_path / "many.h5", "--dask", address)
    assert shared.stdout.replace("many.h5", "") == alone
    assert_same(tmp_path / "one.h5", tmp_path / "many.h5")


def test_simulate_and_predict_are_the_same(tmp_path, address):
    pytest.importorskip("lightning")
    succeeds("simulate", tmp_path / "one", *SIMULATE, "--chunk", 5)
    succeeds("simulate", tmp_path / "many", *SIMULATE, "--chunk", 5, "--dask", address)
    one, many = (tmp_path / folder / "train.h5" for folder in ("one", "many"))
    assert_same(one, many)
    options = ("--options", '{"width": 4}', "--accelerator", "cpu", "--max-epochs", 1)
    succeeds("train", one, one, "-o", tmp_path / "run", *options)
    words = ("predict", tmp_path / "run" / "best.ckpt", f"{one}:amplitude", "--batch", 7)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # convolutions of other libraries may sum in another order with more
    try:
        succeeds(*words, "-o", tmp_path / "one.h5")
    finally:
        torch.set_num_threads(threads)
    succeeds(*words, "-o", tmp_path / "many.h5", "--dask", address)
    assert_same(tmp_path / "one.h5", tmp_path / "many.h5")


def test_few_chunks_are_in_flight_and_come_in_order(address):
    from symbreak.data.streaming.dask_workers import AHEAD

    taken, most = [], 0
    with running(address=address) as runner:
        results = runner.map(slowest_first, (taken.append(k) or k for k in range(20)))
        for k, found in enumerate(results):
            assert found == 2 * k
            most = max(most, len(taken) - k)
    assert len(taken) == 20
    assert 2 <= most <= 2 * AHEAD


def test_an_error_in_a_chunk_is_the_commands(address):
    with running(address=address) as runner, pytest.raises(ValueError, match="chunk 3 is bad"):
        list(runner.map(fails_at_three, range(9)))


def fails_at_three(k):
    if k == 3:
        raise ValueError("chunk 3 is bad")
    return k


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"workers": 2.5}, "running: workers must be an integer, got 2.5."),
        ({"workers": "2"}, "running: workers must be an integer, got '2'."),
        ({"workers": True}, "running: workers must be an integer, got True."),
        ({"workers": None}, "running: workers must be an integer, got None."),
        ({"workers": 0}, "running: workers must be at least 1, got 0."),
        ({"workers": -1}, "running: workers must be at least 1, got -1."),
        ({"workers": 10**6}, r"running: workers must be at most \d+ on this machine, got 1000000."),
        ({"workers": 10**30}, "running: workers must fit 64 bits, got 1000000000000000"),
        ({"address": 8786}, "running: address must be a string, got 8786."),
    ],
)
def test_what_cannot_run(given, line):
    with pytest.raises((TypeError, ValueError), match=f"^{line}"), running(**given):
        pass


def test_a_number_of_workers_of_numpy():
    with running(np.int64(1)) as runner:
        assert runner is HERE


def test_nobody_there(tmp_path, data, monkeypatch):
    from symbreak.data.streaming import dask_workers

    monkeypatch.setattr(dask_workers, "PATIENCE", 0.5)
    words = ("break", f"{data}:object", "-o", str(tmp_path / "out.h5"), "--dask")
    failed = CliRunner().invoke(app, [*words, "tcp://127.0.0.1:1"])
    assert failed.exit_code == 1
    assert failed.stderr.splitlines()[-1] == (
        "symbreak: error: --dask tcp://127.0.0.1:1: no Dask scheduler answers there."
    )
    failed = CliRunner().invoke(app, [*words, "not an address"])
    assert failed.exit_code == 1
    assert failed.stderr.splitlines()[-1] == (
        "symbreak: error: --dask not an address: no Dask scheduler answers there: missing port "
        "number in address 'not an address', expected an address like tcp://127.0.0.1:8786."
    )
    with dask_workers.local_address(0) as empty:
        failed = CliRunner().invoke(app, [*words, empty])
    assert failed.exit_code == 1
    assert "the scheduler has no workers" in failed.stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("address", ["foo", "zzz://foo"])
def test_an_address_that_cannot_be_is_one_line(tmp_path, data, address):
    """A process of its own: what distributed has to say comes as it ends, 20 seconds later."""
    words = ("break", f"{data}:object", "-o", tmp_path / "out.h5", "--dask", address)
    failed = subprocess.run(
        [sys.executable, "-m", "symbreak", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    assert failed.returncode == 1
    (line,) = failed.stderr.splitlines()
    assert line.startswith(f"symbreak: error: --dask {address}: no Dask scheduler answers there: ")


def test_without_dask(tmp_path, data, monkeypatch):
    for name in ("dask", "distributed"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "symbreak.data.streaming.dask_workers", raising=False)
    words = ("break", f"{data}:object", "-o", str(tmp_path / "out.h5"))
    failed = CliRunner().invoke(app, [*words, "--workers", "2"])
    assert failed.exit_code == 1
    assert "--workers and --dask need d" in failed.stderr
    assert "pip install 'symbreak[dask]'" in failed.stderr
    succeeds(*words)


def test_both_ways_are_one_too_many(tmp_path, data):
    words = ("break", f"{data}:object", "-o", str(tmp_path / "out.h5"), "--workers", "2")
    failed = CliRunner().invoke(app, [*words, "--dask", "tcp://127.0.0.1:1"])
    assert failed.exit_code == 1
    assert "give --workers or --dask, not both." in failed.stderr


def test_dask_is_imported_when_it_is_used(tmp_path, data):
    program = (
        "import sys, symbreak\n"
        "from typer.testing import CliRunner\n"
        "from symbreak.cli.app import app\n"
        "assert CliRunner().invoke(app, sys.argv[1:]).exit_code == 0\n"
        "assert not {'dask', 'distributed'} & sys.modules.keys()\n"
    )
    words = ("break", f"{data}:object", "-o", str(tmp_path / "out.h5"))
    subprocess.run([sys.executable, "-c", program, *words], check=True, timeout=LONGEST)


def test_workers_leave_the_environment_as_it_was():
    from symbreak.data.streaming.dask_workers import local_address

    before = dict(os.environ)
    with local_address(1):
        pass
    assert dict(os.environ) == before
