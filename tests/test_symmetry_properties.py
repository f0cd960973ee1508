"""hypothesis: what must hold for every object and every symmetry that keeps it in the window."""

import math

import pytest
import torch
from conftest import DTYPES, TOLERANCE
from hypothesis import given
from hypothesis import strategies as st

import symbreak
from symbreak.ops.break_symmetry import RULES
from symbreak.reference.break_symmetry import low_frequencies


@st.composite
def orbits(draw, ndim, dtype):
    """An object, and the same object under a random symmetry that keeps it in the window."""
    size = [draw(st.integers(1, 9)) for _ in range(ndim)]
    # At least two columns: content of one column is its own twin in the eyes of the angle rule.
    extent = [draw(st.integers(1 if n < 2 else 2, n)) for n in size]
    corner = [draw(st.integers(0, n - e)) for n, e in zip(size, extent, strict=True)]
    target = [draw(st.integers(0, n - e)) for n, e in zip(size, extent, strict=True)]
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    content = torch.randn(extent, dtype=torch.complex128, generator=generator) + 0.5
    if draw(st.booleans()):  # a hole, so that the content is not a full box
        content[tuple(e // 2 for e in extent)] = 0
    for axis, e in enumerate(extent):  # the box is tight: every face holds content
        for face in (0, e - 1):
            content.select(axis, face)[(0,) * (ndim - 1)] = 1 + 0.5j
    x = torch.zeros(size, dtype=torch.complex128)
    x[tuple(slice(c, c + e) for c, e in zip(corner, extent, strict=True))] = content
    x = x.to(dtype)
    moved = symbreak.apply_symmetry(
        x,
        shift=[t - c for t, c in zip(target, corner, strict=True)],
        flipped=draw(st.booleans()),
        phase=draw(st.floats(-math.pi, math.pi)),
        ndim=ndim,
    )
    return x, moved


cases = pytest.mark.parametrize(
    ("ndim", "dtype"), [(ndim, dtype) for ndim in (2, 3) for dtype in DTYPES]
)


def close(a, b, scale=1.0):
    torch.testing.assert_close(
        a,
        b,
        rtol=0,
        atol=scale
        * TOLERANCE[
            torch.complex128 if a.dtype in (torch.complex128, torch.float64) else torch.complex64
        ],
    )


@cases
@given(data=st.data())
def test_every_member_of_an_orbit_has_the_same_canonical_object(ndim, dtype, data):
    x, moved = data.draw(orbits(ndim, dtype))
    rule = data.draw(st.sampled_from(RULES))
    one, two = (symbreak.break_symmetry(y, ndim=ndim, rule=rule) for y in (x, moved))
    # Near the cut of the rule the two may fall on different sides: 1e-3 is far above rounding.
    if one.margin < 1e-3 or one.ambiguous:
        return
    assert torch.equal(one.object != 0, two.object != 0)  # the support to the bit
    assert one.flipped.item() in (True, False)
    # Rounding of the phase is relative to |F x(0)|, which may be small beside the object; that of
    # the circulation to the other low frequencies.
    mean, ring = low_frequencies(x, 0.0)
    scale = float(x.abs().sum() / mean.abs())
    close(one.object, two.object, 10 * scale)
    least = min(mean.abs(), ring.abs().square().mean().sqrt())
    close(one.margin, two.margin, 100 * float(x.abs().sum() / least) ** 2)


@cases
@given(data=st.data())
def test_breaking_twice_changes_nothing(ndim, dtype, data):
    x, _ = data.draw(orbits(ndim, dtype))
    rule = data.draw(st.sampled_from(RULES))
    once = symbreak.break_symmetry(x, ndim=ndim, rule=rule)
    if once.margin < 1e-3 or once.ambiguous:
        return
    twice = symbreak.break_symmetry(once.object, ndim=ndim, rule=rule)
    scale = float(x.abs().sum() / x.sum().abs())
    assert twice.shift.abs().max() == 0
    assert not twice.flipped
    close(twice.object, once.object, 10 * scale)


@cases
@given(data=st.data())
def test_the_result_is_a_member_of_the_orbit_it_reports(ndim, dtype, data):
    x, _ = data.draw(orbits(ndim, dtype))
    broken = symbreak.break_symmetry(x, ndim=ndim, rule=data.draw(st.sampled_from(RULES)))
    replayed = symbreak.apply_symmetry(
        x, shift=broken.shift, flipped=broken.flipped, phase=broken.phase, ndim=ndim
    )
    close(replayed, broken.object, 10)
    mean = broken.object.sum()
    if not broken.ambiguous:
        assert mean.real > 0
        assert mean.imag.abs() <= 10 * TOLERANCE[dtype] * x.abs().sum()


@cases
@given(data=st.data())
def test_the_fourier_amplitude_is_unchanged(ndim, dtype, data):
    x, moved = data.draw(orbits(ndim, dtype))
    amplitude = symbreak.fourier_amplitude(x, ndim=ndim)
    for other in (moved, symbreak.break_symmetry(x, ndim=ndim).object):
        close(symbreak.fourier_amplitude(other, ndim=ndim), amplitude, 10 * (1 + x.abs().sum()))


@cases
@given(data=st.data())
def test_flip_and_centring_commute(ndim, dtype, data):
    x, _ = data.draw(orbits(ndim, dtype))
    flipped_first = symbreak.center(
        symbreak.apply_symmetry(x, flipped=True, ndim=ndim), ndim=ndim
    ).object
    centred_first = symbreak.apply_symmetry(
        symbreak.center(x, ndim=ndim).object, flipped=True, ndim=ndim
    )
    assert torch.equal(flipped_first, centred_first)


@cases
@given(data=st.data())
def test_alignment_undoes_every_symmetry(ndim, dtype, data):
    x, moved = data.draw(orbits(ndim, dtype))
    aligned = symbreak.align(moved, x, ndim=ndim)
    power = x.abs().square().mean()
    assert aligned.sa_mse <= 1e-10 * power
    close(aligned.object, x, 10 * (1 + float(x.abs().max())))
    assert symbreak.sa_mse(moved, x, ndim=ndim) <= 1e-10 * power
