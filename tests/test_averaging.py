"""Phasing that goes on from the mean of its iterates: against the reference, and what it is for."""

from statistics import geometric_mean

import pytest
import torch
from phasing_problems import amplitudes, objects, oracle, relative

import symbreak
from symbreak.coherence import reconstruct as partly_coherent
from symbreak.data import crystals, poisson_amplitude
from symbreak.ops.shrinkwrap import Shrinkwrap

BLUR = {"every": 4, "sigma": 1.2, "sigma_min": 0.6, "decay": 0.7}
RULES = {
    "maximum": {"threshold": 0.25},
    "root mean square": {"threshold": 0.4, "relative_to": "rms"},
    "area": {"area": (0.3, 0.1)},
    "wide blur": {"sigma": 2.0, "sigma_min": 1.6, "threshold": 0.3},
}
SCHEDULE = "6*ER+2*HIO+19*RAAR+6*ER"


@pytest.fixture
def a(generator):
    def make(grid, dtype=torch.float64):
        x = amplitudes(objects(2, grid, generator=generator)[0], len(grid))
        return (x * (1 + 0.05 * torch.rand(x.shape, generator=generator))).to(dtype)

    return make


@pytest.mark.parametrize("grid", [(24, 24), (15, 22), (8, 9, 10)])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize(
    ("averaged", "hold", "record"), [(1, 1, 0), (10, 6, 4), (25, 6, 7), (33 - 3, 3, 1), (20, 13, 5)]
)
def test_equals_the_reference(device, a, grid, rule, averaged, hold, record):
    a = a(grid)
    rule = Shrinkwrap(**{**BLUR, **rule}, hold=hold, average_iterates=averaged)
    options = {"shrinkwrap": rule, "starts": 2, "ndim": len(grid), "record_every": record}
    expected = oracle(a, SCHEDULE, **options)
    found = symbreak.reconstruct(a.to(device), SCHEDULE, **options)
    assert found.object.shape == (2, 2, *grid)
    assert torch.equal(found.support.cpu(), expected[1])
    assert relative(found.object.cpu(), expected[0], len(grid)) < 1e-8
    torch.testing.assert_close(found.error.cpu(), expected[2], rtol=1e-7, atol=0)
    torch.testing.assert_close(found.history.cpu(), expected[3], rtol=1e-7, atol=0)


def test_the_mean_and_its_support_are_those_of_the_docstring(device, a):
    """Every tenth iterate until the held ones, by parts of the schedule; a blur of one pixel."""
    a = a((24, 24)).to(device)
    plain = Shrinkwrap(every=50, sigma=3, sigma_min=1.5, threshold=0.3)
    iterates = [
        symbreak.reconstruct(a, f"{count}*RAAR", shrinkwrap=plain, part=(0, 36 - count))
        for count in (10, 20, 30)
    ]
    mean = sum(found.object for found in iterates) / 3
    f = torch.fft.fftfreq(24, dtype=torch.float64, device=device)
    gaussian = torch.exp(-2 * torch.pi**2 * (f[:, None] ** 2 + f**2))
    blurred = torch.fft.ifft2(gaussian * torch.fft.fft2(mean.abs())).real
    support = blurred > 7 / 8 * 0.3 * blurred.amax((-2, -1), keepdim=True)
    expected = symbreak.reconstruct(
        a[:, None], "6*ER", shrinkwrap=None, support=support, initial=mean
    )
    rule = Shrinkwrap(every=50, sigma_min=1.5, threshold=0.3, hold=6, average_iterates=30)
    found = symbreak.reconstruct(a, "30*RAAR+6*ER", shrinkwrap=rule)
    assert torch.equal(found.support, support)
    assert relative(found.object.cpu(), expected.object[:, 0].cpu()) < 1e-9


def test_a_start_depends_on_itself_alone(device, a):
    a = a((16, 18), torch.float32).to(device)
    rule = Shrinkwrap(**BLUR, hold=5, average_iterates=20)
    options = {"shrinkwrap": rule, "seed": torch.tensor([4, 5]), "starts": 3}
    whole = symbreak.reconstruct(a, "40*HIO", **options)
    options |= {"seed": 5, "starts": 1, "first_start": 2}
    alone = symbreak.reconstruct(a[1], "40*HIO", **options)
    for one, all_ in zip(alone, whole, strict=True):
        assert torch.equal(one[0], all_[1, 2])


