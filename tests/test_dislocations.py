"""Displacement fields: equilibrium, Burgers circuits, no artificial cut in the Bragg phase."""

import numpy as np
import pytest

from symbreak.data.simulation.dislocations import (
    bragg_phase,
    dislocation_displacement,
    random_lattice,
    shortest_burgers,
)

NU = 0.31
CORE = {2: np.array([0.3, -0.2]), 3: np.array([0.3, -0.2, 0.5])}
BURGERS = {2: np.array([0.6, -0.9]), 3: np.array([0.6, -0.9, 0.4])}
LINE = {2: None, 3: np.array([1.0, 0.5, 2.0])}


def field(points, ndim):
    return dislocation_displacement(points, CORE[ndim], BURGERS[ndim], LINE[ndim], NU)


def frame(ndim):
    """Two unit vectors across the line; the cut is where the first has a negative coordinate."""
    if ndim == 2:
        e1 = BURGERS[2] / np.linalg.norm(BURGERS[2])
        return e1, np.array([-e1[1], e1[0]])
    t = LINE[3] / np.linalg.norm(LINE[3])
    edge = BURGERS[3] - (BURGERS[3] @ t) * t
    e1 = edge / np.linalg.norm(edge)
    return e1, np.cross(t, e1)


def circle(ndim, radius, angles):
    e1, e2 = frame(ndim)
    return CORE[ndim] + radius * (np.cos(angles)[:, None] * e1 + np.sin(angles)[:, None] * e2)


@pytest.mark.parametrize("ndim", [2, 3])
def test_no_burgers_vector_displaces_nothing(ndim):
    points = np.concatenate([circle(ndim, 2.0, np.linspace(-3, 3, 7)), [CORE[ndim]]])
    found = dislocation_displacement(points, CORE[ndim], np.zeros(ndim), LINE[ndim], NU)
    np.testing.assert_array_equal(found, np.zeros((8, ndim)))


@pytest.mark.parametrize("ndim", [2, 3])
def test_displacement_is_in_equilibrium(ndim):
    # Navier: div sigma / mu = laplace u + grad div u / (1 - 2 nu) = 0, by second differences.
    h = 1e-3
    points = circle(ndim, 2.0, np.linspace(-2.8, 2.8, 15))
    steps = h * np.eye(ndim)

    def second(i, j):
        plus = field(points + steps[i] + steps[j], ndim) - field(points + steps[i] - steps[j], ndim)
        minus = field(points - steps[i] + steps[j], ndim) - field(
            points - steps[i] - steps[j], ndim
        )
        return (plus - minus) / (4 * h * h)

    laplacian = sum(second(i, i) for i in range(ndim))
    gradient = np.stack([sum(second(i, j)[:, j] for j in range(ndim)) for i in range(ndim)], axis=1)
    force = laplacian + gradient / (1 - 2 * NU)
    assert np.abs(laplacian).max() > 1e-2
    assert np.abs(force).max() < 1e-5


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("radius", [0.5, 4.0])
def test_burgers_circuit(ndim, radius):
    # Closed integral of du around the line, each difference on one side of the cut, equals b.
    count, h = 64, 1e-5
    angles = 2 * np.pi * (np.arange(count) + 0.5) / count - np.pi
    slope = field(circle(ndim, radius, angles + h), ndim) - field(
        circle(ndim, radius, angles - h), ndim
    )
    circuit = slope.sum(axis=0) / (2 * h) * 2 * np.pi / count
    np.testing.assert_allclose(circuit, BURGERS[ndim], atol=1e-8)


