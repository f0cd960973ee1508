"""A crystal evenly stretched along Q, as a result on disk, for the tests of `symbreak export`."""

import numpy as np
from instruments import TOML, instrument

from symbreak.data.files.cxi import Phasing
from symbreak.geometry import ReciprocalGrid

SHAPE = (16, 20, 24)


def grid_of(bins=(1, 6, 6)):
    grid = instrument().reciprocal(bins=bins)
    return ReciprocalGrid(grid.steps * [[8], [1], [1]], grid.center)


def phasing(grid, ndim=3):
    """A crystal, evenly stretched along Q by 3e-4; its mean by twice as much."""
    if ndim == 2:
        x = np.ones(SHAPE[1:], np.complex64)
        return Phasing(x, np.abs(x) > 0, 0.1, {}, "1", reciprocal=grid)
    place = grid_of().positions(SHAPE)
    q = grid_of().center
    inside = np.linalg.norm(place, axis=-1) < 60
    x = np.where(inside, np.exp(-3e-4j * place @ q), 0)
    return Phasing(
        x, inside, 0.1, {}, "1", mean=np.where(inside, x**2, 0), reciprocal=grid, instrument=TOML
    )


def field(head, tail, name):
    """One array of a VTK file, as it lies there."""
    line = next(line for line in head.decode().splitlines() if f'Name="{name}"' in line)
    start = int(line.split('offset="')[1].split('"')[0])
    size = int.from_bytes(tail[start : start + 8], "little")
    kind = {"Float32": "<f4", "UInt8": "u1", "Float64": "<f8"}[
        line.split('type="')[1].split('"')[0]
    ]
    return np.frombuffer(tail[start + 8 : start + 8 + size], kind)
