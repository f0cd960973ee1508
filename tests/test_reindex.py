"""reindex: its definition pixel by pixel, its adjoint, compile."""

import math

import pytest
import torch
from conftest import DTYPES, TOLERANCE, blob, strided

from symbreak.ops.reindex import adjoint_element

reindex = torch.ops.symbreak.reindex


def elements(batch, ndim, dtype, generator):
    """Random offsets, flips and phases for ``batch`` items."""
    return (
        torch.randint(-9, 13, (*batch, ndim), generator=generator),
        torch.randint(0, 2, batch, generator=generator).bool(),
        (torch.rand(batch, dtype=torch.float64, generator=generator) * 6 - 3).to(dtype.to_real()),
    )


def by_pixel(x, offset, flipped, phase, *, wrap, ndim):
    """y(n) = e^{i phase} C^f x(offset + (f ? -n : n)), one pixel at a time."""
    y = torch.zeros_like(x)
    grid = x.shape[-ndim:]
    for item in torch.cartesian_prod(*map(torch.arange, x.shape)).reshape(-1, x.dim()).tolist():
        k, n = tuple(item[:-ndim]), item[-ndim:]
        source = [int(o) + (-i if flipped[k] else i) for o, i in zip(offset[k], n, strict=True)]
        if wrap:
            source = [s % size for s, size in zip(source, grid, strict=True)]
        if all(0 <= s < size for s, size in zip(source, grid, strict=True)):
            value = x[k + tuple(source)]
            turn = torch.polar(torch.ones_like(phase[k]), phase[k])
            y[tuple(item)] = turn * (value.conj() if flipped[k] else value)
    return y


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("grid", [(4, 5), (1, 1), (3, 2, 4)])
@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("layout", [lambda x: x, strided])
def test_equals_the_definition(device, generator, dtype, grid, wrap, layout):
    options = {"wrap": wrap, "ndim": len(grid)}
    for batch in ((), (6,), (2, 3)):
        x = blob((*batch, *grid), ndim=len(grid), dtype=dtype, generator=generator, fill=1.0)
        element = elements(batch, len(grid), dtype, generator)
        found = reindex(layout(x.to(device)), *(e.to(device) for e in element), **options)
        tolerance = {"rtol": 0, "atol": TOLERANCE[dtype]}
        torch.testing.assert_close(found.cpu(), by_pixel(x, *element, **options), **tolerance)


@pytest.mark.parametrize("wrap", [False, True])
def test_phase_zero_copies_bits(device, generator, wrap):
    x = blob((4, 5, 6), dtype=torch.complex64, generator=generator).to(device)
    offset = torch.tensor([[0, 0], [2, -3], [4, 5], [1, 0]], device=device)
    flipped = torch.tensor([False, False, True, True], device=device)
    options = {"wrap": wrap, "ndim": 2}
    found = reindex(x, offset, flipped, torch.zeros(4, device=device), **options)
    zero = torch.zeros(4)
    assert torch.equal(found.cpu(), by_pixel(x.cpu(), offset.cpu(), flipped.cpu(), zero, **options))


@pytest.mark.parametrize("wrap", [False, True])
def test_gradients_of_any_order(device, generator, wrap):
    x = blob((4, 3, 4), generator=generator, fill=1.0).to(device).requires_grad_()
    offset = torch.tensor([[0, 1], [-1, 2], [3, 3], [2, 4]], device=device)
    flipped = torch.tensor([False, False, True, True], device=device)
    phase = torch.tensor([0.0, 1.0, 0.0, -2.0], dtype=torch.float64, device=device)
    phase.requires_grad_()
    run = lambda x, phase: reindex(x, offset, flipped, phase, wrap=wrap, ndim=2)  # noqa: E731
    torch.autograd.gradcheck(run, (x, phase))
    torch.autograd.gradgradcheck(run, (x, phase))


def test_a_periodic_element_is_undone_by_its_adjoint(device, generator):
    x = blob((6, 3, 4), generator=generator, fill=1.0).to(device)
    element = [e.to(device) for e in elements((6,), 2, x.dtype, generator)]
    options = {"wrap": True, "ndim": 2}
    there = reindex(x, *element, **options)
    back = reindex(there, *adjoint_element(*element), **options)
    torch.testing.assert_close(back, x, rtol=0, atol=1e-14)


def test_opcheck_and_compile(device, generator):
    for grid in ((5, 6), (3, 4, 5)):
        x = blob((2, *grid), ndim=len(grid), dtype=torch.complex64, generator=generator).to(device)
        element = [e.to(device) for e in elements((2,), len(grid), x.dtype, generator)]
        for wrap in (False, True):
            options = {"wrap": wrap, "ndim": len(grid)}
            torch.library.opcheck(reindex.default, (x.requires_grad_(), *element), options)
            compiled = torch.compile(reindex, fullgraph=True, backend="aot_eager")
            assert torch.equal(compiled(x, *element, **options), reindex(x, *element, **options))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"offset": torch.zeros(3, dtype=torch.int64)}, "offset must be int64 of shape"),
        ({"offset": torch.zeros(2)}, "offset must be int64 of shape"),
        ({"flipped": torch.zeros(1, dtype=torch.bool)}, "flipped must be bool of shape"),
        ({"phase": torch.tensor(0.0, dtype=torch.float64)}, "phase must have the real dtype of x"),
        ({"phase": torch.zeros(2)}, "phase must be of shape"),
    ],
)
def test_wrong_shapes_never_reach_the_kernel(arguments, message):
    given = {
        "x": torch.ones(3, 3, dtype=torch.complex64),
        "offset": torch.zeros(2, dtype=torch.int64),
        "flipped": torch.tensor(False),
        "phase": torch.tensor(math.pi),
    } | arguments
    with pytest.raises(RuntimeError, match=f"reindex: {message}"):
        reindex(**given, wrap=False, ndim=2)
