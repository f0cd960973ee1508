"""SiSPRNet: a multilayer perceptron to a coarse image, then residual attention and upsampling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from symbreak.models.inputs import (
    Scaling,
    check_scaling,
    check_sizes,
    network_input,
    to_complex,
)
from symbreak.models.standardise import Standardise
from symbreak.ops.checks import check_flag, check_integer, shown
from symbreak.ops.numbers import is_number

# The perceptron's image has at most this many pixels per axis and at least MIN_SEED: the attention
# pools by 8.
SEED, MIN_SEED = 32, 8


class SiSPRNet(nn.Module):
    """Perceptron and upsampling network from the amplitude on M to the object on N, 2D.

    The flattened amplitude goes through three fully connected layers to a coarse image of
    N / 2**stages pixels per axis; then per stage a residual block with self-attention and a 2x
    pixel shuffle; two convolutions give the real and imaginary channels.

    Source: Ye, Wang, Lun, Opt. Express 30, 31937 (2022), there from 128 x 128 to 128 x 128 with
    two stages: ``SiSPRNet(128, 128)`` has its 19,256,469 parameters.

    Args:
        object_shape: N, two numbers or one for a square, multiples of 2**stages.
        measurement_shape: M in the same way, any size; None for 2N.
        stages: Doublings after the perceptron, >= 1, leaving at least 8 pixels per axis; None for
            as few as leave at most 32.
        hidden: Width of the first two layers, >= 1.
        dropout: Probability of dropping a value after the first layer, in [0, 1).
        scaling: Scaling of the input, see `network_input`: none, unit or log.
        standardise: Whether to bring then every pixel to mean 0 and deviation 1 over the training
            items, see `Standardise`.

    Raises:
        TypeError: ``standardise`` is neither True nor False.
        ValueError: An argument is out of its range or the sizes do not divide.

    Example:
        >>> network = symbreak.models.SiSPRNet(32, hidden=64)
        >>> network(torch.rand(5, 64, 64)).shape
        torch.Size([5, 32, 32])
    """

    def __init__(
        self,
        object_shape: int | Sequence[int],
        measurement_shape: int | Sequence[int] | None = None,
        *,
        stages: int | None = None,
        hidden: int = 1024,
        dropout: float = 0.2,
        scaling: Scaling = "unit",
        standardise: bool = True,
    ) -> None:
        super().__init__()
        self.object_shape, self.measurement_shape = check_sizes(
            "SiSPRNet", object_shape, measurement_shape
        )
        check_scaling("SiSPRNet", scaling)
        if len(self.object_shape) != 2:
            raise ValueError(f"SiSPRNet: object_shape must have 2 axes, got {self.object_shape}.")
        hidden = check_integer("SiSPRNet", "hidden", hidden, 1)
        if not is_number(dropout) or not 0.0 <= dropout < 1.0:
            raise ValueError(f"SiSPRNet: dropout must be in [0, 1), got {shown(dropout)}.")
        standardise = check_flag("SiSPRNet", "standardise", standardise)
        count, self.coarse_shape = _coarse(self.object_shape, stages)
        self.scaling = scaling
        self.standardise = Standardise((1, *self.measurement_shape)) if standardise else None
        self.perceptron = nn.Sequential(
            nn.Flatten(),
            nn.Linear(math.prod(self.measurement_shape), hidden),
            nn.PReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.PReLU(),
            nn.Linear(hidden, math.prod(self.coarse_shape)),
            nn.PReLU(),
        )
        # A pixel shuffle turns 4c channels into c; the published network ends with 64 -> 16.
        body: list[nn.Module] = [_conv_block(1, 32)]
        for k in range(count):
            body += [ResidualAttention(32, 64 if k == count - 1 else 128), nn.PixelShuffle(2)]
        body += [nn.Conv2d(16, 2, 3, padding=1), nn.PReLU(), nn.Conv2d(2, 2, 3, padding=1)]
        self.body = nn.Sequential(*body)
        self.apply(_initialise)

    def channels(self, amplitude: torch.Tensor) -> torch.Tensor:
        """Estimate the object as channels, the real and the imaginary part.

        Args:
            amplitude: As in `forward`.

        Returns:
            Real ``(batch, 2, *N)``.

        Raises:
            TypeError: ``amplitude`` is not of the parameters' floating type.
            ValueError: ``amplitude`` has another shape, or is on another device.
        """
        last: Any = self.body[-1]
        image = network_input(
            "SiSPRNet", amplitude, self.measurement_shape, self.scaling, last.weight
        )
        if self.standardise is not None:
            image = self.standardise(image)
        output: torch.Tensor = self.body(
            self.perceptron(image).unflatten(1, (1, *self.coarse_shape))
        )
        return output

    def forward(self, amplitude: torch.Tensor) -> torch.Tensor:
        """Estimate the object.

        Args:
            amplitude: ``(batch, *M)`` or ``(batch, 1, *M)``, DC at index 0, of the parameters'
                floating type and on their device.

        Returns:
            Complex64 (of float64 parameters complex128) ``(batch, *N)``. Differentiable.

        Raises:
            TypeError: ``amplitude`` is not of the parameters' floating type.
            ValueError: ``amplitude`` has another shape, or is on another device.
        """
        return to_complex(self.channels(amplitude))


class ResidualAttention(nn.Module):
    """Two convolution blocks, each with self-attention, beside a shortcut convolution block."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            _conv_block(channels_in, channels_out),
            SelfAttention(channels_out),
            _conv_block(channels_out, channels_out),
            SelfAttention(channels_out),
        )
        self.shortcut = _conv_block(channels_in, channels_out)
        self.activation = nn.PReLU()

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map ``(batch, channels_in, h, w)`` to ``(batch, channels_out, h, w)``."""
        output: torch.Tensor = self.activation(self.main(image) + self.shortcut(image))
        return output


class SelfAttention(nn.Module):
    """Attention of every 2 x 2 patch to every 8 x 8 patch, at half the channels.

    With u the 2 x 2 averages: softmax(theta(u)^T phi(v)) g(v), where phi and g are averaged over
    4 x 4 once more; no scaling of the product. Nothing is added: the shortcut is outside.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.theta = nn.Conv2d(channels, channels // 2, 1)
        self.phi = nn.Conv2d(channels, channels // 2, 1)
        self.g = nn.Conv2d(channels, channels // 2, 1)
        self.out = nn.Conv2d(channels // 2, channels, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map ``(batch, channels, h, w)`` to the same shape; h and w >= 8."""
        patches = functional.avg_pool2d(image, 2)
        query = self.theta(patches)
        key, value = (functional.avg_pool2d(conv(patches), 4) for conv in (self.phi, self.g))
        # Each (batch, pixels, channels / 2).
        q, k, v = (t.flatten(2).transpose(1, 2) for t in (query, key, value))
        mixed = functional.scaled_dot_product_attention(q, k, v, scale=1.0)
        output: torch.Tensor = self.out(mixed.transpose(1, 2).reshape(query.shape))
        return functional.interpolate(output, size=image.shape[2:], mode="nearest")


def _conv_block(channels_in: int, channels_out: int) -> nn.Sequential:
    """3 x 3 convolution, instance norm without parameters, PReLU."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, padding=1),
        nn.InstanceNorm2d(channels_out),
        nn.PReLU(),
    )


def _coarse(shape: tuple[int, ...], stages: int | None) -> tuple[int, tuple[int, ...]]:
    """Return the number of stages and the shape of the perceptron's image."""
    if stages is None:
        stages = max(1, math.ceil(math.log2(max(shape) / SEED)))
    stages = check_integer("SiSPRNet", "stages", stages, 1)
    if any(n % 2**stages or n // 2**stages < MIN_SEED for n in shape):
        raise ValueError(
            f"SiSPRNet: object_shape must be {MIN_SEED} or more times {2**stages} "
            f"(stages={stages}) on every axis, got {shape}."
        )
    return stages, tuple(n // 2**stages for n in shape)


def _initialise(module: nn.Module) -> None:
    """Kaiming-normal weights and zero biases, as published."""
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        nn.init.kaiming_normal_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
