"""A Bragg reconstruction in the laboratory: the object, displacement and strain along Q."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from symbreak.geometry.boxes import box_around
from symbreak.plotting.figures import new_figure
from symbreak.plotting.panels import draw_object

Array = NDArray[Any]
NAMES = "zyx"  # of the arrays' axes
ALONG_Q = (
    ("displacement", "displacement along Q", "nm"),
    ("strain", "strain along Q", ""),
    ("strain_spread", "its spread over starts", ""),
)
DIM = 0.3  # of the object's magnitude: below it phases are mostly noise and are not drawn
AROUND = 0.15  # of the object's size left around it


def laboratory_figure(
    cubes: Mapping[str, Array],
    first: Array,
    voxel: float,
    q: Array,
    *,
    fields: Sequence[tuple[str, str, str]] = ALONG_Q,
    title: str = "",
) -> Figure:
    """Three planes through the object, one a row: object, displacement, strain, its spread.

    Fields are drawn where the magnitude is at least 0.3 of its median over the support.

    Args:
        cubes: ``object``, complex, ``support``, bool, and the fields that there are; ``(*cube)``,
            axes z, y, x.
        first: x, y, z of the first point, ``(3,)``, nm.
        voxel: Edge of a cube, nm.
        q: Scattering vector, ``(3,)``, drawn as an arrow where it is neither along the sight nor 0.
        fields: What is drawn beside the object: name in ``cubes``, title, unit.
        title: Headline.

    Returns:
        Figure: For `save`; matplotlib's global state is untouched.
    """
    drawn = [field for field in fields if field[0] in cubes]
    figure = new_figure(3.9 * (1 + len(drawn)) + 0.4, 10.2)
    if title:
        figure.suptitle(title, fontsize=12, fontweight="bold")
    axes = figure.subplots(3, 1 + len(drawn), squeeze=False)
    x, support = cubes["object"], cubes["support"]
    solid = (
        support & (np.abs(x) >= DIM * np.median(np.abs(x[support]))) if support.any() else support
    )
    window, middle = box_around(solid, share=AROUND), _middle(solid)
    limits = {name: _limits(name, cubes[name][solid]) for name, *_ in drawn}
    for row, across in zip(axes, range(3), strict=True):
        cut: Any = tuple(middle[k] if k == across else window[k] for k in range(3))
        up, along = (k for k in range(3) if k != across)
        place = f"{NAMES[across]} = {first[2 - across] + voxel * middle[across]:.0f} nm"
        ends = [np.array([window[k].start, window[k].stop]) - 0.5 for k in (along, up)]
        extent = (*(first[2 - along] + voxel * ends[0]), *(first[2 - up] + voxel * ends[1]))
        draw_object(row[0], x[cut][::-1], title=f"object, {place}")  # it has row 0 at the top
        row[0].images[0].set(extent=extent)
        _arrow(row[0], q[[2 - along, 2 - up]] / max(float(np.linalg.norm(q)), 1e-30))
        for panel, (name, words, unit) in zip(row[1:], drawn, strict=True):
            values = np.where(solid[cut], cubes[name][cut], np.nan)
            image = panel.imshow(
                values,
                extent=extent,
                origin="lower",
                cmap="RdBu_r" if limits[name][0] else "magma",
                vmin=limits[name][0],
                vmax=limits[name][1],
                interpolation="nearest",
            )
            panel.set_facecolor("#b8b8b8")
            panel.set_title(f"{words}, {place}", fontsize=10)
            figure.colorbar(image, ax=panel, label=unit, shrink=0.85)
        for panel in row:
            panel.set_xlabel(f"{NAMES[along]} (nm)")
            panel.set_ylabel(f"{NAMES[up]} (nm)")
    return figure


def _middle(solid: Array) -> list[int]:
    """The middle of the object along every axis, of the grid where there is none."""
    if not solid.any():
        return [n // 2 for n in solid.shape]
    return [int(np.rint(index.mean())) for index in np.nonzero(solid)]


def _limits(name: str, values: Array) -> tuple[float, float]:
    """Of a colour scale around 0, of a spread from 0 on.

    Beyond them are the cores of dislocations and the noise at the surface.
    """
    most = float(np.percentile(np.abs(values), 98)) or 1.0 if len(values) else 1.0
    return 0.0 if name.endswith("spread") else -most, most


def _arrow(axes: Axes, q: Array) -> None:
    """The direction of Q in this plane, from the lower left corner."""
    length = float(np.hypot(*q))
    if length > 0.3:
        turn = 0.12 * q / length
        axes.annotate(
            "",
            xy=(0.16 + turn[0], 0.16 + turn[1]),
            xytext=(0.16 - turn[0], 0.16 - turn[1]),
            xycoords="axes fraction",
            arrowprops={"arrowstyle": "->", "color": "white"},
        )
        axes.text(0.03, 0.03, "Q", color="white", transform=axes.transAxes)
