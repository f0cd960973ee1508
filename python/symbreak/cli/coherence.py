"""The options of a partly coherent beam, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
import typer
from torch import Tensor

from symbreak.cli import options
from symbreak.cli.output import note
from symbreak.cli.phasing_options import PHASING
from symbreak.coherence import coherence_length

PartialCoherence = Annotated[
    bool,
    typer.Option(
        "--partial-coherence",
        help="Correct for fringes washed out; by how much is found along the way. The schedule "
        "then ends with 20*ER by default.",
        rich_help_panel=PHASING,
    ),
]
CoherenceLength = Annotated[
    str | None,
    typer.Option(
        metavar="LENGTH,LENGTH[,LENGTH]",
        help="Correct for known coherence lengths, in pixels of the object, axis by axis.",
        rich_help_panel=PHASING,
    ),
]


SATURATED = "partial coherence: saturated pixels count as not measured, their least is not used"


@dataclass(frozen=True)
class Coherence:
    """That the beam is partly coherent, and how far if that is known."""

    lengths: tuple[float, ...] | None = None
    """Coherence lengths along the axes, in pixels of the object; None: to be found."""

    def blur(self, grid: Sequence[int], device: torch.device) -> Tensor | None:
        """The standard deviations of the blur, in pixels of the pattern, or None."""
        if self.lengths is None:
            return None
        lengths = torch.tensor(self.lengths, dtype=torch.float64, device=device)
        return coherence_length(lengths, grid)

    def check(self, ndim: int, source: object) -> None:
        """Check that there is a length for each axis of the pattern that ``source`` names."""
        if self.lengths is not None and len(self.lengths) != ndim:
            given = ",".join(f"{length:g}" for length in self.lengths)
            raise typer.BadParameter(
                f"--coherence-length must have {ndim} lengths, one for each axis of {source}, got "
                f"{given}"
            )


def given(partial: bool, lengths: str | None) -> Coherence | None:
    """What both options say; None: a coherent beam. Known lengths win, and that is told."""
    known = options.lengths(lengths)
    if known and partial:
        note([f"--coherence-length {lengths} is kept: --partial-coherence finds nothing then."])
    return Coherence(known) if known or partial else None
