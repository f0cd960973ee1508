"""reconstruct: a wrong argument gives one line that names it, and the item if it is the data."""

import pytest
import torch

import symbreak
from symbreak.ops.shrinkwrap import Shrinkwrap

ONES = torch.ones(2, 3, 4, 4)
TRUE = torch.ones(4, 4, dtype=torch.bool)


def changed(index, value):
    a = ONES.clone()
    a[index] = value
    return a


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"amplitude": [1.0]}, TypeError, "amplitude must be a torch.Tensor, got list"),
        ({"amplitude": ONES.int()}, TypeError, "amplitude must be float32 or float64, got int32"),
        ({"amplitude": ONES[0, 0, 0]}, ValueError, "amplitude must have at least ndim = 2 axes"),
        ({"ndim": 4}, ValueError, "ndim must be 2 or 3, got 4"),
        ({"schedule": "3*XR"}, ValueError, r"expected ER, .*, got 'XR'\.\n  3\*XR\n    \^"),
        ({"schedule": {"ER": 1}}, TypeError, "schedule must be a string like .*, got dict"),
        ({"schedule": [("ER", "1")]}, TypeError, r"each step of schedule .*, got \('ER', '1'\)"),
        ({"beta": 0}, ValueError, r"beta must be in \(0, 2\], got 0"),
        ({"beta": float("nan")}, ValueError, r"beta must be in \(0, 2\], got nan"),
        ({"beta": "1"}, TypeError, "beta must be a number, got '1'"),
        ({"starts": 0}, ValueError, "starts must be at least 1, got 0"),
        ({"starts": 2.0}, TypeError, "starts must be an integer, got 2.0"),
        ({"first_start": -1}, ValueError, "first_start must be at least 0, got -1"),
        ({"first_start": 2**32}, ValueError, r"first_start \+ starts must be at most 2\^32, got 4"),
        ({"part": 3}, TypeError, "part must be two integers, the .* before and after, got 3"),
        ({"part": (1.5, 0)}, TypeError, r"part must be two integers, .*, got \(1.5, 0\)"),
        ({"part": (1, 2, 3)}, TypeError, "part must be two integers"),
        ({"part": (0, -1)}, ValueError, "part must be at least 0, got -1"),
        ({"part": (2**60, 1)}, ValueError, r"part must be at most 2\^60 iterations"),
        ({"record_every": -1}, ValueError, "record_every must be at least 0, got -1"),
        ({"seed": 1.5}, TypeError, "seed must be an integer or a tensor of them, got 1.5"),
        ({"seed": 2**63}, ValueError, "seed must fit 64 bits"),
        ({"seed": torch.ones(3)}, TypeError, "seed must be of an integer type, got float32"),
        ({"seed": torch.ones(4).int()}, ValueError, r"seed must be broadcastable to \(2, 3\)"),
        ({"progress": 1}, TypeError, "progress must be a bool or a function, got 1"),
        ({"shrinkwrap": 20}, TypeError, "shrinkwrap must be a Shrinkwrap or None, got int"),
        ({"valid": TRUE.int()}, TypeError, "valid must be bool, got int32"),
        ({"valid": TRUE[:3]}, ValueError, r"valid must be broadcastable to \(2, 3, 4, 4\), got"),
        ({"support": [[True]]}, TypeError, "support must be a torch.Tensor, got list"),
        ({"support": TRUE.expand(7, 2, 3, 1, 4, 4)}, ValueError, "support must be broadcastable"),
        ({"initial": ONES}, TypeError, "initial must be complex64, got float32"),
        ({"initial": 1j * ONES[:, :2]}, ValueError, "initial must be broadcastable to"),
        ({"amplitude": changed((1, 2, 0, 0), torch.nan)}, ValueError,
         r"amplitude must be finite where measured, got NaN or infinity in item \(1, 2\)"),
        ({"amplitude": changed((0, 1, 3, 3), torch.inf)}, ValueError, r"finite .* item \(0, 1\)"),
        ({"amplitude": changed((0, 1, 3, 3), -1)}, ValueError, r"not be negative .* item \(0, 1\)"),
        ({"amplitude": changed((1, 0), 0)}, ValueError, r"only zeros in item \(1, 0\)"),
        ({"amplitude": ONES[0, 0] * 0}, ValueError, "only zeros.$"),
        ({"amplitude": changed((1, 1), 0)[1]}, ValueError, "only zeros in item 1"),
        ({"valid": ~TRUE}, ValueError, r"valid must leave .*, got none in item \(0, 0\)"),
        ({"support": ~TRUE}, ValueError, r"support must hold .*, got none in item \(0, 0, 0\)"),
        ({"initial": 1j * ONES * torch.nan}, ValueError, "initial must be finite"),
    ],
)  # fmt: skip
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=f"(reconstruct|schedule): .*{message}"):
        symbreak.reconstruct(**{"amplitude": ONES, "schedule": "ER", **arguments})


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"every": 0}, ValueError, "every must be at least 1, got 0"),
        ({"every": 1.0}, TypeError, "every must be an integer, got 1.0"),
        ({"hold": -1}, ValueError, "hold must be at least 0, got -1"),
        ({"hold": 0.5}, TypeError, "hold must be an integer, got 0.5"),
        ({"sigma": 1.0}, ValueError, "0 <= sigma_min <= sigma, got sigma 1.0 and sigma_min 1.5"),
        ({"sigma": "3"}, TypeError, "sigma must be a number, got '3'"),
        ({"sigma": float("inf")}, ValueError, "sigma and sigma_min must be pixels"),
        ({"decay": 0}, ValueError, r"decay must be in \(0, 1\], got 0"),
        ({"threshold": 1.0}, ValueError, r"threshold must be in \(0, 1\), got 1.0"),
        ({"area": 0.0}, ValueError, r"area must be in \(0, 1\], got 0.0"),
        ({"area": (0.1, 2)}, ValueError, r"area must be in \(0, 1\], got \(0.1, 2\)"),
        ({"area": (0.1,)}, ValueError, r"one fraction or a pair of them, got \(0.1,\)"),
        ({"area": "big"}, TypeError, "area must be a number, got 'big'"),
        ({"relative_to": "mean"}, ValueError, "relative_to must be 'max' or 'rms', got 'mean'"),
        ({"relative_to": None}, ValueError, "relative_to must be 'max' or 'rms', got None"),
    ],
)
def test_bad_shrinkwrap(arguments, error, message):
    with pytest.raises(error, match=f"Shrinkwrap: .*{message}"):
        Shrinkwrap(**arguments)


def test_the_op_itself_protects_memory():
    op = torch.ops.symbreak.reconstruct
    with pytest.raises(RuntimeError, match="valid has the wrong device, shape or type"):
        op(ONES, "ER", TRUE)
    with pytest.raises(RuntimeError, match="seed has the wrong device, shape or type"):
        op(ONES, "ER", seed=torch.zeros(2, dtype=torch.int64))
    with pytest.raises(RuntimeError, match="starts must be at least 1"):
        op(ONES, "ER", starts=0)
    with pytest.raises((RuntimeError, ValueError), match=r"expected '\+' or the end"):
        op(ONES, "ER)")
    with pytest.raises(RuntimeError, match="shrinkwrap_hold 0"):
        op(ONES, "ER", shrinkwrap_hold=-1)
    with pytest.raises(RuntimeError, match="two fractions"):
        op(ONES, "ER", shrinkwrap_area=[0.5])
    # NaN reaches the op where nothing is checked: torch.compile
    found = op(ONES * torch.nan, "5*HIO", shrinkwrap_every=2, shrinkwrap_area=[0.5, 0.5])
    assert found[2].isnan().all()
