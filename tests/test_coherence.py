"""Partial coherence: the blur, what the starts are held to, the widths found, the phasing."""

import itertools
import math

import pytest
import torch
from conftest import blob
from hypothesis import given
from hypothesis import strategies as st
from phasing_problems import amplitudes, objects, relative
from torch.utils._python_dispatch import TorchDispatchMode

import symbreak
from symbreak.coherence import blurred_intensity, coherence_length, reconstruct
from symbreak.coherence.target import DARK, WIDEST, Target, dark_amplitude
from symbreak.data import crystals, poisson_amplitude
from symbreak.data.simulation.settings import CrystalSettings
from symbreak.evaluation import compare_starts
from symbreak.ops.blur import GaussianBlur
from symbreak.ops.frequencies import frequency_radius
from symbreak.ops.shrinkwrap import Shrinkwrap
from symbreak.reference.reconstruct import phase_image

GRIDS = [(8, 8), (7, 10), (6, 5, 4)]
DOUBLE = torch.float64


def random(grid, seed, *batch):
    generator = torch.Generator().manual_seed(seed)
    return blob((*batch, *grid), ndim=len(grid), generator=generator, dtype=torch.complex128)


def blurred_by_definition(image, widths):
    """The sum over all pixels and all periods, as far as a Gaussian reaches in double precision."""
    reach = [math.ceil(9 * w) for w in widths]
    offsets = list(itertools.product(*(range(-r, r + 1) for r in reach)))
    weights = torch.tensor(
        [
            math.exp(-sum(n**2 / (2 * w**2) for n, w in zip(o, widths, strict=True) if n))
            for o in offsets
        ],
        dtype=DOUBLE,
    )
    blurred = sum(
        weight * image.roll(offset, tuple(range(image.dim())))
        for weight, offset in zip(weights, offsets, strict=True)
    )
    return blurred / weights.sum()


@pytest.mark.parametrize(("grid", "widths"), [((16, 9), (1.9, 1.8)), ((8, 9, 7), (1.8, 0.0, 2.0))])
def test_the_blur_is_a_convolution_with_a_gaussian(grid, widths):
    x = random(grid, 1)
    ndim = len(grid)
    expected = blurred_by_definition(amplitudes(x, ndim).square(), widths)
    found = blurred_intensity(x, torch.tensor(widths, dtype=DOUBLE), ndim=ndim)
    # Narrow Gaussians differ, sampled ones and band-limited ones: by some 1e-7 here.
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6 * float(expected.max()))


@pytest.mark.parametrize("grid", GRIDS)
def test_it_multiplies_the_autocorrelation(grid):
    ndim = len(grid)
    x, widths = random(grid, 2), torch.tensor([0.4, 0.9, 0.6][:ndim], dtype=DOUBLE)
    degree = torch.ones(grid, dtype=DOUBLE)
    for axis, xi in enumerate(coherence_length(widths, grid).tolist()):
        n = torch.arange(grid[axis])
        u = torch.minimum(n, grid[axis] - n).double()  # the shorter way round
        shape = [-1 if a == axis else 1 for a in range(ndim)]
        degree = degree * torch.exp(-u.square() / (2 * xi**2)).reshape(shape)
    autocorrelation = torch.fft.ifftn(amplitudes(x, ndim).square())
    expected = torch.fft.fftn(autocorrelation * degree).real
    torch.testing.assert_close(blurred_intensity(x, widths, ndim=ndim), expected)


def test_each_item_has_its_own_blur_and_none_changes_nothing():
    x = random((7, 10), 3, 2, 3)
    widths = torch.rand(2, 3, 2, dtype=DOUBLE, generator=torch.Generator().manual_seed(0))
    widths[1, 2] = 0
    found = blurred_intensity(x, widths)
    for k in itertools.product(range(2), range(3)):
        torch.testing.assert_close(found[k], blurred_intensity(x[k], widths[k]))
    spectrum = torch.fft.fftn(x[1, 2])
    assert torch.equal(found[1, 2], spectrum.real.square() + spectrum.imag.square())
    assert blurred_intensity(x.to(torch.complex64), widths).dtype == torch.float32


