"""What a signal does to a training: Ctrl-C and SIGTERM, which Lightning turns into quiet exits."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import lightning
from lightning.pytorch.utilities.exceptions import SIGTERMException

TERMINATED = 128 + signal.SIGTERM
"""The exit status that a shell reports of a terminated program."""


class BetweenBatches(lightning.Callback):
    """Raises KeyboardInterrupt at the end of the batch in which Ctrl-C was pressed.

    Python raises it anywhere. In the few instructions in which one thread wakes another one
    (``threading.Condition.notify``), the next wake-up is lost by it: the thread that writes for
    TensorBoard then hears two minutes later that the training has ended, and so does the user. A
    second Ctrl-C is raised at once. Nothing changes outside of the main thread, or where Ctrl-C has
    a handler of somebody else's.
    """

    def __init__(self) -> None:
        self._pressed = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Take the signal."""
        if self._pressed:
            signal.default_int_handler(number, frame)
        self._pressed = True

    def check(self) -> None:
        """Raise what was put off."""
        if self._pressed:
            raise KeyboardInterrupt

    def setup(self, *given: Any, **named: Any) -> None:
        """Take over, in the process that trains, which need not be the one that was called."""
        ours = threading.current_thread() is threading.main_thread()
        if ours and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self)

    def on_train_batch_end(self, *given: Any, **named: Any) -> None:
        """See the class."""
        self.check()

    def on_validation_batch_end(self, *given: Any, **named: Any) -> None:
        """See the class."""
        self.check()


@contextmanager
def heard() -> Iterator[BetweenBatches]:
    """Raise KeyboardInterrupt on Ctrl-C, and leave with `TERMINATED` on SIGTERM.

    Lightning answers Ctrl-C by ``sys.exit(1)`` and leaves the process deaf to the next one, which
    in a notebook is for good; and SIGTERM by the status 0, by which a scheduler takes a training
    that ran out of time for one that is done. What is yielded is to be a callback of the trainer.
    """
    before = signal.getsignal(signal.SIGINT)
    between = BetweenBatches()
    try:
        yield between
        between.check()
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
