"""align and its search: brute force, sizes, batches, recovery of applied elements, errors."""

import math

import pytest
import torch
from conftest import DTYPES, TOLERANCE, blob, strided, threads
from hypothesis import given
from hypothesis import strategies as st

import symbreak
from symbreak.reference.align import align as brute_force
from symbreak.reference.align import align_by_fft, flip
from symbreak.reference.center import translate

GRIDS = [(5, 6), (6, 3), (1, 1), (1, 4), (2, 4, 3)]


def member(x, shift, flipped, phase, *, wrap, ndim):
    """e^{i phase} T_shift C^flipped x, item by item."""
    out = torch.empty_like(x)
    grid = x.shape[-ndim:]
    for item, into, s, f, p in zip(
        x.reshape(-1, *grid),
        out.reshape(-1, *grid),
        shift.reshape(-1, ndim).tolist(),
        flipped.flatten().tolist(),
        phase.flatten(),
        strict=True,
    ):
        moved = translate(flip(item, wrap=wrap) if f else item, s, wrap=wrap)
        into.copy_(torch.polar(torch.ones_like(p), p) * moved)
    return out


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("layout", [lambda x: x, strided])
def test_equals_brute_force(device, generator, dtype, grid, wrap, layout):
    options = {"wrap": wrap, "ndim": len(grid)}
    for batch in ((), (3,), (2, 1)):
        pair = [blob((*batch, *grid), ndim=len(grid), generator=generator) for _ in range(2)]
        pair[1] += 0.1 * blob(pair[1].shape, ndim=len(grid), generator=generator, fill=1.0)
        estimate, reference = (x.to(dtype) for x in pair)
        expected = brute_force(estimate.to(pair[0].dtype), reference.to(pair[0].dtype), **options)
        found = symbreak.align(layout(estimate.to(device)), layout(reference.to(device)), **options)
        assert [x.dtype for x in found] == [
            dtype, torch.int64, torch.bool, dtype.to_real(), dtype.to_real()
        ]  # fmt: skip
        if math.prod(grid) > 4:  # smaller, and several elements are equally good
            assert torch.equal(found.shift.cpu(), expected[1])
            assert torch.equal(found.flipped.cpu(), expected[2])
        element = dict(zip(("shift", "flipped", "phase"), found[1:4], strict=True))
        applied = symbreak.apply_symmetry(estimate.to(device), **element, **options)
        assert torch.equal(found.object, applied)
        shift, flipped, phase = (f.cpu() for f in found[1:4])
        again = member(estimate, shift, flipped, phase, **options)
        close = {"rtol": 0, "atol": 3 * TOLERANCE[dtype], "check_dtype": False}
        torch.testing.assert_close(found.object.cpu(), again, **close)
        torch.testing.assert_close(found.sa_mse.cpu(), expected[4], **close)


def test_empty_batch(device):
    found = symbreak.align(*[torch.ones(0, 2, 4, 5, dtype=torch.complex64, device=device)] * 2)
    assert [tuple(x.shape) for x in found] == [(0, 2, 4, 5), (0, 2, 2), (0, 2), (0, 2), (0, 2)]


