"""An object, its three symmetry copies, and their equal Fourier amplitudes (the paper's Fig. 1)."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

import symbreak
from symbreak.data import crystals
from symbreak.data.files.atomic import replacing


class Copies(NamedTuple):
    """The object first, then moved, conjugate-flipped and turned in phase."""

    names: tuple[str, ...]
    objects: Tensor
    """complex64 ``(4, N, N)``."""
    amplitudes: Tensor
    """float32 ``(4, 2N, 2N)``."""
    difference: Tensor
    """Largest difference to the first amplitude, over the latter's maximum; float64 ``(4,)``."""


def symmetries(size: int = 64, seed: int = 0) -> Copies:
    """Make the copies of one simulated crystal; the flip is visible, the window holds all."""
    x = symbreak.center(crystals(1, size, seed)[0]).object
    box = (x != 0).nonzero()
    room = ((size - (box.amax(0) - box.amin(0) + 1)) // 2).clamp(max=size // 6)
    objects = torch.stack(
        [
            x,
            symbreak.apply_symmetry(x, shift=-room),
            symbreak.apply_symmetry(x, flipped=torch.tensor(True)),
            symbreak.apply_symmetry(x, phase=torch.tensor(math.pi / 2)),
        ]
    )
    amplitudes = symbreak.fourier_amplitude(objects)
    gap = (amplitudes - amplitudes[0]).abs().flatten(1).amax(1).double() / amplitudes[0].max()
    return Copies(("object", "moved", "conjugate flip", "phase + π/2"), objects, amplitudes, gap)


def write_symmetries(folder: Path, size: int = 64, seed: int = 0) -> Copies:
    """Make the copies and write ``symmetries.csv`` (the differences) and ``symmetries.png``."""
    from symbreak.plotting import save
    from symbreak.plotting.symmetries import symmetries_figure

    folder.mkdir(parents=True, exist_ok=True)
    copies = symmetries(size, seed)
    with replacing(folder / "symmetries.csv") as part, part.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["copy", "relative amplitude difference"])
        writer.writerows(zip(copies.names, copies.difference.tolist(), strict=True))
    save(symmetries_figure(*copies), folder / "symmetries.png")
    return copies
