"""Without ``valid`` all pixels were measured: in every function that takes it, and to the bit."""

import inspect

import pytest
import torch

pytest.importorskip("shapely")  # of the crystals

import symbreak
from symbreak import Shrinkwrap, coherence, cross_validation, evaluation, supports, transfer
from symbreak.data import crystals

A = symbreak.fourier_amplitude(crystals(1, 16, seed=3)[0])
ALL = torch.ones(A.shape, dtype=torch.bool)
SCHEDULE = "20*HIO+10*ER"
FOUND = symbreak.reconstruct(A, SCHEDULE, starts=4)
INSIDE = torch.where(FOUND.support, FOUND.object, 0)
STARTS = (FOUND.error, FOUND.support)
RULE = Shrinkwrap(every=10)
TRIAL = supports.phase_trial(A, RULE, SCHEDULE, starts=3, valid=ALL)

CASES = {
    symbreak.reconstruct: lambda **v: symbreak.reconstruct(A, SCHEDULE, **v),
    symbreak.free_pixels: lambda **v: symbreak.free_pixels(A.shape, **v),
    coherence.reconstruct: lambda **v: coherence.reconstruct(A, SCHEDULE, **v),
    cross_validation.cross_validated_error: lambda **v: cross_validation.cross_validated_error(
        *STARTS, **v
    ),
    cross_validation.ranking: lambda **v: cross_validation.ranking(*STARTS, **v),
    evaluation.compare_starts: lambda **v: evaluation.compare_starts(
        FOUND.object, FOUND.support, FOUND.error, A, **v
    ),
    supports.choose: lambda **v: supports.choose(A, SCHEDULE, starts=2, thresholds=(0.2,), **v),
    supports.judge: lambda **v: supports.judge(RULE, TRIAL, A, **v),
    supports.phase_trial: lambda **v: supports.phase_trial(A, RULE, SCHEDULE, **v),
    transfer.counting_r_factor: lambda **v: transfer.counting_r_factor(INSIDE[0], **v),
    transfer.r_factor: lambda **v: transfer.r_factor(INSIDE, A, **v),
    transfer.transfer_function: lambda **v: transfer.transfer_function(INSIDE, A, **v),
}


def leaves(x):
    if isinstance(x, (tuple, list)):
        return [leaf for part in x for leaf in leaves(part)]
    return leaves(list(vars(x).values())) if hasattr(x, "__dataclass_fields__") else [x]


def same(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a.isnan(), b.isnan()) and torch.equal(a.nan_to_num(), b.nan_to_num())
    return a == b


@pytest.mark.parametrize("function", CASES, ids=lambda f: f"{f.__module__}.{f.__name__}")
def test_none_is_all(function):
    assert inspect.signature(function).parameters["valid"].default is None
    without, given = CASES[function](), CASES[function](valid=ALL)
    pairs = list(zip(leaves(without), leaves(given), strict=True))
    assert pairs
    assert all(same(a, b) for a, b in pairs)


def test_no_function_that_takes_a_mask_is_left_out():
    """Of the modules whose functions measure; a record holds its mask, and `best` has no mean."""
    rooms = (symbreak, coherence, cross_validation, evaluation, supports, transfer)
    there = {
        function
        for room in rooms
        for name, function in vars(room).items()
        if not name.startswith("_")
        and inspect.isfunction(function)
        and not function.__module__.endswith("checks")
        and "valid" in inspect.signature(function).parameters
    }
    assert there == set(CASES)