# Extents of the contents, so that every first radix and a line of several sections occur, and
# a pair beyond the codelets: padded to 48x80, 64x96, 128x160, 144x256, 320x32, and 32 x over 2048.
PAIRS = [
    ((40, 50), (20, 37), (25, 43)),
    ((64, 64), (33, 60), (30, 32)),
    ((64, 90), (64, 75), (61, 71)),
    ((130, 129), (70, 125), (74, 129)),
    ((161, 9), (160, 5), (157, 9)),
    ((2, 1100), (2, 1050), (1, 1100)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("grid", "extent", "other"), PAIRS)
@pytest.mark.parametrize("wrap", [False, True])
def test_sizes_of_the_codelets_and_beyond(device, generator, dtype, grid, extent, other, wrap):
    """Against float64 FFTs; the periodic grids here are mostly without codelets."""
    pair = torch.zeros(2, 3, *grid, dtype=torch.complex128)
    for item in range(3):
        for x, size in zip(pair[:, item], (extent, other), strict=True):
            corner = [item * (n - e) // 2 for n, e in zip(grid, size, strict=True)]
            inside = tuple(slice(c, c + e) for c, e in zip(corner, size, strict=True))
            x[inside] = torch.randn(size, dtype=torch.complex128, generator=generator)
    check_against_fft(pair, dtype, device, wrap=wrap)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("grid", [(32, 48), (80, 64), (144, 192)])
def test_periodic_grids_of_the_codelets(device, generator, dtype, grid):
    pair = torch.randn(2, 3, *grid, dtype=torch.complex128, generator=generator)
    check_against_fft(pair, dtype, device, wrap=True)


def check_against_fft(pair, dtype, device, *, wrap):
    estimate, reference = pair.to(dtype)
    found = symbreak.align(estimate.to(device), reference.to(device), wrap=wrap)
    expected = align_by_fft(*pair, wrap=wrap)
    assert torch.equal(found.shift.cpu(), expected[1])
    assert torch.equal(found.flipped.cpu(), expected[2])
    close = {"rtol": 0, "atol": 3 * TOLERANCE[dtype], "check_dtype": False}
    torch.testing.assert_close(found.object.cpu(), expected[0], **close)
    torch.testing.assert_close(found.phase.cpu(), expected[3], **close)
    torch.testing.assert_close(found.sa_mse.cpu(), expected[4], **close)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("wrap", [False, True])
@given(data=st.data())
def test_recovers_the_applied_element(dtype, wrap, data):
    ndim = data.draw(st.sampled_from([2, 3]))
    size = [data.draw(st.integers(3, 9)) for _ in range(ndim)]
    extent = [data.draw(st.integers(2, n)) for n in size]
    x = torch.zeros(size, dtype=dtype)
    corner = [data.draw(st.integers(0, n - e)) for n, e in zip(size, extent, strict=True)]
    x[tuple(slice(c, c + e) for c, e in zip(corner, extent, strict=True))] = torch.randn(
        extent, dtype=dtype, generator=torch.Generator().manual_seed(data.draw(st.integers(0, 99)))
    )
    if wrap:
        shift = [data.draw(st.integers(-((n - 1) // 2), n // 2)) for n in size]
    else:
        shift = [
            data.draw(st.integers(-c, n - e - c))
            for c, n, e in zip(corner, size, extent, strict=True)
        ]
    flipped = torch.tensor(data.draw(st.booleans()))
    phase = torch.tensor(data.draw(st.floats(-3.1, 3.1)), dtype=dtype.to_real())
    options = {"wrap": wrap, "ndim": ndim}
    reference = member(x, torch.tensor(shift), flipped, phase, **options)
    found = symbreak.align(x, reference, **options)
    assert found.shift.tolist() == shift
    assert found.flipped == flipped
    assert math.isclose(found.phase, phase, abs_tol=TOLERANCE[dtype])
    assert found.sa_mse <= 1e-10 * reference.abs().square().mean()
    torch.testing.assert_close(found.object, reference, rtol=0, atol=TOLERANCE[dtype] * 10)


@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("grid", [(20, 21), (150, 160), (144, 160)])
def test_an_item_does_not_see_its_batch_nor_the_threads(device, generator, wrap, grid):
    estimate = blob((9, *grid), dtype=torch.complex64, generator=generator).to(device)
    reference = blob((9, *grid), dtype=torch.complex64, generator=generator).to(device)
    together = symbreak.align(estimate, reference, wrap=wrap)
    for count in (1, 2, 5):  # alone, an item is shared by the threads
        with threads(count):
            pairs = zip(estimate, reference, strict=True)
            alone = [symbreak.align(e, r, wrap=wrap) for e, r in pairs]
            again = symbreak.align(estimate, reference, wrap=wrap)
            for field, items, other in zip(together, zip(*alone, strict=True), again, strict=True):
                assert torch.equal(field, torch.stack(items))
                assert torch.equal(field, other)


@pytest.mark.parametrize("wrap", [False, True])
def test_baseline_of_the_benchmark_agrees(generator, wrap):
    estimate, reference = (
        blob((4, 9, 8), dtype=torch.complex128, generator=generator) for _ in range(2)
    )
    found = symbreak.align(estimate, reference, wrap=wrap)
    for field, expected in zip(found, align_by_fft(estimate, reference, wrap=wrap), strict=True):
        torch.testing.assert_close(field, expected, rtol=0, atol=1e-12)


def test_opcheck_and_compile(device, generator):
    for grid in ((5, 6), (3, 4, 5)):
        pair = [
            blob((2, *grid), ndim=len(grid), dtype=torch.complex64, generator=generator).to(device)
            for _ in range(2)
        ]
        for wrap in (False, True):
            options = {"wrap": wrap, "ndim": len(grid)}
            torch.library.opcheck(torch.ops.symbreak.align.default, pair, options)
    compiled = torch.compile(
        lambda e, r: symbreak.align(2 * e, r, ndim=3).object + 1,
        fullgraph=True,
        backend="aot_eager",
    )
    assert torch.equal(compiled(*pair), symbreak.align(2 * pair[0], pair[1], ndim=3).object + 1)


def test_gradient_is_a_clear_error(device):
    x = torch.ones(3, 3, dtype=torch.complex64, device=device, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"symbreak.align is not differentiable.*sa_mse"):
        symbreak.align(x, x).object.abs().sum().backward()


@pytest.mark.parametrize("function", [symbreak.align, symbreak.sa_mse])
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"estimate": torch.ones(3, 3)}, TypeError, "estimate must be complex64 or complex128"),
        ({"reference": 1j}, TypeError, "reference must be a torch.Tensor, got complex"),
        (
            {"reference": torch.ones(3, 3, dtype=torch.complex128)},
            TypeError,
            "reference must have the dtype of estimate, complex64, got complex128",
        ),
        (
            {"reference": torch.ones(1, 3, 3, dtype=torch.complex64)},
            ValueError,
            r"reference must have the shape of estimate, \(3, 3\), got \(1, 3, 3\)",
        ),
        ({"ndim": 3}, ValueError, "estimate must have at least ndim = 3 axes"),
        ({"ndim": 1}, ValueError, "ndim must be 2 or 3, got 1"),
        ({"wrap": None}, TypeError, "wrap must be True or False, got None"),
    ],
)
def test_bad_arguments(function, arguments, error, message):
    given = {name: torch.ones(3, 3, dtype=torch.complex64) for name in ("estimate", "reference")}
    with pytest.raises(error, match=f"{function.__name__}: {message}"):
        function(**given | arguments)
