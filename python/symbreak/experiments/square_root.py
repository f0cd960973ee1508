"""The square-root toy: y = x^2 learned from both signs, and from |x| (the paper's Fig. 2)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from symbreak.data.files.atomic import replacing
from symbreak.ops.numbers import keep_plain


@dataclass(frozen=True)
class SquareRoot:
    """Settings of the toy; the paper's values are lost."""

    dense: int = 100
    ultra_dense: int = 10000
    layers: int = 3
    hidden: int = 50
    epochs: int = 400
    batch: int = 100
    most_steps: int = 4000
    learning_rate: float = 3e-3
    seed: int = 0

    def __post_init__(self) -> None:
        """Keep NumPy's numbers as Python's."""
        keep_plain(self)


@dataclass(frozen=True)
class Panel:
    """One trained network on one training set."""

    title: str
    y: Tensor
    """Training inputs, ``(items,)``."""
    x: Tensor
    """Training labels, ``(items,)``."""
    grid: Tensor
    """Inputs in [0, 1] where the network is drawn."""
    learned: Tensor
    """Its outputs there."""

    @property
    def magnitude(self) -> float:
        """Root mean square of the outputs; that of the true root is 1/sqrt(2)."""
        return float(self.learned.square().mean().sqrt())

    @property
    def error(self) -> float:
        """Root mean square over the grid of the distance to the nearer of +sqrt(y), -sqrt(y)."""
        return float((self.learned.abs() - self.grid.sqrt()).square().mean().sqrt())


def square_root(settings: SquareRoot | None = None) -> list[Panel]:
    """Train the three networks: both signs ultra-dense, both signs dense, |x| dense.

    x is uniform in [-1, 1]; the network sees y = x^2. Where both signs lie close together in y, the
    least squares answer is their mean, 0; with fewer points the network wanders between the two.
    """
    settings = SquareRoot() if settings is None else settings
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        many = 2 * torch.rand(settings.ultra_dense) - 1
        few = many[: settings.dense]
        return [
            _train(f"(i) both signs, {settings.ultra_dense} points", many, settings),
            _train(f"(ii) both signs, {settings.dense} points", few, settings),
            _train(f"(iii) |x|, {settings.dense} points", few.abs(), settings),
        ]


def write_square_root(folder: Path, settings: SquareRoot | None = None) -> list[Panel]:
    """Run the toy and write ``square-root.csv`` (the curves) and ``square-root.png``."""
    from symbreak.plotting import save
    from symbreak.plotting.toy import square_root_figure

    folder.mkdir(parents=True, exist_ok=True)
    panels = square_root(settings)
    path = folder / "square-root.csv"
    with replacing(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["panel", "y", "learned"])
        for panel in panels:
            values = zip(panel.grid.tolist(), panel.learned.tolist(), strict=True)
            writer.writerows([panel.title, *pair] for pair in values)
    save(square_root_figure(panels), folder / "square-root.png")
    return panels


def _train(title: str, x: Tensor, settings: SquareRoot) -> Panel:
    y = x.square()
    network = _network(settings)
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    steps = min(settings.most_steps, settings.epochs * -(-len(x) // settings.batch))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    done = 0
    while done < steps:
        for part in torch.randperm(len(x)).split(settings.batch):  # type: ignore[no-untyped-call]
            if done == steps or len(part) < 2:  # batch norm needs two
                break
            loss = functional.mse_loss(network(y[part, None])[:, 0], x[part])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            done += 1
    network.eval()
    grid = torch.linspace(0, 1, 501)
    with torch.inference_mode():
        learned: Tensor = network(grid[:, None])[:, 0]
    return Panel(title, y, x, grid, learned)


def _network(settings: SquareRoot) -> nn.Module:
    layers: list[Any] = []
    width = 1
    for _ in range(settings.layers):
        layers += [
            nn.Linear(width, settings.hidden),
            nn.BatchNorm1d(settings.hidden),
            nn.ReLU(),
        ]
        width = settings.hidden
    return nn.Sequential(*layers, nn.Linear(width, 1))
