"""Chunks computed by Dask's workers: on this machine or on many, some of which may die."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import uuid
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from typing import Any, TypeVar

import dask
import torch
from distributed import Client, KilledWorker, LocalCluster, WorkerPlugin

Task = TypeVar("Task")
Result = TypeVar("Result")

AHEAD = 2  # chunks in flight per thread of the workers: one computed, one on its way
PATIENCE = 10  # seconds until a scheduler must have answered, and have a worker
CONFIG = {
    # A task carries its chunk, megabytes, on purpose: so it survives the worker it was sent to.
    "distributed.admin.large-graph-warning-threshold": "1 TiB",
    "distributed.comm.timeouts.connect": f"{PATIENCE}s",
    # Not how long a chunk takes but how long a process holds Python's lock: torch's imports do.
    "distributed.admin.tick.limit": "1 h",
}

FUNCTIONS: dict[str, Callable[[Any], Any]] = {}
"""In a worker: what it has been told to compute, by key."""


class Install(WorkerPlugin):  # type: ignore[misc]  # distributed has no types
    """Brings a function, with all that hangs on it, once to every worker, also to later ones."""

    def __init__(self, key: str, function: Callable[[Any], Any]) -> None:
        self.name, self.function = key, function

    def setup(self, worker: Any) -> None:
        """Run in a worker before it takes tasks."""
        FUNCTIONS[self.name] = self.function

    def teardown(self, worker: Any) -> None:
        """Run in a worker when the function is no longer needed."""
        FUNCTIONS.pop(self.name, None)


def _call(key: str, task: Any) -> Any:
    torch.set_num_threads(1)  # a worker has as many chunks at once as it has threads
    return FUNCTIONS[key](task)


def _result(future: Any) -> Any:
    try:
        return future.result()
    except KilledWorker as error:
        raise RuntimeError(
            "one chunk ended every worker that took it, as too little memory does: --chunk makes "
            "chunks smaller."
        ) from error


def _matters(record: logging.LogRecord) -> bool:
    """Tell what a user has to know from what Dask says of things that go on as they should.

    Finished chunks that died with their worker are computed anew, and where they cannot be, that is
    an error of its own. And Ctrl-C that comes just as a question is put to the scheduler is an
    interrupt to distributed.utils.sync, which then cancels a future that is not there yet.
    """
    if record.exc_info and record.exc_info[0] is NameError:
        return "sync.<locals>.cancel" not in record.getMessage()
    return not str(record.msg).startswith("Couldn't gather ")


@contextmanager
def _quietly() -> Iterator[None]:
    names = ("distributed.scheduler", "distributed.client", "tornado.application")
    loggers = [logging.getLogger(name) for name in names]
    for logger in loggers:
        logger.addFilter(_matters)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(_matters)


class DaskRunner:
    """Computes chunks by the workers of a Dask client."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def map(
        self, function: Callable[[Task], Result], tasks: Iterable[Task]
    ) -> Generator[Result, None, None]:
        """Yield the results in order, see `symbreak.data.streaming.distribute.Runner`.

        The scheduler repeats the chunks of a worker that died elsewhere, so nothing is lost; a
        chunk that ends four workers is taken to be the cause, and fails.

        Raises:
            RuntimeError: A chunk ended one worker after the other.
        """
        key = f"symbreak-{uuid.uuid4().hex}"
        self.client.register_plugin(Install(key, function))
        flying: deque[Any] = deque()
        try:
            for task in tasks:
                flying.append(self.client.submit(_call, key, task, pure=False))
                while len(flying) >= AHEAD * self._threads():
                    yield _result(flying.popleft())
            while flying:
                yield _result(flying.popleft())
        finally:
            with suppress(Exception):  # the cluster may be gone, which others will say better
                self.client.cancel(list(flying))
                self.client.unregister_worker_plugin(key)

    def _threads(self) -> int:
        count: int = sum(self.client.nthreads().values())
        return max(1, count)


class _ClosedClient(Client):  # type: ignore[misc]  # distributed has no types
    """A client that is closed where it cannot connect, whatever the reason.

    Of addresses that cannot be, distributed leaves it open. It is then closed as the process ends,
    by a thread that is gone by then: after 20 seconds of waiting that is a traceback.
    """

    def start(self, **options: Any) -> None:
        try:
            super().start(**options)
        except BaseException:
            with suppress(Exception):  # the reason why it does not connect is the one to tell
                self.close()
            raise


@contextmanager
def connected(address: str) -> Iterator[DaskRunner]:
    """Connect to a scheduler that has a worker at least.

    Raises:
        OSError: No scheduler answers at the address, or it has no workers.
    """
    with dask.config.set(CONFIG), _quietly():
        try:
            client = _ClosedClient(address, timeout=PATIENCE, set_as_default=False)
        except OSError as error:
            raise OSError(f"--dask {address}: no Dask scheduler answers there.") from error
        except (ValueError, TypeError, ImportError) as error:  # no address, or of another kind
            raise OSError(
                f"--dask {address}: no Dask scheduler answers there: {error}, expected an address "
                "like tcp://127.0.0.1:8786."
            ) from error
        with client:
            try:
                client.wait_for_workers(1, timeout=PATIENCE)
            # Two classes before Python 3.11, of which Dask raises the second.
            except (TimeoutError, asyncio.TimeoutError) as error:
                raise OSError(f"--dask {address}: the scheduler has no workers.") from error
            yield DaskRunner(client)


@contextmanager
def _environment_kept() -> Iterator[None]:
    """Undo what the block does to the environment variables of this process.

    Dask sets OMP_NUM_THREADS=1 and its like here to hand them to its workers; whatever this process
    starts later would run with one thread.
    """
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let Ctrl-C wait while the block runs, and never reach what the block's threads start.

    Ctrl-C in a terminal is sent to the workers of this machine too, but is for the command to
    handle. A thread and a process begin with the signals blocked that were so in the thread that
    made them, and Dask's thread starts all workers, also the later ones: they are deaf from their
    first moment, before they could be told to ignore it.
    """
    if os.name != "posix":
        yield
        return
    resource_tracker.ensure_running()  # or it would be started below, and lift the block again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def local_address(workers: int) -> Iterator[str]:
    """Start worker processes of one thread each on this machine; give their scheduler's address.

    A process that dies is started anew.
    """
    with _environment_kept(), dask.config.set(CONFIG):
        with _interrupts_held():
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",  # any port; the usual one may be taken
                memory_limit=None,  # chunks bound the memory; Dask would pause or kill at a guess
                silence_logs=logging.ERROR,
            )
        with cluster:
            yield cluster.scheduler_address
