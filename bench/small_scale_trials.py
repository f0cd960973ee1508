"""Trials behind the settings of `symbreak experiment tables --scale small`, without test crystals.

    python bench/small_scale_trials.py docs/experiments/small/candidates.csv [NAME ...]

Every row is one cell, before or after breaking, trained as `Candidate` says. What it learned is
judged on its training set and on crystals of the validation split that the training did not use;
seed and crystals are others than those of the tables, so the choice knows nothing of their results.
Rows already in the file are not run again. One candidate takes 3 to 8 minutes of one core.
"""

from __future__ import annotations

import csv
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from symbreak.data import crystals
from symbreak.data.simulation.pairs import FIRST
from symbreak.data.simulation.settings import CrystalSettings
from symbreak.experiments.scales import AFTER, BEFORE, SCALES
from symbreak.learning.datasets import Pairs, make_pairs
from symbreak.learning.evaluate import evaluate
from symbreak.learning.fit import fit
from symbreak.learning.networks import load_network

SEED, JUDGED = 100, 200
NETWORKS: dict[str, dict[str, Any]] = {"UNet": {"width": 8}, "SiSPRNet": {"hidden": 256}}


@dataclass(frozen=True)
class Candidate:
    """Settings of the small scale that were tried."""

    defects: int = 2
    networks: tuple[str, ...] = ("SiSPRNet",)
    options: dict[str, Any] = field(default_factory=dict)
    """Beside those in `NETWORKS`."""


# What all have in common, so that a later change of the small scale leaves the trials as they were.
COMMON: dict[str, Any] = {
    "sets": (50, 200, 800),
    "passes": 24_000,
    "epochs": 80,
    "patience": 10,
    "learning_rate": 3e-3,
    "min_learning_rate": 1e-3,
    "batch": 16,
    "seed": SEED,
}
BOTH = ("SiSPRNet", "UNet")
CANDIDATES = {
    "6 defects": Candidate(6, BOTH),
    "2 defects": Candidate(2, BOTH),
    "2 defects, published input": Candidate(options={"standardise": False}),
    "6 defects, published input": Candidate(6, options={"standardise": False}),
}
COLUMNS = (
    *("candidate", "network", "pairs", "variant", "epochs"),
    *("train_final_mse", "train_best_sa_mse", "validation_best_sa_mse", "validation_final_mse"),
    "cpu_seconds",
)


def main(path: Path, names: list[str]) -> None:
    """Run what the file lacks."""
    torch.set_num_threads(1)
    rows = list(csv.DictReader(path.read_text().splitlines())) if path.exists() else []
    done = {tuple(row[name] for name in COLUMNS[:4]) for row in rows}
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if not rows:
            writer.writerow(COLUMNS)
        for name in names or CANDIDATES:
            for cell in cells(CANDIDATES[name]):
                head = (name, *map(str, cell))
                if head not in done:
                    values = run(CANDIDATES[name], *cell)
                    writer.writerow([*head, *(f"{value:.4g}" for value in values)])
                    file.flush()


def cells(candidate: Candidate) -> list[tuple[str, int, str]]:
    """Network, pairs and variant of every cell, small sets first."""
    return [
        (network, count, variant)
        for network in candidate.networks
        for count in COMMON["sets"]
        for variant in (BEFORE, AFTER)
    ]


def run(candidate: Candidate, network: str, count: int, variant: str) -> tuple[float, ...]:
    """Epochs, the errors in the order of `COLUMNS`, each over the zero predictor's, CPU seconds."""
    options = {network: {**NETWORKS[network], **candidate.options}}
    scale = replace(SCALES["small"], **{**COMMON, "options": options})
    train = make_pairs(_objects("train", candidate, 0, count), **scale.broken(variant))
    validation = make_pairs(_objects("validation", candidate, 0, scale.validation))
    judged = _objects("validation", candidate, scale.validation, JUDGED)
    begun = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        found = fit(scale.training(network, count, variant), train, validation, folder)
        final, best = load_network(found.final), load_network(found.best)
    seconds = time.process_time() - begun
    raw = make_pairs(judged)
    alike: Pairs = make_pairs(judged, **scale.broken(variant), ambiguous="keep")
    return (
        found.epochs,
        evaluate(final, train).mse_ratio,
        evaluate(best, train).sa_mse_ratio,
        evaluate(best, raw).sa_mse_ratio,
        evaluate(final, alike).mse_ratio,
        seconds,
    )


def _objects(split: str, candidate: Candidate, first: int, count: int) -> torch.Tensor:
    settings = CrystalSettings(defects=(0, candidate.defects))
    size = SCALES["small"].size
    return crystals(count, size, SEED, first=FIRST[split] + first, settings=settings)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
