"""The engines of reconstruct on CUDA, each against the float64 reference.

Not collected by itself: test_cuda_phasing.py runs it with the CUDA sources emulated on the CPU, and
on a GPU where there is one.
"""

import os
import threading
from functools import partial

import pytest
import torch
from conftest import SEED
from phasing_problems import (
    FIRST_SUPPORTS,
    amplitudes,
    first_support,
    in_parts,
    objects,
    oracle,
    relative_each,
)

import symbreak
from symbreak.ops.shrinkwrap import Shrinkwrap
from symbreak.reference.reconstruct import blur

EMULATED = os.environ.get("SYMBREAK_EMULATE_CUDA") == "1"
DEVICE = "cpu" if EMULATED else "cuda"
SINGLE, DOUBLE = torch.float32, torch.float64
LENGTHS = [32, 48, 64, 80, 96, 128, 160, 192, 256, 320, 384, 512, 640, 768, 1024]
# Every length once along the rows and once down the columns.
TWO_PASS = list(zip(LENGTHS, [*LENGTHS[:7:-1], 192, *LENGTHS[6::-1]], strict=True))
# Clusters, and the shared memory for four blocks of them.
CLUSTERS = EMULATED or torch.cuda.get_device_capability()[0] in (9, 10)
ON_CLUSTERS = [("on_chip", (256, 256), SINGLE)] if CLUSTERS else []
ON_CHIP = [(64, 64), (128, 128)]
GENERAL = [(24, 22), (9, 10, 12)]
CASES = [
    *[("two_pass", grid, dtype) for grid in TWO_PASS for dtype in (SINGLE, DOUBLE)],
    *[("on_chip", grid, SINGLE) for grid in ON_CHIP],
    *ON_CLUSTERS,
    *[("general", grid, dtype) for grid in GENERAL for dtype in (SINGLE, DOUBLE)],
]
ONE_EACH = [
    ("two_pass", (96, 64), SINGLE),
    ("two_pass", (48, 80), DOUBLE),
    ("on_chip", (64, 64), SINGLE),
    ("on_chip", (128, 128), SINGLE),
    ("general", (64, 48), SINGLE),
]
TOLERANCE = {SINGLE: 1e-4, DOUBLE: 1e-11}


def problem(grid, dtype, items=2):
    """Noisy amplitudes with pixels that were not measured, and the support of the objects."""
    generator = torch.Generator().manual_seed(SEED)
    x, inside = objects(items, grid, generator=generator)
    a = amplitudes(x, len(grid))
    a = a * (1 + 0.05 * torch.rand(a.shape, dtype=a.dtype, generator=generator))
    valid = torch.rand(a.shape, generator=generator) > 0.05
    a[~valid] = torch.nan
    return a.to(dtype), valid, inside


@pytest.fixture
def run(monkeypatch):
    """reconstruct on the device, by one engine; the result on the CPU."""

    def reconstruct(engine, a, schedule, **options):
        if engine:
            monkeypatch.setenv("SYMBREAK_CUDA_ENGINE", engine)
        else:
            monkeypatch.delenv("SYMBREAK_CUDA_ENGINE", raising=False)
        moved = {
            name: x.to(DEVICE) if isinstance(x, torch.Tensor) else x for name, x in options.items()
        }
        found = symbreak.reconstruct(a.to(DEVICE), schedule, **moved)
        return type(found)(*(x.cpu() for x in found))

    return reconstruct


def check(found, expected, grid, tolerance):
    differences = relative_each(found.object, expected[0], len(grid))
    # Where an image has a dark pixel in its spectrum, rounding errors grow a hundredfold there.
    assert differences.median() < tolerance
    assert differences.max() < 100 * tolerance
    assert torch.equal(found.support, expected[1])
    for ours, exact in zip(found[2:], expected[2:], strict=True):
        torch.testing.assert_close(ours.double(), exact, rtol=20 * tolerance, atol=1e-9)


def check_most(found, expected, grid, tolerance):
    """Most items: rounding can take a pixel over the cut of a support, and all that follows."""
    same = (found.support == expected[1]).flatten(1).all(1)
    assert same.double().mean() > 0.5
    check(type(found)(*(x[same] for x in found)), [x[same] for x in expected], grid, tolerance)


