"""Checkpoints: the last and the best-validated state of a training, written as epochs end."""

from __future__ import annotations

import copy
import math
import os
import time
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.plugins import TorchCheckpointIO

from symbreak.learning.module import MONITOR

FINAL, BEST = "final.ckpt", "best.ckpt"
KEEP = {"keep": True}


class Checkpoints(lightning.Callback):
    """Write ``final.ckpt``, and ``best.ckpt`` if a validation since the last writing was the best.

    A file is written under another name and renamed, so an interruption leaves a whole one; the
    best is written first, so that it is never older than what ``final.ckpt`` says of it.

    Args:
        folder: Where to.
        identity: What the training is, to be kept with its state: plain values.
        every: Seconds from one writing to the next at least: a large network on a fast GPU would
            spend more time on writing after every epoch than on learning. Until then the best
            state waits in memory, where the network is. The first and the last epoch are always
            written.
    """

    def __init__(self, folder: Path, identity: dict[str, Any], every: float = 0.0) -> None:
        self.folder, self.identity, self.every = folder, identity, every
        self.best = math.inf
        self.files = CheckpointFiles()
        """To be a plugin of the trainer."""
        self._written = -math.inf

    def state_dict(self) -> dict[str, Any]:
        """What the checkpoint keeps of this callback."""
        return {"best": self.best, "identity": self.identity}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue where a checkpoint ended."""
        self.best = state_dict["best"]

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Write what is due; every process takes part, the first one writes."""
        value = float(trainer.callback_metrics[MONITOR])
        due = self._due(trainer)
        if value < self.best:
            self.best = value
            if due:
                self.files.kept = None
                self._write(trainer, BEST)
            else:
                trainer.save_checkpoint(self.folder / BEST, storage_options=KEEP)
        elif due and self.files.kept is not None:  # by the first process alone
            self.files.write_kept(_part(self.folder / BEST))
            os.replace(_part(self.folder / BEST), self.folder / BEST)
        if due:
            self._write(trainer, FINAL)
            self._written = time.monotonic()

    def _write(self, trainer: lightning.Trainer, name: str) -> None:
        path = self.folder / name
        trainer.save_checkpoint(_part(path))
        if trainer.is_global_zero:
            os.replace(_part(path), path)

    def _due(self, trainer: lightning.Trainer) -> bool:
        """Whether to write now, as the first process decides: all have to agree."""
        last = trainer.should_stop or trainer.current_epoch + 1 == trainer.max_epochs
        due = last or time.monotonic() - self._written >= self.every
        return bool(trainer.strategy.broadcast(due))


def kept_state(checkpoint: dict[str, Any]) -> dict[str, Any]:
    """What `Checkpoints` keeps in a checkpoint that was read."""
    states = checkpoint["callbacks"].items()
    return next(state for name, state in states if name.startswith(Checkpoints.__name__))


class CheckpointFiles(TorchCheckpointIO):
    """Writes a checkpoint, or with the storage option ``keep`` a copy of it into memory."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] | None = None

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None
    ) -> None:
        """See the class; the copy stays on the devices of its tensors."""
        if storage_options == KEEP:
            self.kept = copy.deepcopy(checkpoint)
        else:
            super().save_checkpoint(checkpoint, path, storage_options)

    def write_kept(self, path: Path) -> None:
        """Write the copy, and forget it."""
        assert self.kept is not None
        super().save_checkpoint(self.kept, path)
        self.kept = None


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")
