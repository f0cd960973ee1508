"""Errors of estimates and of networks: MSE and SA-MSE, beside those of the zero predictor."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from symbreak import sa_mse
from symbreak.data.streaming.chunks import Arrays, Fitting
from symbreak.learning.datasets import PairSource
from symbreak.ops.checks import check_integer, check_shape, check_tensor

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
            ``eval()`` before), on its own device and in the type of its first parameter.
        amplitude: Real ``(items, *M)``, DC at index 0, on any device; it is brought to the
            network's type.
        batch: Items at a time, >= 1.

    Returns:
        Complex ``(items, *N)`` on the device of ``amplitude``. Not differentiable.

    Raises:
        TypeError: ``amplitude`` is no tensor.
        ValueError: ``batch`` is not an integer >= 1, the network takes other sizes, or it has no
            parameters to tell its device by.

    Memory: what the network needs for a batch, and the result.
    """
    batch = check_integer("predict", "batch", batch, 1)
    check_tensor("predict", "amplitude", amplitude)
    parameter = next(network.parameters(), None)
    if parameter is None:
        raise ValueError("predict: network must have parameters, got none.")
    parts = [
        network(part.to(parameter.device, parameter.dtype)).to(amplitude.device)
        for part in torch.split(amplitude, batch)
    ]
    return torch.cat(parts)


@torch.inference_mode()
def compare(estimate: Tensor, objects: Tensor, *, wrap: bool = False) -> Evaluation:
    """Measure estimates against the true objects.

    Args:
        estimate: Complex ``(items, *grid)``, 2 or 3 dimensions.
        objects: Same shape, dtype and device.
        wrap: Whether the grid is periodic, see `symbreak.align`.

    Returns:
        Evaluation: Means over the items, and the SA-MSE of each. Not differentiable.

    Raises:
        TypeError: ``estimate`` or ``objects`` is no complex tensor, the dtypes differ, or ``wrap``
            is neither True nor False.
        ValueError: The shapes or devices differ, or there are no items.
    """
    check_tensor("compare", "objects", objects)
    if objects.dim() not in (3, 4) or not len(objects):
        raise ValueError(
            "compare: objects must be (items, *grid) in 2 or 3 dimensions, at least one, got shape "
            f"{tuple(objects.shape)}."
        )
    return _mean(_errors(estimate, objects, wrap))


def _errors(estimate: Tensor, objects: Tensor, wrap: bool) -> dict[str, NDArray[np.float64]]:
    """Errors of every item, and its mean square."""
    grid = tuple(range(1, objects.dim()))
    errors = {
        "sa_mse": sa_mse(estimate, objects, wrap=wrap, ndim=len(grid), reduction="none").double(),
        "mse": (estimate - objects).abs().double().square().mean(grid) / 2,
        "power": objects.abs().double().square().mean(grid),
    }
    return {name: value.cpu().numpy() for name, value in errors.items()}


def _mean(errors: Mapping[str, NDArray[np.float64]]) -> Evaluation:
    mse, error, power = (float(errors[name].mean()) for name in ("mse", "sa_mse", "power"))
    return Evaluation(mse, error, power / 2, power, torch.from_numpy(errors["sa_mse"]))


def evaluate(
    network: nn.Module,
    pairs: PairSource,
    *,
    batch: int = BATCH,
    say: Callable[[str], None] = warnings.warn,
) -> Evaluation:
    """Measure a network on pairs, in evaluation mode, which is then left as it was.

    Args:
        network: See `predict`.
        pairs: Read ``batch`` at a time, so a file may be larger than the memory.
        batch: Items at a time, >= 1; fewer where the device lacks the memory for them.
        say: Called with a line where that happens.

    Returns:
        Evaluation: Means over the pairs, and the SA-MSE of each. Not differentiable.

    Raises:
        ValueError: There are no pairs, ``batch`` is not an integer >= 1, or the network takes other
            sizes.
    """
    batch = check_integer("evaluate", "batch", batch, 1)
    if not len(pairs):
        raise ValueError("evaluate: there are no pairs.")

    @torch.inference_mode()
    def errors(part: Arrays) -> dict[str, NDArray[np.float64]]:
        objects = part["object"]
        return _errors(predict(network, part["amplitude"], batch=batch), objects, wrap=False)

    fitting, found = Fitting(errors), []
    training = network.training
    network.eval()
    try:
        for start in range(0, len(pairs), batch):
            indices = range(start, min(start + batch, len(pairs)))
            amplitude, objects, _ = pairs.__getitems__(indices)
            done = fitting({"amplitude": amplitude, "object": objects})
            found.append(done.arrays)
            for line in done.notes:
                say(line)
    finally:
        network.train(training)
    return _mean({name: np.concatenate([f[name] for f in found]) for name in found[0]})


def embed(objects: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Put objects at the origin of a larger grid, black around them.

    Args:
        objects: ``(items, *N)``, any dtype and device.
        shape: M per axis, each at least N.

    Returns:
        Tensor: ``(items, *shape)``, a copy. Differentiable.

    Raises:
        TypeError: ``objects`` is no tensor, or ``shape`` not integers.
        ValueError: ``shape`` has another number of axes, or is smaller than the grid.
    """
    check_tensor("embed", "objects", objects)
    grid = tuple(objects.shape[1:])
    padding = []
    for n, m in zip(reversed(grid), reversed(check_shape("embed", shape, grid)), strict=True):
        padding += [0, m - n]
    return functional.pad(objects, padding)
