"""The dislocations against published stresses and energies, by Hooke's law from displacements.

Stresses: J. P. Hirth and J. Lothe, Theory of Dislocations (2nd ed. 1982), sections 3-2 (screw) and
3-4 (edge), as also in Hull and Bacon, Introduction to Dislocations, chapter 4. Energies per length
between the radii r and R: mu b^2 / 4 pi ln(R / r) of a screw, divided by (1 - nu) of an edge.
In units of the shear modulus mu and the length b of the Burgers vector.
"""

import numpy as np
import pytest

from symbreak.data.simulation.dislocations import dislocation_displacement

EDGE, SCREW = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
LINE = np.array([0.0, 0.0, 1.0])


def displacement(points, burgers, nu):
    return dislocation_displacement(points, np.zeros(3), burgers, LINE, nu)


def gradient(points, burgers, nu, h=1e-4):
    """d u_i / d x_j, (n, 3, 3), by central differences of fourth order."""
    columns = []
    for step in h * np.eye(3):
        near, far = (
            displacement(points + k * step, burgers, nu)
            - displacement(points - k * step, burgers, nu)
            for k in (1, 2)
        )
        columns.append((8 * near - far) / (12 * h))
    return np.stack(columns, axis=-1)


def stress(points, burgers, nu):
    """Hooke's law in an isotropic medium, mu = 1: 2 e + 2 nu / (1 - 2 nu) tr(e)."""
    slope = gradient(points, burgers, nu)
    strain = (slope + slope.transpose(0, 2, 1)) / 2
    trace = np.trace(strain, axis1=1, axis2=2)
    return 2 * strain + 2 * nu / (1 - 2 * nu) * trace[:, None, None] * np.eye(3)


def ring(radius, count=24):
    """Points around the line, none on the cut theta = pi."""
    angles = 2 * np.pi * (np.arange(count) + 0.5) / count - np.pi
    heights = np.linspace(-3, 3, count)
    return np.stack([radius * np.cos(angles), radius * np.sin(angles), heights], axis=1)


@pytest.mark.parametrize("nu", [0.0, 0.25, 0.33, 0.45])
@pytest.mark.parametrize("radius", [0.7, 2.0])
def test_stress_of_an_edge_dislocation(nu, radius):
    points = ring(radius)
    x, y, _ = points.T
    r4 = (x * x + y * y) ** 2
    unit = 1 / (2 * np.pi * (1 - nu))
    xx, yy = -unit * y * (3 * x * x + y * y) / r4, unit * y * (x * x - y * y) / r4
    xy, zero = unit * x * (x * x - y * y) / r4, np.zeros_like(x)
    published = np.array([[xx, xy, zero], [xy, yy, zero], [zero, zero, nu * (xx + yy)]])
    np.testing.assert_allclose(
        stress(points, EDGE, nu), published.transpose(2, 0, 1), rtol=0, atol=1e-9
    )


@pytest.mark.parametrize("nu", [0.0, 0.33])
def test_stress_of_a_screw_dislocation(nu):
    points = ring(1.3)
    x, y, _ = points.T
    xz, yz = -y / (2 * np.pi * (x * x + y * y)), x / (2 * np.pi * (x * x + y * y))
    zero = np.zeros_like(x)
    published = np.array([[zero, zero, xz], [zero, zero, yz], [xz, yz, zero]])
    np.testing.assert_allclose(
        stress(points, SCREW, nu), published.transpose(2, 0, 1), rtol=0, atol=1e-9
    )


def test_numbers_of_one_place():
    # Aluminium, nu = 0.347: at (1 b, 1 b) from an edge, in units of mu; the dilatation there.
    points = np.array([[1.0, 1.0, 0.0]])
    found = stress(points, EDGE, 0.347)[0]
    assert found[0, 0] == pytest.approx(-1 / (2 * np.pi * 0.653), abs=1e-9)  # y (3 x^2 + y^2) = r^4
    assert found[1, 1] == pytest.approx(0, abs=1e-9)
    assert found[0, 1] == pytest.approx(0, abs=1e-9)
    dilatation = np.trace(gradient(points, EDGE, 0.347)[0])
    assert dilatation == pytest.approx(-(1 - 2 * 0.347) / (4 * np.pi * 0.653), abs=1e-9)


@pytest.mark.parametrize("nu", [0.1, 0.33])
@pytest.mark.parametrize("angle", [0, 30, 60, 90])
def test_energy_per_length_of_a_mixed_dislocation(nu, angle):
    # Its density falls as r^-2, so one ring gives it: E / ln(R / r) = r^2 integral w d theta.
    # Hirth and Lothe: b^2 / 4 pi (cos^2 beta + sin^2 beta / (1 - nu)), beta between b and the line.
    beta = np.radians(angle)
    burgers = np.cos(beta) * SCREW + np.sin(beta) * EDGE
    radius, count = 1.5, 48
    points = ring(radius, count)
    density = (stress(points, burgers, nu) * gradient(points, burgers, nu)).sum(axis=(1, 2)) / 2
    energy = radius**2 * density.mean() * 2 * np.pi
    published = (np.cos(beta) ** 2 + np.sin(beta) ** 2 / (1 - nu)) / (4 * np.pi)
    assert energy == pytest.approx(published, rel=1e-8)


def test_the_attraction_of_opposite_edges():
    # Peach and Koehler: on one slip plane the force between equal edges is 1 / (2 pi (1 - nu) d).
    nu, d = 0.3, 2.5
    shear = stress(np.array([[d, 0.0, 0.0]]), EDGE, nu)[0, 0, 1]
    assert shear == pytest.approx(1 / (2 * np.pi * (1 - nu) * d), rel=1e-8)
    # and at 45 degrees they neither attract nor repel each other along it
    diagonal = stress(np.array([[d, d, 0.0]]), EDGE, nu)[0, 0, 1]
    assert diagonal == pytest.approx(0, abs=1e-10)
