"""Phases within a limit: the projection, the iterations of the CPU's engines, what they bring."""

import math
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from phasing_problems import amplitudes, in_parts, noisy_patterns, objects, oracle, relative_each

import symbreak
from symbreak import coherence
from symbreak.ops.phase_limit import limit_phase
from symbreak.ops.shrinkwrap import Shrinkwrap
from symbreak.reference.reconstruct import project_object
from symbreak.supports import choose

SINGLE, DOUBLE = torch.float32, torch.float64
TOLERANCE = {SINGLE: 1e-3, DOUBLE: 1e-10}
LIMITS = [0.0, 0.4, math.pi / 2, 2.5]
GRIDS = [(24, 24), (16, 26), (17, 19), (16, 18, 20), (8, 9, 10)]  # fused and not


@pytest.fixture
def numbers(generator):
    x = torch.randn(500, dtype=torch.complex128, generator=generator)
    return torch.cat([x, torch.tensor([0, 1, -1, 1j, -1j, 2 - 3j], dtype=x.dtype)])


@pytest.mark.parametrize("limit", LIMITS)
def test_no_allowed_number_is_nearer(numbers, limit):
    found = limit_phase(numbers, limit)
    assert (found.angle().abs()[found.abs() > 1e-12] <= limit + 1e-12).all()
    angles = torch.linspace(-limit, limit, 401, dtype=DOUBLE)
    lengths = torch.linspace(0, 6, 601, dtype=DOUBLE)
    allowed = torch.polar(lengths[:, None], angles).flatten()
    # One by one: all the differences at once are 2 GB, most of the time that of getting the memory.
    nearest = torch.stack([(number - allowed).abs().amin() for number in numbers])
    assert ((numbers - found).abs() <= nearest + 1e-12).all()


@pytest.mark.parametrize("limit", LIMITS)
def test_what_is_allowed_stays_and_the_rest_goes_once(numbers, limit):
    found = limit_phase(numbers, limit)
    torch.testing.assert_close(limit_phase(found, limit), found)
    inside = numbers.angle().abs() < limit
    assert torch.equal(found[inside], numbers[inside])
    everywhere = torch.ones(numbers.shape, dtype=torch.bool)
    torch.testing.assert_close(project_object(numbers, everywhere, limit), found)
    assert limit_phase(numbers, None) is numbers


@pytest.fixture
def measured(generator):
    return partial(noisy_patterns, generator=generator)


@pytest.mark.parametrize("dtype", [SINGLE, DOUBLE])
@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("schedule", ["10*HIO", "10*RAAR", "10*DM", "30*ER", "4*HIO+3*ER+3*DM"])
def test_equals_the_reference(device, measured, dtype, grid, limit, schedule):
    ndim = len(grid)
    a, valid, inside = measured(grid, dtype)
    options = {"shrinkwrap": None, "starts": 2, "seed": 7, "ndim": ndim, "record_every": 4}
    options |= {"beta": 0.8, "phase_limit": limit}
    support = inside.expand(2, 2, *grid)
    expected = oracle(a, schedule, valid=valid, support=support, **options)
    found = symbreak.reconstruct(
        a.to(device), schedule, valid=valid.to(device), support=inside.to(device), **options
    )
    object_, support, error, history = (x.cpu() for x in found)
    differences = relative_each(object_, expected[0], ndim)
    assert differences.median() < TOLERANCE[dtype]
    assert differences.max() < 100 * TOLERANCE[dtype]
    torch.testing.assert_close(error.double(), expected[2], rtol=20 * TOLERANCE[dtype], atol=1e-9)
    torch.testing.assert_close(history.double(), expected[3], rtol=20 * TOLERANCE[dtype], atol=1e-9)


@pytest.mark.parametrize("grid", [(24, 24), (17, 19)])
def test_parts_of_a_schedule_make_the_whole(device, measured, grid):
    a, valid, _ = measured(grid, DOUBLE)
    rule = Shrinkwrap(every=3, sigma=1.2, sigma_min=0.2, decay=0.5, area=(0.4, 0.1))
    options = {"valid": valid, "shrinkwrap": rule, "starts": 2, "phase_limit": 1.0}
    expected = oracle(a, "10*HIO", **options)
    options["valid"] = valid.to(device)
    found = in_parts(symbreak.reconstruct, a.to(device), "HIO", (3, 4, 3), **options)
    assert torch.equal(found.support.cpu(), expected[1])
    assert relative_each(found.object.cpu(), expected[0]).max() < TOLERANCE[DOUBLE]


