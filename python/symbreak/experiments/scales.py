"""Scale: sizes, networks, training and baseline of the tables; small, paper, and tiny for tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from symbreak import Shrinkwrap
from symbreak.data.simulation.settings import CrystalSettings
from symbreak.learning.settings import TrainSettings
from symbreak.ops.break_symmetry import RULES
from symbreak.ops.numbers import keep_plain

# Beside the paper's two: raw pairs with the symmetry-invariant loss, and the other flip rules.
BEFORE, AFTER, INVARIANT = "before", "after", "sa_mse loss"
OTHER_RULES: tuple[str, ...] = RULES[1:]
MACHINE = (
    *("precision", "tf32", "channels_last", "compile", "resident", "save_every", "accelerator"),
)
"""Fields of `TrainSettings` that are the machine's business, for `Scale.machine`."""
COMMON = (BEFORE, AFTER, INVARIANT, *(f"after, rule {rule}" for rule in OTHER_RULES))
# Every training object in eight positions, as many pairs an epoch as before.
POSITIONS = "after, all positions"
# At any of many angles and mirrored, as many pairs an epoch; and in the final epochs, at a tenth of
# the rate, the symmetry-invariant loss.
FINALLY = "after, any angle, sa_mse at last"
ANGLES = 64
VARIANTS = (*COMMON, POSITIONS, FINALLY)


@dataclass(frozen=True)
class Scale:
    """All that decides a run of the tables. Every field may be replaced."""

    size: int
    """Pixels per axis of an object; patterns have twice as many."""
    sets: tuple[int, ...]
    """Training set sizes; a larger set begins with the smaller one."""
    validation: int
    test: int
    options: dict[str, dict[str, Any]]
    """Networks and their options."""
    passes: int
    """Most training items seen per cell, in all epochs together."""
    patience: int
    """Epochs of a plateau; at most a third of all epochs, at least 2."""
    patience_items: int = 0
    """Training items that a plateau lasts at least: for small sets more epochs, not fewer steps."""
    epochs: int = 10_000
    """Most epochs of a cell, so that small sets, which need fewer items, do not take as many."""
    final: float = 0.0
    """Share of the epochs, the last, that have a tenth of the rate; in [0, 1)."""
    learning_rate: float = 1e-3
    min_learning_rate: float = 1e-5
    batch: int = 32
    seed: int = 0
    crystals: CrystalSettings = field(default_factory=CrystalSettings)
    """The objects. Their defects decide more than all else how well networks learn them."""
    variants: tuple[str, ...] = COMMON
    schedule: str = "3*(20*ER+180*HIO)+20*ER"
    starts: int = 4
    shrinkwrap: Shrinkwrap = field(
        default_factory=lambda: Shrinkwrap(threshold=0.3, sigma_min=0.7, decay=0.95)
    )
    refine: str = "15*HIO+5*ER"
    """One round of the iterations that begin at the networks' estimates and at random phases."""
    rounds: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    machine: dict[str, Any] = field(default_factory=dict)
    """Further fields of `TrainSettings`, see `MACHINE`."""

    def __post_init__(self) -> None:
        """Keep NumPy's numbers as Python's, for JSON; what the numbers go to checks them."""
        keep_plain(self)
        if FINALLY in self.variants and not self.final:
            raise ValueError(
                f"Scale: final must be > 0 for the column '{FINALLY}', as at the paper's scale, "
                f"got {self.final!r}."
            )

    def training(self, network: str, count: int, variant: str) -> TrainSettings:
        """Settings of one cell."""
        epochs = max(2, min(self.epochs, self.passes // count))
        patience = max(self.patience, -(-self.patience_items // count))
        values: dict[str, Any] = {
            "network": network,
            "options": self.options[network],
            "loss": "sa_mse" if variant == INVARIANT else "mse",
            "learning_rate": self.learning_rate,
            "min_learning_rate": self.min_learning_rate,
            "patience": max(2, min(patience, epochs // 3)),
            "batch": self.batch,
            "max_epochs": epochs,
            "final_epochs": int(self.final * epochs),
            "final_loss": "sa_mse" if variant == FINALLY else None,
            "epoch_items": count if variant in (POSITIONS, FINALLY) else 0,
            "seed": self.seed,
        }
        return TrainSettings(**{**values, **self.machine})

    def broken(self, variant: str) -> dict[str, Any]:
        """Arguments of `make_pairs` for a variant's training set, of `FINALLY` as it is upright."""
        if variant in (BEFORE, INVARIANT):
            return {"broken": False}
        if variant in (AFTER, POSITIONS, FINALLY):
            return {"broken": True, "rule": RULES[0], "positions": variant == POSITIONS}
        return {"broken": True, "rule": variant.rpartition(" ")[2]}


SCALES = {
    "tiny": Scale(
        size=16,
        sets=(8, 16),
        validation=4,
        test=4,
        options={"UNet": {"width": 4}, "SiSPRNet": {"hidden": 8}},
        passes=32,
        patience=2,
        batch=8,
        final=0.5,
        schedule="20*ER",
        starts=1,
        rounds=(1, 2),
        variants=VARIANTS,
    ),
    "small": Scale(
        size=32,
        sets=(50, 200, 800),
        validation=50,
        test=100,
        # The published input: with standardised pixels SiSPRNet learns few raw pairs by heart.
        options={"UNet": {"width": 8}, "SiSPRNet": {"hidden": 256, "standardise": False}},
        crystals=CrystalSettings(defects=(0, 2)),  # with more, these few pairs teach too little
        passes=24_000,
        epochs=80,
        patience=10,
        learning_rate=3e-3,
        min_learning_rate=1e-3,
        batch=16,
        machine={"channels_last": True},
    ),
    "paper": Scale(
        size=64,
        sets=(500, 1000, 1500, 5000),
        validation=500,
        test=500,
        # Not SiSPRNet's published input, with which it learned no more than the mean object here.
        options={"UNet": {}, "SiSPRNet": {}},
        crystals=CrystalSettings(defects=(0, 2), cores="frame"),  # few vortices
        passes=400_000,
        patience=10,
        patience_items=30_000,
        final=0.2,
        learning_rate=1e-3,
        batch=32,
        variants=VARIANTS,
        # After an epoch of half a second on a GPU, writing 141 MB twice would take as long again.
        machine={"tf32": True, "save_every": 30.0},
    ),
}
