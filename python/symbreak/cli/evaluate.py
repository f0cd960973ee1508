"""symbreak evaluate: errors of a trained network on a data set, with pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import symbreak
from symbreak.cli import options
from symbreak.cli.output import note, out, table, wrote
from symbreak.data.files.arrays import DataError
from symbreak.learning.evaluate import evaluate as measure
from symbreak.learning.evaluate import predict
from symbreak.learning.file_pairs import FilePairs
from symbreak.learning.looks import look_at_pairs
from symbreak.learning.networks import load_network
from symbreak.learning.positions import InPositions

EXAMPLES = (
    "symbreak evaluate run/best.ckpt data/test.h5",
    "symbreak evaluate run/best.ckpt data/test.h5 --positions",
    "symbreak evaluate run/best.ckpt data/test.h5 --picture test.png --count 4",
)


def evaluate(
    checkpoint: Annotated[
        Path, typer.Argument(metavar="CHECKPOINT", help="best.ckpt or final.ckpt of a training.")
    ],
    pairs: Annotated[
        Path, typer.Argument(metavar="TEST", help="HDF5 with object and amplitude, as of simulate.")
    ],
    break_: Annotated[
        bool,
        typer.Option(
            "--break/--raw",
            help="Break the symmetries of the objects to compare with; matters to MSE only.",
        ),
    ] = False,
    positions: options.Positions = False,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the first estimates: .png, .pdf, .svg ...")
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Objects to draw.")] = 6,
    batch: Annotated[int, typer.Option(min=1, help="Pairs at a time.")] = 256,
    ndim: options.Ndim = 2,
    device: options.Device = "cpu",
) -> None:
    """Measure a network: MSE, SA-MSE (up to symmetries), and both over the zero predictor's.

    MSE is the mean over real and imaginary parts, as it is trained; SA-MSE the mean over complex
    pixels, twice as large for the same error. Their ratios to zero's can be compared.
    """
    where = options.device(device)
    if picture is not None:
        options.result_path(picture, options.PICTURES)
    network = load_network(checkpoint).to(where)
    if positions:
        network = InPositions(network)
    source = FilePairs(pairs, broken=break_, ndim=ndim)
    expected = tuple(network.measurement_shape)  # type: ignore[arg-type]
    if source.measurement_shape != expected:
        raise DataError(
            f"{pairs}: {checkpoint} takes patterns of {expected}, got {source.measurement_shape}."
        )
    note(f"{pairs}: {line}." for line in look_at_pairs(source))
    found = measure(network, source, batch=batch, say=lambda line: note([line]))
    rows = table(f"{checkpoint} on {len(source)} pairs", "error", "network", "zero", "ratio")
    for name, value, zero, ratio in (
        ("MSE", found.mse, found.zero_mse, found.mse_ratio),
        ("SA-MSE", found.sa_mse, found.zero_sa_mse, found.sa_mse_ratio),
    ):
        rows.add_row(name, f"{value:.5f}", f"{zero:.5f}", f"{ratio:.4f}")
    out().print(rows)
    if picture is not None:
        from symbreak.plotting import save
        from symbreak.plotting.estimates import estimates_figure

        amplitude, truth, _ = source.__getitems__(range(min(count, len(source))))
        estimate = predict(network, amplitude)
        aligned = symbreak.align(estimate, truth, ndim=ndim).object
        columns = {"estimate": estimate, "aligned": aligned}
        title = "middle slices" if ndim == 3 else ""
        save(estimates_figure(columns, truth, most=count, title=title), picture)
        wrote(picture, "estimates")
