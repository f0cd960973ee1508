"""Sums over shells of frequency, and the Fourier shell correlation against its formula."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from symbreak.ops.frequencies import frequency_radius
from symbreak.shells import ShellCorrelation, Shells, first_below, fourier_shell_correlation

GRIDS = [(24, 20), (15, 16), (9, 8, 7)]
SKEWED = {
    2: torch.tensor([[0.02, 0.005], [-0.004, 0.03]], dtype=torch.float64),
    3: torch.tensor(
        [[0.02, 0.01, 0.0], [0.0, 0.03, 0.004], [0.005, 0.0, 0.05]], dtype=torch.float64
    ),
}


def pair(grid, generator):
    """Two objects with something in common."""
    one, other, both = torch.randn(3, *grid, dtype=torch.complex128, generator=generator)
    return one + 2 * both, other + 2 * both


def reference(a, b, steps, width, limit):
    """Pixel by pixel in NumPy: frequency, correlation and pixels of every shell that has some."""
    spectra = [np.fft.fftn(x.numpy()) for x in (a, b)]
    sums = {}
    for index in itertools.product(*map(range, a.shape)):
        signed = [k if k < (m + 1) // 2 else k - m for k, m in zip(index, a.shape, strict=True)]
        f = np.linalg.norm(np.array(signed) @ steps)
        if f <= limit:
            fa, fb = (spectrum[index] for spectrum in spectra)
            part = np.array([f, 1.0, (fa * fb.conjugate()).real, abs(fa) ** 2, abs(fb) ** 2])
            sums.setdefault(round(f / width), np.zeros(5))
            sums[round(f / width)] += part
    total = np.stack([sums[k] for k in sorted(sums)]).T
    return total[0] / total[1], total[2] / np.sqrt(total[3] * total[4]), total[1]


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("skewed", [False, True])
def test_the_formula(grid, skewed, generator):
    a, b = pair(grid, generator)
    if skewed:
        steps = SKEWED[len(grid)]
        planes = [far_plane(grid, steps, axis) for axis in range(len(grid))]
        limit = min(planes)
        width = float(torch.linalg.vector_norm(steps, dim=1).max())
        found = fourier_shell_correlation(a, b, steps=steps, ndim=len(grid))
    else:
        steps, limit, width = torch.diag(1 / torch.tensor(grid).double()), 0.5, 1 / min(grid)
        found = fourier_shell_correlation(a, b, ndim=len(grid))
    assert found.limit == pytest.approx(limit)
    expected = reference(a, b, steps.numpy(), width, limit * (1 + 1e-12))
    for name, values in zip(("frequency", "correlation", "pixels"), expected, strict=True):
        np.testing.assert_allclose(getattr(found, name), values, atol=1e-12)
    assert 0.3 < float(found.correlation[1:].mean()) < 1


def far_plane(grid, steps, axis):
    """How near the middle of the pattern its edge along an axis comes: least squares."""
    edge = steps[axis] * grid[axis] / 2
    others = torch.cat([steps[:axis], steps[axis + 1 :]]).T
    inside = others @ torch.linalg.lstsq(others, edge[:, None]).solution
    return float(torch.linalg.vector_norm(edge - inside[:, 0]))


@pytest.mark.parametrize("grid", GRIDS)
def test_steps_of_a_grid_at_right_angles_are_a_change_of_unit(grid, generator):
    """Of equal sides: elsewhere the shells without steps are those of the shorter one too."""
    grid = (grid[0],) * len(grid)
    a, b = pair(grid, generator)
    pixel = 12.5  # nm
    steps = torch.eye(len(grid), dtype=torch.float64) / (grid[0] * pixel)
    plain = fourier_shell_correlation(a, b, ndim=len(grid))
    found = fourier_shell_correlation(a, b, steps=steps, ndim=len(grid))
    torch.testing.assert_close(found.frequency * pixel, plain.frequency)
    torch.testing.assert_close(found.correlation, plain.correlation)
    assert found.limit * pixel == pytest.approx(0.5)
    assert found.resolution() * pixel == pytest.approx(plain.resolution())


def test_more_axes_of_length_than_of_the_pattern(generator):
    """The steps of a 2D pattern lie in the laboratory's three directions."""
    a, b = pair((16, 20), generator)
    flat = SKEWED[2]
    turn = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64, generator=generator)).Q
    found = fourier_shell_correlation(a, b, steps=flat @ turn[:2])
    expected = fourier_shell_correlation(a, b, steps=flat)
    torch.testing.assert_close(found.frequency, expected.frequency)
    torch.testing.assert_close(found.correlation, expected.correlation)
    assert found.limit == pytest.approx(expected.limit)


