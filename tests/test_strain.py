"""Displacement and strain along Q, against displacements that are known."""

import numpy as np
import pytest
from instruments import instrument

import symbreak
from symbreak.geometry import ReciprocalGrid, displacement, orthogonal, strain
from symbreak.geometry.bragg import widened

GRID = instrument().reciprocal(bins=4)
GRID = ReciprocalGrid(GRID.steps * [[4], [1], [1]], GRID.center)  # voxels of 30 x 11 x 10 nm
SHAPE = (24, 28, 32)
Q = np.linalg.norm(GRID.center)
ALONG = GRID.positions(SHAPE) @ (GRID.center / Q)  # nm along Q


def ball(radius=110.0):
    return np.linalg.norm(GRID.positions(SHAPE), axis=-1) < radius


def crystal(moved, support):
    """The object of a lattice that is displaced by so much along Q, nm."""
    return np.where(support, np.exp(-1j * Q * moved), 0)


def test_atoms_of_a_stretched_crystal():
    """Waves scattered by atoms, summed as they come: the strain that was put in comes out.

    Planes across Q, farther and farther apart, each with atoms on a square, so that the sum over
    all atoms is a product of three.
    """
    grid = ReciprocalGrid(GRID.steps * 5, GRID.center)
    shape = (20, 16, 16)
    along = grid.center / Q
    across = np.linalg.svd(along[None])[2][1:]
    rest = np.arange(-100, 101) * 2 * np.pi / Q  # nm, planes at the distance that Q says
    planes = rest + 2e-4 * rest**2
    side = np.arange(-8, 9) * 2.5
    pixels = np.stack(np.meshgrid(*(np.arange(m) - m // 2 for m in shape), indexing="ij"), -1)
    q = grid.center + pixels @ grid.steps

    def waves(places, axis):
        return np.exp(-1j * (q @ axis)[..., None] * places).sum(-1)

    wave = waves(planes, along) * waves(side, across[0]) * waves(side, across[1])
    x = np.fft.fftshift(np.fft.ifftn(np.fft.ifftshift(wave)))
    support = np.abs(x) > 0.5 * np.abs(x).max()
    found = strain(x, support, grid)
    place = grid.positions(shape) @ along
    inner = np.isfinite(found) & (np.abs(place) < 14)
    assert inner.sum() > 60
    slope, offset = np.polyfit(place[inner], found[inner], 1)
    assert slope == pytest.approx(4e-4, rel=0.1)
    assert abs(offset) < 3e-4


@pytest.mark.parametrize("amount", [2e-4, -1e-3])
def test_an_evenly_stretched_crystal(amount):
    support = ball()
    x = crystal(amount * ALONG, support) * np.exp(0.7j)
    found = strain(x, support, GRID)
    assert np.isfinite(found[support]).mean() > 0.9
    assert np.isnan(found[~support]).all()
    np.testing.assert_allclose(found[np.isfinite(found)], amount, rtol=1e-9)
    moved = displacement(x, support, GRID)
    mean = ALONG[support].mean()
    np.testing.assert_allclose(moved[support], amount * (ALONG[support] - mean), atol=1e-9)
    assert np.isnan(moved[~support]).all()


def test_strain_across_q_is_none():
    support = ball()
    place = GRID.positions(SHAPE)
    aside = np.cross(GRID.center, [0.3, 1, 0.2])
    x = crystal(1e-3 * place @ (aside / np.linalg.norm(aside)), support)
    found = strain(x, support, GRID)
    assert np.nanmax(np.abs(found)) < 1e-12


def test_the_twin_has_the_same_strain_on_the_other_side():
    support = ball() & (ALONG < 60)
    x = crystal(1e-6 * ALONG**2 * (ALONG > 0), support)
    twin = np.roll(x[::-1, ::-1, ::-1], (1, 1, 1), (0, 1, 2)).conj()
    turned = np.roll(support[::-1, ::-1, ::-1], (1, 1, 1), (0, 1, 2))
    found = strain(twin, turned, GRID)[::-1, ::-1, ::-1]
    np.testing.assert_allclose(
        np.roll(found, (1, 1, 1), (0, 1, 2)), strain(x, support, GRID), atol=1e-12
    )


def test_a_dislocation_is_felt_at_its_core_alone():
    """Phases that turn once around a line: no unwrapping, no cut."""
    support = ball()
    place = GRID.positions(SHAPE) @ np.linalg.svd(GRID.center[None])[2][1:].T
    along = ALONG - 3.0
    vortex = np.arctan2(along, place[..., 0] - 2.0)
    x = np.where(support, np.exp(1j * vortex), 0)
    found = strain(x, support, GRID)
    distance = np.hypot(along, place[..., 0] - 2.0)
    # -d(vortex)/d(along) / |Q|
    expected = -(place[..., 0] - 2.0) / distance**2 / Q
    far = np.isfinite(found) & (distance > 60)
    assert far.sum() > 500
    np.testing.assert_allclose(found[far], expected[far], atol=0.15 * np.abs(expected[far]).max())


def test_what_lies_outside_or_alone_is_not_known():
    support = np.zeros(SHAPE, bool)
    support[4:8, 4:8, 4:8] = True
    support[12, 12, 12] = True
    x = crystal(1e-4 * ALONG, support)
    x[5, 5, 5] = 0
    found = strain(x, support, GRID)
    assert np.isnan(found[12, 12, 12])
    assert np.isnan(found[5, 5, 5])
    # Nor in the three at the surface whose only neighbour along an axis is that hole.
    assert np.isnan([found[4, 5, 5], found[5, 4, 5], found[5, 5, 4]]).all()
    assert np.isfinite(found).sum() == 60
    np.testing.assert_allclose(found[np.isfinite(found)], 1e-4, rtol=1e-9)
    empty = np.zeros(SHAPE, bool)
    for function in (strain, displacement):
        assert np.isnan(function(x, empty, GRID)).all()


def test_a_field_reaches_one_voxel_farther():
    field = np.full((7, 7, 7), np.nan)
    field[3, 3, 3] = 2.0
    wide = widened(field)
    assert wide.dtype == np.float32
    assert wide.sum() == 2.0 * 27
    assert (wide[2:5, 2:5, 2:5] == 2.0).all()
    assert not widened(np.full((3, 3, 3), np.nan)).any()


def test_the_symmetries_change_strain_as_they_should():
    """Phase and whole-voxel shifts of the object leave its strain; it moves along."""
    support = ball(90.0)
    x = crystal(3e-7 * ALONG**3, support)
    moved = symbreak.apply_symmetry(
        symbreak.ops.apply_symmetry.torch.from_numpy(x), shift=[2, -1, 3], phase=1.0, ndim=3
    ).numpy()
    found = strain(moved, np.abs(moved) > 0.5, GRID)
    expected = np.roll(strain(x, support, GRID), (2, -1, 3), (0, 1, 2))
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("function", [strain, displacement])
def test_what_is_refused(function):
    x, support = np.ones((4, 4, 4), complex), np.ones((4, 4, 4), bool)
    flat = instrument(detector=(), sample=(), scan="energy", step=0.1)
    with pytest.raises(TypeError, match="object must be a complex array, got float64"):
        function(x.real, support, GRID)
    with pytest.raises(TypeError, match="support must be a boolean array, got int64"):
        function(x, support.astype(int), GRID)
    with pytest.raises(ValueError, match="3D and of one shape"):
        function(x, support[1:], GRID)
    with pytest.raises(ValueError, match="3D and of one shape"):
        function(x[0], support[0], GRID)
    forward = ReciprocalGrid(np.eye(3), [0, 0, 0])
    for other in (forward, None):
        with pytest.raises(ValueError, match="grid must be that of a Bragg peak"):
            function(x, support, other)
    assert flat.scan == "energy"


def test_cubes_are_refused():
    field = {"a": np.ones((4, 4, 4))}
    with pytest.raises(ValueError, match=r"voxel must be > 0 and finite \(nm\), got 0"):
        orthogonal(field, GRID, 0)
    with pytest.raises(TypeError, match=r"voxel must be a number \(nm\), got '1'"):
        orthogonal(field, GRID, "1")
    with pytest.raises(ValueError, match="grid must be that of a volume"):
        orthogonal(field, instrument().of_pattern(2), 1.0)
    with pytest.raises(MemoryError, match=r"voxel \(--voxel\) = 1e-06 nm needs .* for the result"):
        orthogonal(field, GRID, 1e-6)
