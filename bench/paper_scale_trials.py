"""Trials on one CPU core behind the settings of `symbreak experiment tables --scale paper`.

    python bench/paper_scale_trials.py [--keep FOLDER] [NAME ...]

runs the named trials (``all`` for every one), saves each in docs/experiments/paper/trials.csv as it
ends, and writes the table of that file into docs/experiments.md; without names only the latter.
With ``--keep`` the trainings lie in that folder, where an interrupted one is found and continued.

Objects of 64 x 64 pixels, patterns of 128 x 128, the networks of that scale or narrower ones, but
fewer epochs than a GPU affords. Every row is one training, after breaking unless its name says
before. It is judged on its training set and on crystals of the validation split that it did not
see; the seed is one that no table uses, and the test split is not touched. `expected` was written
down before the trial ran. Rows already in the file are not run again.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from scale_data import markdown, read_csv, replace_between_marks, write_csv
from torch import Tensor

from symbreak import sa_mse
from symbreak.data import crystals
from symbreak.data.simulation.pairs import FIRST
from symbreak.data.simulation.settings import CrystalSettings
from symbreak.learning.callbacks import FINAL
from symbreak.learning.datasets import Batch, Pairs, PairSource, make_pairs
from symbreak.learning.evaluate import compare, evaluate, predict
from symbreak.learning.fit import Fitted, fit
from symbreak.learning.networks import load_network, read_checkpoint
from symbreak.learning.settings import TrainSettings

DOCS = Path(__file__).parent.parent / "docs"
PAGE, RESULTS = DOCS / "experiments.md", DOCS / "experiments" / "paper" / "trials.csv"
SIZE, SEED, VALIDATION, JUDGED = 64, 100, 100, 400
LEARNED = 500  # of the training pairs, judged too


@dataclass(frozen=True)
class Trial:
    """Settings that were tried."""

    expected: float
    """SA-MSE of new crystals over the zero predictor's, as guessed before the trial."""
    network: str = "SiSPRNet"
    pairs: int = 500
    broken: bool = True
    crystals: dict[str, Any] = field(default_factory=lambda: {"defects": (0, 2)})
    options: dict[str, Any] = field(default_factory=dict)
    rate: float = 1e-3
    batch: int = 32
    epochs: int = 40
    patience: int = 4
    turns: int = 1
    """Copies of every training crystal, turned by 90 degrees each; up to 4."""
    mirrored: bool = False
    """Whether every copy has a mirror image too. An epoch then draws as many pairs at random as
    there are crystals, and does not go through all copies."""
    lowered: int = 0
    """Further epochs at a tenth of the rate, after all others."""


