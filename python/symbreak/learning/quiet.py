"""What Lightning tells and warns of in every training is left out, in all of its processes."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from lightning.pytorch.strategies import DDPStrategy

LOGGERS = ("lightning.pytorch", "lightning.fabric")
HARMLESS = (
    ".*does not have many workers.*",  # none are needed, see PairLoaders
    ".*exists and is not empty.*",  # a resumed training writes into its own folder
    ".*less than the logging interval.*",
    ".*GPU available but not used.*",
    ".*LeafSpec.*",  # Lightning's own use of PyTorch
)


def _silence() -> None:
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    for message in HARMLESS:
        warnings.filterwarnings("ignore", message)


@contextmanager
def quietly() -> Iterator[None]:
    """Leave out, while the block runs, what is of no use to who trains; warnings of else remain."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        _silence()
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


class QuietDDP(DDPStrategy):
    """DDP whose processes are as quiet as the one that starts them.

    A process that is spawned imports Lightning anew, with its own levels and none of our filters.
    """

    def setup_environment(self) -> None:
        """Run in each process before the processes find each other, which they would tell."""
        _silence()
        super().setup_environment()
