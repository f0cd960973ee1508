"""symbreak predict: objects from amplitudes by a trained network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import h5py
import numpy as np
import torch
import typer

import symbreak
from symbreak.cli import options
from symbreak.cli.output import command_line, note, progress, wrote
from symbreak.data.arrays import HDF5, ArrayLike, open_array
from symbreak.data.atomic import replacing
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

    OUT holds object, complex (items, *N). Data sets may be larger than the memory.
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
        with replacing(output) as temporary, h5py.File(temporary, "w") as file:
            _run(network, array, file, batch)
            file.attrs["default"] = "object"
            file.attrs["program"] = f"symbreak {symbreak.__version__}"
            file.attrs["command"] = command_line()
    wrote(output, "estimated objects")


def _run(network: torch.nn.Module, array: ArrayLike, file: h5py.File, batch: int) -> None:
    count = array.shape[0]
    shape: tuple[int, ...] = network.object_shape  # type: ignore[assignment]
    objects = file.create_dataset("object", (count, *shape), "c8")
    with progress("estimating", count) as bar:
        for start in range(0, count, batch):
            part = np.asarray(array[start : start + batch], dtype=np.float32)
            objects[start : start + len(part)] = estimate(network, torch.from_numpy(part)).numpy()
            bar.advance(bar.task_ids[0], len(part))