NONE = {"defects": (0, 0)}
UNET: dict[str, Any] = {
    "network": "UNet",
    "options": {"width": 8},
    "rate": 3e-3,
    "batch": 16,
    "epochs": 30,
}
FRAME = {"defects": (0, 2), "cores": "frame"}
PUBLISHED = {"standardise": False}
LARGE: dict[str, Any] = {"pairs": 5000, "epochs": 6, "patience": 1}
SLOW_UNET: dict[str, Any] = {**UNET, "rate": 1e-3}
TRIALS = {
    "no defects, published input": Trial(
        0.28, crystals=NONE, options=PUBLISHED, rate=3e-3, batch=16, epochs=25, patience=3
    ),
    "no defects, standardised": Trial(0.20, crystals=NONE, epochs=25, patience=3),
    "no defects, log": Trial(
        0.22, crystals=NONE, options={"scaling": "log", "standardise": False}, epochs=25, patience=3
    ),
    "no defects, log, standardised": Trial(
        0.20, crystals=NONE, options={"scaling": "log"}, epochs=25, patience=3
    ),
    "no defects, UNet": Trial(0.17, **UNET, crystals=NONE),
    "two defects, UNet": Trial(0.33, **UNET),
    "two in the frame, UNet": Trial(0.22, **UNET, crystals=FRAME),
    "two in the frame, UNet, rate 0.001": Trial(0.30, **SLOW_UNET, crystals=FRAME),
    "two in the frame, UNet, rate 0.001, longer": Trial(
        0.17, **{**SLOW_UNET, "epochs": 55}, crystals=FRAME
    ),
    "one in the frame, UNet, rate 0.001": Trial(
        0.20, **SLOW_UNET, crystals={"defects": (0, 1), "cores": "frame"}
    ),
    "two in the frame, UNet, 5000": Trial(0.15, **{**UNET, **LARGE}, crystals=FRAME),
    "two in the frame, UNet, rate 0.001, 5000": Trial(
        0.14, **{**SLOW_UNET, "pairs": 5000, "epochs": 24, "patience": 3}, crystals=FRAME
    ),
    # Too narrow, or stopped too early? Twice the width, and more epochs.
    "two in the frame, UNet of width 16, rate 0.001, 5000": Trial(
        0.12,
        **{**SLOW_UNET, "options": {"width": 16}, "pairs": 5000, "epochs": 40, "patience": 3},
        crystals=FRAME,
    ),
    # The scale's own rule for a plateau and its batch; the rate fell too early before.
    "two in the frame, UNet of width 16, the scale's rule, 5000": Trial(
        0.14,
        network="UNet",
        options={"width": 16},
        pairs=5000,
        crystals=FRAME,
        epochs=72,
        patience=10,
    ),
    # That one fits its pairs and not new ones: more of them, for nothing?
    "two in the frame, UNet, rate 0.001, 5000, turned": Trial(
        0.155,
        **{**SLOW_UNET, "pairs": 5000, "epochs": 7, "patience": 0},
        crystals=FRAME,
        turns=4,
    ),
    # The network that fits its pairs, from all eight positions of every crystal.
    "two in the frame, UNet of width 16, the scale's rule, 5000, turned and mirrored": Trial(
        0.13,
        network="UNet",
        options={"width": 16},
        pairs=5000,
        crystals=FRAME,
        epochs=56,
        patience=10,
        turns=4,
        mirrored=True,
    ),
    # Its rate never fell: the validation error still did, by fits and starts, after 56 epochs.
    "two in the frame, UNet of width 16, 5000, turned and mirrored, then lowered": Trial(
        0.13,
        network="UNet",
        options={"width": 16},
        pairs=5000,
        crystals=FRAME,
        epochs=56,
        patience=10,
        turns=4,
        mirrored=True,
        lowered=12,
    ),
    # The network that learns its pairs by heart, from eight times as many.
    "two in the frame, 5000, turned and mirrored, then lowered": Trial(
        0.19,
        pairs=5000,
        crystals=FRAME,
        epochs=24,
        patience=10,
        turns=4,
        mirrored=True,
        lowered=6,
    ),
    "two in the frame": Trial(0.32, crystals=FRAME, epochs=20, patience=3),
    "two in the frame, before": Trial(0.62, crystals=FRAME, broken=False, epochs=20, patience=3),
    "two in the frame, 5000": Trial(0.21, **{**LARGE, "epochs": 5}, crystals=FRAME),
    "two in the frame, 5000, longer": Trial(
        0.24, pairs=5000, crystals=FRAME, epochs=14, patience=2
    ),
    "two in the frame, 5000, more dropout": Trial(
        0.22, pairs=5000, crystals=FRAME, options={"dropout": 0.5}, epochs=24, patience=3
    ),
}
COLUMNS = (
    *("trial", "network", "pairs", "crystals", "options", "rate", "batch", "expected"),
    *("epochs", "train_final_mse", "train_best_sa_mse", "new_best_sa_mse", "new_final_mse"),
    *("constant_mse", "new_0_vortices", "new_1_vortex", "new_2_or_more", "cpu_seconds"),
)
# Columns of the page's table, over the zero predictor's error.
ERRORS = {
    "constant_mse": "constant",
    "train_final_mse": "training MSE",
    "expected": "expected",
    "new_best_sa_mse": "new crystals",
    "new_0_vortices": "0 vortices",
    "new_1_vortex": "1 vortex",
    "new_2_or_more": "2 or more",
}


