"""Watching a long op: ten times a second it draws progress and listens to Ctrl-C."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias, TypeVar

import numpy as np
import torch

from symbreak import _C
from symbreak.ops.checks import shown

Result = TypeVar("Result")
Report: TypeAlias = Callable[[int, int], object]
"""Called with how many image-iterations are done, and how many there are."""


def run_watched(
    op: Callable[[int], Result], total: int, progress: bool | Report, device: torch.device
) -> Result:
    """Run ``op(monitor number)``, which works on ``device``, to its end, reporting its progress.

    The op itself calls back, on this thread. Ctrl-C, or an exception of the callback, stops it
    within an iteration and is raised here. An op on a GPU is done when its kernels are enqueued.
    """
    if progress is False and threading.current_thread() is not threading.main_thread():
        return op(0)  # nobody to report to, and Ctrl-C only reaches the main thread
    if is_capturing(device):
        return op(0)  # a CUDA graph takes kernels, nothing that would be repeated on the host
    with reporter(progress) as report:
        if report is not None:
            report(0, total)
        monitor = _C.Monitor(None if report is None else lambda done: report(done, total))
        result = op(monitor.id)
        if monitor.error is not None:
            raise monitor.error
        if report is not None:
            report(total, total)
    return result


def check_progress(progress: bool | Report) -> bool | Report:
    """Check that it is True, False or a function; NumPy's booleans become Python's."""
    if isinstance(progress, np.bool_):
        return bool(progress)
    if not isinstance(progress, bool) and not callable(progress):
        raise TypeError(
            f"reconstruct: progress must be a bool or a function, got {shown(progress)}."
        )
    return progress


def is_capturing(device: torch.device) -> bool:
    """Whether this thread records a CUDA graph on ``device``."""
    return device.type == "cuda" and torch.cuda.is_current_stream_capturing()


@contextmanager
def reporter(progress: bool | Report) -> Iterator[Report | None]:
    if callable(progress):
        yield progress
    elif progress:
        with _bar() as report:
            yield report
    else:
        yield None


def of_piece(report: Report | None, before: int, total: int) -> bool | Report:
    """What a piece of work is to report to, ``before`` of whose ``total`` iterations are done."""
    if report is None:
        return False
    whole = report
    return lambda done, _: whole(before + done, total)


@contextmanager
def _bar() -> Iterator[Report]:
    """Draw a bar by rich where that is installed, else a line of text, both on stderr."""
    try:
        from rich.console import Console
        from rich.progress import Progress
    except ImportError:
        try:
            yield _print_line
        finally:
            print(file=sys.stderr)
        return
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("phasing", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _print_line(done: int, total: int) -> None:
    share = 100 * done // total if total else 100
    print(f"\rphasing: {share:3d} %", end="", file=sys.stderr, flush=True)
