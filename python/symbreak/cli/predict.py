"""symbreak predict: objects from amplitudes by a trained network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import h5py
import numpy as np
import torch
import typer

import symbreak
from symbreak.cli import options
from symbreak.cli.output import command_line, note, progress, wrote
from symbreak.data.arrays import HDF5, ArrayLike, OpenArray, open_array, read
from symbreak.data.resumable import identity, resuming
from symbreak.learning.evaluate import predict as estimate
from symbreak.learning.networks import load_network

EXAMPLES = ("symbreak predict run/best.ckpt data/test.h5:amplitude -o predicted.h5",)


def predict(
    checkpoint: Annotated[Path, typer.Argument(help="best.ckpt or final.ckpt of a training.")],
    amplitudes: Annotated[
        str, typer.Argument(metavar=options.FILE, help="Amplitudes (items, *M), DC at index 0.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Result, HDF5.")],
    batch: Annotated[int, typer.Option(min=1, help="Patterns at a time.")] = 256,
    device: options.Device = "cpu",
) -> None:
    """Estimate objects from measured amplitudes (square roots of intensities).

    OUT holds object, complex (items, *N). Data sets may be larger than the memory;
    interrupted, the same command continues.
    """
    where = options.device(device)
    source = options.source(amplitudes)
    options.result_path(output, HDF5, inputs=(source,))
    network = load_network(checkpoint).to(where)
    axes = len(network.measurement_shape)  # type: ignore[arg-type]

    def wanted(name: str, array: ArrayLike) -> bool:
        return array.dtype.kind == "f" and len(array.shape) == axes + 1

    with open_array(source, what="stack of amplitudes", wanted=wanted) as opened:
        note(opened.notes)
        array = opened.array
        if not wanted("", array) or not array.shape[0]:
            raise ValueError(f"{opened.source}: not a stack of amplitudes, shape {array.shape}.")
        settings = {
            "network": identity(checkpoint),
            **identity(opened.source.path),
            "dataset": opened.source.dataset,
            "device": where.type,
        }
        _run(network, opened, output, batch, settings)
    wrote(output, "estimated objects")


def _run(
    network: torch.nn.Module,
    opened: OpenArray,
    output: Path,
    batch: int,
    settings: dict[str, Any],
) -> None:
    count = opened.array.shape[0]
    shape: tuple[int, ...] = network.object_shape  # type: ignore[assignment]
    with (
        resuming(output, {"object": ((count, *shape), "c8")}, count, settings, _describe) as found,
        progress("estimating", count) as bar,
    ):
        bar.update(bar.task_ids[0], completed=found.done)
        while found.done < count:
            rows = slice(found.done, min(found.done + batch, count))
            part = read(opened.array, opened.source, rows).astype(np.float32)
            found.file["object"][rows] = estimate(network, torch.from_numpy(part)).numpy()
            found.advance(len(part))
            bar.advance(bar.task_ids[0], len(part))


def _describe(file: h5py.File) -> None:
    file.attrs["default"] = "object"
    file.attrs["program"] = f"symbreak {symbreak.__version__}"
    file.attrs["command"] = command_line()
