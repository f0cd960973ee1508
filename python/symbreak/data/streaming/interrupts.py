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


@contextmanager
def remembering_interrupts() -> Iterator[Callable[[], None]]:
    """Within the block Ctrl-C is also noted; yields a function that raises it if it was.

    Nothing changes outside of the main thread, or where Ctrl-C has a handler of somebody else's.
    """
    seen = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        seen.set()
        signal.default_int_handler(number, frame)

    def check() -> None:
        if seen.is_set():
            raise KeyboardInterrupt

    def report(lost: Any) -> None:
        if not isinstance(lost.exc_value, KeyboardInterrupt):
            report_others(lost)

    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield check
        return
    report_others = sys.unraisablehook
    signal.signal(signal.SIGINT, note)
    sys.unraisablehook = report
    try:
        yield check
    finally:
        sys.unraisablehook = report_others
        signal.signal(signal.SIGINT, signal.default_int_handler)
