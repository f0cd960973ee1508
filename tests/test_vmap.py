"""torch.func.vmap: one call of the op for all items, and what a loop over the items gives."""

import pytest
import torch
from conftest import SEED
from torch import Tensor
from torch.func import vmap
from torch.utils._python_dispatch import TorchDispatchMode

import symbreak

OPS = torch.ops.symbreak
ITEMS, BATCH, GRID = 4, 3, (10, 8)


def complex_items(*shape: int, seed: int = SEED) -> Tensor:
    x = torch.zeros(*shape, *GRID, dtype=torch.complex64)
    generator = torch.Generator().manual_seed(seed)
    x[..., 2:7, 1:6] = torch.randn(*shape, 5, 5, dtype=torch.complex64, generator=generator)
    return x


X = complex_items(ITEMS, BATCH)
Y = complex_items(ITEMS, BATCH, seed=SEED + 1)
NUMBERS = torch.arange(ITEMS * BATCH).reshape(ITEMS, BATCH)
FLIPPED, PHASE = NUMBERS % 2 == 0, NUMBERS * 0.3
SHIFT = torch.stack([NUMBERS % 3 - 1, -(NUMBERS % 2)], dim=-1)
# Patterns of grids that the fused engine reaches, and what phasing may be given beside them.
PATTERN = torch.rand(ITEMS, BATCH, 16, 16, generator=torch.Generator().manual_seed(SEED))
VALID = PATTERN < 0.9
SUPPORT = torch.ones(ITEMS, BATCH, 2, 16, 16, dtype=torch.bool)
SUPPORT[..., 8:] = False
INITIAL = torch.polar(torch.ones(SUPPORT.shape), torch.arange(16.0).expand(SUPPORT.shape))
VARIANCES, DARK = torch.ones(ITEMS, BATCH, 2, 2, dtype=torch.float64), torch.ones(ITEMS, BATCH)

# Every op of symbreak: what to map, and the tensors that are mapped over.
CASES = {
    "center": (lambda x: OPS.center(x, tol=0.1), (X,)),
    "break_symmetry": (OPS.break_symmetry, (X,)),
    "apply_symmetry": (
        lambda x, s, f, p: OPS.apply_symmetry(x, shift=s, flipped=f, phase=p),
        (X, SHIFT, FLIPPED, PHASE),
    ),
    "reindex": (lambda *given: OPS.reindex(*given, wrap=False, ndim=2), (X, SHIFT, FLIPPED, PHASE)),
    "flip_pivot": (lambda x: OPS.flip_pivot(x, wrap=False, ndim=2), (X,)),
    "fourier_amplitude": (lambda x: OPS.fourier_amplitude(x, shape=(21, 16)), (X,)),
    "align": (OPS.align, (X, Y)),
    "best_element": (lambda x, y: OPS.best_element(x, y, wrap=True, ndim=2), (X, Y)),
    "sa_mse": (OPS.sa_mse, (X, Y)),
    "reconstruct": (
        lambda a, v, s, i, n: OPS.reconstruct(a, "5*HIO+3*ER", v, s, i, n, starts=2),
        (PATTERN, VALID, SUPPORT, INITIAL, NUMBERS),
    ),
    "reconstruct_blurred": (
        lambda a, b, d, v, s, i, n: OPS.reconstruct_blurred(
            a, b, d, "20*ER", v, s, i, n, first=10, every=5, starts=2
        ),
        (PATTERN, VARIANCES, DARK.double(), VALID, SUPPORT, INITIAL, NUMBERS),
    ),
}
MANY = [name for name, (_, tensors) in CASES.items() if len(tensors) > 1]


