"""The cross-validated error: its formula, what it estimates, and that it ranks supports."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import symbreak
from symbreak.cross_validation import cross_validated_error, ranking
from symbreak.data import crystals, poisson_amplitude

DOUBLE = torch.float64


def supports_of(*sizes, grid=(10, 12)):
    supports = torch.zeros(len(sizes), *grid, dtype=torch.bool)
    for support, size in zip(supports, sizes, strict=True):
        support.view(-1)[:size] = True
    return supports


@given(
    size=st.integers(0, 120),
    dead=st.integers(0, 119),
    error=st.floats(0, 1e3),
    dtype=st.sampled_from([torch.float32, DOUBLE]),
)
def test_it_is_its_formula(size, dead, error, dtype):
    valid = torch.ones(10, 12, dtype=torch.bool)
    valid.view(-1)[:dead] = False
    given_error = torch.tensor([error], dtype=dtype)
    (found,) = cross_validated_error(given_error, supports_of(size), valid).tolist()
    data, unknowns = 120 - dead, 2 * size
    if unknowns >= data:
        assert found == float("inf")
    else:
        expected = float(given_error) / (1 - unknowns / data)
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-12)


def test_a_support_of_half_the_pixels_fits_anything_also_without_an_error():
    valid = torch.ones(10, 12, dtype=torch.bool)
    found = cross_validated_error(torch.zeros(3), supports_of(59, 60, 61), valid)
    assert found.tolist() == [0, float("inf"), float("inf")]


@pytest.mark.parametrize("ndim", [2, 3])
def test_batches_masks_and_what_is_not_finite(ndim):
    grid = (6, 8) if ndim == 2 else (4, 4, 6)
    generator = torch.Generator().manual_seed(0)
    supports = torch.rand(3, 2, *grid, generator=generator) < 0.2
    valid = torch.rand(3, *grid, generator=generator) < 0.9
    error = torch.rand(3, 2, generator=generator, dtype=DOUBLE)
    error[1, 1] = torch.nan
    found = cross_validated_error(error, supports, valid, ndim=ndim)
    assert found.dtype == DOUBLE
    for i in range(3):
        for k in range(2):
            one = cross_validated_error(
                error[i, k : k + 1], supports[i, k : k + 1], valid[i], ndim=ndim
            )
            torch.testing.assert_close(found[i, k], one[0], equal_nan=True)
    assert bool(found[1, 1].isnan())
    shared = cross_validated_error(error, supports, valid[0], ndim=ndim)
    assert torch.equal(shared[0], found[0])


def test_it_estimates_the_error_on_data_not_seen():
    """A linear fit to data of which each is left out in turn: there the estimate is a theorem."""
    data, unknowns = 400, 120
    generator = torch.Generator().manual_seed(1)
    design = torch.randn(data, unknowns, dtype=DOUBLE, generator=generator)
    truth = design @ torch.randn(unknowns, dtype=DOUBLE, generator=generator)
    seen = truth + torch.randn(data, dtype=DOUBLE, generator=generator)
    hat = design @ torch.linalg.pinv(design)
    rest = seen - hat @ seen
    left_out = rest / (1 - hat.diagonal())  # the residual of a datum that was not fitted
    error = rest.norm() / seen.norm()
    support = supports_of(unknowns // 2, grid=(20, 20))
    found = cross_validated_error(error[None], support, torch.ones(20, 20, dtype=torch.bool))
    assert float(found) == pytest.approx(float(left_out.norm() / seen.norm()), rel=0.02)
    assert float(left_out.norm() / rest.norm()) > 1.3


def test_where_the_error_takes_the_loosest_support_it_takes_one_nearer_to_the_truth():
    nearer = []
    for k in range(4):
        (crystal,) = crystals(1, 32, seed=7, first=k)
        x = torch.nn.functional.pad(crystal, (0, 32, 0, 32))
        a = torch.fft.fft2(x).abs()
        a = poisson_amplitude(a * (1e5 / a.square().sum()).sqrt(), 1e5, k)
        valid = torch.ones(64, 64, dtype=torch.bool)
        errors, crossed, distances, sizes = [], [], [], []
        for threshold in (0.1, 0.2, 0.3):
            rule = symbreak.Shrinkwrap(threshold=threshold)
            found = symbreak.reconstruct(a, starts=4, shrinkwrap=rule)
            inside = found.object * found.support
            scaled = x * (1e5 / torch.fft.fft2(x).abs().square().sum()).sqrt()
            error = symbreak.sa_mse(
                inside, scaled.expand_as(inside).contiguous(), wrap=True, reduction="none"
            )
            errors.append(found.error)
            crossed.append(cross_validated_error(found.error, found.support, valid))
            distances.append(error)
            sizes.append(found.support.flatten(1).sum(1))
        errors, crossed, distances, sizes = map(torch.cat, (errors, crossed, distances, sizes))
        by_error, by_crossed = errors.argmin(), crossed.argmin()
        assert sizes[by_crossed] < sizes[by_error]
        nearer.append(float(distances[by_crossed] / distances[by_error]))
    assert sum(nearer) / 4 < 0.6


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"error": [0.1]}, TypeError, "error must be a torch.Tensor, got list"),
        ({"error": torch.tensor([1])}, TypeError, "error must be floating point, got int64"),
        ({"supports": torch.ones(1, 4, 4)}, TypeError, "supports must be bool, got float32"),
        ({"valid": torch.ones(4, 4)}, TypeError, "valid must be bool, got float32"),
        ({"ndim": 4}, ValueError, "ndim must be 2 or 3, got 4"),
        ({"ndim": 2.0}, TypeError, "ndim must be the integer 2 or 3, got 2.0"),
        ({"error": torch.ones(2)}, ValueError, "supports must have shape"),
        ({"valid": torch.ones(4, 5, dtype=torch.bool)}, ValueError, "valid must be broadcastable"),
    ],
)
def test_bad_arguments(change, error, text):
    arguments = {
        "error": torch.ones(1),
        "supports": torch.ones(1, 4, 4, dtype=torch.bool),
        "valid": torch.ones(4, 4, dtype=torch.bool),
        **change,
    }
    with pytest.raises(error, match=text):
        cross_validated_error(**arguments)


def test_best_goes_by_it_where_it_knows_the_mask():
    """Three patterns: a loose support with the lowest error; all too loose; no errors."""
    valid = torch.ones(10, 12, dtype=torch.bool)
    sizes = ((10, 50, 20), (70, 60, 65), (10, 12, 14))
    supports = torch.stack([supports_of(*row) for row in sizes])
    error = torch.tensor([[0.2, 0.1, 0.3], [0.3, 0.2, 0.1], [torch.nan, 0.3, torch.nan]])
    objects = torch.arange(9.0).reshape(3, 3, 1, 1).expand(3, 3, 10, 12).to(torch.complex64)
    found = symbreak.Reconstruction(objects, supports, error, error[..., None])
    expected = torch.tensor([0, 2, 1])
    assert torch.equal(ranking(error, supports, valid).argmin(-1), expected)
    best = found.best(valid=valid)
    assert torch.equal(best.object[:, 0, 0].real, 3.0 * torch.arange(3) + expected)
    assert torch.equal(best.error, error.gather(1, expected[:, None])[:, 0])
    assert torch.equal(best.support, supports[torch.arange(3), expected])
    assert torch.equal(found.best().error, torch.tensor([0.1, 0.1, 0.3]))
    # Fewer measured pixels make the second support of the last pattern fit anything.
    few = valid.clone().fill_(False)
    few[:2] = True
    masks = torch.stack([valid, valid, few])
    assert ranking(error, supports, masks)[2].isinf().tolist() == [True, False, True]
    with pytest.raises(ValueError, match=r"Reconstruction.best: valid must be broadcastable"):
        found.best(valid=valid[1:])
    with pytest.raises(TypeError, match=r"Reconstruction.best: valid must be"):
        found.best(valid=valid.float())
