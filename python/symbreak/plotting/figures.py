"""A figure without a display, and its way into a file."""

from __future__ import annotations

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from symbreak.data.files.atomic import replacing

FORMATS = (".png", ".pdf", ".svg", ".jpg", ".jpeg", ".tif", ".tiff")


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of this size in inches; matplotlib's global state stays untouched."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a figure; the suffix of ``path`` says the format. Whole or not at all.

    Raises:
        ValueError: The suffix is none of matplotlib's formats.
        OSError: The file cannot be written.
    """
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"{path}: a picture's name must end with one of {', '.join(FORMATS)}.")
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=150)
