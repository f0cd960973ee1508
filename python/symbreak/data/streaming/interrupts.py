"""Ctrl-C that is not lost.

Python raises KeyboardInterrupt wherever the main thread happens to be. In a destructor or the
callback of a weak reference, of which h5py has many, that is printed and forgotten.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class _Note:
    """A handler that raises KeyboardInterrupt, as Python's own does, and remembers it."""

    def __init__(self) -> None:
        self._seen = threading.Event()

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self._seen.set()
        signal.default_int_handler(number, frame)

    def check(self) -> None:
        """Raise KeyboardInterrupt if there was one."""
        if self._seen.is_set():
            raise KeyboardInterrupt


@contextmanager
def remembering_interrupts() -> Iterator[Callable[[], None]]:
    """Within the block Ctrl-C is also noted; yields a function that raises it if it was.

    A block within another one shares its memory. Nothing changes outside of the main thread, or
    where Ctrl-C has a handler of somebody else's.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT)
    note = handler if in_main_thread and isinstance(handler, _Note) else _Note()

    def report(lost: Any) -> None:
        if not isinstance(lost.exc_value, KeyboardInterrupt):
            report_others(lost)

    if not in_main_thread or handler is not signal.default_int_handler:
        yield note.check
        return
    report_others = sys.unraisablehook
    signal.signal(signal.SIGINT, note)
    sys.unraisablehook = report
    try:
        yield note.check
    finally:
        sys.unraisablehook = report_others
        signal.signal(signal.SIGINT, signal.default_int_handler)