@pytest.mark.parametrize("grid", [(24, 24), (17, 19)])
def test_it_goes_on_from_the_mean_of_iterates(device, measured, grid):
    a, valid, _ = measured(grid, DOUBLE)
    rule = Shrinkwrap(every=5, sigma=1.2, sigma_min=0.7, threshold=0.3, hold=4, average_iterates=20)
    options = {"valid": valid, "shrinkwrap": rule, "phase_limit": 0.8}
    expected = oracle(a, "29*ER", **options)
    found = symbreak.reconstruct(a.to(device), "29*ER", **{**options, "valid": valid.to(device)})
    assert torch.equal(found.support.cpu(), expected[1])
    assert relative_each(found.object.cpu(), expected[0]).max() < 10 * TOLERANCE[DOUBLE]


@pytest.mark.parametrize("dtype", [SINGLE, DOUBLE])
@pytest.mark.parametrize("grid", [(24, 24), (17, 19)])
def test_the_object_obeys_the_limit(device, measured, dtype, grid):
    a, valid, _ = measured(grid, dtype)
    options = {"valid": valid.to(device), "starts": 3}
    for limit in LIMITS:
        found = symbreak.reconstruct(a.to(device), "20*HIO+ER", phase_limit=limit, **options)
        x = found.object[found.object != 0]
        assert (x.angle().abs() <= limit * (1 + 1e-6)).all()
        if limit == 0:
            assert (x.imag == 0).all()
            assert (x.real > 0).all()
    free = symbreak.reconstruct(a.to(device), "20*HIO+ER", **options).object
    assert (free[free != 0].angle().abs() > 2.5).any()


@given(limit=st.sampled_from(LIMITS), algorithm=st.sampled_from(["ER", "HIO", "RAAR", "DM"]))
def test_the_twin_of_a_start_becomes_the_twin(limit, algorithm):
    generator = torch.Generator().manual_seed(3)
    x, inside = objects(1, (16, 16), generator=generator)
    a = amplitudes(x) * (1 + 0.05 * torch.rand(16, 16, dtype=DOUBLE, generator=generator))
    start = torch.randn(1, 1, 16, 16, dtype=torch.complex128, generator=generator)

    def twin(x):
        return torch.roll(x.flip(-1, -2), (1, 1), (-1, -2)).conj().resolve_conj()

    options = {"shrinkwrap": None, "phase_limit": limit}
    one = symbreak.reconstruct(
        a, f"5*{algorithm}", initial=start, support=inside[None, None], **options
    )
    other = symbreak.reconstruct(
        a, f"5*{algorithm}", initial=twin(start), support=twin(inside)[None, None], **options
    )
    torch.testing.assert_close(other.object, twin(one.object), rtol=0, atol=1e-9)
    torch.testing.assert_close(other.error, one.error)


@pytest.mark.parametrize("dtype", [SINGLE, DOUBLE])
@pytest.mark.parametrize("grid", [(24, 24), (17, 19)])  # fused and not
def test_what_is_not_finite_stays_seen(measured, dtype, grid):
    a, _, inside = measured(grid, dtype)
    initial = torch.complex(a, a)[:, None].clone()
    initial[0, 0, 2, 3] = torch.nan
    seen = torch.ops.symbreak.reconstruct(
        a, "2*ER", support=inside.expand(2, 1, *grid), initial=initial, shrinkwrap_every=0,
        phase_limit=1.0,
    )  # fmt: skip
    assert seen[0][0].isnan().any()
    assert seen[0][1].isfinite().all()


def forward_pattern(count, generator):
    """Amplitudes of real, positive blobs, the middle of each pattern missing."""
    n = torch.arange(64, dtype=DOUBLE)
    y, x = torch.meshgrid(n, n, indexing="ij")
    truth = torch.zeros(count, 64, 64, dtype=DOUBLE)
    for k in range(count):
        axes = 6 + 4 * torch.rand(2, dtype=DOUBLE, generator=generator)
        truth[k] = (1 - ((y - 12) / axes[0]) ** 2 - ((x - 12) / axes[1]) ** 2).clamp(min=0).sqrt()
        for _ in range(6):
            cy, cx, width, height = torch.rand(4, dtype=DOUBLE, generator=generator)
            squared = (y - 6 - 12 * cy) ** 2 + (x - 6 - 12 * cx) ** 2
            blob = torch.exp(-squared / 2 / (1 + 2 * width) ** 2)
            truth[k] *= (1 + (2 * height - 0.6) * blob).clamp(min=0.05)
    f = torch.fft.fftfreq(64, dtype=DOUBLE) * 64
    valid = (f[:, None] ** 2 + f**2).sqrt() >= 2.5
    return truth.to(torch.complex128), amplitudes(truth.to(torch.complex128)), valid


