"""A data set through a function, chunk by chunk; smaller pieces where the device lacks memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from symbreak.data.streaming.distribute import HERE, Runner
from symbreak.ops.memory import is_out_of_memory

Arrays = Mapping[str, Any]
"""Arrays or tensors by name, all with the items along their first axis."""
Task = TypeVar("Task")


class Done(NamedTuple):
    """What came of a chunk."""

    arrays: Mapping[str, NDArray[Any]]
    notes: tuple[str, ...] = ()
    """What the user should know."""


class Fitting:
    """A function of a chunk that is given as much of it at a time as the device has memory for.

    Where the memory is too small for a piece, half of it is tried, and later chunks begin with what
    did fit. So a chunk's size decides about speed, never about success.

    Args:
        function: Maps arrays with the items along the first axis to such arrays, in the memory of
            the host. An item's result does not depend on the items beside it.
    """

    def __init__(self, function: Callable[[Arrays], Mapping[str, NDArray[Any]]]) -> None:
        self.function = function
        self.most: int | None = None
        """Items that fit; None: all, so far."""

    def __call__(self, part: Arrays) -> Done:
        """Apply the function to a chunk of at least one item.

        Raises:
            MemoryError: There is no room for a single item.
        """
        count = len(next(iter(part.values())))
        found: list[Mapping[str, NDArray[Any]]] = []
        notes: list[str] = []
        done = 0
        while done < count:
            size = min(self.most or count, count - done)
            try:
                found.append(self.function({k: x[done : done + size] for k, x in part.items()}))
                done += size
                continue
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if size == 1:
                    raise MemoryError(f"no memory for a single item: {error}") from error
            # Here, where the error is gone and with it what its traceback held of the device.
            self.most = size // 2
            notes.append(
                f"out of memory with {size} items at a time: going on with {self.most} at a time."
            )
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
        names = found[0]
        return Done({k: np.concatenate([f[k] for f in found]) for k in names}, tuple(notes))


class Chunks(Generic[Task]):
    """How a data set is read and computed.

    Args:
        function: What to do with a chunk; picklable, if processes share the work.
        read: The input of the rows from one number to another.
        step: Rows of a chunk.
        runner: Where chunks are computed.
        report: Called with the rows and the notes of every chunk.
    """

    def __init__(
        self,
        function: Callable[[Task], Done],
        read: Callable[[slice], Task],
        step: int,
        *,
        runner: Runner = HERE,
        report: Callable[[int, tuple[str, ...]], None] = lambda rows, notes: None,
    ) -> None:
        self.function, self.read, self.step = function, read, step
        self.runner, self.report = runner, report

    def fill(
        self,
        target: Mapping[str, Any],
        first: int,
        total: int,
        *,
        advance: Callable[[int], None] = lambda rows: None,
    ) -> None:
        """Compute rows ``first`` to ``total`` and write each chunk, in order, when it is done.

        Args:
            target: Datasets or arrays ``(total, ...)`` by name; one of a single item may also lack
                the axis of the rows.
            first: Rows that are there already.
            total: All rows.
            advance: Called with the number of rows of every chunk written.
        """
        results = self.runner.map(self.function, map(self.read, self._slices(first, total)))
        with closing(results):  # at once, also on Ctrl-C: later there may be no workers to tell
            for rows, done in zip(self._slices(first, total), results, strict=True):
                for name, value in done.arrays.items():
                    _write(target[name], rows, total, value)
                advance(rows.stop - rows.start)
                self.report(rows.stop - rows.start, done.notes)

    def _slices(self, first: int, total: int) -> Iterator[slice]:
        for start in range(first, total, self.step):
            yield slice(start, min(start + self.step, total))


def _write(dataset: Any, rows: slice, total: int, value: NDArray[Any]) -> None:
    """Booleans become 0 and 1: h5py's own boolean type puzzles other readers."""
    if value.dtype == bool:
        value = value.astype("u1")
    if total == 1:
        dataset[...] = value.reshape(dataset.shape)
    else:
        dataset[rows] = value.reshape(rows.stop - rows.start, *dataset.shape[1:])