def test_what_all_photons_show_is_expected_from_the_halves(generator):
    """Signal and independent noise of known powers, flat in frequency."""
    signal, one, other = torch.randn(3, 256, 256, dtype=torch.complex128, generator=generator)
    a, b = signal + 1.5 * one, signal + 1.5 * other
    found = fourier_shell_correlation(a, b)
    known = found.pixels > 300
    shared = 1 / (1 + 1.5**2)
    assert float(found.correlation[known].mean()) == pytest.approx(shared, abs=0.01)
    true = fourier_shell_correlation((a + b) / 2, signal).correlation
    assert float((found.expected - true)[known].mean()) == pytest.approx(0, abs=0.01)
    opposite = fourier_shell_correlation(a, -a)
    torch.testing.assert_close(opposite.correlation, -torch.ones_like(opposite.correlation))
    assert bool((opposite.expected == 0).all())


def test_the_half_bit_threshold_as_published():
    """van Heel and Schatz (2005), equation 17, and where it is not given."""
    x = torch.ones(64, 64, dtype=torch.complex64)
    for filled, few in ((1.0, 1), (0.05, 6)):
        found = fourier_shell_correlation(x, x, filled=filled)
        n = filled * found.pixels
        expected = (0.2071 + 1.9102 / n.sqrt()) / (1.2071 + 0.9102 / n.sqrt())
        many = n >= 2
        torch.testing.assert_close(found.threshold[many].float(), expected[many], atol=1e-4, rtol=0)
        assert bool(found.threshold[~many].isnan().all())
        assert int((~many).sum()) == few


def test_resolution_is_where_the_threshold_is_met():
    f = torch.tensor([0.0, 0.1, 0.2, 0.3, 0.4]).double()
    level = torch.tensor([float("nan"), 0.5, 0.4, 0.3, 0.3]).double()
    curve = ShellCorrelation(f, 1 - 2 * f, level, torch.ones(5), 0.5)
    # 1 - 2 f - level: 0.3, 0.2, 0.1, -0.1
    assert curve.resolution() == pytest.approx(0.35)
    assert curve._replace(correlation=torch.ones(5).double()).resolution() == 0.5
    assert curve._replace(correlation=torch.zeros(5).double()).resolution() == pytest.approx(0.1)
    assert first_below(f, 1 - 2 * f, 0.5, 0.5) == pytest.approx(0.25)


@pytest.mark.parametrize("grid", GRIDS)
def test_sums_are_of_what_counts(grid, generator):
    values = torch.rand(grid, dtype=torch.float64, generator=generator)
    valid = torch.rand(grid, generator=generator) > 0.3
    shells = Shells(grid, valid=valid)
    radius = frequency_radius(grid)
    inside = valid & (radius <= 0.5)
    assert float(shells.total(values).sum()) == pytest.approx(float(values[inside].sum()))
    assert int(shells.pixels.sum()) == int(inside.sum())
    outside = torch.where(inside, 0.0, math.nan)  # is never touched
    assert bool((shells.total(outside) == 0).all())


@given(
    phase=st.floats(0, 2 * math.pi),
    scale=st.floats(1e-3, 1e3),
    seed=st.integers(0, 1000),
    shift=st.tuples(st.integers(-20, 20), st.integers(-20, 20)),
)
def test_what_both_share_does_not_matter(phase, scale, seed, shift):
    """Moved and turned alike, each scaled as it likes: the same correlation."""
    a, b = pair((16, 12), torch.Generator().manual_seed(seed))
    turn = torch.polar(torch.ones(()), torch.tensor(phase)).to(torch.complex128)
    moved = [scale * turn * a.roll(shift, (0, 1)), turn * b.roll(shift, (0, 1))]
    expected = fourier_shell_correlation(a, b)
    torch.testing.assert_close(fourier_shell_correlation(*moved).correlation, expected.correlation)
    flipped = [x.flip(0, 1).conj() for x in (a, b)]
    found = fourier_shell_correlation(*flipped)
    torch.testing.assert_close(found.correlation, expected.correlation)


def test_zero_objects_correlate_with_nothing():
    x = torch.zeros(16, 16, dtype=torch.complex64)
    assert bool(fourier_shell_correlation(x, x).correlation.isnan().all())
