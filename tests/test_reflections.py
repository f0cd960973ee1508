"""Several reflections in one frame, and the strain of the lattice, against one that is known."""

import numpy as np
import pytest
from crystals_of_gold import HKL, SAMPLES, Q, inside, jacobian, moved, reflection

from symbreak.geometry import (
    Reflection,
    displacement_vector,
    match_reflections,
    strain_tensor,
)
from symbreak.geometry.circles import rotation

# Moved in the frame of the sample, twins, off the centre of their patterns, of another brightness.
SEEN = (
    {},
    {"shift": (20, -13, 8), "twin": True},
    {"shift": (-11, 5, 30), "ramp": (0.05, -0.03, 0.02)},
    {"shift": (4, 0, -9), "twin": True, "scale": 3.0},
)


@pytest.fixture(scope="module")
def reflections():
    return [Reflection(*reflection(k, **seen), SAMPLES[k]) for k, seen in enumerate(SEEN)]


@pytest.fixture(scope="module")
def matched(reflections):
    return match_reflections(reflections, 6.0)


def places(matched):
    side = matched.magnitude.shape[1]
    along = (np.arange(side) - side // 2) * matched.voxel
    return np.stack(np.meshgrid(along, along, along, indexing="ij")[::-1])


def deep(matched, cubes):
    """Where all is known so many cubes around."""
    from scipy.ndimage import distance_transform_edt

    return distance_transform_edt(np.isfinite(matched.gradient).all((0, 1))) > cubes


def test_they_come_into_one_frame(matched):
    np.testing.assert_allclose(matched.q, Q, atol=1e-9)
    assert matched.twin.tolist() == [False, True, False, True]
    assert np.abs(matched.shift).max() < 1  # their middles, found by voxels of 9 nm, agree
    assert (matched.overlap[1:, 0] > 0.98).all()
    assert (matched.overlap[:, 1] < 0.9).all()
    inner = deep(matched, 3)
    assert inner.sum() > 3000
    assert matched.magnitude[:, inner].min() > 0.99
    assert matched.magnitude[:, inner].max() < 1.01
    assert not matched.magnitude[:, 0].any()


@pytest.mark.parametrize("count", [3, 4])
def test_the_strain_of_the_lattice_comes_out(matched, count):
    """Exactly within, and to a step of one side at the surface."""
    place = places(matched)
    tensor = strain_tensor(matched.gradient[:count], matched.q[:count])
    known = jacobian(place)
    inner, near = deep(matched, 5), deep(matched, 0)
    assert inner.sum() > 1500
    strain, turn = (known + known.swapaxes(0, 1)) / 2, (known - known.swapaxes(0, 1)) / 2
    rotation = np.stack([turn[2, 1], turn[0, 2], turn[1, 0]])
    for found, expected in ((tensor.strain, strain), (tensor.rotation, rotation)):
        gap = found - expected
        gap -= np.median(gap[..., inner], -1)[..., None, None, None]  # the mean lattice's own
        assert np.abs(gap[..., inner]).max() < 1e-9
        assert np.abs(gap[..., near]).mean() < 3e-5
    assert np.abs(strain[..., near]).mean() > 3e-4
    assert np.isnan(tensor.misfit[0]).all()
    assert tensor.misfit[inner].max() < (1e-12 if count == 3 else 1e-5)


def test_the_mean_lattice_is_what_strain_is_relative_to(matched):
    tensor = strain_tensor(matched.gradient, matched.q)
    inner = deep(matched, 0)
    assert np.abs(tensor.strain[..., inner].mean(-1)).max() < 2e-5


def test_the_displacement_of_the_lattice_comes_out(matched):
    place = places(matched)
    found = displacement_vector(matched.displacement, matched.q)
    inner = deep(matched, 1)
    gap = (found - moved(place))[:, inner]
    # But for a turn and a stretch of all, which the mean lattice has.
    linear = np.concatenate([place[:, inner], np.ones((1, inner.sum()))])
    gap = gap - gap @ np.linalg.pinv(linear) @ linear
    assert np.abs(gap).mean() < 1e-4
    assert np.abs(moved(place)[:, inner]).mean() > 1e-2


def test_the_first_one_decides_which_twin(reflections, matched):
    """Put on a twin, everything lies at the opposite place."""
    order = [1, 0, 2, 3]
    other = match_reflections([reflections[k] for k in order], 6.0)
    assert other.twin.tolist() == [False, True, True, False]
    first = strain_tensor(matched.gradient, matched.q).strain
    second = strain_tensor(other.gradient, other.q).strain[..., ::-1, ::-1, ::-1]
    inner = deep(matched, 5)
    np.testing.assert_allclose(second[..., inner], first[..., inner], atol=2e-5)
    moves = [displacement_vector(m.displacement, m.q) for m in (matched, other)]
    inner &= np.isfinite(moves[1][0, ::-1, ::-1, ::-1])
    np.testing.assert_allclose(
        -moves[1][:, ::-1, ::-1, ::-1][:, inner], moves[0][:, inner], atol=2e-3
    )


@pytest.mark.parametrize("twin", [False, True])
def test_middles_that_differ(reflections, twin):
    """One is brighter to one side: its middle is elsewhere, its place is not."""
    x, support, grid = reflection(1, shift=(20, -13, 8), twin=twin)
    place = np.moveaxis(grid.positions(x.shape) @ rotation(SAMPLES[1]), -1, 0)
    along = (-1 if twin else 1) * place[0] - 20
    uneven = Reflection(x * np.exp(along / 200), support, grid, SAMPLES[1])
    found = match_reflections([reflections[0], uneven, *reflections[2:]], 6.0)
    fine = np.stack(np.meshgrid(*3 * [np.arange(-90, 91, 2.0)], indexing="ij"))
    fine = fine[:, inside(fine)]
    middle = np.average(fine, axis=1, weights=np.exp(fine[0] / 100)) - fine.mean(1)
    assert middle[0] > 9
    np.testing.assert_allclose(found.shift[1], middle, atol=4.0)  # voxels are 9 nm
    assert np.abs(np.remainder(found.shift[1], 6.0)).max() > 0.1  # parts of a cube too
    first, second = (m > 0.4 for m in found.magnitude[:2])
    assert (first & second).sum() > 0.9 * (first | second).sum()
    tensor = strain_tensor(found.gradient, found.q)
    known = jacobian(places(found))
    gap = tensor.strain - (known + known.swapaxes(0, 1)) / 2
    here = deep(found, 5)
    assert here.sum() > 1000
    assert np.ptp(gap[..., here], axis=-1).max() < 1e-4
    assert tensor.misfit[here].max() < 4e-4  # its mean lattice is that of its bright side


def test_what_is_faint_is_left_out(reflections):
    """A support that goes beyond the crystal, where phases are noise."""
    x, support, grid = reflection(0)
    rng = np.random.default_rng(3)
    noise = 0.3 * np.exp(2j * np.pi * rng.random(x.shape))
    loose = np.abs(np.indices(x.shape) - 20).max(0) < 14
    noisy = np.where(support, x, noise)
    noisy[18:22, 18:22, 18:22] *= 3  # bright, but only a part
    found = Reflection(noisy, loose, grid, SAMPLES[0])
    clean = Reflection(x, loose & support, grid, SAMPLES[0])
    place = np.zeros((3, 1)) + 10
    assert found.reach == pytest.approx(clean.reach, rel=0.01)
    np.testing.assert_allclose(found.gradient(place), clean.gradient(place), atol=1e-3)
    far = Reflection(noisy, loose, grid, SAMPLES[0], level=0.1)
    assert far.reach > 1.2 * clean.reach


def test_cubes_as_the_shortest_step(reflections):
    steps = [np.linalg.norm(r.voxel, axis=1).min() for r in reflections]
    assert match_reflections(reflections[:2]).voxel == pytest.approx(min(steps[:2]))


def test_more_than_one_lattice_is_a_misfit():
    """A gradient along Q that no lattice has; one across the others changes nothing."""
    gradient = np.zeros((4, 3, 1))
    strained = np.diag([1e-3, 2e-3, -1e-3])
    gradient[..., 0] = -Q @ strained
    right = strain_tensor(gradient, Q)
    np.testing.assert_allclose(right.strain[..., 0], strained, atol=1e-12)
    assert right.misfit[0] < 1e-12
    # (-1 1 1) + (1 -1 1) = (0 0 2): strains of the three that do not go together.
    directions = Q / np.linalg.norm(Q, axis=1, keepdims=True)
    gradient[1] += 1e-3 * Q[1][:, None]
    wrong = strain_tensor(gradient, Q)
    left = gradient[..., 0] + Q @ wrong_jacobian(wrong)
    along = (left * directions).sum(1) / np.linalg.norm(Q, axis=1)
    assert wrong.misfit[0] == pytest.approx(np.sqrt((along**2).mean()))
    assert wrong.misfit[0] > 1e-4
    assert HKL.shape == Q.shape


def wrong_jacobian(tensor):
    x, y, z = tensor.rotation[:, 0]
    return tensor.strain[..., 0] + np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])


