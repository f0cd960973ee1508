"""The order of the items: shuffled by seed and epoch, shared out among the processes."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch.utils.data import Sampler

# In the place of an item where a process has one fewer than the others: read, but not counted.
PADDING = -1


class Shares(Sampler[int]):
    """This process's items of an epoch; all processes have equally many.

    The order depends on the seed and the epoch alone, not on what was drawn before, so a resumed
    training sees what an uninterrupted one would have seen.

    Args:
        items: Number of items in all.
        rank: This process.
        world: Number of processes.
        seed: Seed of the order; None keeps the items' own order.
        drawn: With a seed: how many of the items an epoch takes, other ones each time; 0: all.
    """

    def __init__(
        self, items: int, rank: int, world: int, seed: int | None = None, drawn: int = 0
    ) -> None:
        self.items, self.rank, self.world, self.seed = items, rank, world, seed
        self.count = min(drawn or items, items)
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of this epoch; Lightning calls it."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Items per process."""
        return -(-self.count // self.world)

    def __iter__(self) -> Iterator[int]:
        """Yield indices: while training repeated items fill up, else `PADDING` does."""
        if self.seed is None:
            order = list(range(self.items))
            fill = [PADDING] * (len(self) * self.world - self.count)
        else:
            generator = torch.Generator().manual_seed(mix(self.seed, self.epoch))
            order = torch.randperm(self.items, generator=generator)[: self.count].tolist()
            fill = (order * self.world)[: len(self) * self.world - self.count]
        yield from (order + fill)[self.rank :: self.world]


def mix(*numbers: int) -> int:
    """Hash of whole numbers to a 63-bit seed (splitmix64's finaliser after each)."""
    state = 0
    for number in numbers:
        state = (state + number + 0x9E3779B97F4A7C15) % 2**64
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            state = ((state ^ (state >> shift)) * factor) % 2**64
        state ^= state >> 31
    return state >> 1
