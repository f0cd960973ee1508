"""TrainSettings: every choice of a training in one frozen dataclass."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from symbreak.learning.networks import NETWORKS
from symbreak.ops.checks import check_count, check_flag, check_integer, shown
from symbreak.ops.numbers import is_number, keep_plain

Loss = Literal["mse", "sa_mse"]
Precision = Literal["32", "bf16"]


@dataclass(frozen=True)
class TrainSettings:
    """How a network is trained; see ``docs/experiments/choices.md`` for the reasons.

    Attributes:
        network: ``"UNet"``, ``"SiSPRNet"`` or the name of a class of your own in
            `symbreak.learning.networks.NETWORKS`.
        options: Keyword arguments of the network: numbers, strings and booleans.
        loss: ``"mse"``, the mean over pixels and both channels (real, imaginary), or ``"sa_mse"``,
            the mean over pixels of the error up to symmetries.
        learning_rate: Adam's first step size, > 0.
        min_learning_rate: Training ends when the rate arrives here, in (0, learning_rate].
        factor: The rate is multiplied by it on a plateau, in (0, 1).
        patience: Epochs in a row without a better validation SA-MSE that are borne, >= 0: the rate
            falls after one more. Better is what is lower by more than 1e-4 of the best so far, as
            PyTorch's ``ReduceLROnPlateau`` has it.
        batch: Items per step and device, >= 1.
        max_epochs: Upper limit of the epochs, >= 1.
        final_epochs: The last of ``max_epochs``, in which the rate is a tenth of what it was before
            and no plateau counts, >= 0 and below ``max_epochs``; they do not come where the lowest
            rate ends the training earlier.
        final_loss: The loss of the final epochs; None: ``loss``. ``"sa_mse"`` after ``"mse"``: the
            labels of broken symmetries to begin with, and then whichever symmetry is near.
        epoch_items: Training pairs that an epoch draws at random, >= 1; 0: it takes all. For sets
            of which many epochs are not needed, as of objects in many positions.
        seed: Of the first weights, of the order of the items and of dropout, >= 0.
        precision: ``"32"``, or ``"bf16"`` for mixed precision; weights and losses stay float32.
        tf32: Allow TF32 in matrix products (NVIDIA Ampere and later).
        channels_last: Keep the network's images with the channels last in memory.
        compile: Compile the network with `torch.compile`, which takes minutes before the first
            epoch ends: for trainings that last much longer.
        resident: Keep data held in memory on the device during the training.
        save_every: Seconds from one writing of the checkpoints to the next at least, and what an
            interruption costs at most; 0: every epoch. The first and the last are always written.
        accelerator: ``"auto"``, ``"cpu"`` or ``"gpu"``.
        devices: Devices, or processes on the CPU, per node, >= 1. Above 1: DDP.
        nodes: Machines, >= 1. Above 1 the processes are started by torchrun or srun.
        progress: Show a progress bar.

    Raises:
        TypeError: A switch is neither True nor False.
        ValueError: A value is outside the range given above.
    """

    network: str = "UNet"
    options: dict[str, Any] = field(default_factory=dict)
    loss: Loss = "mse"
    learning_rate: float = 1e-3
    min_learning_rate: float = 1e-5
    factor: float = 0.3
    patience: int = 10
    batch: int = 32
    max_epochs: int = 500
    final_epochs: int = 0
    final_loss: Loss | None = None
    epoch_items: int = 0
    seed: int = 0
    precision: Precision = "32"
    tf32: bool = False
    channels_last: bool = False
    compile: bool = False
    resident: bool = True
    save_every: float = 0.0
    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1
    progress: bool = False

    def __post_init__(self) -> None:
        """Check every field, and keep numbers as Python's: checkpoints hold no others."""
        keep_plain(self)
        _one_of("network", self.network, tuple(NETWORKS))
        _one_of("loss", self.loss, get_args(Loss))
        if self.final_loss is not None:
            _one_of("final_loss", self.final_loss, get_args(Loss))
            if not self.final_epochs:
                raise ValueError("TrainSettings: final_loss asks for final_epochs, got none.")
        _one_of("precision", self.precision, get_args(Precision))
        _one_of("accelerator", self.accelerator, ("auto", "cpu", "gpu"))
        for name in ("batch", "max_epochs", "devices", "nodes"):
            check_integer("TrainSettings", name, getattr(self, name), 1)
        for name in ("patience", "seed", "epoch_items", "final_epochs"):
            check_integer("TrainSettings", name, getattr(self, name), 0)
        for name in ("learning_rate", "min_learning_rate", "factor", "save_every"):
            value = getattr(self, name)
            if not is_number(value):
                raise ValueError(f"TrainSettings: {name} must be a number, got {shown(value)}.")
        for name in ("tf32", "channels_last", "compile", "resident", "progress"):
            check_flag("TrainSettings", name, getattr(self, name))
        check_count("TrainSettings", "seed", self.seed, 0)  # what PyTorch takes
        if not isinstance(self.options, dict):
            raise ValueError(f"TrainSettings: options must be a dict, got {shown(self.options)}.")
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(
                f"TrainSettings: learning_rate must be finite and > 0, got {self.learning_rate!r}."
            )
        if not 0 < self.min_learning_rate <= self.learning_rate:
            raise ValueError(
                "TrainSettings: min_learning_rate must be in (0, learning_rate], got "
                f"{self.min_learning_rate!r} and learning_rate {self.learning_rate!r}."
            )
        if not self.final_epochs < self.max_epochs:
            raise ValueError(
                "TrainSettings: final_epochs must be below max_epochs, got "
                f"{self.final_epochs} and {self.max_epochs}."
            )
        if not 0 <= self.save_every < math.inf:
            raise ValueError(
                f"TrainSettings: save_every must be seconds >= 0, got {self.save_every!r}."
            )
        if not 0 < self.factor < 1:
            raise ValueError(f"TrainSettings: factor must be in (0, 1), got {self.factor!r}.")


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"TrainSettings: {name} must be one of {', '.join(known)}, got {value!r}.")
