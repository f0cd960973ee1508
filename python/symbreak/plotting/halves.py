"""The picture of `symbreak resolution`: both objects, and how far they agree."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from symbreak.halves import HalvesComparison
from symbreak.plotting.figures import new_figure
from symbreak.plotting.panels import (
    ACCENT,
    FAINT,
    INK,
    crop_box,
    draw_key,
    draw_object,
    middle_of,
    middle_slice,
)


def halves_figure(compared: HalvesComparison, *, unit: str = "pixel") -> Figure:
    """Draw both objects, aligned, beside their Fourier shell correlation.

    Args:
        compared: What `symbreak.halves.compare_halves` returned. Of a volume the slice through the
            middle of the first one is drawn.
        unit: Of length.

    Returns:
        Figure: For `save`; matplotlib's global state is untouched.
    """
    figure = new_figure(12.5, 4.2)
    axes = figure.subplots(1, 4, width_ratios=(1, 1, 0.3, 1.5))
    first = compared.first.cpu().numpy()
    middle = middle_of(first)
    box = crop_box(middle_slice(first != 0, middle))
    at = "" if middle is None else f", slice {middle}"
    for panel, values, name in zip(
        axes, (first, compared.second.cpu().numpy()), ("first", "second"), strict=False
    ):
        draw_object(panel, middle_slice(values, middle)[box], title=f"{name} half{at}")
    draw_key(axes[2])
    _draw_shells(axes[3], compared, unit)
    return figure


def _draw_shells(axes: Axes, compared: HalvesComparison, unit: str) -> None:
    found = compared.correlation
    frequency = found.frequency.numpy()
    axes.plot(frequency, found.correlation, color=INK, lw=1.8, marker="o", ms=2.5, label="halves")
    axes.plot(frequency, found.threshold, color=FAINT, lw=1.2, ls="--", label="half bit")
    axes.plot(frequency, found.expected, color=ACCENT, lw=1.2, label="expected of all photons")
    reach = found.resolution()
    if reach < found.limit:
        axes.axvline(reach, color=FAINT, lw=1, ls=":")
    axes.set_xlim(0, found.limit)
    known = found.correlation[~found.correlation.isnan()].numpy()
    axes.set_ylim(1.05 * float(np.min(known, initial=-0.1)), 1.05)
    axes.set_xlabel(f"spatial frequency (cycles / {unit})")
    axes.set_ylabel("correlation")
    axes.set_title("Fourier shell correlation", fontsize=10)
    axes.legend(fontsize=8, loc="lower left")
    axes.grid(alpha=0.25)
