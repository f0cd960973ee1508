"""What a signal does to a training: Ctrl-C and SIGTERM, which Lightning turns into quiet exits."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lightning.pytorch.utilities.exceptions import SIGTERMException

TERMINATED = 128 + signal.SIGTERM
"""The exit status that a shell reports of a terminated program."""


@contextmanager
def heard() -> Iterator[None]:
    """Raise KeyboardInterrupt on Ctrl-C, and leave with `TERMINATED` on SIGTERM.

    Lightning answers Ctrl-C by ``sys.exit(1)`` and leaves the process deaf to the next one, which
    in a notebook is for good; and SIGTERM by the status 0, by which a scheduler takes a training
    that ran out of time for one that is done.
    """
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SIGTERMException as error:
        error.code = TERMINATED
        raise
    except SystemExit as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise
    finally:
        if threading.current_thread() is threading.main_thread() and before is not None:
            signal.signal(signal.SIGINT, before)
