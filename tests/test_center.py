"""center: reference, exactness, edge cases, errors, compile."""

import pytest
import torch
from conftest import DTYPES, blob, strided
from hypothesis import given
from hypothesis import strategies as st

import symbreak
from symbreak.reference.center import center as reference_center

GRIDS = [(7, 8), (8, 5), (1, 1), (4, 5, 6), (5, 1, 7)]
# Blocks of several warps on a GPU: 64, 256, 512 and 1024 threads an object, then several blocks.
LARGE_GRIDS = [(25, 30), (64, 64), (90, 101), (150, 150), (300, 200)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", [(), (3,), (2, 3), (0,)])
@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("layout", [lambda x: x, strided])
def test_equals_the_reference(device, generator, dtype, batch, grid, wrap, layout):
    ndim = len(grid)
    x = blob((*batch, *grid), ndim=ndim, dtype=dtype, generator=generator)
    if wrap:
        x = torch.roll(x, [3] * ndim, list(range(-ndim, 0)))
    expected, expected_shift = reference_center(x, wrap=wrap, ndim=ndim)
    found = symbreak.center(layout(x.to(device)), wrap=wrap, ndim=ndim)
    assert torch.equal(found.shift.cpu(), expected_shift)
    assert torch.equal(found.object.cpu(), expected)
    assert found.object.dtype == dtype
    assert found.shift.dtype == torch.int64


@pytest.mark.parametrize("grid", LARGE_GRIDS)
@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("tol", [0.0, 0.3])
def test_large_objects_equal_the_reference(device, generator, grid, wrap, tol):
    x = blob((2, *grid), dtype=torch.complex64, generator=generator)
    expected, expected_shift = reference_center(x, tol=tol, wrap=wrap)
    found = symbreak.center(x.to(device), tol=tol, wrap=wrap)
    assert torch.equal(found.shift.cpu(), expected_shift)
    assert torch.equal(found.object.cpu(), expected)


@pytest.mark.parametrize("ndim", [2, 3])
@given(data=st.data())
def test_translation_is_forgotten(ndim, data):
    size = [data.draw(st.integers(1, 9)) for _ in range(ndim)]
    extent = [data.draw(st.integers(1, n)) for n in size]
    here, there = (
        [data.draw(st.integers(0, n - e)) for n, e in zip(size, extent, strict=True)]
        for _ in range(2)
    )
    content = torch.randn(
        extent, dtype=torch.complex128, generator=torch.Generator().manual_seed(1)
    )
    placed = []
    for corner in (here, there):
        x = torch.zeros(size, dtype=torch.complex128)
        x[tuple(slice(c, c + e) for c, e in zip(corner, extent, strict=True))] = content
        placed.append(symbreak.center(x, ndim=ndim))
    assert torch.equal(placed[0].object, placed[1].object)
    start = [(n - e) // 2 for n, e in zip(size, extent, strict=True)]
    assert placed[0].shift.tolist() == [s - h for s, h in zip(start, here, strict=True)]
    assert placed[1].shift.tolist() == [s - t for s, t in zip(start, there, strict=True)]


def test_periodic_content_across_the_edge(device):
    x = torch.zeros(8, 8, dtype=torch.complex64, device=device)
    x[[7, 0, 1]] = 1  # three rows, around the edge
    found = symbreak.center(x, wrap=True)
    assert found.shift.tolist() == [3, 0]
    assert found.object[2:5].abs().min() == 1
    assert found.object.abs().sum() == 24


def test_threshold_ignores_faint_pixels_but_moves_them(device):
    x = torch.zeros(9, 9, dtype=torch.complex64, device=device)
    x[1, 1] = 1
    x[2, 3] = 0.05j
    assert symbreak.center(x, tol=0.1).shift.tolist() == [3, 3]
    assert symbreak.center(x, tol=0.1).object[5, 6] == torch.tensor(0.05j)
    assert symbreak.center(x, tol=0.01).shift.tolist() == [2, 2]


def test_tiny_and_huge_values_count_as_content(device):
    for scale in (1e-300, 1e300):
        x = torch.zeros(5, 5, dtype=torch.complex128, device=device)
        x[0, 0] = scale * 1j
        assert symbreak.center(x).shift.tolist() == [2, 2]
        assert symbreak.center(x, tol=0.5).shift.tolist() == [2, 2]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("wrap", [False, True])
def test_black_and_non_finite_items_come_back_unchanged(device, generator, bad, wrap):
    x = blob((4, 6, 7), dtype=torch.complex64, generator=generator)
    x[1] = 0
    x[2, 0, 3] = complex(0, bad)
    found = symbreak.center(x.to(device), wrap=wrap)
    assert found.shift[1:3].tolist() == [[0, 0], [0, 0]]
    torch.testing.assert_close(found.object[1:3].cpu(), x[1:3], rtol=0, atol=0, equal_nan=True)
    alone = symbreak.center(x[[0, 3]].to(device), wrap=wrap)
    assert torch.equal(found.object[[0, 3]], alone.object)


def test_conjugate_view_is_resolved(device, generator):
    x = blob((6, 6), dtype=torch.complex64, generator=generator).to(device)
    assert torch.equal(symbreak.center(x.conj()).object, symbreak.center(x).object.conj())


def test_opcheck(device, generator):
    for grid in ((5, 6), (3, 4, 5)):
        x = blob((2, *grid), ndim=len(grid), dtype=torch.complex64, generator=generator).to(device)
        for wrap in (False, True):
            torch.library.opcheck(
                torch.ops.symbreak.center.default, (x,), {"wrap": wrap, "ndim": len(grid)}
            )


def test_compiles_without_graph_breaks(device, generator):
    x = blob((3, 6, 6), dtype=torch.complex64, generator=generator).to(device)
    compiled = torch.compile(
        lambda x: symbreak.center(2 * x).object + 1, fullgraph=True, backend="aot_eager"
    )
    assert torch.equal(compiled(x), symbreak.center(2 * x).object + 1)


def test_gradient_is_a_clear_error(device):
    x = torch.ones(3, 3, dtype=torch.complex64, device=device, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"symbreak.center is not differentiable.*detach"):
        symbreak.center(x).object.abs().sum().backward()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"x": torch.ones(3, 3)}, TypeError, "x must be complex64 or complex128, got float32"),
        ({"x": [[1j]]}, TypeError, "x must be a torch.Tensor, got list"),
        ({"x": torch.ones(3, dtype=torch.complex64)}, ValueError, "at least ndim = 2 axes"),
        ({"x": torch.ones(3, 0, dtype=torch.complex64)}, ValueError, "grid of x must not be empty"),
        ({"ndim": 4}, ValueError, "ndim must be 2 or 3, got 4"),
        ({"ndim": 2.0}, TypeError, "ndim must be the integer 2 or 3"),
        ({"tol": 1.0}, ValueError, r"tol must be in \[0, 1\), got 1.0"),
        ({"tol": float("nan")}, ValueError, r"tol must be in \[0, 1\), got nan"),
        ({"wrap": 1}, TypeError, "wrap must be True or False, got 1"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=f"center: .*{message}"):
        symbreak.center(**{"x": torch.ones(3, 3, dtype=torch.complex64), **arguments})