def test_noisy_patterns_come_nearer_to_the_truth():
    """What bench/mean_iterates.py measures, of a few: the distance of the best start."""
    x = crystals(6, 32, seed=3)
    a = torch.stack([poisson_amplitude(symbreak.fourier_amplitude(k), 1e5, seed=1) for k in x])
    truth = torch.nn.functional.pad(x, (0, 32, 0, 32))
    rest = {}
    for averaged in (0, 80):
        rule = Shrinkwrap(
            threshold=0.4, decay=0.97, relative_to="rms", hold=20, average_iterates=averaged
        )
        found = symbreak.reconstruct(
            a, "2*(20*ER+180*HIO)+100*RAAR+20*ER", shrinkwrap=rule, starts=8
        ).best(valid=torch.ones_like(a, dtype=torch.bool))
        scale = a.square().sum((-2, -1)) / torch.fft.fft2(truth).abs().square().sum((-2, -1))
        scaled = truth * scale.sqrt()[:, None, None]
        squared = symbreak.sa_mse(found.object * found.support, scaled, wrap=True, reduction="none")
        rest[averaged] = geometric_mean((squared / scaled.abs().square().mean((-2, -1))).tolist())
    assert rest[80] < 0.85 * rest[0]


def test_progress_counts_every_iteration(a):
    told = []
    rule = Shrinkwrap(hold=5, average_iterates=20)
    symbreak.reconstruct(
        a((16, 16)), "40*ER", shrinkwrap=rule, starts=3, progress=lambda *done: told.append(done)
    )
    assert told == sorted(told)
    assert told[0] == (0, 240)
    assert told[-1] == (240, 240)


def test_an_exception_of_the_progress_ends_it(a):
    def stop(done, total):
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        symbreak.reconstruct(
            a((16, 16)), "40*ER", shrinkwrap=Shrinkwrap(hold=5, average_iterates=20), progress=stop
        )


def test_it_is_no_part_and_needs_its_iterations(a):
    a, rule = a((16, 16)), Shrinkwrap(hold=5, average_iterates=20)
    with pytest.raises(ValueError, match=r"part must be \(0, 0\) where shrinkwrap averages"):
        symbreak.reconstruct(a, "40*ER", shrinkwrap=rule, part=(0, 3))
    with pytest.raises(ValueError, match="the 20 iterations that are averaged and the 5 that go"):
        symbreak.reconstruct(a, "24*ER", shrinkwrap=rule)
    assert symbreak.reconstruct(a, "25*ER", shrinkwrap=rule).error.isfinite().all()
    with pytest.raises(ValueError, match="hold must be 1 or more where iterates are averaged"):
        Shrinkwrap(average_iterates=20)
    with pytest.raises(ValueError, match="must not average iterates of a partly coherent beam"):
        partly_coherent(a, "40*ER", shrinkwrap=rule)


def test_the_op_itself_refuses_what_it_cannot_average(device, a):
    a = a((16, 16)).to(device)
    phase = torch.ops.symbreak.reconstruct
    assert phase(a, "9*ER", shrinkwrap_average=8, shrinkwrap_hold=1)[2].isfinite().all()
    for wrong in (
        {"shrinkwrap_average": -1},
        {"shrinkwrap_hold": 0},
        {"shrinkwrap_average": 9},
        {"shrinkwrap_hold": 10},
        {"before": 1},
        {"after": 1},
    ):
        options = {"shrinkwrap_average": 8, "shrinkwrap_hold": 1} | wrong
        with pytest.raises(RuntimeError, match="shrinkwrap_average must not be negative, and goes"):
            phase(a, "9*ER", **options)


def test_compiled_code_and_meta_tensors(a):
    a, rule = a((16, 16)), Shrinkwrap(hold=5, average_iterates=20)

    def phase(a):
        return symbreak.reconstruct(2 * a, "40*ER", shrinkwrap=rule).object.abs()

    compiled = torch.compile(phase, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(a), phase(a))
    found = symbreak.reconstruct(a.to("meta"), "40*ER", shrinkwrap=rule, record_every=7)
    assert found.object.shape == (2, 1, 16, 16)
    assert found.history.shape == (2, 1, 5)
