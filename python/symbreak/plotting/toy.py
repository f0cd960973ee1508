"""The paper's Fig. 2: the square root learned three ways, and the three principles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Wedge
from torch import Tensor

from symbreak.plotting.figures import new_figure
from symbreak.plotting.panels import ACCENT, FAINT, INK

MOST_POINTS = 400
# Angle of the orbit {p, -p} that is drawn.
ORBIT = np.deg2rad(8)
# Under p -> -p in the plane: sectors (degrees) that keep the principle, and that fail it.
PRINCIPLES = (
    ("(iv) representative: the set has\na point of every orbit", [(0, 180)], [(20, 160)]),
    ("(v) smallest: no orbit has two\npoints in the set", [(0, 180)], [(-40, 220)]),
    ("(vi) connected: the set\nis in one piece", [(0, 180)], [(0, 60), (120, 180), (240, 300)]),
)


class LearnedRoot(Protocol):
    """One network and the pairs it learned from; tensors are float32, of one axis."""

    @property
    def title(self) -> str:
        """Headline."""
        ...

    @property
    def y(self) -> Tensor:
        """Training inputs."""
        ...

    @property
    def x(self) -> Tensor:
        """Training labels."""
        ...

    @property
    def grid(self) -> Tensor:
        """Inputs in [0, 1] where the network is drawn."""
        ...

    @property
    def learned(self) -> Tensor:
        """Its outputs there."""
        ...

    @property
    def magnitude(self) -> float:
        """Root mean square of the outputs."""
        ...

    @property
    def error(self) -> float:
        """Root mean square of the distance to the nearer root."""
        ...


def square_root_figure(panels: Sequence[LearnedRoot]) -> Figure:
    """Three learned curves above; below each principle, held (left) and failed (right)."""
    figure = new_figure(12, 7)
    axes = figure.subplots(2, 3, height_ratios=(1.25, 1))
    for panel, curve in zip(panels, axes[0], strict=True):
        _draw_curve(curve, panel)
    for (title, held, failed), drawing in zip(PRINCIPLES, axes[1], strict=True):
        _draw_sectors(drawing, -1.3, held, INK, "holds")
        _draw_sectors(drawing, 1.3, failed, ACCENT, "fails")
        drawing.set_title(title, fontsize=10)
        drawing.set_xlim(-2.6, 2.6)
        drawing.set_ylim(-1.6, 1.3)
        drawing.set_aspect("equal")
        drawing.set_axis_off()
    return figure


def _draw_curve(axes: Axes, panel: LearnedRoot) -> None:
    root = np.sqrt(panel.grid.numpy())
    signs = (1, -1) if bool((panel.x < 0).any()) else (1,)
    for sign in signs:
        label = "root" if sign == 1 else None
        axes.plot(panel.grid.numpy(), sign * root, color=FAINT, lw=1.2, ls="--", label=label)
    shown = slice(0, MOST_POINTS)
    label = "pairs" if len(panel.y) <= MOST_POINTS else f"pairs ({MOST_POINTS} of them)"
    axes.plot(panel.y[shown].numpy(), panel.x[shown].numpy(), ".", color=INK, ms=2.5, label=label)
    axes.plot(panel.grid.numpy(), panel.learned.numpy(), color=ACCENT, lw=1.8, label="learned")
    axes.set_title(
        f"{panel.title}\nrms output {panel.magnitude:.2f}, rms error {panel.error:.2f}", fontsize=10
    )
    axes.set_xlabel("y = x²")
    axes.set_ylabel("x")
    axes.set_ylim(-1.15, 1.15)
    axes.grid(alpha=0.25)
    axes.legend(fontsize=8, loc="lower left", frameon=False)


def _draw_sectors(
    axes: Axes, x: float, sectors: list[tuple[int, int]], colour: str, text: str
) -> None:
    axes.add_patch(Wedge((x, 0), 1, 0, 360, facecolor="#f0f2f4", edgecolor=FAINT))
    for first, last in sectors:
        axes.add_patch(Wedge((x, 0), 1, first, last, facecolor=colour, alpha=0.75))
    # An orbit {p, -p}.
    for sign in (1, -1):
        point = 0.6 * sign * np.array([np.cos(ORBIT), np.sin(ORBIT)])
        axes.plot(x + point[0], point[1], "o", color="black", ms=4)
    axes.text(x, -1.2, text, ha="center", va="top", fontsize=9)
