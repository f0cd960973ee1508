"""apply_symmetry: reference, group laws, gradients, errors, compile."""

import cmath
import math

import numpy as np
import pytest
import torch
from conftest import DTYPES, TOLERANCE, blob, strided

import symbreak
from symbreak.reference.apply_symmetry import apply_symmetry as reference_apply_symmetry

GRIDS = [(7, 8), (8, 5), (1, 6), (1, 1), (4, 5, 6), (5, 1, 7)]


def random_element(batch, ndim, dtype, generator, reach=4):
    return {
        "shift": torch.randint(-reach, reach + 1, (*batch, ndim), generator=generator),
        "flipped": torch.rand(batch, generator=generator) < 0.5,
        "phase": (2 * torch.rand(batch, generator=generator, dtype=torch.float64) - 1)
        .mul(math.pi)
        .to(dtype.to_real()),
    }


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", [(), (6,), (2, 3), (0,)])
@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("layout", [lambda x: x, strided])
def test_equals_the_reference(device, generator, dtype, batch, grid, wrap, layout):
    ndim = len(grid)
    x = blob((*batch, *grid), ndim=ndim, dtype=dtype, generator=generator)
    element = random_element(batch, ndim, dtype, generator, reach=9)
    expected = reference_apply_symmetry(x, **element, wrap=wrap, ndim=ndim)
    on_device = {name: value.to(device) for name, value in element.items()}
    found = symbreak.apply_symmetry(layout(x.to(device)), **on_device, wrap=wrap, ndim=ndim)
    torch.testing.assert_close(found.cpu(), expected, rtol=0, atol=TOLERANCE[dtype])


def test_index_maps_copy_bits(device, generator):
    x = blob((5, 9, 8), dtype=torch.complex64, generator=generator).to(device)
    for wrap in (False, True):
        twice = symbreak.apply_symmetry(x, flipped=True, wrap=wrap)
        flags = torch.ones(len(x), dtype=torch.bool)
        assert torch.equal(twice.cpu(), reference_apply_symmetry(x.cpu(), flipped=flags, wrap=wrap))
        assert torch.equal(symbreak.apply_symmetry(twice, flipped=True, wrap=wrap), x)
    moved = symbreak.apply_symmetry(x, shift=[2, -3], wrap=True)
    assert torch.equal(moved, torch.roll(x, (2, -3), (-2, -1)))
    assert torch.equal(symbreak.apply_symmetry(x), x)


def test_a_phase_given_as_a_number_is_exact(device):
    x = torch.ones(3, 3, dtype=torch.complex128, device=device)
    for phase in (0.1, np.float64(0.1)):
        turned = symbreak.apply_symmetry(x, phase=phase)
        torch.testing.assert_close(turned, x * cmath.exp(0.1j), rtol=0, atol=1e-15)


def test_one_element_serves_the_whole_batch(device, generator):
    x = blob((2, 3, 7, 7), dtype=torch.complex128, generator=generator).to(device)
    found = symbreak.apply_symmetry(x, shift=[1, 0], flipped=True, phase=0.5)
    for k in range(2):
        for j in range(3):
            one = symbreak.apply_symmetry(x[k, j], shift=[1, 0], flipped=True, phase=0.5)
            assert torch.equal(found[k, j], one)


def test_a_phase_of_python_is_not_rounded_to_single_precision(device):
    x = torch.ones(2, 2, dtype=torch.complex128, device=device)
    turned = symbreak.apply_symmetry(x, phase=0.3)
    assert abs(turned[0, 0].item() - complex(math.cos(0.3), math.sin(0.3))) < 1e-15


@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("grid", [(4, 5), (3, 2, 4)])
def test_gradients(device, generator, grid, wrap):
    ndim = len(grid)
    # Content in a fixed box: the flip's box must not move while x is varied numerically.
    x = blob((4, *grid), ndim=ndim, generator=generator, fill=1.0).to(device).requires_grad_()
    element = random_element((4,), ndim, x.dtype, generator, reach=2)
    element["flipped"] = torch.tensor([True, False, True, False])
    element = {name: value.to(device) for name, value in element.items()}

    def function(x):
        return symbreak.apply_symmetry(x, **element, wrap=wrap, ndim=ndim)

    assert torch.autograd.gradcheck(function, (x,))
    assert torch.autograd.gradgradcheck(lambda x: function(x) ** 2, (x,))


def test_opcheck(device, generator):
    x = blob((3, 5, 6), dtype=torch.complex128, generator=generator).to(device).requires_grad_()
    element = random_element((3,), 2, x.dtype, generator)
    element = {name: value.to(device) for name, value in element.items()}
    torch.library.opcheck(torch.ops.symbreak.apply_symmetry.default, (x,), element)
    torch.library.opcheck(
        torch.ops.symbreak.reindex.default,
        (x, element["shift"], element["flipped"], element["phase"]),
        {"wrap": False, "ndim": 2},
    )
    torch.library.opcheck(
        torch.ops.symbreak.flip_pivot.default, (x.detach(),), {"wrap": False, "ndim": 2}
    )


def test_compiles_with_its_gradient(device, generator):
    x = blob((3, 6, 6), dtype=torch.complex64, generator=generator).to(device)

    def function(x):
        return symbreak.apply_symmetry(x, shift=[1, 0], flipped=True, phase=0.3).real.sum()

    gradients = []
    for run in (function, torch.compile(function, fullgraph=True, backend="aot_eager")):
        variable = x.clone().requires_grad_()
        run(variable).backward()
        gradients.append(variable.grad)
    assert gradients[0].abs().sum() > 0
    assert torch.equal(*gradients)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"x": torch.ones(3, 3)}, TypeError, "x must be complex64 or complex128, got float32"),
        ({"shift": [0.5, 1]}, TypeError, "shift must be signed integers, got float32"),
        ({"shift": [1, 2, 3]}, ValueError, r"shift must broadcast to \(2, 2\), got shape \(3,\)"),
        ({"flipped": 1}, TypeError, "flipped must be bool, got int64"),
        ({"phase": 1j}, TypeError, "phase must be a number or a tensor, got complex"),
        ({"phase": math.nan}, ValueError, "phase must be finite in float(32|64), got nan"),
        ({"phase": torch.zeros(3)}, ValueError, r"phase must broadcast to \(2,\)"),
        ({"phase": torch.zeros(2, requires_grad=True)}, ValueError, "phase must not require"),
        ({"wrap": None}, TypeError, "wrap must be True or False, got None"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=f"apply_symmetry: .*{message}"):
        symbreak.apply_symmetry(**{"x": torch.ones(2, 3, 3, dtype=torch.complex64), **arguments})
