"""Where the chunks of a data set are computed: in this process, or by workers of Dask."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from symbreak.ops.checks import check_count, shown

# More processes, of some 200 MB each, than that are a slip: they would bring the machine down.
MOST_WORKERS, AS_MANY_PER_CORE = 64, 4

Task = TypeVar("Task")
Result = TypeVar("Result")


class Runner(Protocol):
    """Something that computes chunks."""

    def map(
        self, function: Callable[[Task], Result], tasks: Iterable[Task]
    ) -> Generator[Result, None, None]:
        """Yield ``function(task)`` for every task, in order.

        Tasks are taken from their iterable as they are needed, a few ahead at most, so that they
        and the results need not fit into the memory together. Closed early, it gives up the rest.
        """


class Here:
    """Computes in this process, one chunk after the other."""

    def map(
        self, function: Callable[[Task], Result], tasks: Iterable[Task]
    ) -> Generator[Result, None, None]:
        """Yield the results in order, see `Runner`."""
        yield from map(function, tasks)


HERE = Here()


@contextmanager
def running(workers: int = 1, address: str | None = None) -> Iterator[Runner]:
    """Give what computes chunks while the block runs.

    Args:
        workers: Processes to start on this machine, one thread each, up to 64 or four a core; 1
            starts none and computes in this process with all its threads. More need the extra
            ``dask``.
        address: Of a running Dask scheduler, ``tcp://host:8786``; its workers, which have symbreak
            installed, compute instead.

    Raises:
        ImportError: Dask is not installed.
        TypeError: The number of workers is not whole, or the address no string.
        ValueError: Both are given, or a number of workers below 1 or beyond all sense.
        OSError: No scheduler answers at the address, or it has no workers.
    """
    workers = check_count("running", "workers", workers, 1)
    most = max(MOST_WORKERS, AS_MANY_PER_CORE * (os.cpu_count() or 1))
    if workers > most:
        raise ValueError(f"running: workers must be at most {most} on this machine, got {workers}.")
    if address is not None and not isinstance(address, str):
        raise TypeError(f"running: address must be a string, got {shown(address)}.")
    if address is not None and workers > 1:
        raise ValueError("give --workers or --dask, not both.")
    if address is None and workers == 1:
        yield HERE
        return
    try:
        from symbreak.data.streaming.dask_workers import connected, local_address
    except ImportError as error:
        raise ImportError(
            f"--workers and --dask need {error.name}: pip install 'symbreak[dask]'."
        ) from error
    if address is not None:
        with connected(address) as runner:
            yield runner
        return
    with local_address(workers) as local, connected(local) as runner:
        yield runner
