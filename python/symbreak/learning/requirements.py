"""A clear message where the packages or the devices for training are missing."""

from __future__ import annotations

import os
from importlib.util import find_spec

import torch

from symbreak.learning.settings import TrainSettings


def require_training() -> None:
    """Raise ImportError, with the command that helps, unless training is possible here."""
    for package in ("lightning", "tensorboard"):
        if find_spec(package) is None:
            raise ImportError(f"training needs {package}: pip install 'symbreak[train]'.")


def check_devices(settings: TrainSettings) -> None:
    """Raise ValueError unless the devices that are asked for are there; Lightning's own is long."""
    gpus = torch.cuda.device_count() or int(torch.backends.mps.is_available())
    if settings.accelerator == "gpu" and not gpus:
        raise ValueError(
            "fit: accelerator must be auto or cpu, got 'gpu', of which PyTorch sees none here."
        )
    if settings.accelerator != "cpu" and 0 < gpus < settings.devices:
        raise ValueError(
            f"fit: devices must be at most {gpus}, as many GPUs as PyTorch sees here, got "
            f"{settings.devices}."
        )
    # Each is a process that holds PyTorch and the network: hundreds take a machine down. Two are
    # for trying.
    most = max(os.cpu_count() or 1, 2)
    if (settings.accelerator == "cpu" or not gpus) and settings.devices > most:
        raise ValueError(
            f"fit: devices must be at most {most}, a process for every core of this machine, got "
            f"{settings.devices}."
        )
