"""Alignment by parts of a pixel: the shift itself, what is found, and the averages made of it."""

import itertools
import math

import pytest
import torch
from conftest import blob
from hypothesis import given
from hypothesis import strategies as st

import symbreak
from symbreak.cli.verdict import moved_line
from symbreak.evaluation import compare_starts
from symbreak.subpixel import _derivatives, _moments, refine, shift_by

SIZES = st.sampled_from([(8, 8), (7, 8), (9, 5), (1, 6), (6, 5, 4)])
SEEDS = st.integers(0, 2**31)


def random(grid, seed, *batch, dtype=torch.complex128):
    generator = torch.Generator().manual_seed(seed)
    return blob((*batch, *grid), ndim=len(grid), generator=generator, dtype=dtype)


def reals(shape, seed, most):
    generator = torch.Generator().manual_seed(seed)
    return most * (2 * torch.rand(shape, dtype=torch.float64, generator=generator) - 1)


def smooth(grid, seed):
    """A band-limited blob in the middle, whose position is sharp to a pixel or so."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(grid, dtype=torch.complex128, generator=generator) + 2
    for axis, size in enumerate(grid):
        n = (torch.arange(size, dtype=torch.float64) - size // 2) / size
        x = x * torch.exp(-30 * n**2).reshape([-1 if a == axis else 1 for a in range(len(grid))])
    return x


def moved_by_definition(x, shift):
    """sum_k F x(k) e^{2 pi i f.(n - t)} / pixels, f the signed frequencies, pixel by pixel."""
    spectrum = torch.fft.fftn(x)
    frequencies = [[k if k < (m + 1) // 2 else k - m for k in range(m)] for m in x.shape]
    moved = torch.zeros_like(x)
    for n in itertools.product(*map(range, x.shape)):
        for k in itertools.product(*map(range, x.shape)):
            angle = sum(
                2 * math.pi * frequencies[a][k[a]] * (n[a] - float(shift[a])) / x.shape[a]
                for a in range(x.dim())
            )
            moved[n] += spectrum[k] * complex(math.cos(angle), math.sin(angle))
    return moved / x.numel()


@pytest.mark.parametrize("grid", [(6, 5), (4, 7), (4, 3, 5)])
def test_a_shift_is_the_sum_over_the_frequencies(grid):
    x, shift = random(grid, 1, 2), reals((2, len(grid)), 2, 1.5)
    expected = torch.stack([moved_by_definition(*pair) for pair in zip(x, shift, strict=True)])
    torch.testing.assert_close(shift_by(x, shift, ndim=len(grid)), expected)
    single = shift_by(x.to(torch.complex64), shift.float(), ndim=len(grid))
    assert single.dtype == torch.complex64
    torch.testing.assert_close(single, expected.to(torch.complex64))
    one = shift_by(x, shift[1], ndim=len(grid))  # one shift for all
    torch.testing.assert_close(one[1], expected[1])


@given(SIZES, SEEDS)
def test_whole_pixels_are_roll(grid, seed):
    x = random(grid, seed)
    shift = reals(len(grid), seed, 12).round()
    rolled = torch.roll(x, [int(s) for s in shift], tuple(range(len(grid))))
    torch.testing.assert_close(shift_by(x, shift, ndim=len(grid)), rolled)


@given(SIZES, SEEDS)
def test_shifts_add_up_keep_the_amplitude_and_change_sign_with_the_twin(grid, seed):
    x = random(grid, seed)
    ndim = len(grid)
    axes = tuple(range(ndim))
    s, t = reals((2, ndim), seed, 3)
    moved = shift_by(x, s, ndim=ndim)
    torch.testing.assert_close(shift_by(moved, t, ndim=ndim), shift_by(x, s + t, ndim=ndim))
    torch.testing.assert_close(torch.fft.fftn(moved).abs(), torch.fft.fftn(x).abs())

    def twin(y):  # n -> -n of the periodic grid, so that no half pixels come in
        return torch.roll(y.flip(axes), [1] * ndim, axes).conj()

    torch.testing.assert_close(twin(moved), shift_by(twin(x), -s, ndim=ndim))


def test_a_shift_is_differentiable():
    x, shift = random((5, 4), 3, 2).requires_grad_(), reals((2, 2), 4, 1).requires_grad_()
    assert torch.autograd.gradcheck(shift_by, (x, shift))


@given(st.sampled_from([(24, 24), (25, 30), (16, 17, 18)]), SEEDS)
def test_the_shift_and_the_phase_are_found(grid, seed):
    reference = smooth(grid, seed)
    ndim = len(grid)
    shift, phase = reals((3, ndim), seed, 0.5), reals(3, seed + 1, 3)
    turn = torch.polar(torch.ones_like(phase), phase).reshape(3, *(1,) * ndim)
    objects = turn * shift_by(reference.expand(3, *grid), -shift, ndim=ndim)
    found = refine(objects, reference, ndim=ndim)
    torch.testing.assert_close(found.shift, shift, atol=2e-7, rtol=0)
    torch.testing.assert_close(found.object, reference.expand(3, *grid), atol=1e-6, rtol=0)


@pytest.mark.parametrize("grid", [(6, 5), (4, 3, 5)])
def test_the_derivatives_are_those_of_autograd(grid):
    product = torch.fft.fftn(random(grid, 11)).conj() * torch.fft.fftn(random(grid, 12))
    t = reals(len(grid), 13, 0.5)
    steps = [torch.fft.fftfreq(size, dtype=torch.float64) for size in grid]

    def power(t):
        along = zip(steps, t, strict=True)
        angles = torch.meshgrid(*(2 * math.pi * f * s for f, s in along), indexing="ij")
        return (product * torch.exp(1j * sum(angles))).sum().abs().square()

    found = _derivatives(_moments(product, t.tolist()))
    assert found[0] == pytest.approx(float(power(t)))
    torch.testing.assert_close(found[1], torch.autograd.functional.jacobian(power, t))
    torch.testing.assert_close(found[2], torch.autograd.functional.hessian(power, t))


@given(SIZES, SEEDS)
def test_no_object_gets_further_away(grid, seed):
    """Unrelated objects, aligned by whole pixels."""
    ndim = len(grid)
    reference = random(grid, seed)
    x = random(grid, seed + 1, 2)
    aligned = symbreak.align(x, reference.expand_as(x).contiguous(), wrap=True, ndim=ndim).object
    found = refine(aligned, reference, ndim=ndim)
    before, after = ((y - reference).abs().square().sum() for y in (aligned, found.object))
    assert after <= before * (1 + 1e-12)
    assert float(found.shift.abs().max()) <= 1


def test_the_maximum_is_that_of_scikit_image():
    registration = pytest.importorskip("skimage.registration")
    reference = smooth((32, 32), 5)
    noisy = reference + 0.3 * reference.abs().max() * random((32, 32), 6)
    x = shift_by(noisy, torch.tensor([0.31, -0.24], dtype=torch.float64))
    expected, *_ = registration.phase_cross_correlation(
        reference.numpy(), x.numpy(), upsample_factor=1000, normalization=None
    )
    found = refine(x, reference).shift
    assert found.tolist() == pytest.approx(expected.tolist(), abs=0.002)
    assert float(found.abs().max()) > 0.1


def test_what_lies_right_or_has_no_place_stays_to_the_last_bit():
    reference = random((9, 8), 7, dtype=torch.complex64)
    dark, broken = torch.zeros_like(reference), reference.clone()
    broken[3, 3] = complex(float("nan"), 0)
    objects = torch.stack([reference, 2 * reference, dark, broken])
    found = refine(objects, reference)
    assert torch.equal(found.object[:3], objects[:3])
    assert torch.equal(found.object[3].nan_to_num(), broken.nan_to_num())
    assert not found.shift.any()
    unknown = refine(objects[:1], torch.full_like(reference, torch.nan))
    assert torch.equal(unknown.object, objects[:1])


@pytest.mark.parametrize(
    ("dtype", "rounding"), [(torch.complex64, 1e-6), (torch.complex128, 1e-12)]
)
@pytest.mark.parametrize("phase", [0.7, -2.5, math.pi, 1e-5])
def test_what_lies_right_is_turned_all_the_same(dtype, rounding, phase):
    reference = random((9, 8), 7, dtype=dtype)
    reference[:3] = 0
    turned = reference * complex(math.cos(phase), math.sin(phase))
    found = refine(turned, reference)
    assert not found.shift.any()
    torch.testing.assert_close(found.object, reference, atol=rounding, rtol=0)
    assert not found.object[:3].any()  # no shift by Fourier transforms: what is zero stays so
    # What is left is rounding, and stays.
    assert torch.equal(refine(found.object, reference).object, found.object)


def test_no_gradient_is_asked_for():
    x = random((8, 8), 0)
    found = refine(x.clone().requires_grad_(), x.roll(1, 0).requires_grad_())
    assert not found.object.requires_grad
    assert torch.equal(found.object, refine(x, x.roll(1, 0)).object)


def test_an_object_does_not_feel_its_batch():
    reference = smooth((16, 15), 8).to(torch.complex64)
    shift = reals((2, 3, 2), 9, 0.5)
    objects = shift_by(reference.expand(2, 3, 16, 15), shift)
    found = refine(objects, reference)
    assert found.object.dtype == torch.complex64
    assert found.shift.shape == (2, 3, 2)
    for index in itertools.product(range(2), range(3)):
        alone = refine(objects[index], reference)
        assert torch.equal(alone.object, found.object[index])
        assert torch.equal(alone.shift, found.shift[index])


def starts_between_pixels(grid, seed):
    """Four good starts that lie parts of a pixel from the best, number 1, and a bad one."""
    x = smooth(grid, seed)
    shift = reals((4, len(grid)), seed + 1, 0.45)
    shift[1] = 0
    objects = shift_by(x.expand(4, *grid), shift, ndim=len(grid))
    objects = torch.cat([objects, x.flip(0)[None].abs() + 0j])
    error = torch.tensor([0.098, 0.09, 0.095, 0.096, 0.5])
    return objects, torch.ones(objects.shape, dtype=torch.bool), error, torch.fft.fftn(x).abs()


@pytest.mark.parametrize("grid", [(32, 30), (16, 15, 14)])
def test_starts_that_differ_by_parts_of_a_pixel_average_to_the_best(grid):
    objects, supports, error, a = starts_between_pixels(grid, 10)
    valid = torch.ones(grid, dtype=torch.bool)
    ndim = len(grid)
    # Supports of all pixels leave more unknowns than data, for all starts alike.
    found, whole = (
        compare_starts(objects, supports, error, a, valid, subpixel=subpixel, ndim=ndim)
        for subpixel in (True, False)
    )
    assert found.good.tolist() == [True] * 4 + [False]
    best = found.objects[found.best]
    torch.testing.assert_close(found.mean, best, atol=1e-5, rtol=0)
    torch.testing.assert_close(
        found.transfer.transfer, torch.ones_like(found.transfer.transfer), atol=1e-5, rtol=0
    )
    assert float(whole.transfer.transfer[-1]) < 0.95
    assert float((whole.mean - best).abs().max()) > 0.05
    # What is kept of each start is what it was.
    assert torch.equal(found.objects, whole.objects)
    assert torch.equal(whole.mean, whole.objects[whole.good].mean(0))
    assert whole.subpixel is None
    assert found.subpixel.isnan().all(1).tolist() == [False] * 4 + [True]
    assert not found.subpixel[1].any()
    assert float(found.subpixel[:4].abs().max()) > 0.2


def test_the_line_for_the_user():
    shifts = torch.tensor([[0.0, 0.0, 0.0], [0.3, -0.4, 0.0]])
    assert moved_line(shifts) == (
        "moved by parts of a voxel before averaging: 0.20 rms on each axis, at most 0.40"
    )


X = torch.ones(2, 4, 4, dtype=torch.complex64)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: refine(X.real, X[0]), TypeError, "refine: objects must be complex64 or"),
        (lambda: refine(X, X[0].cdouble()), TypeError, "reference must have the dtype of .* compl"),
        (
            lambda: refine(X, None),
            TypeError,
            "refine: reference must be a torch.Tensor, got NoneType",
        ),
        (lambda: refine(X, X), ValueError, r"reference must have the grid .* \(4, 4\), got \(2, 4"),
        (lambda: refine(X, X[0], ndim=4), ValueError, "refine: ndim must be 2 or 3, got 4"),
        (lambda: refine(X, X[0].to("meta")), ValueError, "reference must be on the device"),
        (lambda: shift_by(X.real, torch.zeros(2)), TypeError, "shift_by: objects must be complex"),
        (lambda: shift_by(X, torch.ones(2, 2).long()), TypeError, "floating point .* got int64"),
        (lambda: shift_by(X, [0.5, 0.5]), TypeError, "floating point tensor, got list"),
        (lambda: shift_by(X, torch.zeros(3)), ValueError, r"\(2, 2\) or \(2,\), got \(3,\)"),
        (
            lambda: compare_starts(
                X, X.real > 0, torch.ones(2), X[0].real, X[0].real > 0, subpixel="yes"
            ),
            TypeError,
            "compare_starts: subpixel must be True or False, got 'yes'",
        ),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()
