"""symbreak simulate: training, validation and test sets of simulated crystals."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from symbreak.cli import options
from symbreak.cli.output import command_line, progress, wrote
from symbreak.data import CrystalSettings, crystals, detector_gaps
from symbreak.data import beamstop as stop
from symbreak.data.simulation.noise import check_photons
from symbreak.data.simulation.pairs import Simulation, write_pairs
from symbreak.data.streaming.distribute import running
from symbreak.ops.phasing_checks import check_seed

EXAMPLES = (
    "symbreak simulate data --train 5000 --workers 2",
    "symbreak simulate noisy --train 1000 --photons 1e6 --beamstop 2 --gaps 60 4",
    "symbreak simulate small --size 32 --train 500 --validation 100 --test 100",
)

SPLITS = "'--train', '--validation', '--test'"


def simulate(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder of the three files, made if missing.")
    ],
    train: Annotated[int, typer.Option(min=0, help="Training pairs.")] = 5000,
    validation: Annotated[int, typer.Option(min=0, help="Validation pairs.")] = 500,
    test: Annotated[int, typer.Option(min=0, help="Test pairs.")] = 500,
    size: Annotated[int, typer.Option(min=8, help="Pixels per axis of an object.")] = 64,
    oversampling: Annotated[
        int, typer.Option(min=2, help="Pixels of the pattern over the object's, per axis.")
    ] = 2,
    seed: Annotated[
        int,
        typer.Option(
            min=0, callback=options.checked(check_seed), help="Seed; splits never share a crystal."
        ),
    ] = 0,
    defects: Annotated[
        tuple[int, int] | None,
        typer.Option(
            callback=options.checked(lambda defects: CrystalSettings(defects=defects)),
            metavar="FEWEST MOST",
            help="Fewest and most dislocations per crystal; default: 0 6, in 3D 0 1.",
        ),
    ] = None,
    cores: Annotated[
        str | None,
        typer.Option(
            callback=options.checked(lambda cores: CrystalSettings(cores=cores)),
            help="Where they lie: crystal, or anywhere in the frame; default: crystal.",
        ),
    ] = None,
    photons: Annotated[
        float | None,
        typer.Option(
            callback=options.checked(check_photons),
            help="Poisson noise: photons expected per pattern; default: no noise.",
        ),
    ] = None,
    beamstop: Annotated[
        float | None,
        typer.Option(
            callback=options.checked(lambda radius: stop((1, 1), radius)),
            help="Radius of a beamstop in pixels of the pattern; default: none.",
        ),
    ] = None,
    gaps: Annotated[
        tuple[int, int] | None,
        typer.Option(
            callback=options.checked(
                lambda gaps: detector_gaps((1, 1), module=gaps[0], gap=gaps[1])
            ),
            metavar="MODULE GAP",
            help="Pixels of a detector module and of the gap to the next; default: no gaps.",
        ),
    ] = None,
    ndim: options.Ndim = 2,
    chunk: Annotated[int, typer.Option(min=1, help="Pairs in memory at a time.")] = 256,
    workers: options.Workers = 1,
    dask: options.Dask = None,
) -> None:
    """Simulate Bragg CDI crystals and their patterns: train.h5, validation.h5 and test.h5.

    Interrupted, the same command continues; files already there with these settings stay.
    Every file holds object, amplitude (DC at index 0) and, as attributes, every parameter. With a
    beamstop or gaps there is a mask, valid, too. A split of 0 pairs is left out. Symmetries are not
    broken: see train, or break.
    """
    given = {"defects": defects, "cores": cores}
    chosen: dict[str, Any] = {name: v for name, v in given.items() if v is not None}
    if chosen and ndim == 3:
        chosen = {"defects": (0, 1), **chosen}  # the default there
    with options.wrong_usage():
        settings = CrystalSettings(**chosen) if chosen else None
        crystals(0, size, seed, ndim=ndim, settings=settings)  # its checks; in 3D fewer defects
    counts = {"train": train, "validation": validation, "test": test}
    if not any(counts.values()):
        raise typer.BadParameter(
            "one split at least must have pairs, got 0 in all", param_hint=SPLITS
        )
    simulation = Simulation(size, seed, ndim, oversampling, photons, settings, beamstop, gaps)
    with options.wrong_usage("--beamstop"):
        simulation.valid()  # its checks
    options.result_folder(folder)
    with running(workers, dask) as runner, progress("simulating", sum(counts.values())) as bar:
        for split, count in counts.items():
            if count:
                write_pairs(
                    folder / f"{split}.h5",
                    split,
                    count,
                    simulation,
                    chunk=chunk,
                    runner=runner,
                    command=command_line(),
                    advance=lambda items: bar.advance(bar.task_ids[0], items),
                )
    for split, count in counts.items():
        if count:
            wrote(folder / f"{split}.h5", f"{count} pairs")
