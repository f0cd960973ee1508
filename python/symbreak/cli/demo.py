"""symbreak demo: the main job on data that it makes itself, with pictures."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import torch
import typer

import symbreak
from symbreak.cli import options
from symbreak.cli.output import err, out, table, wrote
from symbreak.cli.phasing import run
from symbreak.cli.phasing_options import DEFAULT, SCHEDULE
from symbreak.cli.simulation import (
    Measurement,
    measure,
    symmetric_copies,
    write_measurement,
)
from symbreak.cli.starts import as_phasing
from symbreak.data.files.cxi import Parameter, write_cxi
from symbreak.data.files.hdf5 import new_hdf5
from symbreak.evaluation import StartComparison, compare_starts

KINDS, COPIES = 2, 4
RECORD_EVERY = 10
GOOD = 1.2
EXAMPLES = (
    "symbreak demo",
    "symbreak reconstruct symbreak-demo/pattern.h5 -o again.cxi --mask :entry/mask",
)


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the results.")] = Path(
        "symbreak-demo"
    ),
    starts: Annotated[int, typer.Option(min=1, help="Random starts.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="Seed of data and starts.")] = 0,
) -> None:
    """Simulate a crystal, phase its noisy pattern, break symmetries, draw pictures.

    Takes less than a minute on two cores and needs no data. The folder then holds the simulated
    measurement too, to try the other commands on.
    """
    options.result_folder(output)
    begun = time.perf_counter()
    say = err()
    say.print("[bold]1[/] simulating a crystal and its noisy pattern behind a beamstop")
    measured = measure(seed)
    write_measurement(output / "pattern.h5", measured)
    say.print(f"[bold]2[/] phasing it from {starts} random starts")
    found = _phase(measured, starts, seed, output)
    say.print(f"[bold]3[/] breaking the symmetries of {KINDS} crystals, {COPIES} copies each")
    before = symmetric_copies(KINDS, COPIES, seed)
    broken = symbreak.break_symmetry(before)
    _write_objects(output / "objects.h5", before)
    say.print("[bold]4[/] drawing")
    figures = _draw(measured, found, before, broken, output)
    _print(found, figures, before, broken.object, time.perf_counter() - begun)
    for name, what in (
        ("demo.png", "true object, pattern, result"),
        ("reconstruction.png", "all starts, transfer function"),
        ("breaking.png", "symmetries before and after"),
        ("reconstruction.cxi", "reconstruction"),
        ("pattern.h5", "simulated measurement"),
        ("objects.h5", "objects to break"),
    ):
        wrote(output / name, what)


def _phase(measured: Measurement, starts: int, seed: int, output: Path) -> StartComparison:
    amplitude = measured.counts.sqrt()
    found = run(
        amplitude,
        SCHEDULE,
        beta=0.9,
        valid=measured.valid,
        support=None,
        shrinkwrap=DEFAULT,
        starts=starts,
        seed=seed,
        record_every=RECORD_EVERY,
    )
    compared = compare_starts(
        found.object, found.support, found.error, amplitude, measured.valid, factor=GOOD
    )
    parameters: dict[str, Parameter] = {
        "pattern": "pattern.h5",
        "schedule": SCHEDULE,
        "starts": starts,
        "seed": seed,
        "good": GOOD,
        **asdict(DEFAULT),
    }
    write_cxi(output / "reconstruction.cxi", as_phasing(compared, found.history, parameters))
    _draw_reconstruction(measured, compared, found.history, output)
    return compared


def _draw_reconstruction(
    measured: Measurement, compared: StartComparison, history: torch.Tensor, output: Path
) -> None:
    from symbreak.plotting import reconstruction_figure, save

    figure = reconstruction_figure(
        measured.counts.sqrt(),
        measured.valid,
        compared,
        history=history,
        every=RECORD_EVERY,
        title="simulated crystal",
    )
    save(figure, output / "reconstruction.png")


def _draw(
    measured: Measurement,
    found: StartComparison,
    before: torch.Tensor,
    broken: symbreak.SymmetryBreaking,
    output: Path,
) -> tuple[float, float]:
    """Draw; relative errors of the best start and of the mean against the truth."""
    from symbreak.plotting import breaking_figure, demo_figure, save

    pair = torch.stack([found.objects[found.best], found.mean])
    truth = measured.truth.expand_as(pair).contiguous()
    aligned = symbreak.align(pair, truth, wrap=True)
    power = float(measured.truth.abs().square().mean())
    best, mean = (aligned.sa_mse.double() / power).sqrt().tolist()
    caption = (
        f"relative error of the best start {best:.3f}, of the mean of {int(found.good.sum())} "
        f"good ones {mean:.3f}"
    )
    figure = demo_figure(
        measured.truth,
        measured.counts.sqrt(),
        measured.valid,
        aligned.object[0],
        aligned.object[1],
        caption=caption,
    )
    save(figure, output / "demo.png")
    save(breaking_figure(before, broken.object, broken.flipped), output / "breaking.png")
    return best, mean


def _print(
    found: StartComparison,
    errors: tuple[float, float],
    before: torch.Tensor,
    after: torch.Tensor,
    seconds: float,
) -> None:
    rows = table("symbreak demo", "what", "result")
    good = int(found.good.sum())
    rows.add_row(f"good starts, error <= {GOOD} x the best", f"{good} of {len(found.error)}")
    rows.add_row("of these the twin image", str(int((found.twin & found.good).sum())))
    rows.add_row("R of the best start", f"{float(found.r_factor[found.best]):.4f}")
    rows.add_row("relative error of the best start", f"{errors[0]:.4f}")
    rows.add_row("relative error of the mean", f"{errors[1]:.4f}")
    rows.add_row("distance of copies before breaking", f"{_spread(before):.2g}")
    rows.add_row("distance of copies after", f"{_spread(after):.2g}")
    rows.add_row("time", f"{seconds:.1f} s")
    out().print(rows)


def _spread(objects: torch.Tensor) -> float:
    """Largest relative distance of a copy from the first copy of its crystal."""
    groups = objects.reshape(KINDS, COPIES, -1)
    distance = (groups - groups[:, :1]).norm(dim=-1) / groups.norm(dim=-1)
    return float(distance.max())


def _write_objects(path: Path, objects: torch.Tensor) -> None:
    with new_hdf5(path) as file:
        file["objects"] = objects.numpy()
