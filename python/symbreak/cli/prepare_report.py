"""What `symbreak prepare` tells: on the screen, and as parameters in the file."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from symbreak.cli.geometry import geometry_rows
from symbreak.cli.output import counted, element, out, table
from symbreak.data.detector.layouts import REASONS
from symbreak.data.detector.prepare import Prepared
from symbreak.data.files.cxi import Parameter
from symbreak.geometry import ReciprocalGrid


def used_parameters(
    given: Mapping[str, Any], prepared: Prepared, saturation: float | None
) -> dict[str, Parameter]:
    """Every option as it was used, and what was found."""
    used: dict[str, Parameter] = {}
    for name, value in given.items():
        if name in ("output", "plot"):
            continue
        plain = value.value if isinstance(value, Enum) else value
        plain = str(plain) if isinstance(plain, Path) else plain
        used[name] = " ".join(plain) if isinstance(plain, (list, tuple)) else plain
    used["saturation"] = saturation
    used["center_found"] = ",".join(map(str, prepared.center))
    used["first_pixel"] = ",".join(str(window.start) for window in prepared.windows)
    used["measured_pixels"] = int(prepared.valid.sum())
    return used


def print_prepared(
    prepared: Prepared,
    shape: tuple[int, int, int],
    dtype: np.dtype[Any],
    grid: ReciprocalGrid | None,
) -> None:
    """What was there, what was left out and why, what came out."""
    rows = table("prepared", "what", "result")
    count, *detector = shape
    total, kept = float(prepared.survey.image.sum()), prepared.kept
    rows.add_row("frames", f"{count} of {_by(detector)} {dtype}")
    rows.add_row("counts above background", f"{total:.6g}")
    names = ("frame", "row", "column")[-len(prepared.windows) :]
    for name, window in zip(names, prepared.windows, strict=True):
        binned = f", binned by {window.bin}" if window.bin > 1 else ""
        rows.add_row(
            f"{name}: centre, window",
            f"{window.center}, {window.start} to {window.stop - 1}{binned}",
        )
    ndim = prepared.intensity.ndim
    rows.add_row("pattern", f"{_by(prepared.intensity.shape)} {element(ndim)}s")
    rows.add_row(f"brightest {element(ndim)}", f"{float(prepared.intensity.max()):.6g} counts")
    if not prepared.averaged:
        share = f" ({100 * kept / total:.1f} %)" if total > 0 else ""
        rows.add_row("counts kept", f"{kept:.6g}{share}")
    for name, value in () if grid is None else geometry_rows(grid, prepared.intensity.shape):
        rows.add_row(name, value)
    missing = 100 * float(1 - prepared.valid.mean())
    rows.add_row("not measured", f"{missing:.2f} %")
    for bit, reason in REASONS.items():
        found = int(((prepared.mask & bit) != 0).sum())
        if found:
            rows.add_row(f"  {reason}", counted(found, ndim))
    out().print(rows)


def _by(shape: Any) -> str:
    return " x ".join(map(str, shape))
