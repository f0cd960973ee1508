"""What the user of a prepared pattern should know of its frames and its window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symbreak.data.detector.cleaning import HOT_FACTOR, Bits, hot_pixels
from symbreak.data.detector.layouts import BAD, SATURATED
from symbreak.data.detector.looks import look_at_background, look_at_mask, look_at_plateau
from symbreak.data.detector.stacks import Survey
from symbreak.data.detector.windows import Window, is_fast

LOUD = 0.1  # hot pixels below this part of the brightest one do little harm
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
    notes += _look_at_hot(seen, bits) + _look_at_empty(seen)
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


def _look_at_hot(seen: Survey, bits: Bits) -> list[str]:
    """Say so where single pixels are as bright as the pattern that nothing around them explains."""
    hot = hot_pixels(seen.image, bits, HOT_FACTOR)
    shown = [tuple(k) for k in np.argwhere(hot & (seen.image >= LOUD * seen.image.max()))]
    if not shown:
        return []
    total = seen.image[bits == 0].sum()
    share = seen.image[hot].sum() / total if total > 0 else 0.0
    row, column = max(shown, key=lambda k: seen.image[k])
    which = f"pixel ({row}, {column}) is" if len(shown) == 1 else f"{len(shown)} pixels are"
    return [
        f"{which} more than {HOT_FACTOR:.0f} times as bright as all around, with "
        f"{100 * share:.2g} % of the counts. Hot? --hot {HOT_FACTOR:.0f} leaves such pixels out."
    ]


def _look_at_empty(seen: Survey) -> list[str]:
    """Say so where frames are dark, as those that an aborted scan never wrote."""
    if not seen.empty:
        return []
    first, last, count = seen.empty[0], seen.empty[-1], len(seen.empty)
    which = f"frame {first} holds"
    if count > 1:
        together = last - first == count - 1
        which = f"frames {first} to {last} hold" if together else f"{count} frames hold"
    return [
        f"{which} no count and {'is' if count == 1 else 'are'} taken as measured. If the scan was "
        "aborted there, or they were never written, leave them out (--frames)."
    ]


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
