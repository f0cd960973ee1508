"""What the user of a prepared pattern should know of its frames and its window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symbreak.data.detector.cleaning import Bits
from symbreak.data.detector.layouts import BAD, SATURATED
from symbreak.data.detector.looks import look_at_background, look_at_mask, look_at_plateau
from symbreak.data.detector.stacks import Survey
from symbreak.data.detector.windows import Window, is_fast

AROUND = 3  # pixels on each side of the centre that should have been measured


def advice(
    windows: Sequence[Window],
    seen: Survey,
    bits: Bits,
    given: tuple[int, ...],
    saturation: float | None,
) -> tuple[str, ...]:
    """Notes, each a sentence or two.

    Args:
        windows: Of the pattern: (frame,) row, column.
        seen: All frames together.
        bits: 0 = measured, ``(rows, columns)``.
        given: The centre where the user gave it, else empty.
        saturation: Largest count to trust, None if nothing is known of it.
    """
    notes: list[str] = []
    if saturation is None:
        notes += look_at_plateau(seen.image)
    notes += look_at_mask((bits & BAD) == 0)
    notes += look_at_background(seen.image[bits == 0])
    row, column = (window.center for window in windows[-2:])
    near = bits[max(row - AROUND, 0) : row + AROUND + 1, max(column - AROUND, 0) :][
        :, : 2 * AROUND + 1
    ]
    unseen = near & ~np.uint32(SATURATED)  # a saturated centre is seen well enough
    if not given and unseen.any():
        notes.append(
            f"around the centre found, ({row}, {column}), {100 * (near != 0).mean():.0f} % of the "
            "pixels were not measured. If a beamstop hides the centre, give it by hand or try mass."
        )
    slow = sorted({window.size for window in windows if not is_fast(window.size)})
    if slow:
        notes.append(
            f"no fast transform has length {', '.join(map(str, slow))}: phasing will be slower. "
            "Fast are products of 2, 3, 5, 7, 11, 13 from 16 to 2048."
        )
    return tuple(notes)


def little_kept(kept: float, seen: Survey, middle: Sequence[int]) -> tuple[str, ...]:
    """A window that misses most photons is beside the pattern, whoever put it there."""
    total = float(seen.image.sum())
    if kept >= 0.5 * total or total <= 0:
        return ()
    share = max(kept / total, 0)
    return (
        f"the window keeps {100 * share:.0f} % of the counts: is its centre, row {middle[0]} and "
        f"column {middle[1]} of the detector, that of the pattern?",
    )
