"""Error against time of iterations that begin at network outputs and at random phases."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure

from symbreak.plotting.figures import new_figure
from symbreak.plotting.tables import COLOURS


def refinement_figure(rows: list[dict[str, Any]]) -> Figure:
    """Mean error and share of solved patterns, against the time spent per pattern.

    Args:
        rows: Of `symbreak.experiments.refinement.run_refinement`.
    """
    names = list(dict.fromkeys(row["start"] for row in rows))
    networks = list(dict.fromkeys(name.split(",")[0] for name in names))
    variants = list(dict.fromkeys(name.partition(", ")[2] for name in names))
    figure = new_figure(10.5, 4.4)
    panels = figure.subplots(1, 2)
    for name in names:
        chosen = [row for row in rows if row["start"] == name]
        head, _, tail = name.partition(", ")
        style = {
            "color": COLOURS[variants.index(tail) % len(COLOURS)],
            "marker": "os^v"[networks.index(head) % 4],
            "ls": "--" if head.startswith("random") else "-",
        }
        times = [1e3 * row["seconds"] for row in chosen]
        panels[0].plot(times, [r["sa_mse_ratio"] for r in chosen], ms=4, label=name, **style)
        panels[1].plot(times, [r["solved"] for r in chosen], ms=4, **style)
    for panel, label in zip(
        panels, ("SA-MSE / that of the zero predictor", "share of solved patterns"), strict=True
    ):
        panel.set_xscale("log")
        panel.set_xlabel("time per pattern, ms")
        panel.set_ylabel(label)
        panel.set_ylim(bottom=0)
        panel.grid(alpha=0.25)
    panels[0].legend(fontsize=7, frameon=False)
    return figure
