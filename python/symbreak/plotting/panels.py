"""Draw one thing into one pair of axes: an object, a pattern, a curve."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from symbreak.plotting.colour import complex_colours, wheel

INK = "#1f3a5f"
ACCENT = "#c8553d"
FAINT = "#9aa5b1"
INVERSE_E = 0.36787944117144233

Array = NDArray[Any]
Steps = tuple[float, float] | None
"""Height of a row and width of a column, nm; None where they are not known."""


def middle_slice(volume: Array, middle: int | None = None) -> Array:
    """A 2D array as it is; of a 3D one a slice across the first axis, by default at its middle."""
    if volume.ndim == 2:
        return volume
    image: Array = volume[volume.shape[0] // 2 if middle is None else middle]
    return image


def middle_of(volume: Array) -> int | None:
    """Where along the first axis the object is: the mean index weighted by |x|^2; None in 2D."""
    if volume.ndim == 2:
        return None
    weights = (np.abs(volume) ** 2).sum(axis=(1, 2), dtype=np.float64)
    total = weights.sum()
    return int(np.rint(weights @ np.arange(len(weights)) / total)) if total else len(weights) // 2


def crop_box(support: Array, margin: float = 0.25) -> tuple[slice, slice]:
    """Rows and columns of a square window around the support, ``margin`` of its size wider."""
    rows, columns = (np.flatnonzero(support.any(axis=1 - axis)) for axis in (0, 1))
    if not len(rows):
        return slice(None), slice(None)
    side = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    side = int(np.ceil(side * (1 + 2 * margin)))
    box = []
    for indices, size in ((rows, support.shape[0]), (columns, support.shape[1])):
        width = min(side, size)
        start = (int(indices[0]) + int(indices[-1]) + 1 - width) // 2
        start = min(max(start, 0), size - width)
        box.append(slice(start, start + width))
    return box[0], box[1]


def placed(shape: tuple[int, ...], steps: Steps) -> dict[str, Any]:
    """Where an image lies: pixel by pixel, or in nanometres."""
    if steps is None:
        return {}
    rows, columns = (size * step for size, step in zip(shape[:2], steps, strict=True))
    return {"extent": (0, columns, rows, 0)}


def label_sides(axes: Axes, steps: Steps) -> None:
    """Say in which unit an image's sides are."""
    unit = "pixels" if steps is None else "nm"
    axes.set_xlabel(unit)
    axes.set_ylabel(unit)


def draw_object(
    axes: Axes,
    values: Array,
    *,
    title: str = "",
    full: float | None = None,
    ticks: bool = True,
    steps: Steps = None,
) -> None:
    """Draw complex values: phase as hue, magnitude as brightness, ``full`` the brightest."""
    colours = complex_colours(values, full)
    axes.imshow(colours, interpolation="nearest", origin="upper", **placed(values.shape, steps))
    axes.set_title(title, fontsize=10)
    if ticks:
        label_sides(axes, steps)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(5, integer=True))
    else:
        axes.set_xticks([])
        axes.set_yticks([])


def draw_key(axes: Axes) -> None:
    """Fill narrow axes with the disc that says which colour is which phase and magnitude."""
    axes.imshow(wheel(), extent=(-1, 1, -1, 1))
    axes.set_xlim(-1.7, 1.7)
    axes.set_ylim(-3.4, 1.7)
    axes.set_axis_off()
    for x, y, text, across, up in (
        (1.1, 0, "0", "left", "center"),
        (0, 1.1, "π/2", "center", "bottom"),
        (-1.1, 0, "π", "right", "center"),
        (0, -1.1, "-π/2", "center", "top"),
    ):
        axes.text(x, y, text, ha=across, va=up, fontsize=8, color="#444444")
    axes.text(0, -1.7, "hue: phase\nbrightness:\nmagnitude", ha="center", va="top", fontsize=8)


def draw_pattern(axes: Axes, amplitude: Array, valid: Array, *, title: str = "") -> Any:
    """Draw a pattern with DC in the middle, log10 of the intensity; not measured is grey."""
    shifted = np.fft.fftshift(amplitude.astype(np.float64)) ** 2
    measured = np.fft.fftshift(valid)
    shifted, measured = middle_slice(shifted), middle_slice(measured)
    positive = shifted[measured & (shifted > 0)]
    floor = max(positive.min(), positive.max() * 1e-7) if len(positive) else 1.0
    picture = np.where(measured, np.log10(np.maximum(shifted, floor)), np.nan)
    axes.set_facecolor("#b8b8b8")
    rows, columns = shifted.shape
    image = axes.imshow(
        picture,
        cmap="magma",
        interpolation="nearest",
        extent=(-0.5, 0.5, 0.5, -0.5),
        aspect=rows / columns,
    )
    axes.set_title(title, fontsize=10)
    axes.set_xlabel("frequency (cycles / pixel)")
    axes.set_ylabel("frequency (cycles / pixel)")
    return image


def draw_transfer(
    axes: Axes,
    frequency: Array,
    transfer: Array,
    *,
    starts: int,
    resolution: float,
    unit: str = "pixel",
) -> None:
    """The phase retrieval transfer function against spatial frequency."""
    known = np.isfinite(transfer)
    axes.plot(frequency[known], transfer[known], color=INK, lw=1.8, marker="o", ms=2.5)
    axes.axhline(INVERSE_E, color=FAINT, lw=1, ls="--")
    axes.text(0.005, INVERSE_E + 0.02, "1/e", color="#666666", fontsize=8)
    if 0 < resolution < 0.5:
        axes.axvline(resolution, color=ACCENT, lw=1, ls=":")
        axes.text(
            resolution,
            0.02,
            f" {0.5 / resolution:.1f} {unit}s\n half period",
            color=ACCENT,
            fontsize=8,
            va="bottom",
        )
    axes.set_xlim(0, 0.5)
    axes.set_ylim(0, max(1.05, 1.05 * float(np.max(transfer[known], initial=0))))
    axes.set_xlabel(f"spatial frequency (cycles / {unit})")
    axes.set_ylabel("PRTF")
    plural = "start" if starts == 1 else "good starts"
    axes.set_title(f"phase retrieval transfer function, {starts} {plural}", fontsize=10)
    axes.grid(alpha=0.25)


def draw_history(
    axes: Axes, history: Array, *, every: int, best: int, good: Array | None = None
) -> None:
    """Error of every start ``(starts, records)`` against the iteration, the best one in colour."""
    iteration = every * np.arange(1, history.shape[-1] + 1)
    for k, errors in enumerate(history):
        if k != best:
            faded = good is not None and not good[k]
            axes.plot(iteration, errors, color=FAINT, lw=0.8, alpha=0.4 if faded else 0.9)
    axes.plot(iteration, history[best], color=ACCENT, lw=1.5, label=f"best (start {best})")
    axes.set_yscale("log")
    axes.set_xlim(0, iteration[-1])
    axes.set_xlabel("iteration")
    axes.set_ylabel("relative error")
    axes.set_title("error of every start", fontsize=10)
    axes.grid(alpha=0.25, which="both")
    axes.legend(fontsize=8, loc="upper right", frameon=False)