def main(names: Sequence[str], keep: Path | None = None) -> None:
    """Run what the file lacks, then write the page."""
    torch.set_num_threads(1)
    # The same but for rounding; on one core the other takes a quarter of SiSPRNet's step.
    torch.optim.Adam = partial(torch.optim.Adam, fused=True)  # type: ignore[misc]
    for name in TRIALS if names == ["all"] else names:
        if name not in {row["trial"] for row in saved()}:
            with nullcontext(keep) if keep else tempfile.TemporaryDirectory() as folder:
                found = run(TRIALS[name], Path(folder) / re.sub(r"\W+", "-", name))
            values = [name, *head(TRIALS[name]), *map(_number, found)]
            # Read anew: another trial may have ended meanwhile.
            write_csv(RESULTS, {}, COLUMNS, [*saved(), dict(zip(COLUMNS, values, strict=True))])
    write_page(PAGE, read_csv(RESULTS))


def saved() -> list[dict[str, str]]:
    """The rows of the trials that ended."""
    return read_csv(RESULTS) if RESULTS.exists() else []


def write_page(page: Path, rows: list[dict[str, str]]) -> None:
    """Write the table of the trials between its marks."""
    replace_between_marks(page, "paper-trials", trials_table(rows))


def trials_table(rows: list[dict[str, str]]) -> str:
    """What was tried, what was expected, what came; in the order in which the trials ended."""
    table = [
        [row[name] for name in ("trial", "network", "pairs", "epochs")]
        + [f"{float(row[name]):.3f}".replace("nan", "-") for name in ERRORS]
        for row in rows
    ]
    return markdown(["trial", "network", "pairs", "epochs", *ERRORS.values()], table)


def head(trial: Trial) -> list[str]:
    """What was tried, in the order of `COLUMNS`."""
    values = (trial.network, trial.pairs, trial.crystals, trial.options, trial.rate, trial.batch)
    return [*map(_text, values), str(trial.expected)]


def run(trial: Trial, folder: Path) -> tuple[float, ...]:
    """Epochs, the errors in the order of `COLUMNS`, each over the zero predictor's, CPU seconds."""
    learnt = _objects("train", trial, 0, trial.pairs)
    turned = torch.cat([learnt.rot90(k, (1, 2)) for k in range(trial.turns)])
    if trial.mirrored:
        turned = torch.cat([turned, turned.flip(1)])
    train = make_pairs(turned, broken=trial.broken)
    validation = make_pairs(_objects("validation", trial, 0, VALIDATION))
    judged = _objects("validation", trial, VALIDATION, JUDGED)
    settings = TrainSettings(
        network=trial.network,
        options=trial.options,
        learning_rate=trial.rate,
        patience=trial.patience,
        batch=trial.batch,
        max_epochs=trial.epochs,
        precision="bf16",
        channels_last=trial.network == "UNet",
        accelerator="cpu",
    )
    drawn = Drawn(train, trial.pairs) if trial.mirrored else train
    found, seconds = train_in(folder, trial, settings, drawn, validation)
    final, best = load_network(found.final), load_network(found.best)
    fitted: Pairs = train.head(LEARNED)
    raw, alike = make_pairs(judged), make_pairs(judged, broken=trial.broken, ambiguous="keep")
    estimate = predict(best, raw.amplitude)
    return (
        found.epochs,
        evaluate(final, fitted).mse_ratio,
        evaluate(best, fitted).sa_mse_ratio,
        compare(estimate, judged).sa_mse_ratio,
        evaluate(final, alike).mse_ratio,
        constant_error(train.object),
        *by_vortices(estimate, judged),
        seconds,
    )


