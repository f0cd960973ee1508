"""Errors of estimates and of networks: MSE and SA-MSE, beside those of the zero predictor."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from symbreak import sa_mse
from symbreak.learning.datasets import PairSource

BATCH = 256


@dataclass(frozen=True)
class Evaluation:
    """Mean errors of a set of estimates."""

    mse: float
    """Mean over pixels and both channels (real, imaginary) of |estimate - object|^2."""
    sa_mse: float
    """Mean over pixels of |estimate - object|^2 up to translation, conjugate flip and phase."""
    zero_mse: float
    """`mse` of the zero predictor: half the mean of |object|^2."""
    zero_sa_mse: float
    """`sa_mse` of the zero predictor: the mean of |object|^2."""
    items: Tensor
    """`sa_mse` of every item, float64 ``(items,)``."""

    @property
    def mse_ratio(self) -> float:
        """`mse` as a fraction of the zero predictor's."""
        return self.mse / self.zero_mse if self.zero_mse else float("nan")

    @property
    def sa_mse_ratio(self) -> float:
        """`sa_mse` as a fraction of the zero predictor's."""
        return self.sa_mse / self.zero_sa_mse if self.zero_sa_mse else float("nan")


@torch.inference_mode()
def predict(network: nn.Module, amplitude: Tensor, *, batch: int = BATCH) -> Tensor:
    """Estimate objects from amplitudes, batch by batch.

    Args:
        network: Maps ``(batch, *M)`` to complex ``(batch, *N)``; used in its own mode (call
            ``eval()`` before) and on its own device.
        amplitude: Real ``(items, *M)``, at least one item, on any device.
        batch: Items at a time.

    Returns:
        Complex ``(items, *N)`` on the device of ``amplitude``. Not differentiable.

    Raises:
        ValueError: ``batch`` is not an integer >= 1, or the network takes other sizes.
    """
    _check_batch("predict", batch)
    parameter = next(network.parameters())
    parts = [
        network(part.to(parameter.device, parameter.dtype)).to(amplitude.device)
        for part in torch.split(amplitude, batch)
    ]
    return torch.cat(parts)


def _check_batch(function: str, batch: int) -> None:
    if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
        raise ValueError(f"{function}: batch must be an integer >= 1, got {batch!r}.")


@torch.inference_mode()
def compare(estimate: Tensor, objects: Tensor, *, wrap: bool = False) -> Evaluation:
    """Measure estimates against the true objects.

    Args:
        estimate: Complex ``(items, *grid)``, 2 or 3 dimensions.
        objects: Same shape, dtype and device.
        wrap: The grid is periodic, see `symbreak.align`.
    """
    grid = tuple(range(1, objects.dim()))
    items = sa_mse(estimate, objects, wrap=wrap, ndim=len(grid), reduction="none").double()
    mse = (estimate - objects).abs().double().square().mean() / 2
    power = float(objects.abs().double().square().mean())
    return Evaluation(float(mse), float(items.mean()), power / 2, power, items.cpu())


def evaluate(network: nn.Module, pairs: PairSource, *, batch: int = BATCH) -> Evaluation:
    """Measure a network on pairs, in evaluation mode, which is then left as it was.

    Args:
        network: See `predict`.
        pairs: Read ``batch`` at a time, so a file may be larger than the memory.
        batch: Items at a time.

    Raises:
        ValueError: There are no pairs, or the network takes other sizes.
    """
    _check_batch("evaluate", batch)
    if not len(pairs):
        raise ValueError("evaluate: there are no pairs.")
    training = network.training
    network.eval()
    found, sizes = [], []
    try:
        for start in range(0, len(pairs), batch):
            indices = range(start, min(start + batch, len(pairs)))
            amplitude, objects, _ = pairs.__getitems__(indices)
            found.append(compare(predict(network, amplitude, batch=batch), objects))
            sizes.append(len(indices))
    finally:
        network.train(training)

    def mean(name: str) -> float:
        total = sum(getattr(e, name) * n for e, n in zip(found, sizes, strict=True))
        return float(total / sum(sizes))

    items = torch.cat([e.items for e in found])
    return Evaluation(mean("mse"), mean("sa_mse"), mean("zero_mse"), mean("zero_sa_mse"), items)


def embed(objects: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Put objects ``(items, *N)`` at the origin of a larger grid: ``(items, *shape)``, zeros."""
    grid = tuple(objects.shape[1:])
    if len(shape) != len(grid) or any(m < n for n, m in zip(grid, shape, strict=True)):
        raise ValueError(f"embed: shape must be >= the grid {grid} on every axis, got {shape}.")
    padding = []
    for n, m in zip(reversed(objects.shape[1:]), reversed(shape), strict=True):
        padding += [0, m - n]
    return functional.pad(objects, padding)
