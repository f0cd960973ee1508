"""A Bragg reflection out of the result of a reconstruction."""

from __future__ import annotations

from pathlib import Path

from symbreak.data.files.cxi import read_cxi
from symbreak.data.files.readers import DataError
from symbreak.geometry import Reflection
from symbreak.geometry.extent import LEVEL
from symbreak.geometry.instrument_file import parse_instrument


def read_reflection(path: str | Path, level: float = LEVEL) -> Reflection:
    """Read what `symbreak reconstruct` wrote of a pattern prepared with ``--geometry``.

    Args:
        path: CXI; of it the mean of the good starts, or the best start where there is none.
        level: As of `Reflection`.

    Returns:
        Reflection: In the frame of the sample.

    Raises:
        DataError: It is no such file, does not say where its voxels are or how the sample stood,
            or is of no Bragg peak.
        OSError: It cannot be read.
    """
    phasing = read_cxi(path)
    if phasing.reciprocal is None:
        raise DataError(f"{path}: it does not say where its voxels are: prepare with --geometry.")
    if not phasing.instrument:
        raise DataError(
            f"{path}: it does not say how the sample stood: the text of the instrument's TOML file "
            "is missing."
        )
    sample = parse_instrument(phasing.instrument.encode(), str(path)).sample
    x = phasing.object if phasing.mean is None else phasing.mean
    try:
        return Reflection(
            x, phasing.support, phasing.reciprocal, sample, level, phasing.good_starts
        )
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error
