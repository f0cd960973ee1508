"""An object and its symmetry copies above their Fourier amplitudes (the paper's Fig. 1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from symbreak.plotting.figures import new_figure
from symbreak.plotting.panels import draw_key, draw_object, draw_pattern


def symmetries_figure(
    names: Sequence[str], objects: Tensor, amplitudes: Tensor, difference: Tensor
) -> Figure:
    """Draw one column a copy, and how far its amplitude is from the first one's.

    Args:
        names: What was done to each object; the first is the object itself.
        objects: Complex ``(copies, N, N)``, of magnitude up to 1.
        amplitudes: Real ``(copies, M, M)``, DC at index 0.
        difference: Real ``(copies,)``: largest difference to the first amplitude, over its maximum.
    """
    figure = new_figure(12.5, 5.6)
    widths = (*[1] * len(names), 0.45)
    axes = figure.subplots(2, len(widths), width_ratios=widths)
    everywhere = np.ones(amplitudes.shape[1:], dtype=bool)
    for k, name in enumerate(names):
        draw_object(axes[0, k], objects[k].numpy(), title=name, full=1.0, ticks=False)
        gap = float(difference[k])
        title = "its amplitude" if k == 0 else f"differs by {gap:.0e} of the maximum"
        draw_pattern(axes[1, k], amplitudes[k].numpy(), everywhere, title=title)
        axes[1, k].label_outer()
    draw_key(axes[0, -1])
    axes[1, -1].set_axis_off()
    return figure