def test_positive_objects_are_found_though_the_middle_is_missing(device, generator):
    truth, a, valid = (x.to(device) for x in forward_pattern(3, generator))
    rule = Shrinkwrap(relative_to="rms", threshold=0.4, decay=0.97, hold=100)
    schedule = "2*(20*ER+180*HIO)+100*RAAR+100*ER"
    expected = truth[:, None].expand(3, 4, 64, 64).contiguous()
    autocorrelation = torch.fft.ifft2(torch.where(valid, a, 0) ** 2).abs()
    loose = autocorrelation > 0.04 * autocorrelation.amax((-2, -1), keepdim=True)
    options = {"valid": valid, "support": loose, "shrinkwrap": rule, "starts": 4}
    distances = []
    for limit in (None, math.pi / 2, 0.0):
        found = symbreak.reconstruct(a, schedule, phase_limit=limit, **options)
        x = torch.where(found.support, found.object, 0)
        moved = symbreak.align(x, expected, wrap=True)
        distances.append(moved.sa_mse / truth.abs().square().mean((-2, -1))[:, None])
    free, half, positive = distances
    print(free, half, positive)
    assert (half < 0.2).sum() >= 10
    assert (positive < 0.2).sum() >= 10
    assert (free < 0.2).sum() <= 7  # where nothing limits the phase, many of 12 are not found


@pytest.mark.parametrize("grid", [(24, 24), (16, 18, 20)])
@pytest.mark.parametrize("fit", [True, False])
def test_partly_coherent_patterns_in_one_call_and_in_pieces(monkeypatch, measured, grid, fit):
    a, valid, inside = measured(grid, DOUBLE)
    blur = None if fit else torch.full((len(grid),), 0.4, dtype=DOUBLE)
    options = {"valid": valid, "support": inside, "blur": blur, "ndim": len(grid)}
    options |= {"first": 4, "every": 2, "phase_limit": 0.2, "shrinkwrap": None, "starts": 2}
    found, widths = coherence.reconstruct(a, "8*HIO+3*ER", **options)
    monkeypatch.setenv("SYMBREAK_CPU_ENGINE", "general")
    expected, expected_widths = coherence.reconstruct(a, "8*HIO+3*ER", **options)
    assert relative_each(found.object, expected.object, len(grid)).max() < 1e-8
    torch.testing.assert_close(widths, expected_widths, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(found.error, expected.error, rtol=1e-8, atol=0)
    unlimited, _ = coherence.reconstruct(a, "8*HIO+3*ER", **{**options, "phase_limit": None})
    assert not torch.allclose(unlimited.error, found.error, rtol=1e-3)


def test_supports_are_chosen_within_it(generator):
    _, (a,), valid = forward_pattern(1, generator)
    options = {"thresholds": (0.3,), "factors": (), "starts": 2, "valid": valid}
    choices = [choose(a, "60*HIO+20*ER", phase_limit=limit, **options) for limit in (None, 0.2)]
    free, limited = (choice.trials[0].cross_validated for choice in choices)
    assert not torch.allclose(free, limited, rtol=0.01)


@pytest.mark.parametrize(
    ("limit", "error", "message"),
    [
        ("half", TypeError, "must be a number of radians or None, got 'half'"),
        (True, TypeError, "must be a number of radians or None, got True"),
        (-0.1, ValueError, r"must be in \[0, pi\) radians, got -0.1"),
        (90, ValueError, r"must be in \[0, pi\) radians, got 90"),
        (math.nan, ValueError, r"must be in \[0, pi\) radians, got nan"),
    ],
)
def test_a_limit_that_is_none_is_refused(limit, error, message):
    for function in (symbreak.reconstruct, coherence.reconstruct):
        with pytest.raises(error, match=f"^reconstruct: phase_limit {message}"):
            function(torch.ones(16, 16), "ER", phase_limit=limit)
