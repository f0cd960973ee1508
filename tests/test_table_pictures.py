"""The pictures of the tables with all of their columns: a colour for each, headings apart."""

from itertools import pairwise

import torch

from symbreak.experiments.scales import VARIANTS
from symbreak.plotting.estimates import estimates_figure
from symbreak.plotting.refinement import refinement_figure
from symbreak.plotting.tables import tables_figure


def test_every_column_has_a_colour_of_its_own():
    error = {"sa_mse_ratio": 0.5}
    cells = [
        {"network": "UNet", "variant": v, "set": n, "test_best": error, "train_best": error}
        for v in VARIANTS
        for n in (8, 16)
    ]
    figure = tables_figure([{"test_best": error}, *cells])
    panel = figure.axes[0]
    figure.canvas.draw()
    assert figure.legends[0].get_window_extent().y1 < panel.get_window_extent().y0  # hides nothing
    solid = {line.get_color() for line in panel.lines if line.get_label() in VARIANTS}
    assert len(solid) == len(VARIANTS)
    names = [*(f"UNet, {v}" for v in VARIANTS), "random phases"]
    rows = [{"start": n, "seconds": 1.0, "sa_mse_ratio": 0.5, "solved": 0.1} for n in names]
    assert len({line.get_color() for line in refinement_figure(rows).axes[0].lines}) == len(names)


def test_headings_do_not_run_into_one_another():
    x = torch.ones(1, 4, 4, dtype=torch.complex64)
    columns = {f"{n}\n{v}": x for n in ("UNet", "SiSPRNet") for v in VARIANTS}
    figure = estimates_figure(columns, x)
    figure.canvas.draw()
    boxes = [axes.title.get_window_extent() for axes in figure.axes if axes.title.get_text()]
    assert len(boxes) == len(columns) + 1
    apart = 10  # pixels; less than that is read as one line
    assert all(left.x1 + apart < right.x0 for left, right in pairwise(boxes))
