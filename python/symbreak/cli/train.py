"""symbreak train: train a network on pairs from HDF5 files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from symbreak.cli import options
from symbreak.cli.output import note, out, table, wrote
from symbreak.learning.datasets import PairSource
from symbreak.learning.file_pairs import FilePairs
from symbreak.learning.looks import look_at_pairs
from symbreak.learning.networks import build_network
from symbreak.learning.requirements import check_devices, require_training
from symbreak.learning.rotated_pairs import RotatedPairs
from symbreak.learning.settings import TrainSettings
from symbreak.learning.turned_pairs import TurnedPairs

EXAMPLES = (
    "symbreak train data/train.h5 data/validation.h5 -o run --break",
    "symbreak train data/train.h5 data/validation.h5 -o run --network SiSPRNet --loss sa_mse",
    "symbreak train data/train.h5 data/validation.h5 -o run --break --positions",
    "symbreak train data/train.h5 data/validation.h5 -o run --break --angles 64",
    "symbreak train data/train.h5 data/validation.h5 -o run --break --resume",
)

KEPT = "whole epochs are kept, the same command continues."


def train(
    pairs: Annotated[
        Path,
        typer.Argument(metavar="TRAIN", help="HDF5 with object and amplitude, as of simulate."),
    ],
    validation: Annotated[
        Path, typer.Argument(metavar="VALIDATION", help="The same, to validate.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the training.")],
    break_: Annotated[
        bool, typer.Option("--break/--raw", help="Break the symmetries of the training objects.")
    ] = False,
    ambiguous: Annotated[
        str, typer.Option(help="With --break, objects without canonical form: drop, keep or raise.")
    ] = "drop",
    positions: Annotated[
        bool,
        typer.Option(
            "--positions",
            help="Take every object in all eight positions, turned and mirrored, as many an epoch "
            "as there are objects; square 2D.",
        ),
    ] = False,
    angles: Annotated[
        int,
        typer.Option(
            min=0,
            help="Or so many angles, evenly spread, and mirrored: 64; 0: none. Patterns are "
            "simulated anew: for pairs without noise.",
        ),
    ] = 0,
    network: Annotated[str, typer.Option(help="Network: UNet or SiSPRNet.")] = "UNet",
    network_options: Annotated[
        str, typer.Option("--options", help='Options of the network as JSON: {"width": 16}.')
    ] = "{}",
    loss: Annotated[str, typer.Option(help="mse, or sa_mse: up to the symmetries.")] = "mse",
    learning_rate: Annotated[float, typer.Option(help="First step size of Adam.")] = 1e-3,
    min_learning_rate: Annotated[float, typer.Option(help="Training ends at this rate.")] = 1e-5,
    factor: Annotated[
        float, typer.Option(help="Factor on the rate at a plateau, in (0, 1).")
    ] = 0.3,
    patience: Annotated[
        int, typer.Option(help="Epochs without progress; one more: a plateau.")
    ] = 10,
    batch: Annotated[int, typer.Option(min=1, help="Pairs per step and device.")] = 32,
    max_epochs: Annotated[int, typer.Option(min=1, help="Epochs at most.")] = 500,
    final_epochs: Annotated[
        int, typer.Option(min=0, help="So many of them, the last, at a tenth of the rate.")
    ] = 0,
    final_loss: Annotated[
        str | None, typer.Option(help="Their loss, mse or sa_mse; default: as before.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the weights and the order.")] = 0,
    ndim: options.Ndim = 2,
    resume: Annotated[bool, typer.Option(help="Continue one that had ended, too.")] = False,
    stream: Annotated[bool, typer.Option(help="Read from the file, not into memory.")] = False,
    precision: Annotated[str, typer.Option(help="32, or bf16: mixed precision.")] = "32",
    tf32: Annotated[bool, typer.Option(help="Allow TF32 matrix products.")] = False,
    channels_last: Annotated[bool, typer.Option(help="Channels last in memory.")] = False,
    compile_: Annotated[
        bool,
        typer.Option(
            "--compile",
            help="Compile the network: minutes before the first epoch ends, for long trainings.",
        ),
    ] = False,
    save_every: Annotated[
        float, typer.Option(min=0, help="Seconds from checkpoint to checkpoint; 0: every epoch.")
    ] = 0.0,
    accelerator: Annotated[str, typer.Option(help="Where to train: auto, cpu or gpu.")] = "auto",
    devices: Annotated[int, typer.Option(min=1, help="Devices or CPU processes per node.")] = 1,
    nodes: Annotated[int, typer.Option(min=1, help="Nodes; start with torchrun or srun.")] = 1,
) -> None:
    """Train a network: Adam, the rate lowered on plateaus of the validation SA-MSE.

    The folder then holds best.ckpt and final.ckpt for evaluate and predict, summary.json, and
    logs as CSV and for TensorBoard. Interrupted, the same command continues.
    """
    values: dict[str, Any] = {
        "network": network,
        "options": _json(network_options),
        "loss": loss,
        "learning_rate": learning_rate,
        "min_learning_rate": min_learning_rate,
        "factor": factor,
        "patience": patience,
        "batch": batch,
        "max_epochs": max_epochs,
        "final_epochs": final_epochs,
        "final_loss": final_loss,
        "seed": seed,
        "precision": precision,
        "tf32": tf32,
        "channels_last": channels_last,
        "compile": compile_,
        "save_every": save_every,
        "accelerator": accelerator,
        "devices": devices,
        "nodes": nodes,
        "progress": True,
    }
    if angles and (positions or stream):
        raise typer.BadParameter("--angles goes with neither --positions nor --stream")
    require_training()
    options.check_folder(output)
    with options.wrong_usage():
        settings = TrainSettings(**values)
        check_devices(settings)
    source = FilePairs(pairs, broken=break_, ambiguous=_choice(ambiguous), ndim=ndim)
    checked = FilePairs(validation, ndim=ndim)
    for path, pairs_there in ((pairs, source), (validation, checked)):
        note(f"{path}: {line}." for line in look_at_pairs(pairs_there))
    if values["options"]:
        with options.wrong_usage("--options"), torch.device("meta"):
            build_network(network, source.object_shape, source.measurement_shape, settings.options)
    data: list[PairSource] = [p if stream else p.load() for p in (source, checked)]
    if positions or angles:
        settings = replace(settings, epoch_items=len(source))
        if angles:
            data[0] = RotatedPairs.of(source.load(), angles=angles, broken=break_)
        else:
            data[0] = TurnedPairs(data[0], broken=break_)
        if not break_ and "mse" in (loss, final_loss):
            note(["turned objects have raw symmetries, also of a broken file: mse wants --break."])
    if source.dropped:
        note([f"{source.dropped} ambiguous objects are left out."])
    from symbreak.learning.fit import fit  # Lightning takes seconds to import
    from symbreak.learning.outcome import is_unfinished

    if is_unfinished(output) and not resume:
        resume = True
        note([f"{output} holds an interrupted training: going on with it."])
    try:
        fitted = fit(settings, data[0], data[1], output, resume=resume)
    except KeyboardInterrupt:
        if not is_unfinished(output):
            raise
        raise KeyboardInterrupt(f"interrupted; {KEPT}") from None
    except SystemExit:  # SIGTERM, as of a scheduler when the time is over
        if is_unfinished(output):
            note([f"terminated; {KEPT}"])
        raise
    rows = table("training", "pairs", "epochs", "best validation SA-MSE", "time")
    rows.add_row(
        str(len(source)),
        str(fitted.epochs),
        f"{fitted.best_validation:.5f}",
        f"{fitted.seconds:.1f} s",
    )
    out().print(rows)
    wrote(fitted.best, "best-validated network")
    wrote(fitted.final, "final network")


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise typer.BadParameter(f"not JSON: {error}", param_hint="--options") from None
    if not isinstance(found, dict):
        raise typer.BadParameter(f"expected an object, got {text}", param_hint="--options")
    return found


def _choice(text: str) -> Any:
    if text not in ("drop", "keep", "raise"):
        raise typer.BadParameter(
            f"expected drop, keep or raise, got {text!r}", param_hint="--ambiguous"
        )
    return text
