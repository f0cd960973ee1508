"""Pictures for people (matplotlib, no display needed): objects, starts, curves, whole reports."""

from symbreak.plotting.figures import save
from symbreak.plotting.halves import halves_figure
from symbreak.plotting.laboratory import laboratory_figure
from symbreak.plotting.reports import (
    breaking_figure,
    demo_figure,
    reconstruction_figure,
)

__all__ = [
    "breaking_figure",
    "demo_figure",
    "halves_figure",
    "laboratory_figure",
    "reconstruction_figure",
    "save",
]
