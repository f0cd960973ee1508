"""What a checkpoint keeps of the training it is of, beside the network: its data and its steps."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from symbreak.learning.datasets import PairSource
from symbreak.learning.settings import TrainSettings

SAMPLES = 32
# Machines differ in rounding, which also turns a few ambiguous labels into their twins.
TOLERANCE, OTHERS = 1e-3, 0.25

Identity = dict[str, Any]


def identify(settings: TrainSettings, train: PairSource, validation: PairSource) -> Identity:
    """What a training that is gone on with has to have in common with itself.

    Args:
        settings: Of which the steps count: pairs per step, per epoch.
        train: Training pairs.
        validation: Validation pairs.

    Returns:
        Identity: Plain values, for a checkpoint.
    """
    return {
        "batch": settings.batch,
        "processes": settings.devices * settings.nodes,
        "epoch_items": settings.epoch_items,
        "train": _marks(train),
        "validation": _marks(validation),
    }


def differences(saved: Identity, here: Identity) -> list[str]:
    """What two trainings differ in.

    Args:
        saved: Of a checkpoint.
        here: What would go on.

    Returns:
        list[str]: Names of settings, ``train`` or ``validation``; empty where it is one training.
        As many pairs per step, shared by another number of processes, make no other one.
    """
    found = []
    if saved["batch"] * saved["processes"] != here["batch"] * here["processes"]:
        found += ["batch"] if saved["batch"] != here["batch"] else []
    found += ["epoch_items"] if saved["epoch_items"] != here["epoch_items"] else []
    return found + [k for k in ("train", "validation") if not _alike(saved[k], here[k])]


def _marks(pairs: PairSource) -> Identity:
    """How many pairs, and of some of them a few numbers; none where they change by themselves."""
    rows = torch.linspace(0, len(pairs) - 1, min(SAMPLES, len(pairs))).long().tolist()
    once, again = (_numbers(*pairs.__getitems__(rows)[:2]) for _ in range(2))
    return {"pairs": len(pairs), "items": once if once == again else []}


def _numbers(amplitude: Tensor, objects: Tensor) -> list[list[float]]:
    """Of every item three projections, and the two norms by which to compare them."""
    parts = torch.view_as_real(objects.detach().cpu().to(torch.complex128).flatten(1))
    magnitude = amplitude.detach().cpu().double().flatten(1)
    across = torch.linspace(-1, 2, parts.shape[1], dtype=torch.float64)
    waves = torch.linspace(-1, 2, magnitude.shape[1], dtype=torch.float64)
    columns = [*(parts * across[:, None]).sum(1).T, (magnitude * waves).sum(1)]
    norms = [parts.square().sum((1, 2)).sqrt(), magnitude.square().sum(1).sqrt()]
    sizes = [across.norm(), across.norm(), waves.norm()]
    scaled = [column / size for column, size in zip(columns, sizes, strict=True)]
    return torch.stack([*scaled, *norms], 1).tolist()


def _alike(saved: Identity, here: Identity) -> bool:
    if saved["pairs"] != here["pairs"]:
        return False
    if len(saved["items"]) != len(here["items"]) or not here["items"]:
        return True  # drawn anew at every look: there is nothing to compare
    a, b = (torch.tensor(marks["items"], dtype=torch.float64) for marks in (saved, here))
    size = torch.stack([a[:, 3], a[:, 3], a[:, 4], a[:, 3], a[:, 4]], 1)
    other = ((a - b).abs() > TOLERANCE * size).any(1)
    return bool(other.double().mean() <= OTHERS)
