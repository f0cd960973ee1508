"""PairLoaders: batches of pairs for Lightning, without workers and without collation."""

from __future__ import annotations

from typing import Any

import lightning
from torch.utils.data import DataLoader

from symbreak.learning.datasets import Pairs, PairSource
from symbreak.learning.rotated_pairs import RotatedPairs
from symbreak.learning.samplers import Shares
from symbreak.learning.turned_pairs import TurnedPairs

IN_MEMORY = (Pairs, TurnedPairs, RotatedPairs)


class PairLoaders(lightning.LightningDataModule):
    """The training and the validation set of one process.

    A batch is one gather from memory, or one read from the file, so workers would only copy.

    Args:
        train: Training pairs.
        validation: Validation pairs.
        batch: Items per batch.
        seed: Seed of the order of the training pairs.
        resident: Keep pairs held in memory on the device.
        epoch_items: Training pairs that an epoch draws; 0: all.
    """

    def __init__(
        self,
        train: PairSource,
        validation: PairSource,
        *,
        batch: int,
        seed: int,
        resident: bool,
        epoch_items: int = 0,
    ) -> None:
        super().__init__()
        self.train, self.validation = train, validation
        self.batch, self.seed, self.resident = batch, seed, resident
        self.epoch_items = epoch_items

    def setup(self, stage: str) -> None:
        """Bring the data to this process's device."""
        if self.resident and self.trainer is not None:
            device = self.trainer.strategy.root_device
            self.train, self.validation = (
                pairs.to(device) if isinstance(pairs, IN_MEMORY) else pairs
                for pairs in (self.train, self.validation)
            )

    def train_dataloader(self) -> DataLoader[Any]:
        """Batches in the epoch's order; the last one may be smaller."""
        return self._loader(self.train, self.seed, self.epoch_items)

    def val_dataloader(self) -> DataLoader[Any]:
        """Batches in the data's order."""
        return self._loader(self.validation, None)

    def _loader(self, pairs: PairSource, seed: int | None, drawn: int = 0) -> DataLoader[Any]:
        assert self.trainer is not None
        trainer = self.trainer
        sampler = Shares(len(pairs), trainer.global_rank, trainer.world_size, seed, drawn)
        dataset: Any = pairs
        return DataLoader(dataset, batch_size=self.batch, sampler=sampler, collate_fn=_as_it_is)


def _as_it_is(batch: Any) -> Any:
    return batch
