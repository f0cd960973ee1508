"""Tiny training problems for the tests of learning: random blobs of 16 x 16."""

import torch
from conftest import SEED, blob

from symbreak.learning.datasets import make_pairs
from symbreak.learning.settings import TrainSettings


def objects(count, size=16):
    generator = torch.Generator().manual_seed(SEED)
    return blob((count, size, size), dtype=torch.complex64, generator=generator)


def problem(train=20, validation=9, **choices):
    """Broken training pairs, raw validation pairs, settings of a tiny UNet."""
    x = objects(train + validation)
    values = {"options": {"width": 4}, "batch": 8, "max_epochs": 4, "accelerator": "cpu"}
    return (
        TrainSettings(**{**values, **choices}),
        make_pairs(x[:train], broken=True),
        make_pairs(x[train:]),
    )
