"""symbreak predict: objects from amplitudes by a trained network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import h5py
import numpy as np
import torch
import typer
from numpy.typing import NDArray

import symbreak
from symbreak.cli import options
from symbreak.cli.output import command_line, note, wrote
from symbreak.cli.streaming import reporting
from symbreak.data.files.arrays import HDF5, ArrayLike, DataError, OpenArray, open_array, read
from symbreak.data.streaming.chunks import Arrays, Chunks, Fitting
from symbreak.data.streaming.distribute import Runner, running
from symbreak.data.streaming.resumable import identity, resuming
from symbreak.learning.evaluate import predict as estimate
from symbreak.learning.looks import FEW, first_bad, look_at_amplitudes
from symbreak.learning.networks import load_network
from symbreak.learning.positions import InPositions

EXAMPLES = (
    "symbreak predict run/best.ckpt data/test.h5:amplitude -o predicted.h5",
    "symbreak predict run/best.ckpt data/test.h5 -o predicted.h5 --positions",
)


def predict(
    checkpoint: Annotated[
        Path, typer.Argument(metavar="CHECKPOINT", help="best.ckpt or final.ckpt of a training.")
    ],
    amplitudes: Annotated[
        str, typer.Argument(metavar=options.FILE, help="Amplitudes (items, *M), DC at index 0.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Result, HDF5.")],
    positions: options.Positions = False,
    batch: Annotated[int, typer.Option(min=1, help="Patterns at a time.")] = 256,
    device: options.Device = "cpu",
    workers: options.Workers = 1,
    dask: options.Dask = None,
) -> None:
    """Estimate objects from measured amplitudes (square roots of intensities).

    OUT holds object, complex (items, *N). Data sets may be larger than the memory;
    interrupted, the same command continues.
    """
    where = options.device(device)
    source = options.source(amplitudes)
    options.result_path(output, HDF5, inputs=(source,))
    network = load_network(checkpoint)
    axes = len(network.measurement_shape)  # type: ignore[arg-type]
    if positions:
        network = InPositions(network)

    def wanted(name: str, array: ArrayLike) -> bool:
        return array.dtype.kind == "f" and len(array.shape) == axes + 1

    with (
        open_array(source, what="stack of amplitudes", wanted=wanted) as opened,
        running(workers, dask) as runner,
    ):
        note(opened.notes)
        array = opened.array
        if not wanted("", array) or not array.shape[0]:
            raise DataError(
                f"{opened.source}: not a stack of amplitudes, floating point (items, *M), but "
                f"{array.dtype} {array.shape}."
            )
        expected = tuple(network.measurement_shape)  # type: ignore[arg-type]
        if array.shape[1:] != expected:
            raise DataError(
                f"{opened.source}: {checkpoint} takes patterns of {expected}, got "
                f"{array.shape[1:]}."
            )
        settings = {
            "network": identity(checkpoint),
            **identity(opened.source.path),
            "dataset": opened.source.dataset,
            "device": where.type,
            "positions": positions,
        }
        _run(Estimator(network, where), opened, output, batch, settings, runner)
    wrote(output, "estimated objects")


class Estimator:
    """A network that travels in the host's memory and goes to its device where it is used."""

    def __init__(self, network: torch.nn.Module, device: torch.device) -> None:
        self.network, self.device = network, device

    @property
    def object_shape(self) -> tuple[int, ...]:
        """N per axis."""
        return tuple(self.network.object_shape)  # type: ignore[arg-type]

    def __call__(self, part: Arrays) -> dict[str, NDArray[Any]]:
        """Estimate objects from amplitudes."""
        amplitude = torch.from_numpy(part["amplitude"])
        return {"object": estimate(self.network.to(self.device), amplitude).numpy()}


def _run(
    estimator: Estimator,
    opened: OpenArray,
    output: Path,
    batch: int,
    settings: dict[str, Any],
    runner: Runner,
) -> None:
    count = opened.array.shape[0]
    shapes = {"object": ((count, *estimator.object_shape), "c8")}

    def amplitudes(rows: slice) -> Arrays:
        values = torch.from_numpy(read(opened.array, opened.source, rows).astype(np.float32))
        bad = first_bad(values, least=0.0)
        if bad is not None:
            raise DataError(
                f"{opened.source}: amplitudes must be finite and >= 0, item {rows.start + bad} is "
                "not; networks take 0 where nothing was measured."
            )
        return {"amplitude": values.numpy()}

    few = amplitudes(slice(0, min(FEW, count)))["amplitude"]
    note(f"{opened.source}: {line}." for line in look_at_amplitudes(torch.from_numpy(few)))
    with (
        resuming(output, shapes, count, settings, _describe) as found,
        reporting("estimating", count, found.done) as report,
    ):
        pieces = Chunks(Fitting(estimator), amplitudes, batch, runner=runner, report=report)
        pieces.fill(found.file, found.done, count, advance=found.advance)


def _describe(file: h5py.File) -> None:
    file.attrs["default"] = "object"
    file.attrs["program"] = f"symbreak {symbreak.__version__}"
    file.attrs["command"] = command_line()