@given(
    seed=st.integers(0, 2**31),
    shift=st.tuples(st.integers(-9, 9), st.integers(-9, 9)),
    flipped=st.booleans(),
    phase=st.floats(-3, 3),
)
def test_symmetries_leave_the_blurred_pattern(seed, shift, flipped, phase):
    x, widths = random((9, 8), seed), torch.tensor([0.7, 0.3], dtype=DOUBLE)
    turned = symbreak.apply_symmetry(
        x, shift=torch.tensor(shift), flipped=torch.tensor(flipped), phase=phase, wrap=True
    )
    expected = blurred_intensity(x, widths)
    torch.testing.assert_close(blurred_intensity(turned, widths), expected, rtol=1e-9, atol=1e-9)


@given(seed=st.integers(0, 2**31), width=st.floats(0, 2))
def test_blur_keeps_every_count_and_lowers_the_peak(seed, width):
    x = random((9, 8), seed)
    sharp, found = amplitudes(x).square(), blurred_intensity(x, torch.tensor([width, width]))
    torch.testing.assert_close(found.sum(), sharp.sum())
    assert found.max() <= sharp.max() * (1 + 1e-12)
    assert found.min() >= 0


def test_the_best_start_comes_with_its_blur():
    x = torch.nn.functional.pad(crystals(3, 8, 1), (4, 4, 4, 4))
    a = blurred_intensity(x, torch.tensor([0.4, 0.2])).sqrt()
    valid = torch.ones(16, 16, dtype=torch.bool)
    found = reconstruct(a, "20*HIO+10*ER", starts=4, every=5)
    for mask in (None, valid):
        best = found.best(valid=mask)
        assert type(best).__name__ == "PartlyCoherent"
        assert all(map(torch.equal, best.found, found.found.best(valid=mask)))
        assert best.blur.shape == (3, 2)
        for k in range(3):
            same = (found.found.object[k] == best.found.object[k]).all((-2, -1))
            assert torch.equal(best.blur[k], found.blur[k, int(same.nonzero()[0])])
    with pytest.raises(ValueError, match=r"PartlyCoherent.best: there is no axis of starts"):
        reconstruct(a[0], "ER").best().best()


def test_the_coherence_length_goes_both_ways():
    widths = torch.tensor([[0.5, 0.0], [2.0, 0.25]], dtype=DOUBLE)
    lengths = coherence_length(widths, (96, 64))
    expected = [[96 / math.pi, math.inf], [24 / math.pi, 128 / math.pi]]
    torch.testing.assert_close(lengths, torch.tensor(expected, dtype=DOUBLE))
    torch.testing.assert_close(coherence_length(lengths, (96, 64)), widths)


@pytest.mark.parametrize("grid", [96, (96,), (96.0, 64.0), ("a", "b"), (96, 0), None])
def test_a_coherence_length_is_of_a_grid(grid):
    with pytest.raises(ValueError, match="grid must have the 2 axes of blur, integers >= 1, got"):
        coherence_length(torch.ones(2), grid)


def test_no_blur_is_below_zero():
    with pytest.raises(ValueError, match="coherence_length: blur must be >= 0"):
        coherence_length(torch.tensor([0.5, -0.5]), (96, 64))


