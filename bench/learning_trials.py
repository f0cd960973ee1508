"""Small trials behind the settings of learning: what limits the networks, and what the data ask.

    python bench/learning_trials.py trials.csv

Every row is one training by `fit` on broken crystals of 16 x 16, which takes 10 to 60 seconds of
one core; rows already in the file are not run again. Errors are SA-MSE over the zero predictor's.
"""

from __future__ import annotations

import csv
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from symbreak.data import crystals
from symbreak.data.simulation.pairs import FIRST
from symbreak.data.simulation.settings import CrystalSettings
from symbreak.learning.datasets import make_pairs
from symbreak.learning.evaluate import evaluate
from symbreak.learning.fit import fit
from symbreak.learning.networks import load_network
from symbreak.learning.settings import TrainSettings

SIZE, VALIDATION, TEST, BATCH = 16, 100, 300, 16
SMALL: dict[str, dict[str, Any]] = {
    "UNet": {"width": 8},
    "SiSPRNet": {"hidden": 256, "dropout": 0.2},
}
# Network, its options, learning rate, pairs, epochs, most defects per crystal.
Trial = tuple[str, dict[str, Any], float, int, int, int]
TRIALS: list[Trial] = [
    # The input of the perceptron, and the learning rate.
    *(("SiSPRNet", {"standardise": s}, r, 500, 18, 6) for s in (False, True) for r in (1e-3, 3e-3)),
    *(("UNet", {}, rate, 500, 18, 6) for rate in (1e-3, 3e-3)),
    # How hard the crystals are, beside the UNet's last and the SiSPRNet's last above.
    *((network, {}, 3e-3, 500, 18, most) for most in (0, 2) for network in SMALL),
    # More data.
    *((network, {}, 3e-3, 2000, 12, 6) for network in SMALL),
]
COLUMNS = (
    *("network", "options", "learning_rate", "pairs", "epochs", "defects"),
    *("train", "test", "cpu_seconds"),
)


def main(path: Path) -> None:
    """Run what the file lacks."""
    torch.set_num_threads(1)
    rows = list(csv.DictReader(path.read_text().splitlines())) if path.exists() else []
    done = {tuple(row[name] for name in COLUMNS[:6]) for row in rows}
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if not rows:
            writer.writerow(COLUMNS)
        for trial in TRIALS:
            head = tuple(_text(value) for value in trial)
            if head not in done:
                writer.writerow([*head, *(f"{value:.4g}" for value in run(*trial))])
                file.flush()


def run(
    network: str, options: dict[str, Any], rate: float, pairs: int, epochs: int, defects: int
) -> tuple[float, float, float]:
    """Training and test error of the best-validated model, seconds of CPU time."""
    settings = CrystalSettings(defects=(0, defects))
    counts = {"train": pairs, "validation": VALIDATION, "test": TEST}
    objects = {
        split: crystals(count, SIZE, 0, first=FIRST[split], settings=settings)
        for split, count in counts.items()
    }
    train = make_pairs(objects["train"], broken=True)
    training = TrainSettings(
        network=network,
        options={**SMALL[network], **options},
        learning_rate=rate,
        patience=3,
        batch=BATCH,
        max_epochs=epochs,
        accelerator="cpu",
        channels_last=True,
    )
    begun = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        best = load_network(fit(training, train, make_pairs(objects["validation"]), folder).best)
    seconds = time.process_time() - begun
    errors = (evaluate(best, p).sa_mse_ratio for p in (train, make_pairs(objects["test"])))
    return (*errors, seconds)  # type: ignore[return-value]


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{k}={v}" for k, v in value.items())
    return str(value)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
