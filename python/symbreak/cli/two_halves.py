"""Whether two results are those of the two halves of one measurement's photons."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from symbreak.data.files.arrays import DataError
from symbreak.data.files.cxi import Phasing

HALF = re.compile(r"(.*), half ([12]) of the photons")  # the title that `prepare --halves` writes


def check_two(first: Path, second: Path, results: tuple[Phasing, Phasing]) -> tuple[str, ...]:
    """Refuse what shares its photons; notes where it is not known whether they do.

    Noise that is in both agrees with itself, and the resolution would come out too good.

    Raises:
        DataError: Both are the same result, or both results are of the same pattern.
    """
    both = f"{first} and {second}"
    one, other = (result.object if result.mean is None else result.mean for result in results)
    if np.array_equal(one, other):
        raise DataError(f"{both} hold the same object, expected the results of two halves.")
    if _same_pattern(first, second, results):
        pattern = results[0].parameters["pattern"]
        raise DataError(f"{both} were both phased from {pattern}, expected two halves.")
    titles = [str(x.parameters.get("pattern_title") or "an unknown pattern") for x in results]
    halves = [HALF.fullmatch(title) for title in titles]
    found = {half.groups() for half in halves if half}
    if len(found) == 2 and len({name for name, _ in found}) == 1:
        return ()
    return (
        f"{both} cannot be told to be the two halves of one `symbreak prepare --halves`, they are "
        f"of {titles[0]} and {titles[1]}; photons that both have seen make the resolution too good",
    )


def _same_pattern(first: Path, second: Path, results: tuple[Phasing, Phasing]) -> bool:
    digests, names = (
        [x.parameters.get(key) for x in results] for key in ("pattern_digest", "pattern")
    )
    if None not in digests:
        return digests[0] == digests[1]
    # A relative path is one from where the command ran, mostly the folder of its result.
    paths = [path.resolve().parent / str(x) for path, x in zip((first, second), names, strict=True)]
    return None not in names and paths[0] == paths[1]