class Calls(TorchDispatchMode):
    """The ops of symbreak that run, by name; those made of others are not among them."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, op, types, args=(), kwargs=None):
        if op.namespace == "symbreak":
            self.names.append(op._schema.name)
        return op(*args, **(kwargs or {}))


def loop(function, tensors, in_dims):
    """What vmap is to give: a call for each item, stacked."""
    items = [
        function(
            *(x if d is None else x.select(d, k) for x, d in zip(tensors, in_dims, strict=True))
        )
        for k in range(ITEMS)
    ]
    if isinstance(items[0], Tensor):
        return (torch.stack(items),)
    return tuple(torch.stack(parts) for parts in zip(*items, strict=True))


def as_tuple(found):
    return (found,) if isinstance(found, Tensor) else tuple(found)


def test_every_op_is_here():
    names = {
        name.split("::")[1]
        for name in torch._C._dispatch_get_all_op_names()
        if name.startswith("symbreak::")
    }
    assert names == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_one_call_gives_what_the_loop_gives(name, device):
    function, tensors = CASES[name]
    if name == "reconstruct_blurred" and device != "cpu":
        pytest.skip("an op of the CPU's engine")
    tensors = [x.to(device) for x in tensors]
    with Calls() as one:
        function(*(x[0] for x in tensors))
    with Calls() as calls:
        mapped = vmap(function)(*tensors)
    assert calls.names == one.names
    for got, expected in zip(
        as_tuple(mapped), loop(function, tensors, (0,) * len(tensors)), strict=True
    ):
        assert torch.equal(got, expected)


@pytest.mark.parametrize("name", MANY)
@pytest.mark.parametrize("mapped", ["first", "all but the first", "second from the end"])
def test_what_is_not_mapped_is_the_same_for_every_item(name, mapped):
    function, tensors = CASES[name]
    last = mapped == "second from the end"
    over = [(k == 0) == (mapped == "first") or last for k in range(len(tensors))]
    # Another axis than the first, which a rule might forget to move.
    axes = [x.dim() - 2 if last and x.dim() > 2 else 0 for x in tensors]
    given = [
        x.movedim(0, axis) if there else x[1]
        for x, axis, there in zip(tensors, axes, over, strict=True)
    ]
    in_dims = tuple(axis if there else None for axis, there in zip(axes, over, strict=True))
    found = as_tuple(vmap(function, in_dims=in_dims)(*given))
    for got, expected in zip(found, loop(function, given, in_dims), strict=True):
        assert torch.equal(got, expected)


@pytest.mark.parametrize("name", CASES)
def test_maps_within_maps(name):
    function, tensors = CASES[name]
    with Calls() as calls:
        twice = as_tuple(vmap(vmap(function))(*tensors))
    with Calls() as one:
        whole = as_tuple(function(*tensors))
    assert calls.names == one.names
    for got, expected in zip(twice, whole, strict=True):
        assert torch.equal(got, expected)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: symbreak.fourier_amplitude(x).sum(),
        lambda x: symbreak.sa_mse(x, Y[0]),
        lambda x: symbreak.apply_symmetry(x, shift=[1, 0], flipped=True, phase=0.5).real.sum(),
    ],
)
def test_gradients_go_through_it(function):
    for x in (mapped := X.clone().requires_grad_(), looped := X.clone().requires_grad_()):
        values = vmap(function)(x) if x is mapped else torch.stack([function(item) for item in x])
        (values * torch.arange(1.0, 1 + ITEMS)).sum().backward()
    torch.testing.assert_close(mapped.grad, looped.grad)


def test_backward_is_mapped_too():
    x = X[0].clone().requires_grad_()
    errors = symbreak.sa_mse(x, Y[0], reduction="none")
    with Calls() as calls:
        (rows,) = torch.autograd.grad(
            errors, x, torch.eye(BATCH), retain_graph=True, is_grads_batched=True
        )
    assert len(calls.names) == 1
    for row, one in zip(rows, torch.eye(BATCH), strict=True):
        assert torch.equal(row, torch.autograd.grad(errors, x, one, retain_graph=True)[0])


def test_compiles():
    function = vmap(symbreak.sa_mse)
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(X, Y), function(X, Y))
