"""sa_mse: exactness, invariance, gradients, compile; test_align holds brute force and errors."""

import pytest
import torch
from conftest import DTYPES, TOLERANCE, blob
from hypothesis import given
from hypothesis import strategies as st
from test_align import member

import symbreak
from symbreak.reference.align import align as brute_force


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_reductions_of_the_error_of_align(device, generator, reduction, wrap, dtype):
    pair = [blob((2, 3, 5, 4), dtype=dtype, generator=generator) for _ in range(2)]
    expected = brute_force(*pair, wrap=wrap)[4]
    expected = expected if reduction == "none" else getattr(expected, reduction)()
    found = symbreak.sa_mse(*(x.to(device) for x in pair), wrap=wrap, reduction=reduction)
    torch.testing.assert_close(found.cpu(), expected, rtol=TOLERANCE[dtype], atol=0)


@pytest.mark.parametrize("wrap", [False, True])
@given(data=st.data())
def test_zero_for_every_member_of_the_orbit(wrap, data):
    """Without cancellation: norm + norm - 2 |correlation| would leave 1e-7 in complex64."""
    seed, box = data.draw(st.integers(0, 999)), data.draw(st.integers(1, 6))
    generator = torch.Generator().manual_seed(seed)
    x = torch.zeros(9, 8, dtype=torch.complex64)
    x[1 : 1 + box, 2 : 2 + box] = torch.randn(box, box, dtype=torch.complex64, generator=generator)
    low, high = (-9, 9) if wrap else (-1, 6 - box)
    shift = torch.tensor([data.draw(st.integers(low, high)) for _ in range(2)])
    flipped = torch.tensor(data.draw(st.booleans()))
    phase = torch.tensor(data.draw(st.floats(-3, 3)), dtype=torch.float32)
    other = member(x, shift, flipped, phase, wrap=wrap, ndim=2)
    power = x.abs().square().mean()
    assert symbreak.sa_mse(other, x, wrap=wrap) <= 1e-10 * power
    assert symbreak.sa_mse(x, other, wrap=wrap) <= 1e-10 * power


@pytest.mark.parametrize("wrap", [False, True])
def test_invariant_in_the_estimate_and_symmetric_where_nothing_falls_out(generator, wrap):
    x = torch.zeros(2, 12, 11, dtype=torch.complex128)
    x[:, 4:8, 3:7] = blob((2, 4, 4), generator=generator, fill=1.0)
    moved = member(
        x, torch.tensor([[1, 2], [-2, 0]]), torch.tensor([True, False]),
        torch.tensor([1.0, -2.0], dtype=torch.float64), wrap=wrap, ndim=2,
    )  # fmt: skip
    y = torch.zeros_like(x)
    y[:, 5:8, 4:8] = blob((2, 3, 4), generator=generator, fill=1.0)
    error = symbreak.sa_mse(x, y, wrap=wrap, reduction="none")
    close = {"rtol": 1e-12, "atol": 0}
    torch.testing.assert_close(
        symbreak.sa_mse(moved, y, wrap=wrap, reduction="none"), error, **close
    )
    if wrap:
        torch.testing.assert_close(
            symbreak.sa_mse(y, x, wrap=wrap, reduction="none"), error, **close
        )


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("wrap", [False, True])
def test_gradients_of_both_orders_in_both_arguments(device, generator, ndim, wrap):
    shape = (2, *(3, 4, 2)[:ndim])
    pair = [
        blob(shape, ndim=ndim, generator=generator, fill=1.0).to(device).requires_grad_()
        for _ in range(2)
    ]
    run = lambda e, r: symbreak.sa_mse(e, r, wrap=wrap, ndim=ndim, reduction="none")  # noqa: E731
    torch.autograd.gradcheck(run, pair)
    torch.autograd.gradgradcheck(run, pair)


def test_content_that_falls_out_feels_its_own_gradient(device):
    x, reference = torch.zeros(2, 1, 5, dtype=torch.complex64, device=device)
    x[0, 0], x[0, 4] = 1, 10
    reference[0, 0] = 10
    x.requires_grad_()
    symbreak.sa_mse(x, reference).backward()
    torch.testing.assert_close(x.grad.cpu(), torch.tensor([[2 / 5, 0, 0, 0, 0]]) + 0j)