@pytest.mark.parametrize(("engine", "grid", "dtype"), CASES)
def test_a_few_iterations_equal_the_reference(run, engine, grid, dtype):
    a, valid, inside = problem(grid, dtype)
    options = {"valid": valid, "shrinkwrap": None, "seed": 3, "ndim": len(grid), "record_every": 2}
    expected = oracle(a, "3*HIO", support=inside.expand(2, 1, *grid), **options)
    found = run(engine, a, "3*HIO", support=inside, **options)
    check(found, expected, grid, TOLERANCE[dtype] / 20)


@pytest.mark.parametrize(("engine", "grid", "dtype"), ONE_EACH)
@pytest.mark.parametrize("schedule", ["5*HIO", "5*RAAR", "5*DM", "60*ER", "2*HIO+2*DM+3*ER+RAAR"])
def test_every_algorithm_equals_the_reference(run, engine, grid, dtype, schedule):
    a, valid, inside = problem(grid, dtype)
    options = {"valid": valid, "shrinkwrap": None, "starts": 2, "seed": 5, "beta": 0.8}
    expected = oracle(a, schedule, support=inside.expand(2, 2, *grid), **options)
    check(run(engine, a, schedule, support=inside, **options), expected, grid, TOLERANCE[dtype])


@pytest.mark.parametrize(
    ("engine", "grid", "dtype"), [case for case in ONE_EACH if case[0] != "on_chip"]
)
@pytest.mark.parametrize("limit", [0.0, 0.7, 2.5])
@pytest.mark.parametrize("schedule", ["5*HIO", "5*RAAR", "5*DM", "20*ER", "2*HIO+2*DM+3*ER+RAAR"])
def test_limited_phases_equal_the_reference(run, engine, grid, dtype, limit, schedule):
    a, valid, inside = problem(grid, dtype)
    options = {"valid": valid, "shrinkwrap": None, "starts": 2, "seed": 5, "beta": 0.8}
    options |= {"phase_limit": limit, "record_every": 2}
    expected = oracle(a, schedule, support=inside.expand(2, 2, *grid), **options)
    check(run(engine, a, schedule, support=inside, **options), expected, grid, TOLERANCE[dtype])


@pytest.mark.parametrize(("engine", "grid", "dtype"), [*ONE_EACH, *ON_CLUSTERS])
def test_without_zero_frequency_first_supports_are_small(run, engine, grid, dtype):
    a, valid, _ = problem(grid, dtype)
    zero_frequency = (..., *(0,) * len(grid))
    a[zero_frequency] = 1
    for rule, zero, part in FIRST_SUPPORTS:
        valid[zero_frequency] = zero
        found = run(engine, a, "ER", valid=valid, shrinkwrap=rule, starts=2)
        expected = first_support(a, valid, part, 2, len(grid))
        # In single precision a pixel or two are at the cut.
        assert int((found.support ^ expected).sum()) <= (3 if dtype == SINGLE else 0)


