"""break_symmetry: reference, ambiguous items, threads and batches, errors, compile."""

import math

import pytest
import torch
from conftest import DTYPES, TOLERANCE, blob, strided, threads

import symbreak
from symbreak.reference.break_symmetry import break_symmetry as reference_break_symmetry

RULES = ["angle", "circulation"]
GRIDS = [(7, 8), (8, 5), (1, 6), (6, 1), (1, 1), (4, 5, 6), (5, 1, 7)]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", [(), (6,), (2, 3), (0,)])
@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("layout", [lambda x: x, strided])
def test_equals_the_reference(device, generator, rule, dtype, batch, grid, layout):
    ndim = len(grid)
    x = blob((*batch, *grid), ndim=ndim, dtype=dtype, generator=generator)
    found = symbreak.break_symmetry(layout(x.to(device)), ndim=ndim, rule=rule)
    obj, shift, flipped, phase, margin = reference_break_symmetry(x, ndim=ndim, rule=rule)
    tolerance = {"rtol": 0, "atol": TOLERANCE[dtype]}
    assert torch.equal(found.shift.cpu(), shift)
    sure = ~found.ambiguous.cpu()
    assert sure.all() == (round(0.6 * grid[-1]) > 1 or x.numel() == 0)  # one column is a twin
    assert torch.equal(found.flipped.cpu()[sure], flipped[sure])
    torch.testing.assert_close(found.object.cpu()[sure], obj[sure], **tolerance)
    turn = torch.polar(torch.ones_like(phase), phase - found.phase.cpu())[sure]
    torch.testing.assert_close(turn, torch.ones_like(turn), **tolerance)
    relative = 1e-4 if dtype == torch.complex64 else 1e-12
    torch.testing.assert_close(
        found.margin.cpu()[sure], margin[sure], rtol=relative, atol=tolerance["atol"]
    )


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("grid", [(25, 30), (64, 64), (90, 101), (150, 150), (300, 200)])
def test_large_objects_equal_the_reference(device, generator, rule, grid):
    # Blocks of several warps on a GPU, see test_center.py.
    x = blob((2, *grid), dtype=torch.complex64, generator=generator)
    found = symbreak.break_symmetry(x.to(device), rule=rule)
    obj, shift, flipped, _, margin = reference_break_symmetry(x, rule=rule)
    assert torch.equal(found.shift.cpu(), shift)
    assert torch.equal(found.flipped.cpu(), flipped)
    torch.testing.assert_close(found.object.cpu(), obj, rtol=0, atol=TOLERANCE[x.dtype])
    torch.testing.assert_close(found.margin.cpu(), margin, rtol=1e-4, atol=1e-5)


