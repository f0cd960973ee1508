"""The outcome of a training, out of its last checkpoint and in ``summary.json``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import symbreak
from symbreak.learning.callbacks import BEST, FINAL, kept_state
from symbreak.learning.networks import read_checkpoint
from symbreak.learning.settings import TrainSettings

SUMMARY = "summary.json"


@dataclass(frozen=True)
class Fitted:
    """What :func:`fit` returns."""

    final: Path
    """Checkpoint after the last epoch."""
    best: Path
    """Checkpoint of the epoch with the smallest validation SA-MSE."""
    epochs: int
    """Epochs done in all."""
    best_validation: float
    """The smallest validation SA-MSE."""
    seconds: float
    """Wall time of this call's training; that of the last call if there was nothing left to do."""


def is_unfinished(folder: str | Path) -> bool:
    """Whether a training in ``folder`` was interrupted after an epoch or more."""
    return (Path(folder) / FINAL).exists() and not (Path(folder) / SUMMARY).exists()


def finished(folder: Path, settings: TrainSettings) -> Fitted | None:
    """The outcome, if the last checkpoint is at the lowest rate or has all its epochs."""
    checkpoint = read_checkpoint(folder / FINAL)
    if checkpoint["epoch"] + 1 < settings.max_epochs and not _at_lowest(checkpoint, settings):
        return None
    if (folder / SUMMARY).exists():
        return _fitted(folder, json.loads((folder / SUMMARY).read_text()))
    return summarise(folder, settings, 0.0, write=True)  # interrupted just before it was written


def _at_lowest(checkpoint: dict[str, Any], settings: TrainSettings) -> bool:
    # The rate that the plateaus led to, as the module looks at it: the optimiser's own is a tenth
    # of that from the last epoch before the final ones on, and may be lower still.
    rate: float = checkpoint["lr_schedulers"][0]["_last_lr"][0]
    return rate <= settings.min_learning_rate


def summarise(folder: Path, settings: TrainSettings, seconds: float, *, write: bool) -> Fitted:
    checkpoint = read_checkpoint(folder / FINAL)
    summary = {
        "epochs": checkpoint["epoch"] + 1,
        "best_validation": kept_state(checkpoint)["best"],
        "lowest_rate": _at_lowest(checkpoint, settings),
        "seconds": seconds,
        "version": symbreak.__version__,
        "settings": asdict(settings),
    }
    if write:
        part = folder / f".{SUMMARY}.part"
        part.write_text(json.dumps(summary, indent=1) + "\n")
        part.replace(folder / SUMMARY)
    return _fitted(folder, summary)


def _fitted(folder: Path, summary: dict[str, Any]) -> Fitted:
    return Fitted(
        folder / FINAL,
        folder / BEST,
        summary["epochs"],
        summary["best_validation"],
        summary["seconds"],
    )


def final_from(settings: TrainSettings) -> int | None:
    return settings.max_epochs - settings.final_epochs if settings.final_epochs else None
