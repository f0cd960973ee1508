"""Checkpoints: the last and the best-validated state of a training, written at every epoch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import lightning

from symbreak.learning.module import MONITOR

FINAL, BEST = "final.ckpt", "best.ckpt"


class Checkpoints(lightning.Callback):
    """After every epoch write ``final.ckpt``, and ``best.ckpt`` if the validation was the best.

    A file is written under another name and renamed, so an interruption leaves a whole one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.best = float("inf")

    def state_dict(self) -> dict[str, Any]:
        """What the checkpoint keeps of this callback."""
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue where a checkpoint ended."""
        self.best = state_dict["best"]

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Write what is due; every process takes part, the first one writes."""
        value = float(trainer.callback_metrics[MONITOR])
        names = [FINAL]
        if value < self.best:
            self.best = value
            names.insert(0, BEST)
        for name in names:
            part = self.folder / f".{name}.part"
            trainer.save_checkpoint(part)
            if trainer.is_global_zero:
                os.replace(part, self.folder / name)
