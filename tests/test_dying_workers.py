"""Dask's workers killed, and commands that share their work interrupted: nothing is lost."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest
from command_line import succeeds
from shared_work import LONGEST, SIMULATE, assert_same, slowest_first

from symbreak.data.streaming.chunks import Chunks, Done
from symbreak.data.streaming.distribute import running

pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def address():
    from symbreak.data.streaming.dask_workers import local_address

    with local_address(2) as found:
        yield found


def killed_once(marker, task):
    """Kill -9 the process in its fifth chunk, but only the first time."""
    if task == 4 and not os.path.exists(marker):
        open(marker, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return Done({"x": np.full(1, task)})


@pytest.mark.skipif(os.name != "posix", reason="kills processes by signals")
def test_a_killed_worker_loses_nothing(tmp_path, address):
    target = {"x": np.full(12, -1)}
    with running(address=address) as runner:
        function = partial(killed_once, str(tmp_path / "marker"))
        chunks = Chunks(function, lambda rows: rows.start, 1, runner=runner)
        chunks.fill(target, 0, 12)
    assert (tmp_path / "marker").exists()
    assert np.array_equal(target["x"], np.arange(12))


@contextmanager
def said_by_dask():
    """What Dask's loggers let through to whoever listens."""
    said, logger = [], logging.getLogger("distributed")
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(record.getMessage())
    logger.addHandler(handler)
    try:
        yield said
    finally:
        logger.removeHandler(handler)


def test_chunks_that_died_with_their_worker_are_repeated_in_silence(monkeypatch):
    """A worker dies between a chunk's end and its collection: played by who collects."""
    from distributed import scheduler

    from symbreak.data.streaming.dask_workers import local_address

    collect, missed = scheduler.gather_from_workers, []

    async def misses_first(who_has, **options):
        if not missed:
            missed.extend(who_has)
            return {}, [], list(who_has), set()
        return await collect(who_has, **options)

    monkeypatch.setattr(scheduler, "gather_from_workers", misses_first)
    with local_address(1) as address, said_by_dask() as said:
        with running(address=address) as runner:
            assert list(runner.map(slowest_first, range(1, 5))) == [2, 4, 6, 8]
            for name in ("scheduler", "client"):
                logging.getLogger(f"distributed.{name}").error("something else")
        assert missed
        assert said == ["something else"] * 2
        logging.getLogger("distributed.scheduler").error("Couldn't gather keys: %s", {})
    assert len(said) == 3  # others' uses of Dask are told as before


@pytest.mark.skipif(os.name != "posix", reason="kills processes by signals")
def test_a_chunk_that_ends_every_worker_is_an_error_in_one_line():
    import dask

    from symbreak.data.streaming.dask_workers import local_address

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        local_address(1) as address,
    ):
        with running(address=address) as runner, pytest.raises(RuntimeError, match="every worker"):
            list(runner.map(dies, range(2)))


def dies(task):
    os.kill(os.getpid(), signal.SIGKILL)


def started(words, least, folder):
    """Start `simulate` and wait until it has written so many pairs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "symbreak", "simulate", folder, *map(str, words)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    limit = time.monotonic() + LONGEST
    while done_of(folder) < least:
        assert process.poll() is None, process.stderr.read().decode()
        assert time.monotonic() < limit
        time.sleep(0.001)
    return process


@pytest.mark.skipif(os.name != "posix", reason="kills processes by signals")
def test_a_command_outlives_a_worker(tmp_path):
    psutil = pytest.importorskip("psutil")
    process = started((*SIMULATE, "--chunk", 1, "--workers", 2), 1, tmp_path / "data")
    try:
        children = psutil.Process(process.pid).children(recursive=True)
        workers = [p for p in children if "resource_tracker" not in " ".join(p.cmdline())]
        assert len(workers) == 2
        workers[0].kill()
        _, text = process.communicate(timeout=LONGEST)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, text.decode()
    succeeds("simulate", tmp_path / "one", *SIMULATE)
    assert_same(tmp_path / "one" / "train.h5", tmp_path / "data" / "train.h5")


def is_deaf(marker, task):
    killed_once(marker, task)
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_workers_never_hear_an_interrupt_not_even_while_they_start(tmp_path):
    from symbreak.data.streaming.dask_workers import local_address

    with local_address(1) as address, running(address=address) as runner:
        heard = list(runner.map(partial(is_deaf, str(tmp_path / "marker")), range(6)))
        assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert (tmp_path / "marker").exists()  # so the last chunks are those of a restarted worker
    assert heard == [True] * 6


@pytest.mark.skipif(os.name != "posix", reason="stops a process by a signal")
def test_an_interrupt_leaves_what_one_process_continues(tmp_path, address):
    words = ("--size", 16, "--train", 200, "--validation", 0, "--test", 0, "--chunk")
    folder = tmp_path / "data"
    process = started((*words, 1, "--dask", address), 10, folder)
    process.send_signal(signal.SIGINT)
    _, text = process.communicate(timeout=LONGEST)
    assert process.returncode == 130, text.decode()
    assert "Traceback" not in text.decode()
    assert f"{done_of(folder)} of 200 are kept, the same command continues." in text.decode()
    succeeds("simulate", folder, *words, 50)
    succeeds("simulate", tmp_path / "one", *words, 50)
    assert_same(tmp_path / "one" / "train.h5", folder / "train.h5")


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_an_interrupt_as_a_question_is_put_is_not_a_traceback_of_dask(address, caplog):
    def interrupt():
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    def ask_and_wait(client):
        client.nthreads()
        time.sleep(LONGEST)

    with running(address=address) as runner:
        runner.client.loop.add_callback(time.sleep, 1)  # so the question waits when Ctrl-C comes
        timer = threading.Timer(0.3, interrupt)
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            ask_and_wait(runner.client)
        timer.join()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def done_of(folder):
    journal = folder / ".train.part.json"
    return json.loads(journal.read_text())["done"] if journal.exists() else 0
