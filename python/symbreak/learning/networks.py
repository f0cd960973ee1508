"""Build a network by its name, and load one from a training's checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from symbreak.models import SiSPRNet, UNet
from symbreak.ops.checks import shown

NETWORKS: dict[str, Callable[..., nn.Module]] = {"UNet": UNet, "SiSPRNet": SiSPRNet}
"""Classes by their names, to which others may be added, see docs/extending.md."""
PREFIX = "network."


def build_network(
    name: str,
    object_shape: Sequence[int],
    measurement_shape: Sequence[int],
    options: Mapping[str, Any] | None = None,
) -> nn.Module:
    """Build a network with random weights from PyTorch's global generator.

    Args:
        name: ``"UNet"``, ``"SiSPRNet"`` or one that you have put into ``NETWORKS``.
        object_shape: N per axis.
        measurement_shape: M per axis.
        options: Further keyword arguments of the network's class.

    Returns:
        The network in float32 on the CPU, in training mode.

    Raises:
        ValueError: There is no such network, or it does not take these sizes or options.
    """
    if not isinstance(name, str) or name not in NETWORKS:
        raise ValueError(
            f"build_network: name must be one of {', '.join(NETWORKS)}, got {shown(name)}."
        )
    try:
        return NETWORKS[name](object_shape, measurement_shape, **(options or {}))
    except TypeError as error:
        raise ValueError(f"build_network: {name} does not take these options: {error}.") from error


def load_network(path: str | Path) -> nn.Module:
    """Load a network from a checkpoint that `symbreak.learning.fit.fit` wrote.

    The file is read with ``weights_only=True``: it can hold no code. Lightning is not needed.

    Args:
        path: ``final.ckpt`` or ``best.ckpt`` of a training.

    Returns:
        The network on the CPU, in evaluation mode, its parameters without gradients.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not such a checkpoint.
    """
    checkpoint = read_checkpoint(path)
    try:
        parameters = checkpoint["hyper_parameters"]
        network = build_network(
            parameters["network"],
            parameters["object_shape"],
            parameters["measurement_shape"],
            parameters["options"],
        )
        weights = checkpoint["state_dict"].items()
        network.load_state_dict({k.removeprefix(PREFIX): v for k, v in weights})
    except (KeyError, TypeError, AttributeError, ValueError, RuntimeError) as error:
        said = " ".join(str(error).split())[:300]
        raise ValueError(f"{path}: not a checkpoint of symbreak ({said}).") from error
    return network.eval().requires_grad_(False)


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint to the CPU without running any code in it; see `load_network`.

    Args:
        path: The file.

    Returns:
        What Lightning keeps in it; ``hyper_parameters`` and ``state_dict`` at least.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not such a checkpoint.
    """
    wrong = f"{path}: not a checkpoint of symbreak"
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f"{wrong} ({type(error).__name__}).") from error
    if not isinstance(checkpoint, dict) or not {"hyper_parameters", "state_dict"} <= set(
        checkpoint
    ):
        raise ValueError(f"{wrong}.")
    return checkpoint
