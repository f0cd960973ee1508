"""Pairs in all eight positions, turned and mirrored as a batch asks for them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from symbreak import break_symmetry
from symbreak.learning.datasets import Batch, PairSource, rows_on
from symbreak.learning.positions import POSITIONS, check_square, turn, turn_pattern
from symbreak.ops.break_symmetry import check_rule
from symbreak.ops.checks import check_flag


class TurnedPairs:
    """Every pair of a source in eight positions, without eight times its memory.

    What `make_pairs(positions=True)` makes of objects, of pairs that there are: measured or noisy
    patterns are turned, not simulated anew. Positions follow one another as whole sets. Let an
    epoch draw as many pairs as the source has (`TrainSettings(epoch_items=)`).

    Args:
        pairs: Pairs of square 2D objects and patterns.
        broken: Whether to break the symmetries of every turned object, also where those of
            ``pairs`` are broken: a canonical form that is turned is none. What is ambiguous stays.
        rule: Rule of the conjugate flip, ``"angle"`` or ``"circulation"``, if ``broken``.

    Raises:
        TypeError: ``broken`` is neither True nor False.
        ValueError: Objects or patterns are not square and 2D, or there is no such rule.

    Example:
        >>> pairs = symbreak.learning.datasets.make_pairs(symbreak.data.crystals(6, 16))
        >>> len(TurnedPairs(pairs, broken=True))
        48
    """

    def __init__(self, pairs: PairSource, *, broken: bool = False, rule: str = "angle") -> None:
        self.broken = check_flag("TurnedPairs", "broken", broken)
        self.object_shape, self.measurement_shape = pairs.object_shape, pairs.measurement_shape
        check_square("TurnedPairs", "pairs", self.object_shape, self.measurement_shape)
        check_rule("TurnedPairs", rule)
        self.pairs, self.rule = pairs, rule

    def __len__(self) -> int:
        """Eight times the source's."""
        return POSITIONS * len(self.pairs)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """One pair."""
        amplitude, objects, _ = self.__getitems__([index])
        return amplitude[0], objects[0]

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """A batch, see `PairSource`.

        Args:
            indices: Integers; a negative one counts from the end.

        Returns:
            Amplitudes ``(batch, *M)``, objects ``(batch, *N)`` and the indices as they came, int64.
        """
        wanted = torch.tensor(indices, dtype=torch.int64) % len(self)
        position = torch.div(wanted, len(self.pairs), rounding_mode="floor")
        # Sorted by position, so that each is one slice; then back into the order asked for.
        order = position.argsort(stable=True)
        rows = (wanted % len(self.pairs))[order].tolist()
        counts = position.bincount(minlength=POSITIONS).tolist()
        amplitude, objects, _ = self.pairs.__getitems__(rows)
        back = rows_on(objects.device, order.argsort().tolist())
        patterns, parts = torch.split(amplitude, counts), torch.split(objects, counts)
        amplitude = torch.cat([turn_pattern(part, k) for k, part in enumerate(patterns)])[back]
        objects = torch.cat([turn(part, k) for k, part in enumerate(parts)])[back]
        if self.broken:
            objects = break_symmetry(objects, ndim=2, rule=self.rule).object
        return amplitude, objects, rows_on(objects.device, indices)

    def to(self, device: torch.device | str) -> TurnedPairs:
        """Copy to a device.

        Args:
            device: As PyTorch names it.

        Returns:
            TurnedPairs: Of the same pairs there; where they are read from a file, as they are.
        """
        move = getattr(self.pairs, "to", None)
        pairs = self.pairs if move is None else move(device)
        return TurnedPairs(pairs, broken=self.broken, rule=self.rule)
