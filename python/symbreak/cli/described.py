"""What a result says of its pattern and options, and what the user is told of the pattern."""

from __future__ import annotations

from enum import Enum

import torch
import typer

from symbreak.cli.output import element, err
from symbreak.cli.phasing import digest
from symbreak.data.detector.patterns import Pattern
from symbreak.data.files.cxi import Parameter, title_of


def parameters(
    context: typer.Context, pattern: Pattern, free: torch.Tensor | None, every: int
) -> dict[str, Parameter]:
    """Every option as it was used, also those left at their defaults.

    Args:
        context: Of the command.
        pattern: What was read.
        free: The free pixels.
        every: Iterations from one entry of the history to the next.
    """
    used: dict[str, Parameter] = {
        name: value.value if isinstance(value, Enum) else value
        for name, value in context.params.items()
        if name not in ("output", "plot")
    }
    used["pattern"] = str(pattern.source)
    used["pattern_title"] = title_of(pattern.source.path)
    used["pattern_digest"] = digest(pattern.amplitude)
    used["measured_pixels"] = int(pattern.valid.sum())
    used["saturated_pixels"] = int((pattern.least > 0).sum())
    used["record_every"] = every
    if free is not None:
        used["free_pixels"] = int(free.sum())
    return used


def describe(pattern: Pattern, free: torch.Tensor | None) -> None:
    """Tell how large the pattern is, and what of it was not measured or is left out."""
    shape = " x ".join(map(str, pattern.amplitude.shape))
    unit = element(pattern.amplitude.dim())
    missing = 100 * float(1 - pattern.valid.double().mean())
    over = int((pattern.least > 0).sum())
    least = f", of {over} {unit}{'' if over == 1 else 's'} the least is known" if over else ""
    hidden = "" if free is None else f"; {int(free.sum())} of them left out of phasing"
    err().print(
        f"{pattern.source}: {shape} {unit}s, {missing:.1f} % not measured{least}{hidden}",
        markup=False,
        soft_wrap=True,
    )
