"""Refinement: a few dozen HIO/ER iterations from a network's output and from random starts."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from symbreak import reconstruct
from symbreak.data.files.atomic import replacing
from symbreak.experiments.cells import Record, plain, read_record, write_record
from symbreak.experiments.scales import Scale
from symbreak.learning.datasets import Pairs
from symbreak.learning.evaluate import compare, embed, predict
from symbreak.learning.networks import load_network
from symbreak.ops.schedule import total_iterations
from symbreak.reference.reconstruct import update_support

# A reconstruction counts as solved below this fraction of the zero predictor's SA-MSE.
SOLVED = 0.05
COLUMNS = ("start", "iterations", "seconds", "sa_mse_ratio", "solved")


class Start(NamedTuple):
    """Where the iterations begin; all None and 0 for random phases."""

    initial: Tensor | None
    """Complex ``(items, *M)``."""
    support: Tensor | None
    """Bool ``(items, *M)``."""
    seconds: float
    """What it cost, per pattern."""


def run_refinement(
    scale: Scale, cells: Mapping[str, Path], test: Pairs, folder: Path
) -> list[Record]:
    """Measure error against time, or read what earlier runs saved.

    The same iterations begin at each network's estimate, with the support that shrinkwrap sees in
    it, and at random phases within the autocorrelation support. All are compared on the periodic
    grid of the pattern.

    Args:
        scale: Settings; ``refine`` is one round of the iterations, ``rounds`` says how many.
        cells: By name, the folders that hold ``best.ckpt`` of a trained network, and where its
            refinement is saved, as ``refinement.json``.
        test: Test pairs with raw objects.
        folder: Where the iterations from random phases are saved.

    Returns:
        One row per start and length: `COLUMNS`, seconds per pattern in that run on its machine,
        the mean SA-MSE over the zero predictor's, and the share of patterns below `SOLVED`.

    Raises:
        ValueError: A folder holds a record of other settings.
    """
    rows: list[Record] = []
    for name, cell in cells.items():
        start = partial(_learned_start, scale, cell / "best.ckpt", test)
        rows += _saved_curve(scale, name, test, start, 1, cell / "refinement.json")
    for starts in dict.fromkeys((1, scale.starts)):
        name = "random phases" + (f", best of {starts}" if starts > 1 else "")
        start = partial(Start, None, None, 0.0)
        path = folder / f"refinement-random-{starts}.json"
        rows += _saved_curve(scale, name, test, start, starts, path)
    return rows


def estimate_start(scale: Scale, network: nn.Module, test: Pairs) -> Start:
    """Begin at a network's estimates."""
    predict(network, test.amplitude[:1])  # what the first call alone costs
    begun = time.perf_counter()
    wide = embed(predict(network, test.amplitude), test.measurement_shape)
    support = torch.stack(
        [
            update_support(x, torch.ones_like(x, dtype=torch.bool), scale.shrinkwrap, 0, 1)
            for x in wide
        ]
    )
    return Start(wide, support, (time.perf_counter() - begun) / len(test))


def write_refinement(path: Path, rows: list[Record]) -> None:
    """Write the rows as CSV."""
    with replacing(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def _saved_curve(
    scale: Scale, name: str, test: Pairs, start: Callable[[], Start], starts: int, path: Path
) -> list[Record]:
    """The rows of one start, read if an earlier run saved them."""
    identity = {"scale": plain(scale), "refine": scale.refine, "rounds": scale.rounds}
    saved = read_record(path, identity)
    if saved is None:
        saved = {**identity, "rows": list(_curve(scale, name, test, start(), starts))}
        write_record(path, saved)
    found: list[Record] = saved["rows"]
    return found


def _learned_start(scale: Scale, checkpoint: Path, test: Pairs) -> Start:
    return estimate_start(scale, load_network(checkpoint).eval(), test)


def _curve(scale: Scale, name: str, test: Pairs, start: Start, starts: int) -> Iterator[Record]:
    per_round = total_iterations(scale.refine)
    truth = embed(test.object, test.measurement_shape)
    if start.initial is not None:
        yield _row(name, 0, start.seconds, start.initial, truth)
    for rounds in scale.rounds:
        begun = time.perf_counter()
        found = reconstruct(
            test.amplitude,
            f"{rounds}*({scale.refine})",
            initial=start.initial,
            support=start.support,
            shrinkwrap=scale.shrinkwrap,
            starts=starts,
            seed=scale.seed,
        ).best()
        seconds = start.seconds + (time.perf_counter() - begun) / len(test)
        objects = torch.where(found.support, found.object, 0)
        yield _row(name, rounds * per_round, seconds, objects, truth)


def _row(name: str, iterations: int, seconds: float, found: Tensor, truth: Tensor) -> Record:
    result = compare(found, truth, wrap=True)
    zero = truth.abs().double().square().flatten(1).mean(1)
    solved = float((result.items < SOLVED * zero).double().mean())
    return dict(zip(COLUMNS, (name, iterations, seconds, result.sa_mse_ratio, solved), strict=True))