def train_in(
    folder: Path, trial: Trial, settings: TrainSettings, train: PairSource, validation: PairSource
) -> tuple[Fitted, float]:
    """Train, or go on with what is there; also the CPU seconds of all calls."""
    spent, begun = folder / "cpu_seconds.txt", time.process_time()
    before = float(spent.read_text()) if spent.exists() else 0.0
    final, low = folder / FINAL, trial.rate / 10
    is_low = final.exists() and read_checkpoint(final)["hyper_parameters"]["learning_rate"] == low
    try:
        if not is_low:
            found = fit(settings, train, validation, folder, resume=True)
        if trial.lowered:
            if not is_low:
                lower(final, low)
            last = trial.epochs + trial.lowered
            slow = replace(settings, learning_rate=low, max_epochs=last)
            found = fit(slow, train, validation, folder, resume=True)
    finally:
        if folder.exists():
            spent.write_text(str(before + time.process_time() - begun))
    return found, float(spent.read_text())


def lower(final: Path, rate: float) -> None:
    """Change the rate of a training that ended, as if its rule had come to lower it now."""
    checkpoint = read_checkpoint(final)
    checkpoint["hyper_parameters"]["learning_rate"] = rate
    for group in checkpoint["optimizer_states"][0]["param_groups"]:
        group["lr"] = group["initial_lr"] = rate
    checkpoint["lr_schedulers"][0] |= {"_last_lr": [rate], "num_bad_epochs": 0}
    part = final.with_suffix(".part")
    torch.save(checkpoint, part)
    part.replace(final)


class Drawn:
    """Of many pairs, `count` drawn at random for every epoch."""

    def __init__(self, pairs: Pairs, count: int) -> None:
        self.pairs, self.count = pairs, count
        self.object_shape, self.measurement_shape = pairs.object_shape, pairs.measurement_shape
        self.random = torch.Generator().manual_seed(SEED)

    def __len__(self) -> int:
        return self.count

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        which = torch.randint(len(self.pairs), (len(indices),), generator=self.random)
        return self.pairs.__getitems__(which.tolist())


def constant_error(objects: Tensor) -> float:
    """MSE over the zero predictor's of the best estimate that does not look at the pattern."""
    rest = objects - objects.mean(0, keepdim=True)
    return float(rest.abs().square().mean() / objects.abs().square().mean())


def by_vortices(estimate: Tensor, objects: Tensor) -> list[float]:
    """SA-MSE over the zero predictor's of the crystals with 0, with 1 and with more vortices."""
    errors = sa_mse(estimate, objects, ndim=2, reduction="none").double()
    zero = objects.abs().double().square().mean((1, 2))
    count = vortices(objects)
    groups = (count == 0, count == 1, count >= 2)
    return [float(errors[group].sum() / zero[group].sum()) for group in groups]


def vortices(objects: Tensor) -> Tensor:
    """Squares of four pixels inside each object round which the phase turns once or more."""
    corners = (objects[:, :-1, :-1], objects[:, :-1, 1:], objects[:, 1:, 1:], objects[:, 1:, :-1])
    steps = zip(corners, (*corners[1:], corners[0]), strict=True)
    turn = sum((after * before.conj()).angle() for before, after in steps)
    inside = torch.stack([corner.abs() > 0 for corner in corners]).all(0)
    return ((torch.as_tensor(turn).abs() > 1) & inside).sum((1, 2))


def _objects(split: str, trial: Trial, first: int, count: int) -> Tensor:
    settings = CrystalSettings(**trial.crystals)
    return crystals(count, SIZE, SEED, first=FIRST[split] + first, settings=settings)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{k}={str(v).replace(' ', '')}" for k, v in value.items())
    return str(value)


def _number(value: float) -> str:
    return f"{value:.4g}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path, help="folder of the trainings")
    parser.add_argument("names", nargs="*", metavar="NAME")
    words = parser.parse_args()
    main(words.names, words.keep)
