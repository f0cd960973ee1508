"""--initial: phasing that begins from objects instead of random phases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor

from symbreak.cli import phasing_options
from symbreak.cli.output import note
from symbreak.cli.phasing_options import PHASING
from symbreak.data.detector.pattern_stack import PatternStack
from symbreak.data.files.arrays import DataError, OpenArray, Source
from symbreak.data.files.first_objects import open_first_objects, read_first_objects
from symbreak.data.streaming.chunks import Arrays

Initial = Annotated[
    str | None,
    typer.Option(
        metavar="FILE[:DATASET]",
        help="Begin from these objects, complex, instead of random phases.",
        rich_help_panel=PHASING,
    ),
]

AGREEMENT = (
    "the starts began from objects that were given: where these share an error the starts agree on "
    "it, and the transfer function does not show it. Random starts tell."
)


def begin(context: typer.Context) -> None:
    """Set the parameters as they are where objects are given.

    These say how many starts there are, the seed says nothing, and supports would be chosen by
    random starts. The support is known, so its blur begins as narrow as it may end, unless a first
    blur is given: see bench/series.py.
    """
    for name in ("starts", "seed", "choose_support"):
        if phasing_options.is_said(context, name):
            raise typer.BadParameter(
                f"--initial leaves nothing random: leave out --{name.replace('_', '-')}"
            )
    context.params |= {"starts": 1, "seed": None}
    if not phasing_options.is_said(context, "sigma"):
        context.params["sigma"] = context.params["sigma_min"]


def read_starts(
    source: Source, pattern: Source, amplitude: Tensor, valid: Tensor, *, limited: bool
) -> tuple[Tensor, list[str]]:
    """Read the objects that the starts of one pattern begin from.

    Args:
        source: Where they are; an empty path means the pattern's file.
        pattern: Where the pattern is.
        amplitude: ``(*grid)``, DC at index 0.
        valid: Where it was measured, bool ``(*grid)``.
        limited: Whether phasing limits the object's phase.

    Returns:
        Complex64 ``(starts, *grid)``, as `fitted` makes them, and notes for the user.

    Raises:
        DataError: The file does not hold such objects.
        OSError: The file cannot be read.
    """
    source = source.within(pattern)
    grid = tuple(amplitude.shape)
    with open_first_objects(source, grid) as opened:
        objects = torch.from_numpy(read_first_objects(opened, slice(None), grid))
        dark = (objects == 0).flatten(1).all(1)
        if bool(dark.any()):
            raise DataError(f"{opened.source}: object {int(dark.nonzero()[0])} is 0 everywhere.")
        many = f"{len(objects)} starts begin" if len(objects) > 1 else "one start begins"
        notes = [*opened.notes, f"{many} from {opened.source}{padded(opened.array.shape, grid)}."]
    return fitted(objects.to(amplitude.device), amplitude, valid, limited=limited), notes


def look_at_support(objects: Tensor, support: Tensor) -> list[str]:
    """Say so where a support that was given lies elsewhere than the objects do.

    Args:
        objects: Complex ``(starts, *grid)``, none of them 0.
        support: bool ``(*grid)``.
    """
    power = objects.abs().square().flatten(1)
    share = float((power * support.flatten()).sum(1).div(power.sum(1)).min())
    if share >= 0.5:
        return []
    return [
        f"--support holds {100 * share:.0f} % of an object of --initial only: it is to lie where "
        "the objects do."
    ]


@contextmanager
def objects_of_stack(source: Source | None, stack: PatternStack) -> Iterator[OpenArray | None]:
    """Open the objects that phasing begins from, one for each pattern.

    Args:
        source: Where they are; an empty path means the patterns' file. None: nowhere.
        stack: The patterns.

    Raises:
        DataError: The file does not hold as many such objects.
        OSError: The file cannot be read.
    """
    if source is None:
        yield None
        return
    pattern, grid = stack.opened.source, stack.shape[1:]
    with open_first_objects(source.within(pattern), grid) as opened:
        shape = opened.array.shape
        if len(shape) != len(stack.shape) or shape[0] != stack.shape[0]:
            raise DataError(
                f"{opened.source}: there must be one object for each of the {stack.shape[0]} "
                f"patterns, got shape {shape}."
            )
        note((*opened.notes, f"phasing begins from {opened.source}{padded(shape, grid)}."))
        yield opened


def read_with_objects(stack: PatternStack, objects: OpenArray | None, rows: slice) -> Arrays:
    """What `PatternStack.read` returns and, where there are objects, ``initial``.

    Raises:
        DataError: A file is damaged, or an object is 0 or not finite where its pattern is not dark.
    """
    part = stack.read(rows)
    if objects is None:
        return part
    initial = read_first_objects(objects, rows, stack.shape[1:])
    axes = tuple(range(1, initial.ndim))
    lost = ((part["amplitude"] * part["valid"]) > 0).any(axes) & (initial == 0).all(axes)
    if lost.any():
        item = rows.start + int(np.argmax(lost))
        raise DataError(f"{objects.source}: object {item} is 0 everywhere, its pattern is not.")
    return {**part, "initial": initial}


def padded(shape: tuple[int, ...], grid: tuple[int, ...]) -> str:
    """Say so where objects ``(*items, *N)`` are smaller than the grid."""
    size = shape[-len(grid) :]
    if size == grid:
        return ""
    own, whole = (" x ".join(map(str, pixels)) for pixels in (size, grid))
    return f", {own} with zeros around them on {whole}"


def fitted(objects: Tensor, amplitude: Tensor, valid: Tensor, *, limited: bool) -> Tensor:
    r"""Bring objects to the scale of the measured amplitudes: what was not measured is theirs.

    The factor is that of the least sum (a - s \|F x\|)^2 over measured pixels.

    Args:
        objects: Complex ``(items, *grid)``.
        amplitude: ``(*grid)`` or ``(items, *grid)``.
        valid: bool, likewise.
        limited: Whether phasing limits the object's phase. The global phase is then not free, and
            that of the objects' sum is made 0.
    """
    axes = tuple(range(1, objects.dim()))
    own = torch.fft.fftn(objects, dim=axes).abs() * valid
    factor: Tensor = (own * amplitude).sum(axes, keepdim=True)
    factor = factor / own.square().sum(axes, keepdim=True)
    if limited:
        factor = factor * torch.exp(-1j * objects.sum(axes, keepdim=True).angle())
    return objects * factor
