"""Whole pictures: what a reconstruction gave, what breaking the symmetries did, the demo."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray
from torch import Tensor

from symbreak.evaluation import StartComparison
from symbreak.plotting.colour import complex_colours
from symbreak.plotting.figures import new_figure
from symbreak.plotting.panels import (
    Steps,
    crop_box,
    draw_history,
    draw_key,
    draw_object,
    draw_pattern,
    draw_transfer,
    label_sides,
    middle_of,
    middle_slice,
    placed,
)

MOST_STARTS = 16


def reconstruction_figure(
    amplitude: Tensor,
    valid: Tensor,
    starts: StartComparison,
    *,
    history: Tensor | None = None,
    every: int = 1,
    steps: Steps = None,
    title: str = "",
) -> Figure:
    """Pattern, best object, mean, all starts, transfer function and error history on one page.

    Args:
        amplitude: The pattern, float ``(*grid)``, DC at index 0.
        valid: bool ``(*grid)``, False = not measured, drawn in grey.
        starts: What :func:`symbreak.evaluation.compare_starts` returned. Of a 3D object the slice
            through the middle of the best one is drawn.
        history: ``(starts, records)``, or None if none was recorded.
        every: Iterations between two records.
        steps: Height of a row and width of a column of the object, nm; None: pixels are drawn.
        title: Headline.

    Returns:
        Figure: For `save`; matplotlib's global state is untouched.
    """
    rows = -(-min(len(starts.error), MOST_STARTS) // 8)
    figure = new_figure(12.5, 6.9 + 1.75 * rows)
    halves: Any = figure.subfigures(2, 1, height_ratios=(6.9, 0.3 + 1.75 * rows))
    top, strip = halves
    if title:
        figure.suptitle(title, fontsize=12, fontweight="bold")
    axes = top.subplots(2, 4, width_ratios=(1.15, 1, 1, 0.3))
    found = starts.objects[starts.best].cpu().numpy()
    middle = middle_of(found)
    box = crop_box(middle_slice(starts.supports[starts.best].cpu().numpy(), middle))
    best = middle_slice(found, middle)[box]
    mean = middle_slice(starts.mean.cpu().numpy(), middle)[box]
    at = "" if middle is None else f", slice {middle}"
    measured = valid.cpu().numpy()
    where = "" if valid.dim() == 2 else ", middle slice"
    image = draw_pattern(
        axes[0, 0], amplitude.cpu().numpy(), measured, title=f"measured pattern{where}"
    )
    figure.colorbar(image, ax=axes[0, 0], label="log10 intensity", shrink=0.9)
    draw_object(
        axes[0, 1],
        best,
        title=f"best of {len(starts.error)} starts, R = {float(starts.r_factor[starts.best]):.3f}"
        + at,
        steps=steps,
    )
    count = int(starts.good.sum())
    draw_object(axes[0, 2], mean, title=f"mean of the {count} good starts", steps=steps)
    draw_key(axes[0, 3])
    axes[1, 3].set_axis_off()
    _draw_magnitude(top, axes[1, 0], best, steps)
    curve = starts.transfer
    draw_transfer(
        axes[1, 1],
        curve.frequency.numpy(),
        curve.transfer.numpy(),
        starts=count,
        resolution=curve.resolution(),
        unit="pixel" if valid.dim() == 2 else "voxel",
    )
    if history is not None and history.shape[-1]:
        draw_history(
            axes[1, 2],
            history.cpu().numpy(),
            every=every,
            best=starts.best,
            good=starts.good.cpu().numpy(),
        )
    else:
        axes[1, 2].set_axis_off()
    _draw_starts(strip, starts, box, middle, steps)
    return figure


def breaking_figure(before: Tensor, after: Tensor, flipped: Tensor, *, most: int = 8) -> Figure:
    """Objects as they came above, in canonical form below.

    Args:
        before: complex ``(items, *grid)``, 2D or 3D; of 3D objects the middle slice is drawn.
        after: The same objects with their symmetries broken.
        flipped: bool ``(items,)``.
        most: At most so many of the items are drawn, the first.

    Returns:
        Figure: For `save`; matplotlib's global state is untouched.
    """
    shown = min(len(before), most)
    figure = new_figure(1.6 * shown + 1.6, 3.7)
    axes = figure.subplots(2, shown + 1, squeeze=False, width_ratios=(*[1] * shown, 0.62))
    for k in range(shown):
        pair = [middle_slice(x[k].cpu().numpy()) for x in (before, after)]
        full = float(np.abs(pair[0]).max()) or 1.0
        draw_object(axes[0, k], pair[0], full=full, ticks=False)
        title = "flipped" if bool(flipped[k]) else ""
        draw_object(axes[1, k], pair[1], full=full, ticks=False, title=title)
    axes[0, 0].set_ylabel("as it came")
    axes[1, 0].set_ylabel("canonical form")
    draw_key(axes[0, -1])
    axes[1, -1].set_axis_off()
    return figure


def demo_figure(
    truth: Tensor, amplitude: Tensor, valid: Tensor, found: Tensor, mean: Tensor, *, caption: str
) -> Figure:
    """Four panels: the true object, its noisy pattern, the best start and the mean of the good.

    Args:
        truth: complex ``(*grid)``, the simulated object, not all zero.
        amplitude: The pattern, float ``(*grid)``, DC at index 0.
        valid: bool ``(*grid)``, False under the beamstop.
        found: The best start, complex ``(*grid)``, aligned to the truth.
        mean: The mean of the good starts, complex ``(*grid)``, aligned to the truth.
        caption: What was reached, in one line.

    Returns:
        Figure: For `save`; matplotlib's global state is untouched.
    """
    figure = new_figure(14.5, 4.4)
    figure.suptitle(caption, fontsize=11)
    axes = figure.subplots(1, 5, width_ratios=(1, 1.15, 1, 1, 0.33))
    arrays = [middle_slice(x.cpu().numpy()) for x in (truth, found, mean)]
    box = crop_box(arrays[0] != 0)
    full = float(np.abs(arrays[0]).max())
    draw_object(axes[0], arrays[0][box], title="true object", full=full)
    image = draw_pattern(
        axes[1], amplitude.cpu().numpy(), valid.cpu().numpy(), title="noisy pattern, beamstop"
    )
    figure.colorbar(image, ax=axes[1], label="log10 intensity", shrink=0.8)
    draw_object(axes[2], arrays[1][box], title="phased: best start", full=full)
    draw_object(axes[3], arrays[2][box], title="mean of the good starts", full=full)
    draw_key(axes[4])
    return figure


def _draw_magnitude(figure: SubFigure, axes: Any, values: NDArray[Any], steps: Steps) -> None:
    where = placed(values.shape, steps)
    image = axes.imshow(np.abs(values), cmap="viridis", interpolation="nearest", vmin=0, **where)
    axes.set_title("magnitude of the best start", fontsize=10)
    label_sides(axes, steps)
    figure.colorbar(image, ax=axes, label="magnitude", shrink=0.9)


def _draw_starts(
    figure: SubFigure,
    starts: StartComparison,
    box: tuple[slice, slice],
    middle: int | None,
    steps: Steps,
) -> None:
    """Every start, best first, and whether it was the twin; those left out are dimmed."""
    ranked = "cross-validated error" if bool(starts.determined.any()) else "error"
    order = starts.criterion.argsort().tolist()[:MOST_STARTS]
    axes = figure.subplots(-(-len(order) // 8), 8, squeeze=False)
    for place in axes.flat:
        place.set_axis_off()
    for place, k in zip(axes.flat, order, strict=False):
        good = bool(starts.good[k])
        colours = complex_colours(middle_slice(starts.objects[k].cpu().numpy(), middle)[box])
        shown = colours if good else 0.35 * colours + 0.55
        place.imshow(shown, interpolation="nearest", **placed(colours.shape, steps))
        words = ["twin"] if bool(starts.twin[k]) else []
        words += [] if good else ["left out"]
        label = f"start {k}: {float(starts.criterion[k]):.4f}"
        place.set_title("\n".join([label, ", ".join(words)]), fontsize=8)
    more = len(starts.error) - len(order)
    rest = f", the best {len(order)} of {len(starts.error)}" if more else ""
    figure.suptitle(f"starts by {ranked}, aligned to the best{rest}", fontsize=10)
