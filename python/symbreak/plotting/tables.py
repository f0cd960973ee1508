"""The tables as curves: error over the zero predictor's against the size of the training set."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from symbreak.plotting.figures import new_figure
from symbreak.plotting.panels import ACCENT, FAINT, INK

COLOURS = (FAINT, INK, ACCENT, "#5a9367", "#8a5fa8", "#d9a03f", "#4fa3c7", "#7a5c3e")
"""One for each column of the tables, and for random phases."""


def tables_figure(records: list[dict[str, Any]]) -> Figure:
    """One panel a network: test (solid) and training (dotted), best-validated model.

    Args:
        records: The baseline's record, then the cells'.
    """
    baseline, cells = records[0]["test_best"]["sa_mse_ratio"], records[1:]
    networks = list(dict.fromkeys(r["network"] for r in cells))
    variants = list(dict.fromkeys(r["variant"] for r in cells))
    sets = sorted({r["set"] for r in cells})
    figure = new_figure(5.2 * len(networks), 4.6)
    axes = figure.subplots(1, len(networks), squeeze=False, sharey=True)[0]
    for panel, network in zip(axes, networks, strict=True):
        for k, variant in enumerate(variants):
            chosen = [r for r in cells if (r["network"], r["variant"]) == (network, variant)]
            colour = COLOURS[k % len(COLOURS)]
            for part, style in (("test_best", "o-"), ("train_best", "o:")):
                counts = [r["set"] for r in chosen]
                ratios = [r[part]["sa_mse_ratio"] for r in chosen]
                label = variant if part == "test_best" else None
                panel.plot(counts, ratios, style, color=colour, ms=4, label=label)
        panel.axhline(1, color="black", lw=0.8)
        panel.axhline(baseline, color="black", lw=0.8, ls="--", label="HIO+ER+shrinkwrap, test")
        panel.set_xscale("log")
        panel.set_xticks(sets, [str(n) for n in sets])
        panel.xaxis.set_minor_locator(NullLocator())
        panel.xaxis.set_minor_formatter(NullFormatter())
        panel.set_title(f"{network}: test solid, training dotted", fontsize=10)
        panel.set_xlabel("training pairs")
        panel.grid(alpha=0.25)
    axes[0].set_ylim(bottom=0)  # shared, so after everything is drawn
    axes[0].set_ylabel("SA-MSE / that of the zero predictor")
    told = axes[-1].get_legend_handles_labels()
    figure.legend(*told, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    return figure
