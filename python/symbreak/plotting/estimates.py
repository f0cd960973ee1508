"""Pictures of estimates beside the truth, one row an object."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from symbreak.plotting.figures import new_figure
from symbreak.plotting.panels import draw_key, draw_object, middle_slice

WIDE = 20  # letters of a heading that fit above a column


def estimates_figure(
    columns: Mapping[str, Tensor], truth: Tensor, *, most: int = 6, title: str = ""
) -> Figure:
    """Draw objects: a column for every method, the truth last.

    Args:
        columns: Complex ``(items, *N)`` by their headings; 3D ones by their middle slice.
        truth: Complex ``(items, *N)``; its largest magnitude is the full brightness of a row.
        most: At most so many items are drawn.
        title: Headline.
    """
    shown = min(len(truth), most)
    everything = {**columns, "truth": truth}
    figure = new_figure(1.45 * len(everything) + 1.1, 1.5 * shown + 0.5)
    if title:
        figure.suptitle(title, fontsize=11)
    widths = (*[1] * len(everything), 0.55)
    axes = figure.subplots(shown, len(everything) + 1, squeeze=False, width_ratios=widths)
    for row in range(shown):
        full = float(np.abs(truth[row].cpu().numpy()).max()) or 1.0
        for column, (name, objects) in enumerate(everything.items()):
            picture = middle_slice(objects[row].cpu().numpy())
            heading = _wrapped(name) if row == 0 else ""
            draw_object(axes[row, column], picture, title=heading, full=full, ticks=False)
            axes[row, column].title.set_fontsize(8)
        axes[row, -1].set_axis_off()
    draw_key(axes[0, -1])
    return figure


def _wrapped(name: str) -> str:
    """A heading in lines that do not run into the next column's."""
    return "\n".join(part for line in name.splitlines() for part in textwrap.wrap(line, WIDE))
