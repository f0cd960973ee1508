"""Say so where the starts of one pattern give reason to doubt them, and what to look at."""

from __future__ import annotations

from math import isfinite

from torch import Tensor

from symbreak.cli.output import element
from symbreak.coherence import coherence_length
from symbreak.evaluation import StartComparison

# Patterns of few photons, and much that is masked, leave a few per cent to a fifth; wrong input
# (amplitudes for intensities, hot pixels, a support that is too small) a third and more.
MISFIT = 0.25
# Good starts of one object differ by some hundredths of its power; unrelated objects by about 1.
APART = 0.25
# Mean length of the mean of K unit vectors of random direction (Pearson's walk): the transfer
# function of random phases, where it is above 1/e. For many, sqrt(pi / (4 K)); of 6 it is 0.366.
RANDOM_PHASES = {2: 0.637, 3: 0.525, 4: 0.450, 5: 0.402}


MIDDLE_MISSING = (
    " The middle of the pattern is missing: if the phase of the object is known to be much the "
    "same everywhere, give --phase-limit 1."
)


def doubts(starts: StartComparison, *, middle_missing: bool = False) -> list[str]:
    """Notes for the user; none where the starts fit the data and one another.

    Args:
        starts: What to look at.
        middle_missing: Whether zero frequency was not measured, and the phase is not limited.
    """
    found = []
    unit = element(starts.objects.dim() - 1)
    loose = int((~starts.determined).sum())
    if not bool(starts.determined.any()):
        found.append(
            f"no start determines an object: every support has more {unit}s than half the measured "
            "ones, which fits anything, however small the error. Is a mask the wrong way round? "
            "A higher --threshold, or --area, keeps supports small; --choose-support finds one."
        )
    elif loose:
        found.append(
            f"{loose} starts left out: a support of more {unit}s than half the measured ones "
            "fits anything. A higher --threshold, or --area, keeps supports small; "
            "--choose-support finds one."
        )
    error = float(starts.error[starts.best])
    if error > MISFIT:
        found.append(
            f"even the best start misses the measured amplitudes by {100 * error:.0f} %: the "
            "object is not to be trusted unless photon noise explains that. Intensities or "
            "amplitudes? Zero frequency where --dc says? What is hot, dead or saturated masked, "
            "and 0 in --mask where measured? A support that holds all of the object?"
        )
    good = starts.good.clone()
    good[starts.best] = False
    if bool(good.any()):
        apart = float(starts.distance[good].quantile(0.5))
        if apart > APART:
            found.append(
                f"the good starts are not one object: half of them are {apart:.2f} or more of its "
                "power away from the best (unrelated objects: about 1), and their mean is none. "
                "Another support (--choose-support), more --starts, more HIO, or a lower --good."
                + (MIDDLE_MISSING if middle_missing else "")
            )
    return found


def moved_line(shifts: Tensor) -> str:
    """How far the good starts ``(starts, ndim)`` were moved for their mean."""
    unit = element(shifts.shape[-1])
    spread, most = float(shifts.square().mean().sqrt()), float(shifts.abs().max())
    return (
        f"moved by parts of a {unit} before averaging: {spread:.2f} rms on each axis, at most "
        f"{most:.2f}"
    )


def coherence_line(starts: StartComparison) -> str:
    """By how much the good starts say that the pattern is blurred, and what that means."""
    assert starts.blur is not None
    grid = starts.objects.shape[1:]
    unit = element(len(grid))
    found = starts.blur[starts.good]
    median = found.quantile(0.5, 0)
    widths = " x ".join(f"{width:.2f}" for width in median.tolist())
    spread = ""
    if len(found) > 1:
        spread = f" (starts differ by up to {float((found.amax(0) - found.amin(0)).max()):.2f})"
    lengths = coherence_length(median, grid)
    told = " x ".join(f"{x:.0f}" if isfinite(x) else "unlimited" for x in lengths.tolist())
    return f"blur of the pattern: {widths} {unit}s{spread}; coherence lengths {told} {unit}s"


def transfer_line(starts: StartComparison) -> str:
    """What the transfer function of the good starts says, and what it cannot say."""
    count = int(starts.good.sum())
    if not bool(starts.determined.any()):
        return "transfer function (PRTF): means nothing, since no start determines an object"
    if count < 2:
        return "transfer function (PRTF): needs two good starts to mean something"
    resolution = starts.transfer.resolution()
    if resolution >= 0.5:
        reach = "stays above 1/e to the edge of the pattern"
    elif resolution > 0:
        unit = element(starts.objects.dim() - 1)
        half = f"half period {0.5 / resolution:.1f} {unit}s"
        reach = f"falls below 1/e at {resolution:.3f} cycles/{unit} ({half})"
    else:
        reach = "is below 1/e from the first: they agree on nothing"
    line = f"transfer function (PRTF) of these {reach}"
    if count in RANDOM_PHASES:
        random = RANDOM_PHASES[count]
        line += f"; random phases would give {random:.2f}, so 1/e needs 6 good starts or more"
    return line
