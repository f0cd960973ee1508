"""The picture of `symbreak prepare`: the raw frame with centre and window, and the pattern."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from symbreak.data.detector.prepare import Prepared
from symbreak.plotting.figures import new_figure
from symbreak.plotting.panels import draw_pattern

WINDOW = "#2ec4b6"
UNMEASURED = "#b8b8b8"


def preparation_figure(prepared: Prepared, *, title: str = "") -> Figure:
    """Draw the sum of the frames with mask, centre and window beside what was cut out of it.

    Args:
        prepared: What `prepare_pattern` returned. Of a volume the slice through zero frequency is
            drawn.
        title: Headline.
    """
    figure = new_figure(12.5, 5.2)
    if title:
        figure.suptitle(title, fontsize=12, fontweight="bold")
    left, right = figure.subplots(1, 2, width_ratios=(1.2, 1))
    image = _draw_frame(left, prepared)
    figure.colorbar(image, ax=left, label="log10 counts", shrink=0.85)
    shape = " x ".join(map(str, prepared.intensity.shape))
    middle = "" if prepared.intensity.ndim == 2 else ", slice through the middle"
    pattern = draw_pattern(
        right,
        np.fft.ifftshift(np.sqrt(prepared.intensity)),
        np.fft.ifftshift(prepared.valid),
        title=f"pattern, {shape}{middle}",
    )
    figure.colorbar(pattern, ax=right, label="log10 counts", shrink=0.85)
    return figure


def _draw_frame(axes: Axes, prepared: Prepared) -> Any:
    """The detector: not measured is grey, the window a rectangle, the centre a cross."""
    seen = prepared.survey
    bits = seen.ever if prepared.intensity.ndim == 2 else seen.always
    axes.set_facecolor(UNMEASURED)
    picture = axes.imshow(
        _logarithm(seen.image, bits == 0), cmap="magma", interpolation="nearest", origin="upper"
    )
    rows, columns = prepared.windows[-2:]
    corner = (columns.start - 0.5, rows.start - 0.5)
    sides = (columns.stop - columns.start, rows.stop - rows.start)
    axes.add_patch(Rectangle(corner, *sides, fill=False, edgecolor=WINDOW, linewidth=1.8))
    axes.plot(columns.center, rows.center, marker="+", color=WINDOW, markersize=14, mew=1.8)
    height, width = seen.image.shape
    axes.set_xlim(min(-0.5, corner[0]) - 1, max(width - 0.5, columns.stop - 0.5) + 1)
    axes.set_ylim(max(height - 0.5, rows.stop - 0.5) + 1, min(-0.5, corner[1]) - 1)
    axes.set_title(
        f"detector, centre ({rows.center}, {columns.center}); grey: not measured", fontsize=10
    )
    axes.set_xlabel("column (pixels)")
    axes.set_ylabel("row (pixels)")
    return picture


def _logarithm(counts: NDArray[np.float64], measured: NDArray[np.bool_]) -> NDArray[np.float64]:
    """log10 of the counts, NaN where not measured; 0 counts are as dark as the faintest."""
    positive = counts[measured & (counts > 0)]
    floor = max(positive.min(), positive.max() * 1e-7) if len(positive) else 1.0
    return np.where(measured, np.log10(np.maximum(counts, floor)), np.nan)
