"""Watching a long op: it runs in a thread while this one draws progress and listens to Ctrl-C."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager, nullcontext
from typing import TypeAlias, TypeVar

import torch

from symbreak import _C

Result = TypeVar("Result")
Report: TypeAlias = Callable[[int, int], object]
"""Called with how many image-iterations are done, and how many there are."""

INTERVAL = 0.1  # seconds from one look at the monitor to the next


def run_watched(
    op: Callable[[int], Result], total: int, progress: bool | Report, device: torch.device
) -> Result:
    """Run ``op(monitor number)``, which works on ``device``, to its end, reporting its progress.

    Ctrl-C, or an exception of the callback, stops the op within an iteration and is raised here. An
    op on a GPU is done when its kernels are enqueued.
    """
    if progress is False and threading.current_thread() is not threading.main_thread():
        return op(0)  # nobody to report to, and Ctrl-C only reaches the main thread
    if is_capturing(device):
        return op(0)  # a CUDA graph takes what the capturing thread launches
    with _reporter(progress) as report:
        report(0, total)
        result = _supervise(op, total, report, device)
        report(total, total)
    return result


def is_capturing(device: torch.device) -> bool:
    """Whether this thread records a CUDA graph on ``device``."""
    return device.type == "cuda" and torch.cuda.is_current_stream_capturing()


def _supervise(
    op: Callable[[int], Result], total: int, report: Report, device: torch.device
) -> Result:
    monitor = _C.Monitor()
    outcome: Future[Result] = Future()
    # These modes and the current stream belong to a thread, the worker takes those of the caller.
    grad, inference = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
    stream = torch.cuda.current_stream(device) if device.type == "cuda" else None

    def work() -> None:
        try:
            with (
                torch.inference_mode(inference),
                torch.set_grad_enabled(grad),
                torch.cuda.stream(stream) if stream else nullcontext(),
            ):
                outcome.set_result(op(monitor.id))
        except BaseException as error:
            outcome.set_exception(error)

    worker = threading.Thread(target=work, name="symbreak", daemon=True)
    worker.start()
    try:
        while wait([outcome], timeout=INTERVAL).not_done:
            report(monitor.done, total)
    except BaseException:
        monitor.stop()
        raise
    finally:
        worker.join()
    return outcome.result()


@contextmanager
def _reporter(progress: bool | Report) -> Iterator[Report]:
    if callable(progress):
        yield progress
    elif progress:
        with _bar() as report:
            yield report
    else:
        yield lambda done, total: None


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
