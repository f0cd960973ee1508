"""PhaseRetrieval: a network, its loss and its optimiser as a Lightning module."""

from __future__ import annotations

from typing import Any

import lightning
import torch
from torch import Tensor
from torch.nn import functional
from torch.optim.lr_scheduler import ReduceLROnPlateau

from symbreak import sa_mse
from symbreak.learning.datasets import Batch
from symbreak.learning.networks import build_network
from symbreak.learning.samplers import mix

MONITOR = "validation/sa_mse"
FINAL_FACTOR = 0.1  # of the rate in the final epochs


class PhaseRetrieval(lightning.LightningModule):
    """Learns the object from the amplitude.

    Logged per epoch: ``train/loss``, ``validation/mse`` (over pixels and both channels),
    ``validation/sa_mse`` (over pixels, up to symmetries), ``validation/ratio`` (the latter over
    that of the zero predictor) and ``learning_rate`` (of the following epoch).

    All arguments are plain values, so that checkpoints load with ``weights_only=True``; `fit` takes
    them from `TrainSettings`, which checks them.

    Args:
        network: Name, see `build_network`.
        object_shape: N per axis.
        measurement_shape: M per axis.
        options: Keyword arguments of the network.
        loss: ``"mse"`` or ``"sa_mse"``.
        learning_rate: Adam's first step size.
        min_learning_rate: Training ends when the rate arrives here.
        factor: The rate is multiplied by it on a plateau.
        patience: Epochs in a row without a better validation SA-MSE that are borne; the rate falls
            after one more. Better is what is lower by more than 1e-4 of the best so far.
        final_from: The epoch, counted from 0, from which on the rate is a tenth; None for none.
        final_loss: The loss from that epoch on; None for ``loss``.
        seed: Of dropout; that of the weights is PyTorch's own.

    Raises:
        ValueError: The network does not take the sizes or options.
    """

    def __init__(
        self,
        network: str,
        object_shape: list[int],
        measurement_shape: list[int],
        options: dict[str, Any],
        loss: str = "mse",
        learning_rate: float = 1e-3,
        min_learning_rate: float = 1e-5,
        factor: float = 0.3,
        patience: int = 10,
        final_from: int | None = None,
        final_loss: str | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.network = build_network(network, object_shape, measurement_shape, options)
        self._sums = torch.zeros(4, dtype=torch.float64)

    def forward(self, amplitude: Tensor) -> Tensor:
        """Estimate objects, complex ``(batch, *N)``, from amplitudes ``(batch, *M)``."""
        estimate: Tensor = self.network(amplitude)
        return estimate

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Seed dropout by epoch and batch, so that a resumed training repeats the other one."""
        seed = self.hparams["seed"]
        torch.manual_seed(mix(seed, self.current_epoch, batch_idx, self.global_rank))

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Loss of one batch."""
        amplitude, objects, _indices = batch
        estimate = self(amplitude)
        if self._loss() == "sa_mse":
            loss = sa_mse(estimate, objects, ndim=objects.dim() - 1)
        else:
            loss = functional.mse_loss(torch.view_as_real(estimate), torch.view_as_real(objects))
        # Summed over the processes where there are several.
        self.log(
            "train/loss",
            loss,
            on_step=False,
            on_epoch=True,
            sync_dist=True,
            batch_size=len(objects),
        )
        return loss

    def _loss(self) -> str:
        """Which loss this epoch has."""
        final, other = self.hparams["final_from"], self.hparams["final_loss"]
        is_final = final is not None and self.current_epoch >= final
        name: str = other if is_final and other else self.hparams["loss"]
        return name

    def on_validation_epoch_start(self) -> None:
        """Begin the sums anew: SA-MSE, MSE, the zero predictor's SA-MSE, items."""
        self._sums = torch.zeros(4, dtype=torch.float64, device=self.device)

    def validation_step(self, batch: Batch, _: int) -> None:
        """Add the errors of one batch; padded items (negative index) do not count."""
        amplitude, objects, indices = batch
        counted = (indices >= 0).to(self.device)
        estimate, objects = self(amplitude)[counted], objects[counted]
        if len(objects):
            grid = tuple(range(1, objects.dim()))
            errors = sa_mse(estimate, objects, ndim=len(grid), reduction="none").double()
            mse = (estimate - objects).abs().double().square().mean(grid) / 2
            zero = objects.abs().double().square().mean(grid)
            ones = torch.ones_like(zero)
            self._sums += torch.stack([errors, mse, zero, ones]).sum(1)

    def on_validation_epoch_end(self) -> None:
        """Log the means, lower the learning rate on a plateau, end at the lowest."""
        sums: Any = self.trainer.strategy.reduce(self._sums, reduce_op="sum")
        error, mse, zero, count = sums.tolist()
        # Here and not after the epoch, as Lightning would: the checkpoint of this epoch then holds
        # the state after it, and a resumed training continues exactly.
        rate = self._next_rate(error / count)
        values = {
            MONITOR: error / count,
            "validation/mse": mse / count,
            "validation/ratio": error / zero if zero else float("nan"),
            "learning_rate": rate,
        }
        self.log_dict(values, sync_dist=True, batch_size=1)

    def _next_rate(self, error: float) -> float:
        """Set the rate of the next epoch, or end the training; give it back."""
        optimizer: Any = self.optimizers()
        scheduler: Any = self.lr_schedulers()
        final, following = self.hparams["final_from"], self.current_epoch + 1
        if final is None or following <= final:
            scheduler.step(error)
            if scheduler.get_last_lr()[0] <= self.hparams["min_learning_rate"]:
                self.trainer.should_stop = True
            elif following == final:
                for group in optimizer.param_groups:
                    group["lr"] *= FINAL_FACTOR
        rate: float = optimizer.param_groups[0]["lr"]
        return rate

    def lr_scheduler_step(self, scheduler: Any, metric: Any) -> None:
        """Nothing: `on_validation_epoch_end` has done it."""

    def configure_optimizers(self) -> Any:
        """Adam, its rate lowered when the validation SA-MSE no longer falls."""
        optimizer = torch.optim.Adam(self.parameters(), lr=self.hparams["learning_rate"])
        scheduler = ReduceLROnPlateau(
            optimizer,
            factor=self.hparams["factor"],
            patience=self.hparams["patience"],
            min_lr=self.hparams["min_learning_rate"],
            eps=0.0,  # a small last reduction is one too
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "monitor": MONITOR, "interval": "epoch"},
        }
