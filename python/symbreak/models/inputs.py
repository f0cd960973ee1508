"""What the networks share: sizes, the scaling of the measured amplitude, the complex output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch

from symbreak.ops.checks import check_tensor, dtype_name, shown
from symbreak.ops.numbers import integers, whole

Scaling = Literal["none", "unit", "log"]


def check_sizes(
    network: str, object_shape: int | Sequence[int], measurement_shape: int | Sequence[int] | None
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return both shapes as tuples; the measurement's default is twice the object's.

    Args:
        network: Name for error messages.
        object_shape: N: pixels per axis, or one number for a square.
        measurement_shape: M in the same way, or None.

    Returns:
        N and M, tuples of the same length, 2 or 3.

    Raises:
        ValueError: Not positive integers, or of different lengths.
    """
    shapes = []
    double = object_shape if measurement_shape is None else measurement_shape
    for name, value in (("object_shape", object_shape), ("measurement_shape", double)):
        number = whole(value)
        shape = tuple(integers(value) or ()) if number is None else (number, number)
        if len(shape) not in (2, 3) or min(shape) < 1:
            raise ValueError(
                f"{network}: {name} must be a positive integer or 2 or 3 of them, got "
                f"{shown(value)}."
            )
        shapes.append(shape)
    if measurement_shape is None:
        shapes[1] = tuple(2 * n for n in shapes[0])
    if len(shapes[0]) != len(shapes[1]):
        raise ValueError(
            f"{network}: measurement_shape must have as many axes as object_shape {shapes[0]}, "
            f"got {shapes[1]}."
        )
    return shapes[0], shapes[1]


def check_scaling(network: str, scaling: str) -> None:
    """Raise ValueError unless ``scaling`` is one of `Scaling`."""
    if not isinstance(scaling, str) or scaling not in get_args(Scaling):
        raise ValueError(
            f"{network}: scaling must be one of {', '.join(get_args(Scaling))}, got "
            f"{shown(scaling)}."
        )


def network_input(
    network: str,
    amplitude: torch.Tensor,
    shape: tuple[int, ...],
    scaling: Scaling,
    weight: torch.Tensor | None = None,
) -> torch.Tensor:
    """Bring measured amplitudes into the form the networks see.

    DC moves from index 0 to the middle: a convolution with zero padding would otherwise see the
    centre of the pattern torn into the array's corners. The scalings, with P the pixels of M::

        none: a      unit: a / sqrt(sum a^2 / P) per item      log: log(1 + a)

    Args:
        network: Name for error messages.
        amplitude: Real, floating point, ``(batch, *M)`` or ``(batch, 1, *M)``, DC at index 0.
        shape: M.
        scaling: See above. An all-zero item stays zero.
        weight: One of the network's parameters, whose floating type and device the amplitude must
            have; under autocast any floating type but float64. None: not checked.

    Returns:
        ``(batch, 1, *M)``, dtype of ``amplitude``, DC in the middle.

    Raises:
        TypeError: ``amplitude`` is not floating point, or of another type than ``weight``.
        ValueError: ``amplitude`` has another shape, or is on another device than ``weight``.
    """
    check_tensor(network, "amplitude", amplitude)
    if not amplitude.is_floating_point():
        raise TypeError(f"{network}: amplitude must be floating point, got {amplitude.dtype}.")
    got = tuple(amplitude.shape)
    if got[1:] not in (shape, (1, *shape)):
        raise ValueError(f"{network}: amplitude must be (batch, *{shape}), got {got}.")
    if weight is not None:
        _check_like(network, amplitude, weight)
    image = amplitude.reshape(-1, 1, *shape)
    axes = tuple(range(2, image.ndim))
    if scaling == "unit":
        power = image.square().mean(dim=axes, keepdim=True)
        image = image * torch.where(power > 0, power, torch.ones_like(power)).rsqrt()
    elif scaling == "log":
        image = image.log1p()
    shifted: torch.Tensor = torch.fft.fftshift(image, dim=axes)
    return shifted


def _check_like(network: str, amplitude: torch.Tensor, weight: torch.Tensor) -> None:
    if amplitude.device != weight.device:
        raise ValueError(
            f"{network}: amplitude must be on the device of the network, {weight.device}, got "
            f"{amplitude.device}."
        )
    pair = (amplitude.dtype, weight.dtype)
    casts = torch.is_autocast_enabled(weight.device.type) and torch.float64 not in pair
    if amplitude.dtype != weight.dtype and not casts:
        raise TypeError(
            f"{network}: amplitude must be {dtype_name(weight.dtype)} as the network's parameters, "
            f"got {dtype_name(amplitude.dtype)}."
        )


def to_complex(channels: torch.Tensor) -> torch.Tensor:
    """Join real and imaginary channels, ``(batch, 2, *N)``, to a complex ``(batch, *N)``.

    Half precision (autocast) becomes complex64, as there is no complex bfloat16.
    """
    wide = channels if channels.dtype == torch.float64 else channels.float()
    return torch.complex(wide[:, 0].contiguous(), wide[:, 1].contiguous())