def test_what_the_starts_are_held_to_is_its_formula():
    x = random((7, 10), 4, 4)  # two items, two starts
    a = 1e3 * torch.rand(2, 7, 10, dtype=DOUBLE, generator=torch.Generator().manual_seed(1))
    measured = a > 100
    variances = torch.tensor([[0.1, 0.5], [0.0, 0.0], [0.3, 0.2], [0.01, 0.0]], dtype=DOUBLE)
    given = a.where(measured, torch.nan)
    held, errors = Target(given, measured, 2).corrected(x, variances, fit=False)
    coherent = amplitudes(x)
    blurred = blurred_intensity(x, variances.sqrt())
    each = a.where(measured, 0).repeat_interleave(2, 0)
    torch.testing.assert_close(held, coherent * (each.square() / blurred).sqrt())
    missed = (blurred.sqrt() - each).where(measured.repeat_interleave(2, 0), 0)
    expected = missed.square().sum((1, 2)) / each.square().sum((1, 2))
    torch.testing.assert_close(errors, expected.sqrt())
    torch.testing.assert_close(Target(given, measured, 2).errors(x, variances), errors)


@pytest.mark.parametrize("grid", [(7, 10), (6, 5, 4)])
@pytest.mark.parametrize("at_once", [2, 3, 5, 9])
def test_images_corrected_together_are_those_corrected_alone(grid, at_once):
    ndim = len(grid)
    x = random(grid, 5, 6)  # three items, two starts
    a = torch.rand(3, *grid, dtype=DOUBLE, generator=torch.Generator().manual_seed(1)) + 0.1
    a = a * torch.tensor([1.0, 1e3, 1e-3]).reshape(-1, *[1] * ndim)
    measured = a > 0.2 * a.amax(tuple(range(1, ndim + 1)), keepdim=True)
    x[3] = 0
    results = []
    for count in (1, at_once):
        target = Target(a, measured, 2, count)
        variances = torch.linspace(0.01, 1, 6 * ndim, dtype=DOUBLE).reshape(6, ndim)
        held, errors = target.corrected(x, variances, fit=True)
        results.append([held, errors, target.errors(x, variances), variances])
    for alone, together in zip(*results, strict=True):
        torch.testing.assert_close(together, alone, rtol=1e-10, atol=1e-12)
    assert torch.equal(results[1][0][3], a[1].where(measured[1], 0))


def test_without_a_blur_dark_pixels_keep_every_digit():
    steep = torch.logspace(0, -12, 64).reshape(8, 8)  # amplitudes: far beyond single precision
    x = torch.fft.ifftn(steep * torch.exp(1j * torch.arange(64.0).reshape(8, 8)))[None]
    target = Target(steep[None], torch.ones(1, 8, 8, dtype=torch.bool), 1)
    held, _ = target.corrected(x, torch.zeros(1, 2, dtype=DOUBLE), fit=False)
    assert torch.equal(held[0], steep)


def test_an_object_that_is_zero_is_held_to_what_was_measured():
    a = torch.rand(1, 6, 6, generator=torch.Generator().manual_seed(2)) + 0.1
    target = Target(a, torch.ones(1, 6, 6, dtype=torch.bool), 1)
    variances = torch.full((1, 2), 0.1, dtype=DOUBLE)
    nothing = torch.zeros(1, 6, 6, dtype=torch.complex64)
    held, errors = target.corrected(nothing, variances, fit=True)
    assert torch.equal(held, a)
    torch.testing.assert_close(errors, torch.ones(1))
    assert torch.equal(variances, torch.full((1, 2), 0.1, dtype=DOUBLE))


@pytest.mark.parametrize("grid", [(24, 20), (16, 12, 14)])
@pytest.mark.parametrize("unit", [1.0, 1e-15, 1e12])
@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE])
def test_the_widths_of_the_true_object_are_found(grid, unit, dtype):
    ndim = len(grid)
    x, _ = objects(2, grid, generator=torch.Generator().manual_seed(5))
    true = torch.tensor([[0.3, 0.7, 0.5], [0.0, 0.4, 0.9]], dtype=DOUBLE)[:, :ndim]
    a = (unit * blurred_intensity(x, true, ndim=ndim).sqrt()).to(dtype)
    measured = torch.rand(a.shape, generator=torch.Generator().manual_seed(6)) > 0.1
    target = Target(a.where(measured, torch.nan), measured, 1)
    variances = torch.full_like(true, 0.0025)
    scaled = (unit * x).to(torch.complex(a, a).dtype)
    for _ in range(12):
        target.corrected(scaled, variances, fit=True)
    torch.testing.assert_close(variances.sqrt(), true, rtol=0.02, atol=0.05)
    _, errors = target.corrected(scaled, variances, fit=True)
    assert errors.max() < 2e-3


