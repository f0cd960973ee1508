"""A strained crystal seen by several reflections, made without a transform."""

import numpy as np

from symbreak.geometry import Circle, ReciprocalGrid
from symbreak.geometry.circles import rotation

HKL = np.array([[1, 1, 1], [-1, 1, 1], [1, -1, 1], [0, 0, 2]])
ORIENTATION = rotation((Circle("a", "x+", 25.0), Circle("b", "z-", 40.0)))
Q = 2 * np.pi / 0.4078 * HKL @ ORIENTATION.T  # 1/nm, in the frame of the sample
SHAPE = (40, 44, 48)
SAMPLES = [
    (Circle("theta", "y+", angle), Circle("chi", "z-", chi), Circle("phi", "y+", -5.0))
    for angle, chi in ((0.2, 90.0), (-30.0, 60.0), (17.0, 100.0), (3.0, -20.0))
]
STEPS = 2 * np.pi * np.array([[0.7, 0.2, 0.1], [0.0, 0.8, -0.1], [0.15, 0.0, 0.75]]) / 300


def inside(place):
    """A ball of 90 nm with three facets, no centre of symmetry; ``place`` is (3, ...), nm."""
    x, y, z = place
    return (x**2 + y**2 + z**2 < 90**2) & (x < 60) & (y + z < 75) & (z - 0.4 * x > -55)


def jacobian(place):
    """du_j / dx_k of the lattice, ``(3, 3, ...)``."""
    x, y, z = place * 1e-5
    zero = np.zeros_like(x)
    return np.stack(
        [
            np.stack([2 * x, zero, 3 * z]),
            np.stack([y, x - 2 * y, zero]),
            np.stack([zero, 1.5 * z, 1.5 * y]),
        ]
    )


def moved(place):
    """Its displacement, nm, of which `jacobian` is the derivative."""
    x, y, z = place
    return 1e-5 * np.stack([x**2 + 1.5 * z**2, x * y - y**2, 1.5 * y * z])


def reflection(number, *, shift=(0.0, 0.0, 0.0), twin=False, ramp=(0.0, 0.0, 0.0), scale=1.0):
    """Object, support and grid in the laboratory; shift: nm, in the frame of the sample."""
    turn = rotation(SAMPLES[number])
    grid = ReciprocalGrid((STEPS + 1e-4 * number) @ turn.T, turn @ Q[number])
    place = np.moveaxis(grid.positions(SHAPE) @ turn, -1, 0)
    place = place * (-1 if twin else 1) - np.reshape(shift, (3, 1, 1, 1))
    support = inside(place)
    phase = -np.tensordot(Q[number], moved(place), 1) + np.tensordot(ramp, place, 1)
    x = np.where(support, scale * np.exp(1j * phase), 0)
    return (x.conj() if twin else x).astype(np.complex64), support, grid
