"""symbreak experiment: the paper's figures and tables by one command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from symbreak.cli.output import err, out, table, wrote

EXAMPLES = (
    "symbreak experiment square-root -o figures",
    "symbreak experiment symmetries -o figures",
    "symbreak experiment margins -o figures",
    "symbreak experiment tables --scale small -o small --jobs 2",
    "symbreak experiment tables --scale paper -o paper --workers 8 --jobs 4",
)
NAMES = ("square-root", "symmetries", "margins", "tables")


def experiment(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(NAMES)}.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the results.")],
    scale: Annotated[str, typer.Option(help="Of the tables: small, paper or tiny.")] = "small",
    sets: Annotated[
        list[int] | None, typer.Option("--set", help="Only this training set size; repeatable.")
    ] = None,
    variants: Annotated[
        list[str] | None, typer.Option("--variant", help="Only this column; repeatable.")
    ] = None,
    passes: Annotated[int | None, typer.Option(min=1, help="Training items per cell.")] = None,
    defects: Annotated[
        int | None,
        typer.Option(min=0, max=64, help="Most dislocations per crystal (tiny: 6, else 2)."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes of the simulation.")] = 1,
    jobs: Annotated[int, typer.Option(min=1, help="Cells trained at once.")] = 1,
) -> None:
    """Repeat an experiment of arXiv:2403.15448; an interrupted run of the tables continues.

    square-root: both signs against |x| (Fig. 2). symmetries: copies of an object with one pattern
    (Fig. 1). margins: how near crystals lie to the cuts of the flip rules. tables: both networks,
    set sizes, before and after breaking, and further columns (Tables 1-5, Fig. 3).
    """
    if name not in NAMES:
        raise typer.BadParameter(f"expected {', '.join(NAMES)}, got {name!r}")
    if name == "square-root":
        from symbreak.experiments.square_root import SquareRoot, write_square_root

        write_square_root(output, SquareRoot(seed=seed))
    elif name == "symmetries":
        from symbreak.experiments.symmetries import write_symmetries

        write_symmetries(output, seed=seed)
    elif name == "margins":
        from symbreak.experiments.margins import write_margins

        write_margins(output, seed=seed)
    else:
        given: dict[str, Any] = {"sets": sets, "variants": variants, "passes": passes, "seed": seed}
        _tables(output, scale, given, defects, workers=workers, jobs=jobs)
    wrote(output, "results")


def _tables(
    folder: Path, scale: str, choices: dict[str, Any], defects: int | None, **machine: int
) -> None:
    from symbreak.experiments.scales import SCALES, VARIANTS
    from symbreak.experiments.tables import run_tables

    if scale not in SCALES:
        raise typer.BadParameter(f"expected {', '.join(SCALES)}, got {scale!r}")
    for variant in choices["variants"] or ():
        if variant not in VARIANTS:
            raise typer.BadParameter(f"expected {', '.join(VARIANTS)}, got {variant!r}")
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in choices.items()
        if value is not None
    }
    if defects is not None:
        given["crystals"] = replace(SCALES[scale].crystals, defects=(0, defects))
    say = err()
    chosen = replace(SCALES[scale], **given)
    records = run_tables(chosen, folder, **machine, done=say.print)
    rows = table("test SA-MSE over the zero predictor's", "network", "pairs", "variant", "ratio")
    for record in records:
        rows.add_row(
            record["network"],
            str(record.get("set", "")),
            record.get("variant", ""),
            f"{record['test_best']['sa_mse_ratio']:.4f}",
        )
    out().print(rows)