@pytest.mark.parametrize(("engine", "grid", "dtype"), [*ONE_EACH, *ON_CLUSTERS])
@pytest.mark.parametrize("schedule", ["4*HIO", "4*RAAR", "3*DM", "20*ER"])
def test_saturated_pixels_equal_the_reference(run, engine, grid, dtype, schedule):
    a, valid, _ = problem(grid, dtype)
    known = a.nan_to_num(0)
    level = known.flatten(1).sort().values[:, -known[0].numel() // 10][:, None, None]
    saturated = known > level
    a = torch.where(saturated, level, a)
    # The first supports are those of the autocorrelation, which takes the level for the amplitude.
    options = {"valid": valid, "saturated": saturated, "shrinkwrap": None, "starts": 2, "seed": 5}
    options |= {"record_every": 2}
    expected = oracle(a, schedule, **options)
    check(run(engine, a, schedule, **options), expected, grid, TOLERANCE[dtype])
    free = run(engine, a, schedule, **(options | {"saturated": None, "valid": valid & ~saturated}))
    assert relative_each(free.object, expected[0], len(grid)).min() > 0.01


@pytest.mark.parametrize(
    ("engine", "grid", "dtype"), [case for case in ONE_EACH if case[2] == SINGLE]
)
def test_a_least_far_above_all_that_was_measured_is_within_range(run, engine, grid, dtype):
    a, valid, _ = problem(grid, dtype)
    saturated = a > 0.5 * a.nan_to_num(0).amax((-2, -1), keepdim=True)
    a = torch.where(saturated, a.new_tensor(1e25), a)
    options = {"valid": valid, "saturated": saturated, "shrinkwrap": None, "starts": 2}
    found = run(engine, a, "20*HIO+5*ER", **options)
    assert found.object.isfinite().all()
    assert found.object.abs().max() > 1e20


@pytest.mark.skipif(not EMULATED, reason="the table is another one for each device")
def test_the_engine_on_chip_leaves_limited_phases_to_the_other(run):
    a, valid, _ = problem((64, 64), SINGLE, items=128)
    options = {"valid": valid, "shrinkwrap": None, "phase_limit": 0.7}
    chosen, two_pass = (run(e, a, "2*HIO", **options) for e in (None, "two_pass"))
    assert torch.equal(chosen.object, two_pass.object)
    with pytest.raises(RuntimeError, match=r"on_chip does not take .* a limit of the phase"):
        run("on_chip", a, "2*HIO", **options)


@pytest.mark.parametrize(("engine", "grid", "dtype"), ONE_EACH)
@pytest.mark.parametrize(
    "rule",
    [
        {"threshold": 0.25},
        {"area": (0.3, 0.1), "hold": 5},
        {"threshold": 0.4, "relative_to": "rms"},
    ],
)
def test_parts_of_a_schedule_make_the_whole(run, engine, grid, dtype, rule):
    a, valid, _ = problem(grid, dtype, items=3)
    rule = Shrinkwrap(every=9, sigma=1.5, sigma_min=0.5, decay=0.6, **rule)
    options = {"valid": valid, "shrinkwrap": rule}
    expected = oracle(a, "31*ER", **options)
    found = in_parts(partial(run, engine), a, "ER", (9, 12, 10), **options)
    check_most(found, expected, grid, 10 * TOLERANCE[dtype])


@pytest.mark.parametrize(("engine", "grid", "dtype"), ONE_EACH)
@pytest.mark.parametrize(
    ("rule", "schedule", "record"),
    [
        ({"threshold": 0.25, "average_iterates": 20}, "31*ER", 4),
        ({"threshold": 0.4, "relative_to": "rms", "average_iterates": 9}, "20*ER+2*DM+9*ER", 0),
        ({"area": (0.3, 0.1), "average_iterates": 30, "hold": 1}, "31*ER", 5),
        ({"threshold": 0.25, "average_iterates": 20, "every": 50}, "31*ER", 0),  # in long runs
    ],
)
def test_it_goes_on_from_the_mean_of_iterates(
    run, engine, grid, dtype, rule, schedule, record, monkeypatch
):
    a, valid, _ = problem(grid, dtype, items=3)
    rule = Shrinkwrap(**({"every": 5, "sigma": 1.5, "hold": 6} | rule))
    options = {"valid": valid, "shrinkwrap": rule, "record_every": record}
    monkeypatch.setenv("SYMBREAK_CUDA_IMAGES", "2")  # a sum is begun anew for the third image
    found = run(engine, a, schedule, **options)
    assert 0 < found.support.sum() < found.support.numel()
    check_most(found, oracle(a, schedule, **options), grid, 10 * TOLERANCE[dtype])


@pytest.mark.parametrize(("engine", "grid", "dtype"), [*ONE_EACH, *ON_CLUSTERS])
@pytest.mark.parametrize(
    "rule",
    [
        {"sigma": 1.5, "sigma_min": 1.0, "threshold": 0.25},
        {"sigma": 1.5, "sigma_min": 1.0, "threshold": 0.25, "hold": 15},
        {"sigma": 1.5, "sigma_min": 1.0, "threshold": 0.4, "relative_to": "rms"},
        {"sigma": 1.0, "sigma_min": 0.0, "decay": 0.5, "area": (0.3, 0.1)},
    ],
)
def test_shrinkwrap_finds_the_same_support(run, engine, grid, dtype, rule):
    large = grid == (256, 256)
    # Emulation takes long for a large one, and then its rounding is known to cross no cut.
    a, valid, _ = problem(grid, dtype, items=1 if large and EMULATED else 3)
    options = {"valid": valid, "shrinkwrap": Shrinkwrap(every=9, **rule), "record_every": 12}
    # Of many pixels rounding soon takes one over a cut among them: fewer updates there.
    cuts = "area" in rule or "relative_to" in rule
    schedule = "23*ER" if cuts and large else "41*ER"
    expected = oracle(a, schedule, **options)
    found = run(engine, a, schedule, **options)
    assert 0 < found.support.sum() < found.support.numel()
    check_most(found, expected, grid, 10 * TOLERANCE[dtype])


def bright_image(kind, grid):
    """An object and the width of the blur, for which the reference of a threshold is of a kind."""
    x, (first, other) = torch.zeros(grid, dtype=torch.complex128), ((8,) * len(grid), (20, 4))
    if kind == "a third of the maximum":  # a loose support
        x += 0.01
        x[first], x[other] = 30, 10
        return x, 0.7
    if kind == "the root mean square":
        x[4:20, 4:20] = 1
        x[first] = 3
        return x, 0.7
    x[first] = 1
    return x, 1.5


@pytest.mark.parametrize(("engine", "grid", "dtype"), [*ONE_EACH, *ON_CLUSTERS])
@pytest.mark.parametrize("kind", ["a third of the maximum", "the root mean square", "the maximum"])
def test_what_a_threshold_of_the_root_mean_square_is_a_fraction_of(run, engine, grid, dtype, kind):
    x, sigma = bright_image(kind, grid)  # as ER leaves it
    blurred = blur(x.abs(), sigma)
    rms, largest = x[x != 0].abs().square().mean().sqrt(), blurred.max()
    levels = {"a third of the maximum": largest / 3, "the root mean square": rms}
    support = blurred > 0.9 * levels.get(kind, largest)
    assert sum(torch.equal(blurred > 0.9 * r, support) for r in (largest / 3, rms, largest)) == 1
    rule = Shrinkwrap(every=1, sigma=sigma, sigma_min=sigma, threshold=0.9, relative_to="rms")
    initial = x[None, None].to(torch.complex64 if dtype == SINGLE else x.dtype)
    options = {"initial": initial, "support": initial != 0, "shrinkwrap": rule}
    found = run(engine, torch.fft.fftn(x).abs()[None].to(dtype), "2*ER", **options)
    assert torch.equal(found.support[0, 0], support)


@pytest.mark.parametrize(("engine", "grid", "dtype"), [*ONE_EACH, *ON_CLUSTERS])
def test_an_item_does_not_see_its_neighbours(run, engine, grid, dtype):
    a, valid, _ = problem(grid, dtype, items=4)
    options = {"shrinkwrap": Shrinkwrap(every=2), "starts": 2, "record_every": 2}
    seed = torch.arange(4)
    whole = run(engine, a, "3*HIO+2*DM", valid=valid, seed=seed, **options)
    for part in (slice(0, 1), slice(1, 4)):
        alone = run(engine, a[part], "3*HIO+2*DM", valid=valid[part], seed=seed[part], **options)
        for x, y in zip(alone, whole, strict=True):
            assert torch.equal(x, y[part])
    options = {**options, "starts": 1, "first_start": 1}
    second = run(engine, a, "3*HIO+2*DM", valid=valid, seed=seed, **options)
    for x, y in zip(second, whole, strict=True):
        assert torch.equal(x, y[:, 1:])


def test_batches_larger_than_the_cache_come_in_parts(run):
    # 44 images of this grid are taken together: the 15th item is cut.
    a, valid, _ = problem((1024, 32), SINGLE, items=16)
    whole = run("two_pass", a, "HIO", valid=valid, starts=3, shrinkwrap=None)
    alone = run("two_pass", a[14], "HIO", valid=valid[14], starts=3, shrinkwrap=None)
    for x, y in zip(alone, whole, strict=True):
        assert torch.equal(x, y[14])


@pytest.mark.parametrize(("engine", "grid", "dtype"), ONE_EACH)
def test_the_plans_of_the_fft_are_the_same_for_every_batch(monkeypatch, engine, grid, dtype):
    # cuFFT promises the same bits for the same plan only, and the batch is part of a plan.
    monkeypatch.setenv("SYMBREAK_CUDA_ENGINE", engine)
    plans = set()
    for images in (1, 2, 5):
        a = torch.rand((images, *grid), dtype=dtype, device=DEVICE) + 0.1
        with torch.profiler.profile(record_shapes=True) as profile:
            torch.ops.symbreak.reconstruct(a, "2*HIO", shrinkwrap_every=1, record_every=1)
        calls = [e for e in profile.events() if e.name == "aten::_fft_c2c"]
        assert calls
        plans |= {tuple(e.input_shapes[0]) for e in calls}
    assert len(plans) == 1


@pytest.mark.skipif(not EMULATED, reason="the order of threads is the emulation's")
@pytest.mark.parametrize(("engine", "grid", "dtype"), [*ONE_EACH, ("two_pass", (32, 1024), SINGLE)])
@pytest.mark.parametrize("rule", [{}, {"area": 0.2}])
def test_the_order_of_threads_changes_no_bit(run, monkeypatch, engine, grid, dtype, rule):
    a, valid, _ = problem(grid, dtype, items=1)
    options = {"valid": valid, "shrinkwrap": Shrinkwrap(every=1, **rule), "record_every": 1}
    results = []
    for order in ("forward", "reverse", "shuffle:1", "shuffle:2"):
        monkeypatch.setenv("SYMBREAK_EMULATED_ORDER", order)
        results.append(run(engine, a, "2*HIO+DM", **options))
    for other in results[1:]:
        assert all(torch.equal(x, y) for x, y in zip(other, results[0], strict=True))


@pytest.mark.parametrize("size", [64, 128])
def test_twice_the_same_bits(run, size):
    a, valid, _ = problem((size, size), SINGLE, items=3)
    engine = "on_chip"
    first, second = (run(engine, a, "20*HIO+20*ER", valid=valid, starts=2) for _ in range(2))
    assert all(torch.equal(x, y) for x, y in zip(first, second, strict=True))


@pytest.mark.parametrize("size", [64, 128])
def test_long_schedules_need_several_programs(run, size):
    # More steps than one launch of the on-chip kernel takes, each with a support update.
    a, valid, _ = problem((size, size), SINGLE, items=1)
    options = {"valid": valid, "shrinkwrap": Shrinkwrap(every=3, sigma=1.5), "seed": 1}
    schedule = "120*ER"
    expected = oracle(a, schedule, **options)
    check(run("on_chip", a, schedule, **options), expected, (size, size), 10 * TOLERANCE[SINGLE])


@pytest.mark.skipif(not EMULATED, reason="a device has the shared memory it has")
def test_amplitudes_outside_the_shared_memory(run, monkeypatch):
    a, valid, _ = problem((128, 128), SINGLE)
    large = run("on_chip", a, "3*HIO", valid=valid)
    monkeypatch.setenv("SYMBREAK_EMULATED_SHARED_BYTES", str(163 << 10))  # sm_80
    assert torch.equal(run("on_chip", a, "3*HIO", valid=valid).object, large.object)
    monkeypatch.setenv("SYMBREAK_EMULATED_SHARED_BYTES", str(99 << 10))  # sm_86
    with pytest.raises(RuntimeError, match="on_chip does not take this grid"):
        run("on_chip", a, "3*HIO", valid=valid)


@pytest.mark.skipif(not EMULATED, reason="a device has the shared memory it has")
def test_clusters_with_amplitudes_outside_the_shared_memory(run, monkeypatch):
    a, valid, _ = problem((256, 256), SINGLE)
    options = {"valid": valid, "shrinkwrap": Shrinkwrap(every=1, sigma=1.5)}
    large = run("on_chip", a, "2*HIO+ER", **options)
    monkeypatch.setenv("SYMBREAK_EMULATED_SHARED_BYTES", str(163 << 10))
    small = run("on_chip", a, "2*HIO+ER", **options)
    assert all(torch.equal(x, y) for x, y in zip(small, large, strict=True))


@pytest.mark.skipif(not EMULATED, reason="a device has the shared memory it has")
def test_lines_that_a_small_shared_memory_cannot_hold(run, monkeypatch):
    monkeypatch.setenv("SYMBREAK_EMULATED_SHARED_BYTES", str(64 << 10))  # sm_75
    for grid, fits in (
        ((512, 32), False),
        ((1024, 32), False),
        ((768, 32), True),
        ((32, 512), True),
    ):
        a, valid, inside = problem(grid, SINGLE, items=1)
        options = {"valid": valid, "support": inside, "shrinkwrap": None}
        chosen = run(None, a, "2*HIO", **options)
        assert torch.equal(
            chosen.object, run("two_pass" if fits else "general", a, "2*HIO", **options).object
        )
        if not fits:
            with pytest.raises(RuntimeError, match="two_pass does not take this grid"):
                run("two_pass", a, "2*HIO", **options)


@pytest.mark.skipif(not EMULATED, reason="the table is another one for each device")
def test_the_engine_is_chosen_by_the_table(run):
    few, many = (problem((64, 64), SINGLE, items=n) for n in (4, 128))
    for (a, valid, _), engine in ((few, "two_pass"), (many, "on_chip")):
        chosen, forced, other = (run(e, a, "2*HIO", valid=valid) for e in (None, engine, "general"))
        assert torch.equal(chosen.object, forced.object)
        assert not torch.equal(chosen.object, other.object)
    a, valid, _ = problem((24, 22), SINGLE)
    chosen, forced = (run(e, a, "2*HIO", valid=valid) for e in (None, "general"))
    assert torch.equal(chosen.object, forced.object)


@pytest.mark.parametrize(
    ("engine", "grid", "dtype", "message"),
    [
        ("fast", (64, 64), SINGLE, "must be general, two_pass or on_chip, got 'fast'"),
        ("two_pass", (64, 65), SINGLE, "two_pass does not take this grid"),
        ("two_pass", (32, 32, 32), SINGLE, "two_pass does not take this grid"),
        ("on_chip", (64, 128), SINGLE, "on_chip does not take this grid"),
        ("on_chip", (64, 64), DOUBLE, "on_chip does not take this grid, this type"),
    ],
)
def test_an_engine_that_cannot_is_a_clear_error(run, engine, grid, dtype, message):
    with pytest.raises(RuntimeError, match=message):
        run(engine, torch.ones(grid, dtype=dtype), "ER", ndim=len(grid))


@pytest.mark.parametrize(("engine", "grid", "dtype"), ONE_EACH)
def test_a_requested_stop_leaves_the_start(monkeypatch, engine, grid, dtype):
    monkeypatch.setenv("SYMBREAK_CUDA_ENGINE", engine)
    a, valid, _ = problem(grid, dtype)
    monitor = symbreak._C.Monitor()
    monitor.stop()
    x, support, error, history = torch.ops.symbreak.reconstruct(
        a.to(DEVICE), "1000000*HIO", valid.to(DEVICE), record_every=500000, monitor=monitor.id
    )
    assert monitor.done == 0
    assert x.isfinite().all()
    assert support.any()
    assert error.isnan().all()
    assert history.isnan().all()


@pytest.mark.parametrize(("engine", "grid", "dtype"), ONE_EACH)
def test_an_interrupt_stops_every_engine(run, engine, grid, dtype):
    def interrupt(done, total):
        if done > 0:
            raise KeyboardInterrupt

    a, valid, _ = problem(grid, dtype, items=1)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        run(engine, a, "10000000*HIO", valid=valid, shrinkwrap=None, progress=interrupt)
    assert threading.active_count() == before


@pytest.mark.skipif(EMULATED, reason="CUDA graphs need a GPU")
@pytest.mark.parametrize(("engine", "grid", "dtype"), [*ONE_EACH, *ON_CLUSTERS])
def test_a_cuda_graph_holds_it(run, engine, grid, dtype):
    a, valid, inside = (x.to(DEVICE) for x in problem(grid, dtype))
    options = {"valid": valid, "support": inside}
    expected = run(engine, a, "5*HIO+5*ER", **options)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        found = symbreak.reconstruct(a, "5*HIO+5*ER", **options)
    graph.replay()
    assert all(torch.equal(x.cpu(), y) for x, y in zip(found, expected, strict=True))


@pytest.mark.skipif(EMULATED, reason="streams need a GPU")
def test_works_on_the_current_stream(run):
    a, valid, _ = problem((96, 64), SINGLE)
    expected = run("two_pass", a, "5*HIO", valid=valid)
    stream = torch.cuda.Stream()
    a, valid = a.to(DEVICE), valid.to(DEVICE)
    late = torch.zeros_like(a)
    torch.cuda.synchronize()
    with torch.cuda.stream(stream):
        torch.cuda._sleep(10**8)
        late.copy_(a)  # who does not wait for it sees zeros
        found = run("two_pass", late, "5*HIO", valid=valid)
    assert torch.equal(found.object, expected.object)