def test_gradient_of_one_item_survives_a_bad_neighbour(device, generator):
    pair = [blob((3, 5, 5), dtype=torch.complex64, generator=generator) for _ in range(2)]
    pair[0][1, 0, 0] = float("nan")
    e, r = (x.to(device).requires_grad_() for x in pair)
    symbreak.sa_mse(e, r, reduction="sum").backward()
    good = [x.detach()[[0, 2]].requires_grad_() for x in (e, r)]
    symbreak.sa_mse(*good, reduction="sum").backward()
    assert torch.equal(e.grad[[0, 2]], good[0].grad)
    assert torch.equal(r.grad[[0, 2]], good[1].grad)


def test_only_the_error_of_best_element_is_differentiable(device, generator):
    x = blob((5, 5), generator=generator).to(device).requires_grad_()
    found = torch.ops.symbreak.best_element(x, x.detach(), wrap=False, ndim=2)
    assert [f.requires_grad for f in found] == [False, False, False, False, True]


def test_descent_reaches_the_orbit(generator):
    """The gradient leads to the nearest member of the orbit, not to the reference itself."""
    reference = blob((8, 8), generator=generator)
    start = torch.roll(reference, (0, 0), (0, 1)).flip(0, 1).conj() * 1j
    x = (start + 0.05 * blob((8, 8), generator=generator, fill=1.0)).requires_grad_()
    for _ in range(30):
        (gradient,) = torch.autograd.grad(symbreak.sa_mse(x, reference), x)
        x = (x - 16 * gradient).detach().requires_grad_()
    assert symbreak.sa_mse(x, reference) < 1e-12
    torch.testing.assert_close(x.detach().abs(), start.abs(), rtol=0, atol=1e-5)


def test_opcheck(device, generator):
    for grid in ((5, 6), (3, 4, 2)):
        pair = [
            blob((2, *grid), ndim=len(grid), dtype=torch.complex64, generator=generator)
            .to(device)
            .requires_grad_()
            for _ in range(2)
        ]
        options = {"wrap": len(grid) == 3, "ndim": len(grid)}
        torch.library.opcheck(torch.ops.symbreak.sa_mse.default, pair, options)
        torch.library.opcheck(  # its AOT check sums the outputs in place, here integers first
            torch.ops.symbreak.best_element.default,
            pair,
            options,
            test_utils=("test_schema", "test_autograd_registration", "test_faketensor"),
        )


@pytest.mark.parametrize("wrap", [False, True])
def test_compiles_with_its_backward(device, generator, wrap):
    pair = [blob((3, 6, 6), dtype=torch.complex64, generator=generator) for _ in range(2)]
    loss = lambda e, r: symbreak.sa_mse(2 * e, r, wrap=wrap)  # noqa: E731
    values, gradients = [], []
    for run in (loss, torch.compile(loss, fullgraph=True, backend="aot_eager")):
        e, r = (x.to(device).requires_grad_() for x in pair)
        values.append(run(e, r))
        values[-1].backward()
        gradients.append((e.grad, r.grad))
    assert torch.equal(*values)
    for eager, compiled in zip(*gradients, strict=True):
        assert torch.equal(eager, compiled)


@pytest.mark.parametrize("reduction", ["max", None, 0])
def test_bad_reduction(reduction):
    x = torch.ones(3, 3, dtype=torch.complex64)
    with pytest.raises(ValueError, match='sa_mse: reduction must be "none", "mean" or "sum"'):
        symbreak.sa_mse(x, x, reduction=reduction)


def test_vmap_is_the_batch(generator):
    x = blob((3, 9, 8), dtype=torch.complex64, generator=generator)
    y = blob((3, 9, 8), dtype=torch.complex64, generator=generator)
    mapped = torch.func.vmap(symbreak.sa_mse)(x, y)
    assert torch.equal(mapped, symbreak.sa_mse(x, y, reduction="none"))