def test_a_step_is_the_least_squares_solution():
    x = random((12, 10), 7)
    a = amplitudes(random((12, 10), 8)).round()
    measured = torch.rand(a.shape, generator=torch.Generator().manual_seed(9)) > 0.2
    begun = torch.tensor([0.4, 0.3], dtype=DOUBLE)

    def blurred(variances):
        return blurred_intensity(x, variances.sqrt())

    h = 1e-5
    slopes = torch.stack(
        [
            (blurred(begun + h * e) - blurred(begun - h * e)) / (2 * h)
            for e in torch.eye(2, dtype=DOUBLE)
        ],
        -1,
    )
    above = a[(a > 0) & measured]
    count = above.sort().values[int(0.01 * len(above)) - 1 if len(above) >= 200 else 0]
    root = (a.square() + DARK * count.square()).rsqrt().where(measured, 0)
    matrix = (slopes * root[..., None]).reshape(-1, 2)
    rest = (root * (a.square() - blurred(begun))).reshape(-1, 1)
    step = torch.linalg.lstsq(matrix, rest).solution[:, 0].clamp(-0.5, 0.5)
    variances = begun[None].clone()
    Target(a[None], measured[None], 1).corrected(x[None], variances, fit=True)
    expected = (begun + step).clamp(0, WIDEST**2)
    torch.testing.assert_close(variances[0], expected, rtol=1e-4, atol=1e-6)


def by_formula(x, support, a, measured, schedule, widths, rule, first, every):
    """One image with a known blur: the reference's iterations, held to corrected amplitudes."""
    steps = [name for name, count in schedule for _ in range(count)]
    target, errors = a, []
    for k in range(0, len(steps), every):
        if k >= first:
            inside = x.where(support, 0)
            blurred = blurred_intensity(inside, widths)
            errors.append(((blurred.sqrt() - a)[measured]).norm() / a[measured].norm())
            target = amplitudes(inside) * (a.square() / blurred).sqrt()
        piece = [(name, 1) for name in steps[k : k + every]]
        part = (k, len(steps) - k - len(piece))
        x, support, _, _ = phase_image(x, support, target, measured, piece, 0.9, rule, part, 0)
    blurred = blurred_intensity(x.where(support, 0), widths)
    errors.append(((blurred.sqrt() - a)[measured]).norm() / a[measured].norm())
    return x, support, errors


@pytest.mark.parametrize("grid", [(24, 24), (15, 22)])
def test_the_phasing_equals_the_reference(device, generator, grid):
    truth, inside = objects(2, grid, generator=generator)
    widths = torch.tensor([[0.3, 0.5], [0.6, 0.0]], dtype=DOUBLE)
    a = blurred_intensity(truth, widths).sqrt()
    a = a * (1 + 0.05 * torch.rand(a.shape, dtype=DOUBLE, generator=generator))
    valid = torch.rand(a.shape, generator=generator) > 0.1
    phases = 6 * torch.rand(a.shape, dtype=DOUBLE, generator=generator)
    initial = torch.fft.ifftn(torch.polar(a, phases), dim=(-2, -1))
    rule = Shrinkwrap(every=3, sigma=1.0, sigma_min=0.5, decay=0.8, area=(0.4, 0.2))
    schedule = [("ER", 5), ("HIO", 7), ("ER", 2)]
    done = reconstruct(
        a.where(valid, torch.nan).to(device), schedule, blur=widths[:, None].to(device), first=4,
        every=2, valid=valid.to(device), support=inside.to(device), initial=initial.to(device),
        shrinkwrap=rule,
    )  # fmt: skip
    assert torch.equal(done.blur.cpu(), widths[:, None])
    for k in range(2):
        x, support, errors = by_formula(
            initial[k], inside, a[k].where(valid[k], 0), valid[k], schedule, widths[k], rule, 4, 2
        )
        assert torch.equal(done.found.support[k, 0].cpu(), support)
        assert relative(done.found.object[k].cpu(), x[None]) < 1e-8
        torch.testing.assert_close(done.found.error[k, 0].cpu(), errors[-1])
        # The first entry is that of the coherent iterations before the first correction.
        assert done.found.history.shape == (2, 1, 7)
        torch.testing.assert_close(done.found.history[k, 0, 1:].cpu(), torch.stack(errors))


