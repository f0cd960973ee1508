"""Options that several commands share, and how their values are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import torch
import typer

from symbreak.data.files.arrays import Source
from symbreak.data.files.atomic import check_writable
from symbreak.geometry.extent import check_level

FILE = "FILE[:DATASET]"
PICTURES = (".png", ".pdf", ".svg", ".jpg", ".jpeg", ".tif", ".tiff")

Value = TypeVar("Value")


def checked(check: Callable[[Value], object]) -> Callable[[Value | None], Value | None]:
    """What a function refuses is wrong usage of the option, so that its name is in the line.

    Args:
        check: Raises TypeError or ValueError where a value cannot be; one that begins with the
            function's name loses it.

    Returns:
        The callback of an option.
    """

    def callback(value: Value | None) -> Value | None:
        try:
            if value is not None:
                check(value)
        except (TypeError, ValueError) as error:
            raise typer.BadParameter(_told(error)) from None
        return value

    return callback


@contextmanager
def wrong_usage(option: str = "") -> Iterator[None]:
    """What is refused within is wrong usage of an option: where several values decide together.

    Args:
        option: Its name; else that of the field that the line begins with, ``max_epochs`` of
            ``TrainSettings: max_epochs must be ...``.
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        told = _told(error)
        field = told.split()[0].rpartition(".")[2]
        hint = option or "--" + field.replace("_", "-")
        raise typer.BadParameter(told, param_hint=f"'{hint}'") from None


def _told(error: Exception) -> str:
    """The message without the name of the function, nor its full stop."""
    line, *pointed = str(error).split("\n", 1)
    function, found, rest = line.removesuffix(".").partition(": ")
    told = rest if found and function.isidentifier() else line
    return "\n".join([told, *pointed])


Ndim = Annotated[int, typer.Option(min=2, max=3, help="Axes of one object: 2 or 3.")]
Positions = Annotated[
    bool,
    typer.Option(
        "--positions",
        help="Look at each pattern turned and mirrored, eight times, and average the three "
        "estimates that fit it best; square 2D.",
    ),
]
Level = Annotated[
    float,
    typer.Option(
        callback=checked(lambda level: check_level("level", level)),
        help="The crystal is where the magnitude is above this part of its usual value, in [0, 1); "
        "beyond, phases are noise.",
    ),
]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, ...")]
Workers = Annotated[
    int,
    typer.Option(
        min=1,
        help="Processes on this machine, one thread each, by Dask; 1: only this one, all threads.",
    ),
]
Dask = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Let the workers of this Dask scheduler, tcp://HOST:8786, do the work.",
    ),
]


def source(text: str) -> Source:
    """Parse ``FILE[:DATASET]``."""
    if not text.strip(":"):
        raise typer.BadParameter(f"expected {FILE}, got {text!r}")
    return Source.parse(text)


def scan(text: str) -> Source:
    """Parse ``FILE[:SCAN]``, a number or path; a SPEC file may have any suffix, or none."""
    found = source(text)
    head, colon, tail = text.rpartition(":")
    if found.dataset is None and head and colon and not found.path.exists():
        return Source(Path(head), tail)
    return found


def device(name: str) -> torch.device:
    """Parse the name of a device and make sure that it is there."""
    try:
        found = torch.device(name)
    except RuntimeError:
        raise typer.BadParameter(f"expected cpu or cuda, got {name!r}") from None
    if found.type not in ("cpu", "cuda"):
        raise typer.BadParameter(f"expected cpu or cuda, got {name!r}")
    if found.type == "cuda" and (found.index or 0) >= torch.cuda.device_count():
        raise typer.BadParameter(
            f"no device {name} here: this PyTorch sees {torch.cuda.device_count()} CUDA devices"
        )
    return found


def area(text: str | None) -> float | tuple[float, float] | None:
    """Parse ``FRACTION`` or ``START,END``."""
    if text is None:
        return None
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2) or not all(0 < n <= 1 for n in numbers):
        raise typer.BadParameter(
            f"expected FRACTION or START,END, each above 0 and at most 1, got {text!r}",
            param_hint="--area",
        )
    return numbers[0] if len(numbers) == 1 else (numbers[0], numbers[1])


def lengths(text: str | None) -> tuple[float, ...] | None:
    """Parse ``LENGTH,LENGTH`` or ``LENGTH,LENGTH,LENGTH``."""
    if text is None:
        return None
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) not in (2, 3) or not all(n > 0 for n in numbers):
        raise typer.BadParameter(
            f"expected a length above 0 for each axis, as 40,60, got {text!r}",
            param_hint="--coherence-length",
        )
    return numbers


def result_path(path: Path, suffixes: tuple[str, ...], *, inputs: tuple[Source, ...] = ()) -> None:
    """Check before the work starts that a result can be written and overwrites no input."""
    if path.suffix.lower() not in suffixes:
        raise typer.BadParameter(f"{path} must end with {' or '.join(suffixes)}")
    for given in inputs:
        if path.exists() and given.path.exists() and path.samefile(given.path):
            raise typer.BadParameter(f"{path} is an input, it would be overwritten")
    check_writable(path)


def check_folder(path: Path) -> None:
    """Check before the work starts that a folder is there or can be made."""
    present = next(p for p in (path, *path.absolute().parents) if p.exists())
    if not present.is_dir():
        raise typer.BadParameter(
            f"{path} must be a folder, or a new name for one, and a file is in its place"
        )


def result_folder(path: Path) -> None:
    """Make the folder for results, if it is not there."""
    check_folder(path)
    path.mkdir(parents=True, exist_ok=True)