@pytest.mark.parametrize(
    ("gradient", "q", "message"),
    [
        (np.zeros((2, 3, 1)), Q[:2], "q must be three scattering vectors or more"),
        (np.zeros((3, 3, 1)), Q[[0, 0, 1]], "not in one plane, got"),
        (np.zeros((3, 3, 1)), Q[:3] * [[1], [1], [0]], "not in one plane, got"),
        (np.zeros((3, 3, 1)), Q[:3] * np.nan, "not in one plane, got"),
        (np.zeros((3, 2, 1)), Q[:3], r"gradient must be \(reflections, 3, \*grid\)"),
        (np.zeros((4, 3, 1)), Q[:3], r"gradient must be \(reflections, 3, \*grid\)"),
    ],
)
def test_what_no_lattice_can_be_found_from(gradient, q, message):
    with pytest.raises(ValueError, match=f"^strain_tensor: .*{message}"):
        strain_tensor(gradient, q)


def test_what_cannot_be_matched(reflections):
    with pytest.raises(ValueError, match="must be two or more, got 1"):
        match_reflections(reflections[:1])
    with pytest.raises(ValueError, match="voxel must be > 0"):
        match_reflections(reflections, 0.0)
    with pytest.raises(MemoryError, match=r"voxel \(--voxel\) = 0.001 nm"):
        match_reflections(reflections, 1e-3)
    with pytest.raises(ValueError, match="displacement must be"):
        displacement_vector(np.zeros((2, 4)), Q)
    x, support, grid = reflection(0)
    with pytest.raises(ValueError, match=r"^Reflection: object must not be 0 all over its support"):
        Reflection(x, ~support & (x != 0), grid)
    for level in (1, -0.1, float("nan")):
        with pytest.raises(ValueError, match=r"^Reflection: level must be in \[0, 1\), got"):
            Reflection(x, support, grid, level=level)
    with pytest.raises(TypeError, match=r"^Reflection: support must be a boolean array"):
        Reflection(x, support.astype(int), grid)