def test_without_blur_it_is_the_coherent_phasing(device, generator):
    truth, inside = objects(2, (20, 24), generator=generator)
    a = amplitudes(truth).to(device)
    options = {"support": inside.to(device), "shrinkwrap": None, "starts": 2, "seed": 3}
    expected = symbreak.reconstruct(a, "25*ER", record_every=5, **options)
    zero = torch.zeros(2, dtype=DOUBLE, device=device)
    done = reconstruct(a, "25*ER", blur=zero, first=5, every=5, **options)
    assert relative(done.found.object.flatten(0, 1), expected.object.flatten(0, 1)) < 1e-9
    torch.testing.assert_close(done.found.error, expected.error)
    torch.testing.assert_close(done.found.history, expected.history)
    # A schedule that ends before the first correction is the coherent one to the last bit.
    short = reconstruct(a, "25*ER", first=30, every=5, **options)
    assert torch.equal(short.found.object, expected.object)
    assert torch.equal(short.found.history, expected.history)


@pytest.fixture(scope="module")
def blurred():
    """Crystals, such that |F x|^2 are a million counts, and what is counted after a blur."""
    few = CrystalSettings(defects=(0, 2), cores="frame")
    x = torch.nn.functional.pad(crystals(4, 32, seed=0, settings=few), (0, 32, 0, 32))
    x = x * (1e6 / amplitudes(x).double().square().sum((1, 2), keepdim=True)).sqrt().float()
    true = torch.tensor([0.8, 0.5], dtype=DOUBLE)
    return x, true, poisson_amplitude(blurred_intensity(x, true).sqrt(), 1e6)


def test_blurred_crystals_are_found_and_their_blur(device, blurred):
    x, true, a = (y.to(device) for y in blurred)
    plain, done = symbreak.reconstruct(a, starts=6), reconstruct(a, starts=6)
    distances = []
    for found in (plain, done.found):
        best = found.best()
        many = symbreak.sa_mse(best.object * best.support, x, wrap=True, reduction="none")
        distances.append(many / x.abs().square().mean((1, 2)))
    # About half as far; rounding, hence the number of threads, moves the mean of four by a tenth.
    assert distances[1].mean() < 0.75 * distances[0].mean()
    assert done.found.best().error.mean() < 0.9 * plain.best().error.mean()
    best = done.found.error.argmin(1)
    widths = done.blur[torch.arange(4, device=best.device), best]
    torch.testing.assert_close(widths.median(0).values, true, atol=0.25, rtol=0)


def test_a_start_depends_on_itself_alone(device, blurred):
    # On a GPU but for rounding, as the plans of cuFFT and the kernels of the solver go by how many
    # images there are. HIO makes it grow: in single precision to a tenth of the object.
    def same(mine, theirs):
        if device == "cpu":
            return torch.equal(mine, theirs)
        if mine.dtype == torch.bool:
            return (mine != theirs).float().mean() < 1e-3
        return (mine - theirs).norm() < 1e-4 * theirs.norm()

    a = blurred[2][:2].to(device, DOUBLE if device == "cuda" else torch.float32)
    schedule, options = "20*ER+30*HIO", {"first": 10, "every": 5}
    seed = torch.tensor([4, 9])
    whole = reconstruct(a, schedule, starts=3, seed=seed, **options)
    later = reconstruct(a[1], schedule, starts=2, first_start=1, seed=9, **options)
    for mine, all_of_them in zip(later.found, whole.found, strict=True):
        assert same(mine, all_of_them[1, 1:])
    assert same(later.blur, whole.blur[1, 1:])
    assert whole.blur.shape == (2, 3, 2)


