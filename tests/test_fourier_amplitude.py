"""fourier_amplitude: reference, invariances, gradients, edge cases, errors, compile."""

import pytest
import torch
from conftest import DTYPES, TOLERANCE, blob, strided, threads
from hypothesis import given
from hypothesis import strategies as st
from test_align import member

import symbreak
from symbreak.reference.fourier_amplitude import fourier_amplitude as reference_amplitude

GRIDS = [(7, 8), (5, 5), (1, 1), (4, 5, 6), (1, 3, 7)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("layout", [lambda x: x, strided])
def test_equals_the_reference(device, generator, dtype, batch, grid, layout):
    ndim = len(grid)
    x = blob((*batch, *grid), ndim=ndim, dtype=dtype, generator=generator)
    for padding in (
        {},
        {"oversampling": 1},
        {"oversampling": 3},
        {"shape": [n + i for i, n in enumerate(grid)]},
        {"shape": tuple(2 * n - 1 for n in grid)},
    ):
        found = symbreak.fourier_amplitude(layout(x.to(device)), ndim=ndim, **padding)
        expected = reference_amplitude(x, ndim=ndim, **padding)
        assert found.dtype == dtype.to_real()
        torch.testing.assert_close(found.cpu(), expected, rtol=0, atol=TOLERANCE[dtype] * 10)


# Grid and padded grid with codelets: every first radix, lines of several sections, tails of blocks.
CODELETS = [
    ((16, 24), (32, 48)),
    ((33, 41), (80, 96)),
    ((64, 64), (128, 128)),
    ((32, 144), (32, 160)),
    ((100, 30), (240, 64)),
    ((5, 7), (320, 1024)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("grid", "shape"), CODELETS)
@pytest.mark.parametrize("layout", [lambda x: x, strided])
def test_sizes_of_the_codelets(device, generator, dtype, grid, shape, layout):
    x = torch.randn(4, *grid, dtype=torch.complex128, generator=generator)
    x[1] = blob(grid, generator=generator)  # black around it: where it lies makes no difference
    x[2] = 0
    x[3] = 0
    x[3, 2, 3] = 1j
    found = symbreak.fourier_amplitude(layout(x.to(dtype).to(device)), shape=shape)
    expected = reference_amplitude(x, shape=shape)
    assert found.dtype == dtype.to_real()
    error = (found.cpu() - expected).abs().amax((1, 2))
    assert (error <= TOLERANCE[dtype] * expected.amax((1, 2)) / 10).all()


@pytest.mark.parametrize("shape", [(96, 64), (50, 40)])
def test_an_item_does_not_see_its_batch_nor_the_threads(device, generator, shape):
    x = blob((7, 31, 32), dtype=torch.complex64, generator=generator).to(device)
    shape = tuple(4 * n for n in shape)
    together = symbreak.fourier_amplitude(x, shape=shape)
    for count in (1, 2, 5):
        with threads(count):
            assert torch.equal(symbreak.fourier_amplitude(x, shape=shape), together)
            for item, expected in zip(x, together, strict=True):
                assert torch.equal(symbreak.fourier_amplitude(item, shape=shape), expected)


@given(data=st.data())
def test_blind_to_translation_flip_and_phase(data):
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 999)))
    x = torch.zeros(9, 8, dtype=torch.complex128)
    x[2:7, 3:6] = torch.randn(5, 3, dtype=torch.complex128, generator=generator)
    shift = torch.tensor([data.draw(st.integers(-2, 2)), data.draw(st.integers(-3, 2))])
    flipped = torch.tensor(data.draw(st.booleans()))
    phase = torch.tensor(data.draw(st.floats(-3, 3)), dtype=torch.float64)
    other = member(x, shift, flipped, phase, wrap=False, ndim=2)
    torch.testing.assert_close(
        symbreak.fourier_amplitude(other), symbreak.fourier_amplitude(x), rtol=0, atol=1e-12
    )


def test_parseval(device, generator):
    x = blob((4, 10, 11), generator=generator).to(device)
    power = symbreak.fourier_amplitude(x, shape=(20, 23)).square().mean((1, 2))
    torch.testing.assert_close(power, x.abs().square().sum((1, 2)), rtol=1e-13, atol=0)


