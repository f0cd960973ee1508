"""What `symbreak demo` works on: a crystal's noisy pattern, and copies of a few crystals."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

import symbreak
from symbreak.data import beamstop, crystals, poisson_amplitude
from symbreak.data.files.hdf5 import new_hdf5

SIZE, OVERSAMPLED = 64, 128
PHOTONS = 1e8
BEAMSTOP = 1.5


class Measurement(NamedTuple):
    """A simulated measurement and the object it was made of."""

    truth: Tensor
    """complex64 ``(128, 128)``: the crystal on the measurement's grid."""
    counts: Tensor
    """Photons, float32 ``(128, 128)``, DC at index 0."""
    valid: Tensor
    """bool ``(128, 128)``: False under the beamstop."""


def measure(seed: int) -> Measurement:
    """Simulate the far field of one crystal as a photon-counting detector sees it."""
    crystal = crystals(1, SIZE, seed)[0]
    truth = torch.zeros(OVERSAMPLED, OVERSAMPLED, dtype=torch.complex64)
    truth[:SIZE, :SIZE] = crystal
    amplitude = symbreak.fourier_amplitude(crystal, oversampling=2)
    scale = math.sqrt(PHOTONS / float(amplitude.double().square().sum()))
    counts = poisson_amplitude(amplitude * scale, PHOTONS, seed).square().round()
    valid = beamstop((OVERSAMPLED, OVERSAMPLED), BEAMSTOP)
    return Measurement(symbreak.center(truth * scale).object, counts, valid)


def write_measurement(path: Path, measured: Measurement) -> None:
    """Write what a beamline's file would hold: counts, DC in the middle, and a detector mask."""
    counts = np.fft.fftshift(measured.counts.numpy()).astype(np.uint32)
    mask = np.fft.fftshift(~measured.valid.numpy()).astype(np.uint8)
    with new_hdf5(path) as file:
        file["entry/data"] = np.where(mask, 0, counts).astype(np.uint32)
        file["entry/mask"] = mask


def symmetric_copies(kinds: int, copies: int, seed: int) -> Tensor:
    """Crystals, each several times: moved, half of them flipped, all with a random phase.

    Returns:
        complex64 ``(kinds * copies, 64, 64)``, copies of one crystal next to each other.
    """
    generator = torch.Generator().manual_seed(seed)
    count = kinds * copies
    objects = symbreak.center(crystals(kinds, SIZE, seed, first=10)).object
    room = (SIZE - torch.stack([_extent(x) for x in objects])) // 2  # (kinds, 2)
    where = torch.rand(kinds, copies, 2, generator=generator) * 2 - 1
    return symbreak.apply_symmetry(
        objects.repeat_interleave(copies, dim=0),
        shift=(where * room[:, None]).round().long().reshape(count, 2),
        flipped=torch.rand(count, generator=generator) < 0.5,
        phase=(torch.rand(count, generator=generator) * 2 - 1) * math.pi,
    )


def _extent(x: Tensor) -> Tensor:
    """Side lengths of the bounding box of the content."""
    spans = [(x != 0).any(dim=1 - axis).nonzero().flatten() for axis in (0, 1)]
    return torch.stack([span[-1] - span[0] + 1 for span in spans])
