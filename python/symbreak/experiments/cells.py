"""One cell of the tables: a network trained on one set in one way, measured, saved as it ends."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from symbreak import reconstruct
from symbreak.data import crystals
from symbreak.data.files.atomic import replacing
from symbreak.data.simulation.pairs import FIRST
from symbreak.experiments.scales import ANGLES, FINALLY, Scale
from symbreak.learning.datasets import Pairs, PairSource, make_pairs
from symbreak.learning.evaluate import Evaluation, compare, embed, evaluate
from symbreak.learning.networks import load_network
from symbreak.learning.positions import InPositions
from symbreak.learning.rotated_pairs import RotatedPairs

Record = dict[str, Any]
IN_POSITIONS = "test_positions"
"""What is measured last of a cell; a saved record from before it was is measured anew."""


def simulate_split(scale: Scale, split: str, count: int, workers: int = 1) -> Tensor:
    """Objects of a split, the same as `symbreak simulate` writes."""
    return crystals(
        count,
        scale.size,
        scale.seed,
        first=FIRST[split],
        workers=workers,
        settings=scale.crystals,
    )


def run_cell(
    scale: Scale,
    network: str,
    count: int,
    variant: str,
    objects: Tensor,
    validation: Pairs,
    test: Pairs,
    folder: Path,
) -> Record:
    """Train and measure, or read what an earlier run saved; an interrupted training continues.

    Args:
        scale: Settings.
        network: Its name.
        count: Training pairs.
        variant: One of `VARIANTS`.
        objects: Training objects as simulated, at least ``count``.
        validation: Pairs with raw objects.
        test: The same.
        folder: Of this cell: the training's files and ``result.json``.

    Returns:
        The record in ``result.json``; its times are those of the last call that trained.

    Raises:
        ValueError: ``folder`` holds a cell of other settings.
    """
    settings = scale.training(network, count, variant)
    identity = {"network": network, "set": count, "variant": variant, "scale": plain(scale)}
    saved = read_record(folder / "result.json", identity)
    if saved is not None and IN_POSITIONS in saved:
        return saved
    from symbreak.learning.fit import fit  # Lightning takes seconds to import

    labels = scale.broken(variant)
    train = make_pairs(objects[:count], **labels)
    seen: PairSource = train
    if variant == FINALLY:
        seen = RotatedPairs(objects[:count], angles=ANGLES, broken=True)
    alike = make_pairs(test.object, **{**labels, "positions": False}, ambiguous="keep")
    begun = time.process_time()
    fitted = fit(settings, seen, validation, folder, resume=True)
    record: Record = {**identity, "pairs": len(seen), "epochs": fitted.epochs}
    train = train.head(count)  # errors are of the objects as they are, not of further positions
    record["machine"] = scale.machine
    record["seconds"] = fitted.seconds
    record["cpu_seconds"] = time.process_time() - begun
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train, test, alike = (pairs.to(device) for pairs in (train, test, alike))
    for name, path in (("final", fitted.final), ("best", fitted.best)):
        trained = load_network(path).to(device)
        record[f"train_{name}"] = numbers(evaluate(trained, train))
        record[f"test_{name}"] = numbers(evaluate(trained, test))
        # SA-MSE does not ask how the labels were prepared, MSE does.
        record[f"test_{name}"]["label_mse_ratio"] = evaluate(trained, alike).mse_ratio
    record[IN_POSITIONS] = numbers(evaluate(InPositions(trained), test))
    write_record(folder / "result.json", record)
    return record


def run_baseline(scale: Scale, test: Pairs, path: Path) -> Record:
    """Phase the test patterns by HIO, ER and shrinkwrap, best of a few starts by its error.

    The result lives on the periodic grid of the pattern, so it is compared there with circular
    shifts, per pixel of the object's window as everywhere else.
    """
    identity = {"network": "HIO+ER+shrinkwrap", "scale": plain(scale)}
    saved = read_record(path, identity)
    if saved is not None:
        return saved
    found = phase(scale, test.amplitude)
    wide = embed(test.object, test.measurement_shape)
    result = numbers(compare(found, wide, wrap=True))
    pixels = wide[0].numel() / test.object[0].numel()
    per_window = {k: v if "ratio" in k else v * pixels for k, v in result.items()}
    record = {**identity, "test_best": per_window}
    write_record(path, record)
    return record


def phase(scale: Scale, amplitude: Tensor) -> Tensor:
    """The baseline's objects on the grid of the pattern, 0 outside their supports."""
    found = reconstruct(
        amplitude,
        scale.schedule,
        shrinkwrap=scale.shrinkwrap,
        starts=scale.starts,
        seed=scale.seed,
    ).best()
    return torch.where(found.support, found.object, 0)


def numbers(found: Evaluation) -> dict[str, float]:
    """What a record keeps of an evaluation."""
    names = ("mse", "sa_mse", "zero_mse", "zero_sa_mse", "mse_ratio", "sa_mse_ratio")
    return {name: getattr(found, name) for name in names}


def read_record(path: Path, identity: Record) -> Record | None:
    """Read a saved record, if there is one.

    Raises:
        ValueError: It is of other settings.
    """
    if not path.exists():
        return None
    record: Record = json.loads(path.read_text())
    if any(record.get(name) != json.loads(json.dumps(value)) for name, value in identity.items()):
        raise ValueError(f"{path} is of other settings; choose another folder or remove it.")
    return record


def write_record(path: Path, record: Record) -> None:
    """Write a record, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(record, indent=1) + "\n")


def plain(scale: Scale) -> Record:
    """What a cell depends on: not the other cells, their refinement, nor the machine's speed."""
    values = asdict(scale)
    for name in ("sets", "variants", "refine", "rounds", "machine"):
        del values[name]
    saved: Record = json.loads(json.dumps(values))  # as it will be read
    return saved