@pytest.mark.parametrize("ndim", [2, 3])
def test_screw_part_is_along_the_line(ndim):
    # A displacement along t stems from the screw alone: its circuit is b.t and it is b.t theta/2pi.
    line = np.array([0.0, 0.0, 1.0])
    burgers = np.array([0.0, 0.0, 2.0]) if ndim == 3 else np.array([1.0, 0.0, 2.0])
    points = np.array([[1.0, 1.0, 7.0], [-1.0, 1.0, -3.0], [0.5, -2.0, 0.0]])
    u = dislocation_displacement(points, np.zeros(3), burgers, line, NU)
    turns = np.arctan2(points[:, 1], points[:, 0]) / (2 * np.pi)
    if ndim == 3:  # the direction of theta = 0 is free for a pure screw
        np.testing.assert_allclose(u[:, :2], 0.0, atol=1e-15)
        np.testing.assert_allclose(
            (u[1:, 2] - u[0, 2]) % 2.0, (2.0 * (turns[1:] - turns[0])) % 2.0, atol=1e-12
        )
    else:
        np.testing.assert_allclose(u[:, 2], 2.0 * turns, atol=1e-12)


@pytest.mark.parametrize("ndim", [2, 3])
def test_phase_is_continuous_across_the_cut(ndim):
    rng = np.random.default_rng(5)
    for _ in range(20):
        basis = random_lattice(rng, ndim)
        reflection = rng.integers(-2, 3, size=ndim)
        q = 2 * np.pi * np.linalg.solve(basis, reflection)
        for index in shortest_burgers(basis):
            b = index @ basis
            line = rng.normal(size=3) if ndim == 3 else None
            turns = q @ b / (2 * np.pi)
            assert abs(turns - np.rint(turns)) < 1e-12
            if ndim == 2:
                e1, e2 = b, np.array([-b[1], b[0]])
            else:
                t = line / np.linalg.norm(line)
                e1 = b - (b @ t) * t
                e2 = np.cross(t, e1)
            cut = -np.linspace(0.5, 5.0, 7)[:, None] * e1
            above, below = (
                dislocation_displacement(cut + s * e2, np.zeros(ndim), b, line, NU) @ q
                for s in (1e-11, -1e-11)
            )
            # The phase itself jumps by Q.b; exp(i phase) does not.
            np.testing.assert_allclose(above - below, q @ b, atol=1e-9)
            np.testing.assert_allclose(np.exp(1j * above), np.exp(1j * below), atol=1e-9)


def test_lattices_have_their_shortest_vectors():
    rng = np.random.default_rng(3)
    counts = {len(shortest_burgers(random_lattice(rng, 2))) for _ in range(30)}
    assert counts == {4, 6}  # square and hexagonal
    assert len(shortest_burgers(random_lattice(rng, 3))) == 6
    for ndim in (2, 3):
        basis = random_lattice(rng, ndim)
        np.testing.assert_allclose(np.linalg.norm(basis, axis=1), 1.0)
        np.testing.assert_allclose(np.linalg.norm(shortest_burgers(basis) @ basis, axis=1), 1.0)


def test_core_on_a_pixel_gives_finite_phases():
    points = np.array([[0.0, 0.0], [1.0, 0.0]])
    u = dislocation_displacement(points, np.zeros(2), np.array([1.0, 0.0]), None, NU)
    assert np.isfinite(u).all()


def test_defects_superpose(monkeypatch):
    points = np.argwhere(np.ones((6, 6), bool)).astype(float)

    def phase(count):
        return bragg_phase(np.random.default_rng(8), points, count, 1, NU)

    assert (phase(0) == 0).all()
    assert np.ptp(phase(1)) > 0.1
    drawn = []
    whole = phase(3)

    def spy(*args):
        drawn.append(dislocation_displacement(*args))
        return np.ones_like(points)

    monkeypatch.setattr("symbreak.data.simulation.dislocations.dislocation_displacement", spy)
    unit = phase(1)  # Q.(1, 1)
    np.testing.assert_allclose(phase(3), 3 * unit)
    # Three different dislocations, and their sum is the phase.
    fields = drawn[1:]
    assert not np.allclose(fields[0], fields[1])
    for axis in (0, 1):
        monkeypatch.setattr(
            "symbreak.data.simulation.dislocations.dislocation_displacement",
            lambda *args, axis=axis: np.eye(2)[[axis] * len(points)],
        )
        whole = whole - phase(1) * sum(fields)[:, axis]
    np.testing.assert_allclose(whole, 0.0, atol=1e-12)
