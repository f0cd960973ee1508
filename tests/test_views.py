"""Tensors that are not plain memory give the results of their copies: views, lazy and otherwise."""

import pytest
import torch
from conftest import SEED, strided

import symbreak


class Subclass(torch.Tensor):
    pass


def offset(x):
    """The same values one element off the beginning of the memory, so that rows are not aligned."""
    memory = x.new_zeros(x.numel() + 1)
    memory[1:] = x.reshape(-1)
    return memory[1:].view(x.shape)


VIEWS = {
    "conj": lambda x: x.conj(),
    "transposed": lambda x: x.transpose(-1, -2),
    "adjoint": lambda x: x.mH,
    "negative": torch._neg_view,
    "negative of conj": lambda x: torch._neg_view(x.conj()),
    "expanded batch": lambda x: x[:1].expand_as(x),
    "expanded rows": lambda x: x[..., :1, :].expand_as(x),
    "strided": strided,
    "offset": offset,
    "channels last": lambda x: x[None].to(memory_format=torch.channels_last),
    "half of a pair": lambda x: torch.view_as_complex(
        torch.cat([torch.view_as_real(x)] * 2, -1)[..., 2:]
    ),
    "twenty batch axes": lambda x: x.reshape(*[1] * 20, *x.shape),
    "requires gradient": lambda x: x.clone().requires_grad_(),
    "parameter": torch.nn.Parameter,
    "subclass": lambda x: x.as_subclass(Subclass),
    "inference": torch.inference_mode()(torch.clone),
}


def other(x):
    """Something to compare with: conjugated and moved."""
    return x.detach().as_subclass(torch.Tensor).roll(1, -1).conj().resolve_conj().contiguous()


OPERATORS = {
    "center": symbreak.center,
    "center wrap": lambda x: symbreak.center(x, wrap=True, tol=0.1),
    "break angle": symbreak.break_symmetry,
    "break circulation": lambda x: symbreak.break_symmetry(x, rule="circulation"),
    "apply": lambda x: symbreak.apply_symmetry(x, shift=[1, 2], flipped=True, phase=0.3),
    "apply wrap": lambda x: symbreak.apply_symmetry(x, shift=[1, 2], flipped=True, wrap=True),
    "amplitude": symbreak.fourier_amplitude,
    "amplitude of odd lengths": lambda x: symbreak.fourier_amplitude(x, shape=(37, 41)),
    "align": lambda x: symbreak.align(x, other(x)),
    "align to": lambda x: symbreak.align(other(x), x, wrap=True),
    "sa_mse": lambda x: symbreak.sa_mse(x, other(x), reduction="none"),
    "initial": lambda x: symbreak.reconstruct(
        torch.ones(x.shape, dtype=x.detach().real.dtype, device=x.device),
        "3*HIO+2*ER",
        initial=x,
    ),
}


def content(n, dtype, device):
    x = torch.zeros(3, n, n, dtype=dtype)
    generator = torch.Generator().manual_seed(SEED)
    x[:, 1 : n - 2, 2 : n - 1] = torch.randn(3, n - 3, n - 3, dtype=dtype, generator=generator)
    return x.to(device)


def plain(x):
    """A copy in memory of its own, element by element."""
    x = x.detach().as_subclass(torch.Tensor)
    return torch.empty(x.shape, dtype=x.dtype, device=x.device).copy_(x)


def same(found, expected):
    if isinstance(found, torch.Tensor):
        found, expected = (found,), (expected,)
    for a, b in zip(found, expected, strict=True):
        assert torch.equal(plain(a), plain(b))


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
@pytest.mark.parametrize("size", [16, 13])
@pytest.mark.parametrize("view", VIEWS)
def test_every_operator_sees_the_values_of_the_view(device, view, size, dtype):
    x = VIEWS[view](content(size, dtype, device))
    for operator in OPERATORS.values():
        same(operator(x), operator(plain(x)))


def test_masks_starts_and_numbers_that_are_views(device):
    a = content(16, torch.complex64, device).abs() + 0.1
    inside = content(16, torch.complex64, device).real > -1
    same(symbreak.reconstruct(torch._neg_view(-a), "5*HIO"), symbreak.reconstruct(a, "5*HIO"))
    views = {"valid": inside.mT, "support": inside[..., :1, :], "seed": torch.arange(6)[::2]}
    copies = {name: plain(x) for name, x in views.items()}
    same(
        symbreak.reconstruct(strided(a).mT, "3*HIO", **views),
        symbreak.reconstruct(plain(a.mT), "3*HIO", **copies),
    )
    x = content(16, torch.complex64, device)
    element = {"shift": torch._neg_view(torch.tensor([1, 2])), "phase": torch._neg_view(a[:, 0, 0])}
    copies = {name: plain(x) for name, x in element.items()}
    same(symbreak.apply_symmetry(x, **element), symbreak.apply_symmetry(x, **copies))


@pytest.mark.parametrize("view", ["conj", "negative of conj", "adjoint", "expanded rows"])
def test_gradients_through_a_view(device, view):
    def loss(x):
        amplitude = symbreak.fourier_amplitude(x).sum()
        moved = symbreak.apply_symmetry(x, shift=[1, 1], flipped=True).real.square().sum()
        return amplitude + moved + symbreak.sa_mse(x, other(x), reduction="sum")

    leaf = content(16, torch.complex128, device)
    through_view, through_copy = leaf.clone().requires_grad_(), leaf.clone().requires_grad_()
    loss(VIEWS[view](through_view)).backward()
    loss(VIEWS[view](through_copy).resolve_conj().resolve_neg().contiguous()).backward()
    torch.testing.assert_close(through_view.grad, through_copy.grad, rtol=1e-13, atol=1e-13)
