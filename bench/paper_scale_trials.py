"""Trials on one CPU core behind the settings of `symbreak experiment tables --scale paper`.

    python bench/paper_scale_trials.py [--keep FOLDER] [NAME ...]

runs the named trials (``all`` for every one), saves each in docs/experiments/paper/trials.csv as it
ends, and writes the table of that file into docs/experiments/paper-scale.md; without names only the
latter. With ``--keep`` the trainings lie in that folder, where an interrupted one is found and
continued.

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
from functools import partial
from pathlib import Path
from typing import Any

import torch
from paper_scale_settings import TRIALS, Trial
from scale_data import markdown, read_csv, replace_between_marks, write_csv
from torch import Tensor

from symbreak import sa_mse
from symbreak.data import crystals
from symbreak.data.simulation.pairs import FIRST
from symbreak.data.simulation.settings import CrystalSettings
from symbreak.learning.datasets import Pairs, PairSource, make_pairs
from symbreak.learning.evaluate import compare, evaluate, predict
from symbreak.learning.fit import fit
from symbreak.learning.networks import load_network
from symbreak.learning.outcome import Fitted
from symbreak.learning.positions import InPositions
from symbreak.learning.rotated_pairs import RotatedPairs
from symbreak.learning.settings import TrainSettings

DOCS = Path(__file__).parent.parent / "docs" / "experiments"
PAGE, RESULTS = DOCS / "paper-scale.md", DOCS / "paper" / "trials.csv"
SIZE, SEED, VALIDATION, JUDGED = 64, 100, 100, 400
LEARNED = 500  # of the training pairs, judged too
COLUMNS = (
    *("trial", "network", "pairs", "crystals", "options", "rate", "batch", "expected"),
    *("epochs", "train_final_mse", "train_best_sa_mse", "new_best_sa_mse", "new_final_mse"),
    *(
        "new_positions_sa_mse",
        "constant_mse",
        "new_0_vortices",
        "new_1_vortex",
        "new_2_or_more",
        "cpu_seconds",
    ),
)
# Columns of the page's table, over the zero predictor's error.
ERRORS = {
    "constant_mse": "constant",
    "train_final_mse": "training MSE",
    "expected": "expected",
    "train_best_sa_mse": "training SA-MSE",
    "new_best_sa_mse": "new crystals",
    "new_positions_sa_mse": "eight positions",
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
        + [f"{float(row[name] or 'nan'):.3f}".replace("nan", "-") for name in ERRORS]
        for row in rows
    ]
    return markdown(["trial", "network", "pairs", "epochs", *ERRORS.values()], table)


def head(trial: Trial) -> list[str]:
    """What was tried, in the order of `COLUMNS`."""
    values = (trial.network, trial.pairs, trial.crystals, trial.options, trial.rate, trial.batch)
    return [*map(_text, values), str(trial.expected)]


def run(trial: Trial, folder: Path) -> tuple[float, ...]:
    """Epochs, the errors in the order of `COLUMNS`, each over the zero predictor's, CPU seconds."""
    learnt = objects_of("train", trial, 0, trial.pairs)
    turned = torch.cat([learnt.rot90(k, (1, 2)) for k in range(trial.turns)])
    choices: dict[str, Any] = {"broken": trial.broken, "rule": trial.rule}
    upright = make_pairs(turned, positions=trial.positions, **choices)
    train: PairSource = upright
    if trial.angles:
        train = RotatedPairs(turned, angles=trial.angles, **choices)
    validation = make_pairs(objects_of("validation", trial, 0, VALIDATION))
    judged = objects_of("validation", trial, VALIDATION, JUDGED)
    settings = TrainSettings(
        network=trial.network,
        options=trial.options,
        loss=trial.loss,
        learning_rate=trial.rate,
        patience=trial.patience,
        batch=trial.batch,
        max_epochs=trial.epochs + trial.lowered,
        final_epochs=trial.lowered,
        final_loss=trial.final_loss,
        epoch_items=trial.pairs if trial.positions or trial.angles else 0,
        precision="bf16",
        channels_last=trial.network == "UNet",
        accelerator="cpu",
    )
    found, seconds = train_in(folder, settings, train, validation)
    final, best = load_network(found.final), load_network(found.best)
    fitted: Pairs = upright.head(LEARNED)
    raw, alike = (
        make_pairs(judged),
        make_pairs(judged, ambiguous="keep", **choices),
    )
    estimate = predict(best, raw.amplitude)
    return (
        found.epochs,
        evaluate(final, fitted).mse_ratio,
        evaluate(best, fitted).sa_mse_ratio,
        compare(estimate, judged).sa_mse_ratio,
        evaluate(final, alike).mse_ratio,
        evaluate(InPositions(best), raw).sa_mse_ratio,
        constant_error(upright.object),
        *by_vortices(estimate, judged),
        seconds,
    )


def train_in(
    folder: Path, settings: TrainSettings, train: PairSource, validation: PairSource
) -> tuple[Fitted, float]:
    """Train, or go on with what is there; also the CPU seconds of all calls."""
    spent, begun = folder / "cpu_seconds.txt", time.process_time()
    before = float(spent.read_text()) if spent.exists() else 0.0
    try:
        found = fit(settings, train, validation, folder, resume=True)
    finally:
        if folder.exists():
            spent.write_text(str(before + time.process_time() - begun))
    return found, float(spent.read_text())


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


def objects_of(split: str, trial: Trial, first: int, count: int) -> Tensor:
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
