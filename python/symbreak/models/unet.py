"""UNet: the convolutional encoder-decoder of CDI-NN for any size, with optional skips and norms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, get_args

import torch
from torch import nn

from symbreak.models.inputs import (
    Scaling,
    check_scaling,
    check_sizes,
    network_input,
    to_complex,
)
from symbreak.ops.checks import check_flag, shown
from symbreak.ops.numbers import whole

Norm = Literal["none", "batch", "instance", "group"]

# Stages go on until the smallest axis has this many pixels, as in CDI-NN (32 -> 4).
BOTTLENECK = 4
# With more left, because of odd sizes, the network sees too little of the pattern at a time.
SHALLOW = 32
# Channels per group of norm="group".
GROUP = 8

CONV: dict[int, Any] = {2: nn.Conv2d, 3: nn.Conv3d}
POOL: dict[int, Any] = {2: nn.MaxPool2d, 3: nn.MaxPool3d}
BATCH: dict[int, Any] = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
INSTANCE: dict[int, Any] = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}


class UNet(nn.Module):
    """Encoder-decoder from the amplitude on M to the object on N.

    Per down stage two 3x3 convolutions with ReLU and a 2x max-pooling; per up stage two and a
    nearest-neighbour 2x upsampling; a last 3x3 convolution, linear. The channels double from
    stage to stage. With M = 2N there is one down stage more than up stages.

    Source: CDI-NN, Cherukara, Nashed, Harder, Sci. Rep. 8, 16520 (2018), which has no skips, no
    normalisation and one network per real channel: ``UNet(32, 32, complex_output=False,
    norm="none")`` has its 720,321 parameters. Its sigmoid is left out: real and imaginary parts
    have both signs.

    Args:
        object_shape: N, per axis (2 or 3 axes) or one number for a square.
        measurement_shape: M in the same way, N times the same power of two on every axis; None
            for 2N.
        depth: Down stages; None for as many as leave at least 4 pixels on the smallest axis and
            divide every axis. M must be a multiple of 2**depth.
        width: Channels of the first stage.
        max_width: Cap on the channels of a stage.
        skips: Whether to concatenate the encoder's features to the decoder's of the same size.
        norm: Normalisation between convolution and ReLU: none, batch, instance or group (8
            channels each). All but the first are affine.
        scaling: Scaling of the input, see `network_input`: none, unit or log.
        complex_output: False leaves one real output channel.

    Raises:
        TypeError: ``skips`` or ``complex_output`` is neither True nor False.
        ValueError: An argument is out of its range or the sizes do not divide.

    Example:
        >>> network = symbreak.models.UNet(32, width=4)  # patterns of 64 x 64, objects of 32 x 32
        >>> network(torch.rand(5, 64, 64)).shape
        torch.Size([5, 32, 32])
    """

    def __init__(
        self,
        object_shape: int | Sequence[int],
        measurement_shape: int | Sequence[int] | None = None,
        *,
        depth: int | None = None,
        width: int = 32,
        max_width: int = 512,
        skips: bool = False,
        norm: Norm = "batch",
        scaling: Scaling = "unit",
        complex_output: bool = True,
    ) -> None:
        super().__init__()
        self.object_shape, self.measurement_shape = check_sizes(
            "UNet", object_shape, measurement_shape
        )
        check_scaling("UNet", scaling)
        skips = check_flag("UNet", "skips", skips)
        complex_output = check_flag("UNet", "complex_output", complex_output)
        if not isinstance(norm, str) or norm not in get_args(Norm):
            raise ValueError(
                f"UNet: norm must be one of {', '.join(get_args(Norm))}, got {shown(norm)}."
            )
        width, max_width = _width("width", width, norm), _width("max_width", max_width, norm)
        down, up = _stages(self.object_shape, self.measurement_shape, depth)
        self.scaling, self.skips, self.complex_output = scaling, skips, complex_output
        ndim = len(self.object_shape)
        widths = [min(width * 2**k, max_width) for k in range(down)]
        self.pool = POOL[ndim](2)
        self.upsample = nn.Upsample(scale_factor=2, mode="nearest")
        channels = 1
        self.encoder = nn.ModuleList()
        for stage_width in widths:
            self.encoder.append(_stage(ndim, channels, stage_width, norm))
            channels = stage_width
        self.decoder = nn.ModuleList()
        for stage_width in reversed(widths[down - up :]):
            self.decoder.append(_stage(ndim, channels, stage_width, norm))
            channels = 2 * stage_width if skips else stage_width
        self.head = CONV[ndim](channels, 2 if complex_output else 1, 3, padding=1)

    def channels(self, amplitude: torch.Tensor) -> torch.Tensor:
        """Estimate the object as channels, the real and the imaginary part.

        Args:
            amplitude: As in `forward`.

        Returns:
            Real ``(batch, 2, *N)``; ``(batch, 1, *N)`` with ``complex_output=False``.

        Raises:
            TypeError: ``amplitude`` is not of the parameters' floating type.
            ValueError: ``amplitude`` has another shape, or is on another device.
        """
        image = network_input(
            "UNet", amplitude, self.measurement_shape, self.scaling, self.head.weight
        )
        features = []
        for stage in self.encoder:
            image = stage(image)
            features.append(image)
            image = self.pool(image)
        for stage in self.decoder:
            image = self.upsample(stage(image))
            feature = features.pop()
            if self.skips:
                image = torch.cat([image, feature], dim=1)
        output: torch.Tensor = self.head(image)
        return output

    def forward(self, amplitude: torch.Tensor) -> torch.Tensor:
        """Estimate the object.

        Args:
            amplitude: ``(batch, *M)`` or ``(batch, 1, *M)``, DC at index 0, of the parameters'
                floating type and on their device.

        Returns:
            Complex64 (of float64 parameters complex128) ``(batch, *N)``; with
            ``complex_output=False`` real, of the parameters' type. Differentiable.

        Raises:
            TypeError: ``amplitude`` is not of the parameters' floating type.
            ValueError: ``amplitude`` has another shape, or is on another device.
        """
        output = self.channels(amplitude)
        return to_complex(output) if self.complex_output else output[:, 0]


def _stages(
    object_shape: tuple[int, ...], measurement_shape: tuple[int, ...], depth: int | None
) -> tuple[int, int]:
    """Return the numbers of down and of up stages."""
    factors = {m / n for m, n in zip(measurement_shape, object_shape, strict=True)}
    extra = math.log2(min(factors))
    if len(factors) > 1 or not extra.is_integer() or extra < 0:
        raise ValueError(
            "UNet: measurement_shape must be object_shape times one power of two, got "
            f"{measurement_shape} and {object_shape}."
        )
    halvings = 0
    while all(m % 2 ** (halvings + 1) == 0 for m in measurement_shape):
        halvings += 1
    if depth is None:
        room = int(math.log2(max(min(measurement_shape) / BOTTLENECK, 1)))
        depth = min(halvings, room)
        if depth < 1 or depth < extra:
            raise ValueError(
                "UNet: measurement_shape must halve at least "
                f"{max(1, int(extra))} times down to {BOTTLENECK} pixels or more, "
                f"got {measurement_shape}."
            )
        left = min(measurement_shape) // 2**depth
        if left > SHALLOW:
            raise ValueError(
                f"UNet: measurement_shape halves {depth} times only and leaves {left} pixels, of "
                f"which kernels of 3 see too few, got {measurement_shape}. Pad it to more factors "
                "of 2, or give depth."
            )
        return depth, depth - int(extra)
    stages = whole(depth)
    if stages is None or not max(1, extra) <= stages <= halvings:
        raise ValueError(
            f"UNet: depth must be an integer within [{max(1, int(extra))}, {halvings}] for "
            f"{measurement_shape} to {object_shape}, got {depth!r}."
        )
    return stages, stages - int(extra)


def _width(name: str, given: int, norm: Norm) -> int:
    """Check a number of channels; group norm shares them out evenly."""
    value = whole(given)
    if value is None or value < 1 or (norm == "group" and value % GROUP):
        need = f"a positive multiple of {GROUP}" if norm == "group" else "an integer >= 1"
        raise ValueError(f"UNet: {name} must be {need}, got {shown(given)}.")
    return value


def _stage(ndim: int, channels_in: int, channels_out: int, norm: Norm) -> nn.Sequential:
    """Two convolutions of width 3, each with its normalisation and a ReLU."""
    layers: list[nn.Module] = []
    for channels in (channels_in, channels_out):
        layers.append(CONV[ndim](channels, channels_out, 3, padding=1))
        if norm == "batch":
            layers.append(BATCH[ndim](channels_out))
        elif norm == "instance":
            layers.append(INSTANCE[ndim](channels_out, affine=True))
        elif norm == "group":
            layers.append(nn.GroupNorm(channels_out // GROUP, channels_out))
        layers.append(nn.ReLU())
    return nn.Sequential(*layers)
