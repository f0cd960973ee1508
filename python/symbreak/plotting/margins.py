"""Distances to the cut of the flip rules, as distributions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from symbreak.plotting.figures import new_figure
from symbreak.plotting.tables import COLOURS

if TYPE_CHECKING:
    from symbreak.experiments.margins import Margins


def margins_figure(found: list[Margins], most: float = 0.3) -> Figure:
    """Share of objects nearer to the cut than a distance, plain and weighted by the jump.

    Args:
        found: One entry a rule.
        most: Largest distance drawn.
    """
    figure = new_figure(10, 4)
    panels = figure.subplots(1, 2, sharey=True)
    for k, m in enumerate(found):
        order = m.distance.argsort()
        distance = m.distance[order].numpy()
        weights = (np.ones(len(order)), m.jump[order].numpy())
        for panel, weight in zip(panels, weights, strict=True):
            share = np.cumsum(weight) / weight.sum()
            panel.plot(distance, share, color=COLOURS[k % len(COLOURS)], label=m.rule)
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
