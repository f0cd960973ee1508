"""symbreak experiment: the paper's figures and tables by one command."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from symbreak.cli import options
from symbreak.cli.output import err, out, table, wrote
from symbreak.ops.phasing_checks import check_seed

if TYPE_CHECKING:
    from symbreak.experiments.scales import Scale

EXAMPLES = (
    "symbreak experiment square-root -o figures",
    "symbreak experiment symmetries -o figures",
    "symbreak experiment margins -o figures",
    "symbreak experiment tables --scale small -o small --jobs 2",
    "symbreak experiment tables --scale paper -o paper --workers 8 --jobs 4",
)
NAMES = ("square-root", "symmetries", "margins", "tables")


def experiment(
    name: Annotated[str, typer.Argument(metavar="NAME", help=f"One of {', '.join(NAMES)}.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the results.")],
    scale: Annotated[str, typer.Option(help="Tables: small, paper or tiny.")] = "small",
    sets: Annotated[
        list[int] | None,
        typer.Option(
            "--set",
            min=1,
            help="Tables: only this training set size, in pairs; repeatable; default: the scale's.",
        ),
    ] = None,
    variants: Annotated[
        list[str] | None,
        typer.Option(
            "--variant",
            help="Tables: only this column, as before or after; repeatable; default: the scale's.",
        ),
    ] = None,
    passes: Annotated[
        int | None,
        typer.Option(
            min=1, help="Tables: most items a cell trains on, all epochs; default: the scale's."
        ),
    ] = None,
    defects: Annotated[
        int | None,
        typer.Option(
            min=0, max=64, help="Tables: most dislocations a crystal (default: tiny 6, else 2)."
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, callback=options.checked(check_seed), help="Seed.")
    ] = 0,
    machine: Annotated[
        str | None,
        typer.Option(help='Tables: how they are trained, as JSON: {"precision": "bf16"}.'),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Tables: processes of the simulation.")] = 1,
    jobs: Annotated[int, typer.Option(min=1, help="Tables: cells trained at once.")] = 1,
) -> None:
    """Repeat an experiment of arXiv:2403.15448; an interrupted run of the tables continues.

    square-root: both signs against |x| (Fig. 2). symmetries: copies of an object with one pattern
    (Fig. 1). margins: how near crystals lie to the cuts of the flip rules. tables: both networks,
    set sizes, before and after breaking, and further columns (Tables 1-5, Fig. 3).
    """
    if name not in NAMES:
        raise typer.BadParameter(f"expected {', '.join(NAMES)}, got {name!r}", param_hint="'NAME'")
    if name == "tables":
        given = {"sets": sets, "variants": variants, "passes": passes, "seed": seed}
        chosen = _scale(scale, given, machine, defects)
        options.result_folder(output)
        _tables(output, chosen, workers=workers, jobs=jobs)
    else:
        options.result_folder(output)
        _figure(name, output, seed)
    wrote(output, "results")


def _figure(name: str, folder: Path, seed: int) -> None:
    if name == "square-root":
        from symbreak.experiments.square_root import SquareRoot, write_square_root

        write_square_root(folder, SquareRoot(seed=seed))
    elif name == "symmetries":
        from symbreak.experiments.symmetries import write_symmetries

        write_symmetries(folder, seed=seed)
    else:
        from symbreak.experiments.margins import write_margins

        write_margins(folder, seed=seed)


def _scale(scale: str, choices: dict[str, Any], machine: str | None, defects: int | None) -> Scale:
    """Read what of the tables is to be trained."""
    from symbreak.experiments.scales import SCALES, VARIANTS

    if scale not in SCALES:
        told = f"expected {', '.join(SCALES)}, got {scale!r}"
        raise typer.BadParameter(told, param_hint="'--scale'")
    for variant in choices["variants"] or ():
        if variant not in VARIANTS:
            told = f"expected {', '.join(VARIANTS)}, got {variant!r}"
            raise typer.BadParameter(told, param_hint="'--variant'")
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in choices.items()
        if value is not None
    }
    if machine is not None:
        given["machine"] = SCALES[scale].machine | _machine(machine)
    if defects is not None:
        given["crystals"] = replace(SCALES[scale].crystals, defects=(0, defects))
    with options.wrong_usage("--variant"):
        return replace(SCALES[scale], **given)


def _tables(folder: Path, chosen: Scale, **processes: int) -> None:
    from symbreak.experiments.tables import run_tables

    say = err()
    records = run_tables(chosen, folder, **processes, done=say.print)
    rows = table("test SA-MSE over the zero predictor's", "network", "pairs", "variant", "ratio")
    for record in records:
        rows.add_row(
            record["network"],
            str(record.get("set", "")),
            record.get("variant", ""),
            f"{record['test_best']['sa_mse_ratio']:.4f}",
        )
    out().print(rows)


def _machine(text: str) -> dict[str, Any]:
    """Read fields of `TrainSettings` that concern the machine."""
    from symbreak.experiments.scales import MACHINE
    from symbreak.learning.settings import TrainSettings

    try:
        found = json.loads(text)
        if not isinstance(found, dict) or not set(found) <= set(MACHINE):
            raise ValueError(f"expected an object with fields of {', '.join(MACHINE)}, got {text}")
        TrainSettings(**found)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--machine") from None
    return found