class Refused(TorchDispatchMode):
    """Ends what CUDA does not do under torch.use_deterministic_algorithms(True)."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        assert name not in ("mm", "bmm", "addmm", "baddbmm", "mv", "dot", "kthvalue"), name
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("grid", GRIDS)
def test_corrections_are_made_of_what_a_deterministic_gpu_does(device, grid):
    x = random(grid, 4, 2).to(device)
    a = amplitudes(random(grid, 5, 2), len(grid)).to(device)
    variances = torch.full((2, len(grid)), 0.1, dtype=DOUBLE, device=device)
    with Refused():
        target = Target(a, a > 0, 1, 2)
        target.corrected(x, variances, fit=True)
    assert variances.isfinite().all()


def test_the_dark_amplitude_on_a_gpu_is_that_on_the_cpu(generator):
    class OnGpu(torch.Tensor):
        device = torch.device("cuda")  # so it says

    a = torch.rand(30, 20, generator=generator) - 0.2
    with Refused():
        found = dark_amplitude(a.as_subclass(OnGpu))
    assert float(found) == float(dark_amplitude(a))


def test_units_of_the_amplitude_change_nothing_but_the_object(blurred):
    a = blurred[2][:2]
    options = {"starts": 2, "first": 10, "every": 5}
    one = reconstruct(a, "20*ER+20*HIO", **options)
    # The last goes almost to the end of single precision.
    for unit in (2.0**-40, 2.0**40, 2.0 ** (124 - math.floor(math.log2(float(a.max()))))):
        other = reconstruct(unit * a, "20*ER+20*HIO", **options)
        assert torch.equal(one.blur, other.blur)
        assert torch.equal(unit * one.found.object, other.found.object)
        assert torch.equal(one.found.history, other.found.history)


def test_progress_counts_every_iteration(blurred):
    told = []
    reconstruct(blurred[2][:2], "20*ER+23*HIO", starts=3, progress=lambda *done: told.append(done))
    assert told[0] == (0, 6 * 43)
    assert told[-1] == (6 * 43, 6 * 43)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_an_exception_of_the_progress_ends_it(blurred):
    def stop(done, total):
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reconstruct(blurred[2], progress=stop)


def test_empty_batches_and_volumes():
    none = reconstruct(torch.ones(0, 8, 8), "10*ER", starts=2, first=5, every=5)
    assert none.found.object.shape == (0, 2, 8, 8)
    assert none.blur.shape == (0, 2, 2)
    assert none.found.history.shape == (0, 2, 2)
    x = random((8, 8, 8), 1)
    a = amplitudes(x, 3).float()
    volume = reconstruct(a, "10*ER", first=5, every=5, ndim=3)
    assert volume.blur.shape == (1, 3)
    assert volume.found.object.shape == (1, 8, 8, 8)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"every": 0}, ValueError, "every must be at least 1, got 0"),
        ({"first": 15}, ValueError, "first must be a multiple of every = 10, got 15"),
        ({"first": 1.5}, TypeError, "first must be an integer, got 1.5"),
        ({"blur": 0.5}, TypeError, "blur must be a tensor, got 0.5"),
        ({"blur": torch.tensor([1, 1])}, TypeError, "blur must be floating point, got int64"),
        ({"blur": torch.ones(3)}, ValueError, r"blur must be broadcastable to \(1, 2\), got"),
        ({"blur": torch.tensor([-1.0, 0])}, ValueError, r"blur must be from 0 to 1e\+06 pixels"),
        ({"blur": torch.tensor([torch.nan, 0])}, ValueError, "blur must be from 0 to"),
        ({"blur": torch.tensor([1e30, 0])}, ValueError, "blur must be from 0 to"),
        ({"beta": 3.0}, ValueError, r"beta must be in \(0, 2\]"),
        ({"schedule": "3*XY"}, ValueError, "expected ER"),
    ],
)
def test_bad_arguments_give_one_line(options, error, message):
    with pytest.raises(error, match=message):
        reconstruct(torch.ones(8, 8), **options)


def test_rounding_cannot_make_the_correction_large(monkeypatch):
    x = random((6, 8), 1, 1)
    a = torch.rand(1, 6, 8, dtype=DOUBLE, generator=torch.Generator().manual_seed(1)) + 0.5
    variances = torch.tensor([[0.2, 0.3]], dtype=DOUBLE)
    peak = float(GaussianBlur(variances[0], (6, 8), DOUBLE).peak)
    impulse = torch.zeros(6, 8, dtype=DOUBLE)
    impulse[0, 0] = 1  # the kernel, and its value at 0
    blur = GaussianBlur(variances[0], (6, 8), DOUBLE)
    assert float(blur.blurred(impulse)[0][0, 0]) == pytest.approx(peak)
    target = Target(a, torch.ones(1, 6, 8, dtype=torch.bool), 1)
    dark = torch.full((6, 8), 1e-30, dtype=DOUBLE)
    monkeypatch.setattr(GaussianBlur, "blurred", lambda self, _: (dark[None].clone(), None))
    held, _ = target.corrected(x, variances, fit=False)
    torch.testing.assert_close(held, a / math.sqrt(peak))


def test_what_is_compared_with_the_data_is_blurred(device):
    x = random((12, 10), 2, 2)
    x[1] = x[0] + 0.05 * x[1]
    blur = torch.tensor([[0.3, 0.6], [0.7, 0.2]], dtype=DOUBLE)
    a = blurred_intensity(x[0], blur[0]).sqrt() + 0.1
    valid, free = torch.rand(2, 12, 10, generator=torch.Generator().manual_seed(3)) > 0.2
    free = valid & ~free
    given = (x, torch.ones(2, 12, 10, dtype=torch.bool), torch.tensor([0.1, 0.105]), a, valid)
    moved = [y.to(device) for y in given]
    found = compare_starts(*moved, blur=blur.to(device), free=free.to(device))
    seen = valid & ~free
    expected = blurred_intensity(x, blur)
    missed = (expected.sqrt() - a).abs()[:, seen].sum(1)
    torch.testing.assert_close(found.r_factor.cpu(), missed / a[seen].sum())
    counts, likely = a.square()[free], expected[:, free]
    above = (likely - counts + counts * (counts / likely).log()).mean(1)
    torch.testing.assert_close(found.free_log_likelihood.cpu(), above)
    assert bool(found.good.all())
    assert torch.equal(found.blur.cpu(), blur)
    of_mean = blurred_intensity(found.mean.cpu(), blur.mean(0)).sqrt()
    shell = (frequency_radius((12, 10)) * 10).round()
    of_shells = [
        of_mean[here].sum() / a[here].sum()
        for n in range(6)
        if bool((here := seen & (shell == n) & (frequency_radius((12, 10)) <= 0.5)).any())
    ]
    torch.testing.assert_close(found.transfer.transfer, torch.stack(of_shells))
    best = blurred_intensity(found.objects[found.best].cpu(), blur[found.best]).sqrt()
    if device == "cpu":  # the counts that are drawn are those of one machine
        drawn = torch.poisson(best.square(), generator=torch.Generator().manual_seed(0)).sqrt()
        chance = (best - drawn).abs()[seen].sum() / drawn[seen].sum()
        assert found.counting_r == pytest.approx(float(chance), rel=1e-3)
        n, c = drawn.square()[free], best.square()[free]
        above = (c - n + torch.special.xlogy(n, n / c)).mean()
        assert found.counting_free == pytest.approx(float(above), rel=1e-3)
