"""torch.func.grad, vjp, jacrev and what is composed of them: what autograd finds."""

import pytest
import torch
from conftest import SEED
from torch.func import grad, hessian, jacrev, vjp, vmap

import symbreak

DOUBLE = torch.complex128
ITEMS, GRID = 3, (7, 6)


def items(seed, dtype=DOUBLE):
    generator = torch.Generator().manual_seed(seed)
    x = torch.zeros(ITEMS, *GRID, dtype=dtype)
    x[:, 1:5, 2:5] = torch.randn(ITEMS, 4, 3, dtype=dtype, generator=generator)
    return x


X, Y = items(SEED), items(SEED + 1)
WEIGHTS = torch.rand(ITEMS, 14, 12, dtype=torch.float64)
FLIPPED = torch.tensor([True, False, True])
SHIFT = torch.tensor([[1, 0], [0, -1], [0, 1]])

# Each of one item or of several: something that depends on it, a real number each.
FUNCTIONS = {
    "fourier_amplitude": lambda x: symbreak.fourier_amplitude(x).square().sin().sum((-2, -1)),
    "sa_mse": lambda x: symbreak.sa_mse(x, Y[: len(x)] if x.dim() == 3 else Y[0], reduction="none"),
    "sa_mse, reference": lambda x: symbreak.sa_mse(
        Y[: len(x)] if x.dim() == 3 else Y[0], x, reduction="none"
    ),
    "sa_mse, periodic": lambda x: symbreak.sa_mse(
        x, Y[: len(x)] if x.dim() == 3 else Y[0], wrap=True, reduction="none"
    ),
    "apply_symmetry": lambda x: (
        symbreak.apply_symmetry(x, shift=(1, -1), flipped=True, phase=0.4).real.sin().sum((-2, -1))
    ),
}
CASES = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS.keys())


def by_autograd(function, x):
    x = x.clone().requires_grad_()
    (found,) = torch.autograd.grad(function(x).sum(), x)
    return found


@CASES
def test_grad_and_vjp(function):
    x = X
    expected = by_autograd(function, x)
    assert expected.abs().max() > 1e-3
    torch.testing.assert_close(grad(lambda x: function(x).sum())(x), expected, rtol=0, atol=0)
    value, back = vjp(function, x)
    torch.testing.assert_close(value, function(x), rtol=0, atol=0)
    torch.testing.assert_close(back(torch.ones_like(value))[0], expected, rtol=0, atol=0)


@CASES
def test_gradients_of_items_by_vmap(function):
    expected = torch.stack([by_autograd(function, x) for x in X])
    torch.testing.assert_close(vmap(grad(function))(X), expected, rtol=0, atol=1e-12)
    whole = grad(lambda x: vmap(function)(x).sum())(X)
    torch.testing.assert_close(whole, expected, rtol=0, atol=1e-12)


def test_gradients_of_pairs_by_vmap():
    def each(x, y):
        return symbreak.sa_mse(x, y)

    expected = [
        by_autograd(lambda x, y=y: symbreak.sa_mse(x, y), x) for x, y in zip(X, Y, strict=True)
    ]
    torch.testing.assert_close(vmap(grad(each))(X, Y), torch.stack(expected), rtol=0, atol=1e-12)
    one = vmap(grad(each), in_dims=(0, None))(X, Y[0])
    torch.testing.assert_close(one[0], expected[0], rtol=0, atol=1e-12)


@CASES
def test_second_derivatives(function):
    def power(gradient):
        return gradient.real.square().sum() + gradient.imag.square().sum()

    found = grad(lambda x: power(grad(lambda y: function(y).sum())(x)))(X)
    x = X.clone().requires_grad_()
    (first,) = torch.autograd.grad(function(x).sum(), x, create_graph=True)
    (expected,) = torch.autograd.grad(power(first), x)
    assert expected.abs().max() > 1e-6
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-12)


def test_jacobian_and_hessian():
    def amplitude(parts):
        return symbreak.fourier_amplitude(torch.complex(parts, torch.zeros_like(parts)))

    real = X[0].real
    rows = jacrev(amplitude)(real)
    expected = torch.autograd.functional.jacobian(amplitude, real)
    torch.testing.assert_close(rows, expected)

    def far_field_error(parts):
        return (amplitude(parts) - 1).square().sum()

    ours = jacrev(jacrev(far_field_error))(real)
    torch.testing.assert_close(
        ours, torch.autograd.functional.hessian(far_field_error, real), rtol=1e-8, atol=1e-8
    )


def test_symmetries_of_every_item():
    def moved(x, shift, flipped, phase):
        return symbreak.apply_symmetry(x, shift=shift, flipped=flipped, phase=phase).real.sum()

    phase = torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64)
    expected = by_autograd(lambda x: moved(x, SHIFT, FLIPPED, phase), X)
    found = grad(lambda x: moved(x, SHIFT, FLIPPED, phase))(X)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("center", lambda x: symbreak.center(x).object),
        ("break_symmetry", lambda x: symbreak.break_symmetry(x).object),
        ("align", lambda x: symbreak.align(x, Y).object),
    ],
)
def test_what_has_no_gradient_says_so(name, function):
    with pytest.raises(RuntimeError, match=f"symbreak.{name} is not differentiable: "):
        grad(lambda x: function(x).real.sum())(X)
    # A value that is not differentiated is none of its business.
    found = grad(lambda x: (x * function(x.detach())).real.sum())(X)
    torch.testing.assert_close(found, function(X).conj().resolve_conj())


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is:DeprecationWarning")
def test_a_hessian_by_forward_mode_is_an_error_and_no_zero():
    def far_field_error(parts):
        return symbreak.fourier_amplitude(torch.complex(parts, parts)).square().sum()

    with pytest.raises(NotImplementedError, match="forward mode"):
        hessian(far_field_error)(X[0].real)