def test_threshold_decides_the_box(device, generator):
    x = blob((9, 9), dtype=torch.complex128, generator=generator)
    faint = x.clone()
    faint[0, 0] = 1e-6
    found = symbreak.break_symmetry(faint.to(device), tol=1e-3)
    assert found.shift.tolist() == symbreak.break_symmetry(x).shift.tolist()
    torch.testing.assert_close(
        found.object.cpu(), symbreak.break_symmetry(x).object, rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("rule", RULES)
def test_both_members_of_a_twin_pair_meet(device, generator, rule):
    x = blob((40, 12, 13), dtype=torch.complex64, generator=generator).to(device)
    one = symbreak.break_symmetry(x, rule=rule)
    two = symbreak.break_symmetry(symbreak.apply_symmetry(x, flipped=True), rule=rule)
    assert not one.ambiguous.any()
    assert torch.equal(one.flipped, ~two.flipped)
    assert 5 < one.flipped.sum() < 35  # both twins occur, so the rule does decide
    torch.testing.assert_close(one.object, two.object, rtol=0, atol=2e-5)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_ambiguous_items_are_flagged_and_defined(device, generator, rule, dtype):
    x = blob((6, 8, 9), dtype=dtype, generator=generator)
    x[0] = 0
    x[1, 2, 2] = float("nan")
    x[2, 2, 2] = complex(0, math.inf)
    x[3] = 0
    x[3, 1, 1:3] = torch.tensor([1, -1])  # F x(0) = 0
    x[4] = 0
    x[4, 2, 3:6] = torch.tensor([1, 2, 1]) * (0.6 + 0.8j)  # its own twin image
    found = symbreak.break_symmetry(x.to(device), rule=rule)
    assert found.ambiguous.tolist() == [True] * 5 + [False]
    assert found.margin[[0, 3, 4]].tolist() == [0, 0, 0]
    assert found.margin[1:3].isnan().all()
    assert not found.flipped[:5].any()
    assert found.phase[:4].tolist() == [0, 0, 0, 0]
    unchanged = found.object[:3].cpu()
    torch.testing.assert_close(unchanged, x[:3], rtol=0, atol=0, equal_nan=True)
    assert torch.equal(found.object[3].cpu(), symbreak.center(x[3]).object)
    upright = torch.zeros(8, 9, dtype=dtype)
    upright[3, 3:6] = torch.tensor([1, 2, 1])
    torch.testing.assert_close(found.object[4].cpu(), upright, rtol=0, atol=1e-6)
    alone = symbreak.break_symmetry(x[5].to(device), rule=rule)
    assert torch.equal(found.object[5], alone.object)
    assert torch.equal(found.margin[5], alone.margin)


@pytest.mark.parametrize("rule", RULES)
def test_overflowing_sums_are_ambiguous(device, rule):
    x = torch.full((4, 4), 1e308 + 1e308j, dtype=torch.complex128, device=device)
    found = symbreak.break_symmetry(x, rule=rule)
    assert found.ambiguous.item()
    assert torch.equal(found.object, x)


def test_a_vortex_is_turned_one_way_whatever_its_phase(device, generator):
    n = torch.arange(16, dtype=torch.float64) - 7.5
    vortex = torch.polar(torch.ones(16, 16, dtype=torch.float64), torch.atan2(n[:, None], n))
    phases = torch.rand(5, dtype=torch.float64, generator=generator) * 6
    turned = symbreak.apply_symmetry(vortex.expand(5, 16, 16), phase=phases)
    weight = 1 + 0.3 * n / 8  # a mean, so that there is a phase to refer to
    found = symbreak.break_symmetry((turned * weight).to(device), rule="circulation")
    assert not found.ambiguous.any()
    assert len(set(found.flipped.tolist())) == 1
    twin = symbreak.break_symmetry((turned * weight).conj().to(device), rule="circulation")
    assert twin.flipped.tolist() == (~found.flipped).tolist()  # the other sense of rotation


def test_no_thread_count_changes_a_bit(generator):
    x = blob((33, 10, 11), dtype=torch.complex64, generator=generator)
    results = []
    for count in (1, 2, 5):
        with threads(count):
            results.append(symbreak.break_symmetry(x))
    for result in results[1:]:
        for a, b in zip(results[0], result, strict=True):
            assert torch.equal(a, b)


def test_opcheck(device, generator):
    for grid in ((5, 6), (3, 4, 5)):
        x = blob((2, *grid), ndim=len(grid), dtype=torch.complex64, generator=generator).to(device)
        torch.library.opcheck(torch.ops.symbreak.break_symmetry.default, (x,), {"ndim": len(grid)})


def test_compiles_without_graph_breaks(device, generator):
    x = blob((3, 6, 6), dtype=torch.complex64, generator=generator).to(device)
    compiled = torch.compile(
        lambda x: symbreak.break_symmetry(x).margin + 1, fullgraph=True, backend="aot_eager"
    )
    assert torch.equal(compiled(x), symbreak.break_symmetry(x).margin + 1)


def test_gradient_is_a_clear_error(device):
    x = torch.ones(3, 3, dtype=torch.complex64, device=device, requires_grad=True)
    with pytest.raises(
        RuntimeError, match=r"symbreak.break_symmetry is not differentiable.*detach"
    ):
        symbreak.break_symmetry(x).object.abs().sum().backward()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"x": torch.ones(3, 3)}, TypeError, "x must be complex64 or complex128, got float32"),
        ({"ndim": 3}, ValueError, "x must have at least ndim = 3 axes"),
        ({"tol": -0.1}, ValueError, r"tol must be in \[0, 1\), got -0.1"),
        ({"tol": "0"}, TypeError, "tol must be a number, got str"),
        ({"rule": "angel"}, ValueError, "rule must be angle or circulation, got 'angel'"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=f"break_symmetry: .*{message}"):
        symbreak.break_symmetry(**{"x": torch.ones(3, 3, dtype=torch.complex64), **arguments})


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("exponent", [-900, -700, 520, 700, 1000])
def test_no_magnitude_is_too_large_or_too_small(device, generator, rule, exponent):
    x = blob((7, 8), dtype=torch.complex128, generator=generator).to(device)
    expected = symbreak.break_symmetry(x, rule=rule)
    found = symbreak.break_symmetry(x * 2.0**exponent, rule=rule)
    assert found.flipped == expected.flipped
    torch.testing.assert_close(found.margin, expected.margin, rtol=1e-12, atol=0)
    torch.testing.assert_close(found.phase, expected.phase, rtol=0, atol=1e-12)
    scaled = expected.object * 2.0**exponent
    assert (found.object - scaled).abs().max() <= 1e-14 * scaled.abs().max()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_phase_of_a_negative_object_is_pi(device, generator, rule, dtype):
    x = torch.zeros(8, 5, 6, dtype=dtype)
    x[:, 1:3, 1:4] = -torch.rand(8, 2, 3, generator=generator, dtype=dtype.to_real())
    found = symbreak.break_symmetry(x.to(device), rule=rule)
    assert 0 < found.flipped.sum() < len(x)  # both kinds
    assert (found.phase.cpu() == torch.full((), math.pi, dtype=dtype.to_real())).all()
