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


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure, whole or not at all.

    Args:
        figure: As one of the functions beside this one returned it.
        path: The file; its suffix says the format: png, pdf, svg, jpg, jpeg, tif or tiff. One that
            is there is replaced.

    Raises:
        ValueError: The suffix is none of these.
        OSError: The file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"{path}: a picture's name must end with one of {', '.join(FORMATS)}.")
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=150)
