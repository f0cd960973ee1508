"""All cells of the tables, one after the other or several at once, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from symbreak.experiments.cells import Record, run_cell
from symbreak.experiments.scales import Scale
from symbreak.learning.datasets import make_pairs


class Cell(NamedTuple):
    """Which network is trained on how many pairs in which way."""

    network: str
    pairs: int
    variant: str

    def folder(self, tables: Path) -> Path:
        """Where the cell is saved."""
        name = f"{self.network}-{self.pairs}-{self.variant}".replace(", ", "-").replace(" ", "-")
        return tables / "cells" / name


def all_cells(scale: Scale) -> list[Cell]:
    """Every cell of the tables, small sets first."""
    return [
        Cell(network, pairs, variant)
        for pairs in scale.sets
        for network in scale.options
        for variant in scale.variants
    ]


class Trainer:
    """Runs cells on the same data.

    Args:
        scale: Settings.
        folder: Of the tables.
        splits: Objects as simulated: train, validation, test.
    """

    def __init__(self, scale: Scale, folder: Path, splits: dict[str, Tensor]) -> None:
        self.scale, self.folder, self.objects = scale, folder, splits["train"]
        self.validation, self.test = make_pairs(splits["validation"]), make_pairs(splits["test"])

    def run(self, cell: Cell) -> Record:
        """Train and measure one cell, or read what an earlier run saved."""
        where = cell.folder(self.folder)
        return run_cell(self.scale, *cell, self.objects, self.validation, self.test, where)


def run_cells(scale: Scale, folder: Path, splits: dict[str, Tensor], jobs: int) -> Iterator[Record]:
    """Yield the record of every cell, in the order of `all_cells`.

    With ``jobs`` > 1 as many cells run at once, each in a process with its share of the threads:
    networks this small keep neither several cores nor a GPU busy alone.
    """
    if jobs == 1:
        yield from map(Trainer(scale, folder, splits).run, all_cells(scale))
        return
    threads = max(1, (os.cpu_count() or 1) // jobs)
    arrays = {name: objects.numpy() for name, objects in splits.items()}
    pool = ProcessPoolExecutor(
        jobs,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(scale, folder, arrays, threads),
    )
    try:
        yield from pool.map(_run, all_cells(scale))
    finally:
        pool.shutdown(cancel_futures=True)


_trainer: Trainer  # of a worker process


def _begin(scale: Scale, folder: Path, arrays: dict[str, np.ndarray], threads: int) -> None:
    global _trainer
    torch.set_num_threads(threads)
    _trainer = Trainer(scale, folder, {k: torch.from_numpy(v) for k, v in arrays.items()})


def _run(cell: Cell) -> Record:
    return _trainer.run(cell)
