"""Standardise: every pixel of the input to mean 0 and deviation 1 over the training items."""

from __future__ import annotations

import torch
from torch import nn

# Least variance of a pixel, as a fraction of the mean over pixels: one that never changes is noise.
FLOOR = 1e-6
TINY = 1e-30


class Standardise(nn.Module):
    """Subtract the mean and divide by the standard deviation of every pixel, without parameters.

    In training mode both are first brought up to date with the batch: they are those of all items
    seen so far, repeated or not, so one epoch suffices and a batch of one item is no exception. In
    evaluation mode they stay; before any training the input passes unchanged. They are buffers, so
    checkpoints hold them.

    Diffraction needs it: at the centre of a pattern the amplitude is hundreds of times that at its
    edge, and a fully connected layer would see little else (``docs/experiments/choices.md``).

    Args:
        shape: Of one item.
    """

    mean: torch.Tensor
    variance: torch.Tensor
    count: torch.Tensor

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("variance", torch.ones(shape))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map real ``(batch, *shape)`` to the same shape and dtype."""
        if self.training:
            with torch.no_grad():
                self._update(image.detach().to(self.mean.dtype))
        variance = self.variance + FLOOR * self.variance.mean() + TINY
        return (image - self.mean.to(image.dtype)) * variance.rsqrt().to(image.dtype)

    def _update(self, image: torch.Tensor) -> None:
        """Join the mean and variance of a batch to those of the items before (Chan et al. 1979)."""
        total = self.count + len(image)
        share = (len(image) / total).to(self.mean.dtype)
        step = image.mean(0) - self.mean
        within = image.var(0, correction=0) - self.variance
        # While nothing was seen, share is 1 and what stood there drops out.
        self.variance += share * within + share * (1 - share) * step.square()
        self.mean += share * step
        self.count.copy_(total)
