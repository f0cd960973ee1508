"""Displacement fields of straight dislocations in an isotropic elastic medium, and Bragg phases.

Source: J. P. Hirth and J. Lothe, Theory of Dislocations (2nd ed., Wiley 1982), chapter 3.
Everything here is NumPy in float64.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# The formulas of a point dislocation diverge at the core; nearer than this (pixels) they are
# evaluated at this distance.
CORE_RADIUS = 1e-9


def edge_displacement(x: Array, y: Array, poisson_ratio: float) -> tuple[Array, Array]:
    """Displacement of an edge dislocation with unit Burgers vector along x, in plane strain.

    With r^2 = x^2 + y^2, theta = atan2(y, x) and nu the Poisson ratio::

        u_x =  (1 / 2 pi) [theta + x y / (2 (1 - nu) r^2)]
        u_y = -(1 / 2 pi) [(1 - 2 nu) / (4 (1 - nu)) ln r^2 + (x^2 - y^2) / (4 (1 - nu) r^2)]

    The line lies at the origin along z. u_x jumps by 1 across the cut y = 0, x < 0.

    Args:
        x: Coordinates along the Burgers vector, any shape; any unit of length, as its choice
            shifts u_y by a constant only.
        y: Coordinates across it, same shape.
        poisson_ratio: nu in [0, 0.5).

    Returns:
        u_x and u_y in units of the Burgers vector's length, shape of ``x``.
    """
    r2 = np.maximum(x * x + y * y, CORE_RADIUS**2)
    k = 4.0 * (1.0 - poisson_ratio)
    along = np.arctan2(y, x) + 2.0 * x * y / (k * r2)
    across = -((1.0 - 2.0 * poisson_ratio) * np.log(r2) + (x * x - y * y) / r2) / k
    return along / (2.0 * np.pi), across / (2.0 * np.pi)


def dislocation_displacement(
    points: Array,
    core: Array,
    burgers: Array,
    line: Array | None = None,
    poisson_ratio: float = 0.3,
) -> Array:
    """Displacement of a straight mixed dislocation: its edge part plus its screw part.

    The screw part is (b.t) t theta / (2 pi), t the line's direction; the edge part is that of
    `edge_displacement` in the frame (e1, e2, t), e1 along b - (b.t) t, e2 = t x e1. Across the
    cut theta = pi the whole displacement jumps by b.

    Args:
        points: Where to evaluate, shape ``(n, d)``, d = 2 or 3.
        core: A point of the dislocation line, shape ``(d,)``, same unit as ``points``.
        burgers: Burgers vector b, shape ``(d,)``, in the unit wanted for the displacement; 0 is no
            dislocation, and displaces nothing.
        line: Direction of the line, shape ``(3,)``, any non-zero length. In 2D the line is
            perpendicular to the plane and this is None.
        poisson_ratio: nu in [0, 0.5).

    Returns:
        Displacement, shape ``(n, d)``, in the unit of ``burgers``.
    """
    if not np.linalg.norm(burgers):
        return np.zeros(np.shape(points))
    if line is None:
        length = np.linalg.norm(burgers)
        e1 = burgers / length
        e2 = np.array([-e1[1], e1[0]])
        offset = points - core
        along, across = edge_displacement(offset @ e1, offset @ e2, poisson_ratio)
        return np.asarray(length * (along[:, None] * e1 + across[:, None] * e2))
    t = line / np.linalg.norm(line)
    screw = float(burgers @ t)
    edge = burgers - screw * t
    length = np.linalg.norm(edge)
    if length > 1e-12 * np.linalg.norm(burgers):
        e1 = edge / length
    else:  # a pure screw: every direction across the line will do
        e1 = np.cross(t, np.eye(3)[np.argmin(np.abs(t))])
        e1 = e1 / np.linalg.norm(e1)
        length = np.float64(0.0)
    e2 = np.cross(t, e1)
    offset = points - core
    x, y = offset @ e1, offset @ e2
    along, across = edge_displacement(x, y, poisson_ratio)
    u = length * (along[:, None] * e1 + across[:, None] * e2)
    return np.asarray(u + screw * np.arctan2(y, x)[:, None] / (2.0 * np.pi) * t)


def random_lattice(rng: np.random.Generator, ndim: int) -> Array:
    """Draw a randomly turned lattice of unit nearest-neighbour distance.

    Args:
        rng: Source of the draw.
        ndim: 2 gives a square or a hexagonal lattice (even odds), 3 a simple cubic one.

    Returns:
        Basis vectors as rows, shape ``(ndim, ndim)``.
    """
    if ndim == 3:
        return random_rotation(rng)
    hexagonal = rng.random() < 0.5
    basis = np.array([[1.0, 0.0], [0.5, np.sqrt(0.75)] if hexagonal else [0.0, 1.0]])
    angle = rng.uniform(0.0, 2.0 * np.pi)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray(basis @ turn)


def random_rotation(rng: np.random.Generator) -> Array:
    """Draw a rotation of space, uniform over all rotations, as a ``(3, 3)`` matrix.

    From a uniform unit quaternion (Shoemake, Graphics Gems III, 1992).
    """
    quaternion = rng.normal(size=4)
    w, x, y, z = quaternion / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def shortest_burgers(basis: Array) -> NDArray[np.int64]:
    """List the shortest lattice vectors, the Burgers vectors of perfect dislocations.

    Args:
        basis: Basis vectors as rows, shape ``(d, d)``.

    Returns:
        Integer coefficients on the basis, shape ``(count, d)``: 4 for a square lattice, 6 for a
        hexagonal one, 6 for a simple cubic one.
    """
    index = np.array(list(itertools.product((-1, 0, 1), repeat=len(basis))))
    length = np.linalg.norm(index @ basis, axis=1)
    return np.asarray(index[np.isclose(length, length[length > 0].min())])


def bragg_phase(
    rng: np.random.Generator,
    points: Array,
    count: int,
    miller: int,
    nu: float,
    cores: Array | None = None,
) -> Array:
    """Draw ``count`` dislocations and return the Bragg phase Q.u at ``points``.

    Q is a reciprocal-lattice vector and every Burgers vector a lattice vector, so Q.b is a
    multiple of 2 pi and exp(i Q.u) is smooth across the cuts of the displacement field.

    Args:
        rng: Source of the draws: lattice orientation, reflection, and for each dislocation its
            core (uniform over the pixels at ``cores``), Burgers vector and, in 3D, direction.
        points: Pixel positions inside the crystal, shape ``(n, d)``, pixels.
        count: Number of dislocations, superposed as linear elasticity allows.
        miller: Largest Miller index of the reflection.
        nu: Poisson ratio in [0, 0.5).
        cores: Pixel positions where a core may lie, shape ``(m, d)``; None for ``points``.

    Returns:
        Phase in radians, not wrapped, shape ``(n,)``.
    """
    ndim = points.shape[1]
    basis = random_lattice(rng, ndim)
    burgers = shortest_burgers(basis)
    reflection = np.zeros(ndim)
    while not reflection.any():
        reflection = rng.integers(-miller, miller + 1, size=(ndim,)).astype(np.float64)
    q = 2.0 * np.pi * np.linalg.solve(basis, reflection)  # Q.a_i = 2 pi h_i
    displacement = np.zeros_like(points)
    cores = points if cores is None else cores
    for _ in range(count):
        core = cores[rng.integers(len(cores))] + rng.uniform(-0.5, 0.5, size=ndim)
        b = burgers[rng.integers(len(burgers))] @ basis
        line = rng.normal(size=3) if ndim == 3 else None
        displacement += dislocation_displacement(points, core, b, line, nu)
    return np.asarray(displacement @ q)