@pytest.mark.parametrize("grid", [(2, 2), (16, 16)])
def test_neither_overflow_nor_underflow_on_the_way_to_the_modulus(device, grid):
    for dtype, size in (
        (torch.complex64, 1e30),
        (torch.complex64, 1e-30),
        (torch.complex128, 1e300),
        (torch.complex128, 1e-300),
    ):
        x = torch.zeros(grid, dtype=dtype, device=device)
        x[0, 0] = complex(3 * size, 4 * size)
        shape = [2 * n for n in grid]
        expected = torch.full(shape, 5 * size, dtype=dtype.to_real(), device=device)
        torch.testing.assert_close(symbreak.fourier_amplitude(x), expected)


@pytest.mark.parametrize("size", [5, 32, 48])
def test_a_bad_item_spoils_no_other(device, generator, size):
    x = blob((3, size, size), dtype=torch.complex64, generator=generator).to(device)
    alone = symbreak.fourier_amplitude(x[::2])
    x[1, 2, 2] = float("nan")
    found = symbreak.fourier_amplitude(x)
    assert found[1].isnan().all()
    assert torch.equal(found[::2], alone)


@pytest.mark.parametrize("grid", [(3, 4), (2, 3, 2)])
def test_gradients_of_both_orders(device, generator, grid):
    x = blob((2, *grid), ndim=len(grid), generator=generator, fill=1.0).to(device).requires_grad_()
    with_codelets = (32, 48) if len(grid) == 2 else (4, 6, 4)
    for padding in ({}, {"shape": [n + 1 for n in grid]}, {"shape": with_codelets}):
        run = lambda x, p=padding: symbreak.fourier_amplitude(x, ndim=len(grid), **p)  # noqa: E731
        torch.autograd.gradcheck(run, x)
        torch.autograd.gradgradcheck(run, x)


def test_empty_batch(device):
    x = torch.ones(0, 2, 3, 4, dtype=torch.complex64, device=device, requires_grad=True)
    found = symbreak.fourier_amplitude(x, ndim=3)
    assert found.shape == (0, 4, 6, 8)
    found.sum().backward()
    assert x.grad.shape == x.shape


def test_gradient_is_zero_where_the_amplitude_is(device):
    x = torch.zeros(3, 3, dtype=torch.complex64, device=device, requires_grad=True)
    symbreak.fourier_amplitude(x).sum().backward()
    assert torch.equal(x.grad, torch.zeros_like(x))


def test_opcheck(device, generator):
    x = blob((2, 4, 5), dtype=torch.complex64, generator=generator).to(device).requires_grad_()
    for options in ({}, {"shape": [9, 11]}, {"oversampling": 3, "ndim": 3}):
        torch.library.opcheck(torch.ops.symbreak.fourier_amplitude.default, (x,), options)


def test_compiles_with_its_backward(device, generator):
    base = blob((3, 6, 5), dtype=torch.complex64, generator=generator).to(device)
    loss = lambda x: symbreak.fourier_amplitude(2 * x, shape=(12, 11)).sum()  # noqa: E731
    results = []
    for run in (loss, torch.compile(loss, fullgraph=True, backend="aot_eager")):
        x = base.clone().requires_grad_()
        value = run(x)
        value.backward()
        results.append((value, x.grad))
    for eager, compiled in zip(*results, strict=True):
        torch.testing.assert_close(compiled, eager)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"x": torch.ones(3, 3)}, TypeError, "x must be complex64 or complex128, got float32"),
        ({"oversampling": 0}, ValueError, "oversampling must be >= 1, got 0"),
        ({"oversampling": 2.0}, TypeError, "oversampling must be an integer, got 2.0"),
        ({"oversampling": True}, TypeError, "oversampling must be an integer, got True"),
        ({"shape": (6,)}, ValueError, r"shape must have ndim = 2 sizes, got \(6,\)"),
        ({"shape": (6, 2)}, ValueError, r"shape must be >= the grid \(3, 3\) on every axis"),
        ({"shape": 6}, TypeError, "shape must be a sequence of integers, got 6"),
        ({"shape": (6, 6.0)}, TypeError, "shape must be a sequence of integers"),
        ({"ndim": 3}, ValueError, "x must have at least ndim = 3 axes"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=f"fourier_amplitude: {message}"):
        symbreak.fourier_amplitude(**{"x": torch.ones(3, 3, dtype=torch.complex64), **arguments})
