"""How near crystals lie to the cut of a flip rule: distances in the object, rule by rule."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

import symbreak
from symbreak.data import crystals
from symbreak.data.files.atomic import replacing
from symbreak.reference.break_symmetry import RULES, low_frequencies

NEAR = (0.02, 0.05, 0.1)

# A number that the conjugate flip negates, from a centred object.
OddNumber = Callable[[Tensor], Tensor]


class Margins(NamedTuple):
    """Distances of one rule."""

    rule: str
    distance: Tensor
    """float64 ``(items,)``: to the cut, to first order, over the object's norm."""
    jump: Tensor
    """float64 ``(items,)``: squared distance of the object to its twin, over its squared norm."""

    def share(self, near: float) -> float:
        """Share of the objects nearer than ``near``."""
        return float((self.distance < near).double().mean())

    def weighted_share(self, near: float) -> float:
        """The same, each object counting by the jump its label would make at the cut."""
        return float(((self.distance < near) * self.jump).sum() / self.jump.sum())


def single(row: int, column: int) -> OddNumber:
    """Im g at one frequency, the phase of F x(0) taken off; (0, 1) is the angle rule."""

    def number(x: Tensor) -> Tensor:
        mean, ring = low_frequencies(x, 0.0, ((row, column),))
        odd: Tensor = (ring[0] * mean.conj()).imag / mean.abs() ** 2
        return odd

    return number


def rule_number(name: str) -> OddNumber:
    """The number of a rule of `symbreak.break_symmetry`."""
    return lambda x: RULES[name](*low_frequencies(x, 0.0))


CANDIDATES: dict[str, OddNumber] = {
    **{name: rule_number(name) for name in RULES},
    "Im g (0, 2)": single(0, 2),
    "Im g (0, 3)": single(0, 3),
    "Im g (1, 1)": single(1, 1),
}


def margins(count: int = 1000, size: int = 64, seed: int = 0) -> list[Margins]:
    """Measure every candidate on simulated crystals.

    A rule's own number does not compare with another's. What does is the way from the object to
    the rule's cut: to first order |L| / |grad L|, over the pixels of the object.
    """
    objects = symbreak.break_symmetry(crystals(count, size, seed).to(torch.complex128))
    chosen = objects.object[~objects.ambiguous]
    twins = symbreak.apply_symmetry(chosen, flipped=torch.ones(len(chosen), dtype=torch.bool))
    power = chosen.abs().square().flatten(1).sum(1)
    jump = (chosen - twins).abs().square().flatten(1).sum(1) / power
    found = []
    for name, number in CANDIDATES.items():
        distance = torch.stack([_distance(number, x) for x in chosen])
        found.append(Margins(name, distance / power.sqrt(), jump))
    return found


def _distance(number: OddNumber, x: Tensor) -> Tensor:
    x = x.clone().requires_grad_(True)
    odd = number(x)
    (gradient,) = torch.autograd.grad(odd, x)
    slope: Tensor = gradient.where(x != 0, 0).abs().square().sum().sqrt()
    return (odd.abs() / slope).detach()


def write_margins(folder: Path, count: int = 1000, size: int = 64, seed: int = 0) -> list[Margins]:
    """Measure, and write ``margins.csv`` and ``margins.png``."""
    from symbreak.plotting import save
    from symbreak.plotting.margins import margins_figure

    folder.mkdir(parents=True, exist_ok=True)
    found = margins(count, size, seed)
    with replacing(folder / "margins.csv") as part, part.open("w", newline="") as file:
        writer = csv.writer(file)
        heads = [f"share below {near}" for near in NEAR]
        writer.writerow(["rule", "median distance", *heads, *(f"weighted {h}" for h in heads)])
        for m in found:
            shares = [f(near) for f in (m.share, m.weighted_share) for near in NEAR]
            writer.writerow([m.rule, float(m.distance.median()), *shares])
    save(margins_figure({m.rule: (m.distance, m.jump) for m in found}), folder / "margins.png")
    return found
