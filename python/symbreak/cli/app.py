"""The commands of ``symbreak``, one module each."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Annotated

import typer

import symbreak
from symbreak.cli import (
    align,
    break_symmetry,
    combine,
    demo,
    evaluate,
    experiment,
    export,
    info,
    merge,
    predict,
    prepare,
    reconstruct,
    reconstruct_stack,
    resolution,
    simulate,
    train,
)
from symbreak.cli.group import OneLineErrors

app = typer.Typer(
    name="symbreak",
    cls=OneLineErrors,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"symbreak {symbreak.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error. Understood anywhere.")
    ] = False,
) -> None:
    """Far-field phase retrieval: phase diffraction patterns, break symmetries, compare.

    To look around: `symbreak demo`. To phase a measurement: prepare, reconstruct, export. To train
    a network: simulate, train, evaluate. `symbreak COMMAND --help` has examples.

    FILE:DATASET names one array of a file that has several.

    Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted by Ctrl-C.
    """


def _add(name: str, module: ModuleType, command: Callable[..., None]) -> None:
    # Rich puts every paragraph on a line of its own.
    examples = "\n\n".join(["[bold]Examples[/]", *module.EXAMPLES])
    app.command(name, epilog=examples)(command)


_add("prepare", prepare, prepare.prepare)
_add("merge", merge, merge.merge)
_add("reconstruct", reconstruct, reconstruct.reconstruct)
_add("reconstruct-stack", reconstruct_stack, reconstruct_stack.reconstruct_stack)
_add("resolution", resolution, resolution.resolution)
_add("export", export, export.export)
_add("combine", combine, combine.combine)
_add("break", break_symmetry, break_symmetry.break_)
_add("align", align, align.align)
_add("simulate", simulate, simulate.simulate)
_add("train", train, train.train)
_add("evaluate", evaluate, evaluate.evaluate)
_add("predict", predict, predict.predict)
_add("experiment", experiment, experiment.experiment)
_add("demo", demo, demo.demo)
_add("info", info, info.info)
