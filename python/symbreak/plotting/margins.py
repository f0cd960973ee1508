"""Distances to the cut of the flip rules, as distributions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from symbreak.plotting.figures import new_figure
from symbreak.plotting.tables import COLOURS


def margins_figure(found: Mapping[str, tuple[Tensor, Tensor]], most: float = 0.3) -> Figure:
    """Share of objects nearer to the cut than a distance, plain and weighted by the jump.

    Args:
        found: By the name of the rule, float64 ``(items,)`` twice: distances to the cut over the
            object's norm, and squared jumps of the label there.
        most: Largest distance drawn.
    """
    figure = new_figure(10, 4)
    panels = figure.subplots(1, 2, sharey=True)
    for k, (rule, (distance, jump)) in enumerate(found.items()):
        order = distance.argsort()
        weights = (np.ones(len(order)), jump[order].numpy())
        for panel, weight in zip(panels, weights, strict=True):
            share = np.cumsum(weight) / weight.sum()
            colour = COLOURS[k % len(COLOURS)]
            panel.plot(distance[order].numpy(), share, color=colour, label=rule)
    titles = ("objects", "objects, weighted by the jump at the cut")
    for panel, title in zip(panels, titles, strict=True):
        panel.set_xlim(0, most)
        panel.set_ylim(0, 1)
        panel.set_title(title, fontsize=10)
        panel.set_xlabel("distance to the cut / norm of the object")
        panel.grid(alpha=0.25)
    panels[0].set_ylabel("share nearer than that")
    panels[0].legend(fontsize=8, frameon=False)
    return figure
