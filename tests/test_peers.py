"""Beside programs that no one here wrote: cohere-core phases, scikit-image aligns, SciPy blurs,
VTK reads, xrayutilities turns circles.

cohere-core, scikit-image, VTK and xrayutilities are in the extra `peers`; the test of each is
skipped without it.
"""

import contextlib
import io

import numpy as np
import pytest

pytest.importorskip("scipy")

import scipy.ndimage
import torch
from conftest import SEED

import symbreak
from symbreak.data import crystals
from symbreak.data.files.vtk import write_vti, write_vts
from symbreak.geometry import Circle, Instrument, Reflection
from symbreak.geometry.circles import AXES

N, M = 32, 64
BETA = 0.9


def peer(name, package):
    return pytest.importorskip(
        name,
        reason=f"{package} is not installed: pip install 'symbreak[peers]'",
        exc_type=ImportError,
    )


class Cohere:
    """cohere-core's own loop on one pattern; it reads files and takes no random numbers of ours.

    Its transforms run the other way round, so it is given the conjugate start and its iterate is
    conjugated; it divides that by its maximum.
    """

    def __init__(self, folder, amplitude, start, support):
        self.phasing = peer("cohere_core.controller.phasing", "cohere-core")
        self.folder = folder
        np.save(folder / "data.npy", np.fft.fftshift(amplitude.numpy()))
        np.save(folder / "image.npy", start.conj().resolve_conj().numpy())
        np.save(folder / "support.npy", support.numpy().astype(np.float64))

    def run(self, schedule, **settings):
        settings |= {"algorithm_sequence": schedule, "hio_beta": BETA}
        with contextlib.redirect_stdout(io.StringIO()):
            self.phasing.set_lib_from_pkg("np")
            loop = self.phasing.Rec(settings, str(self.folder / "data.npy"), "np", debug=True)
            loop.init_dev(-1)
            loop.init_iter_loop(str(self.folder))
            loop.iterate()
        image = torch.as_tensor(loop.ds_image).conj().resolve_conj()
        return image, torch.as_tensor(np.asarray(loop.support)) > 0


def problem(seed=SEED):
    """A crystal of up to three dislocations, its noise-free pattern, a start and a loose box."""
    settings = symbreak.data.CrystalSettings(defects=(1, 3))
    x = crystals(1, N, seed, settings=settings)[0].to(torch.complex128)
    truth = torch.nn.functional.pad(x, (0, M - N, 0, M - N))
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn(M, M, dtype=torch.complex128, generator=generator)
    inside = torch.zeros(M, M, dtype=torch.bool)
    inside[:N, :N] = True
    return truth, symbreak.fourier_amplitude(x), start, inside


def scaled(x):
    return x / x.abs().max()


@pytest.mark.parametrize("schedule", ["30*ER", "6*HIO", "2*ER+4*HIO+2*ER"])
def test_the_iterates_of_cohere(tmp_path, schedule):
    _, amplitude, start, inside = problem()
    theirs, _ = Cohere(tmp_path, amplitude, start, inside).run(schedule)
    options = {"support": inside, "initial": start, "shrinkwrap": None, "beta": BETA}
    ours = symbreak.reconstruct(amplitude, schedule, **options).object[0]
    torch.testing.assert_close(scaled(ours), theirs, rtol=0, atol=1e-10)


def test_cohere_finds_the_same_crystal(tmp_path):
    schedule, starts = "3*(20*ER+180*HIO)+60*ER", 4
    # Always the same crystal: with others now one, now the other program stagnates from all starts.
    seed = 1
    truth, amplitude, start, inside = problem(seed)
    power = truth.abs().square().mean()

    def apart(a, b):
        """Squared distance up to the symmetries and a factor, which cohere does not keep."""
        a, b = (x * (power / x.abs().square().mean()).sqrt() for x in (a, b))
        return float(symbreak.sa_mse(a, b, wrap=True) / power)

    runs = []
    for k in range(starts):
        cohere = Cohere(tmp_path, amplitude, start * torch.exp(0.5j * k * start.real), inside)
        image, support = cohere.run(
            schedule,
            shrink_wrap_trigger=[20, 20],
            shrink_wrap_type="GAUSS",
            shrink_wrap_threshold=0.2,
            shrink_wrap_gauss_sigma=1.0,
        )
        misfit = torch.fft.fftn(image * support).abs()
        misfit = scaled(misfit) - scaled(amplitude)
        runs.append((float(misfit.norm()), image * support))
    theirs = min(runs, key=lambda run: run[0])[1]

    rule = symbreak.Shrinkwrap(every=20, sigma=1.0, sigma_min=1.0, threshold=0.2)
    best = symbreak.reconstruct(
        amplitude, schedule, beta=BETA, support=inside, shrinkwrap=rule, starts=starts, seed=seed
    ).best()
    ours = best.object * best.support
    assert apart(ours, truth) < 1e-3
    assert apart(theirs, truth) < 1e-3
    assert apart(ours, theirs) < 1e-3


@pytest.mark.parametrize("wrap", [True, False])
@pytest.mark.parametrize("ndim", [2, 3])
def test_scikit_image_finds_the_same_shifts(wrap, ndim):
    registration = peer("skimage.registration", "scikit-image")
    generator = torch.Generator().manual_seed(SEED)
    size = 24 if ndim == 2 else 12
    x = torch.zeros((size,) * ndim, dtype=torch.complex128)
    box = tuple(slice(size // 4, 3 * size // 4) for _ in range(ndim))
    x[box] = torch.randn(x[box].shape, dtype=torch.complex128, generator=generator)
    # Circular shifts are found modulo the size; others keep the content in the window.
    reach = size // 2 if wrap else size // 4
    for _ in range(8):
        shift = torch.randint(1 - reach, reach, (ndim,), generator=generator)
        reference = symbreak.apply_symmetry(x, shift=shift, wrap=wrap, ndim=ndim)
        theirs, _, _ = registration.phase_cross_correlation(reference.numpy(), x.numpy())
        found = symbreak.align(x, reference, wrap=wrap, ndim=ndim)
        assert not found.flipped
        np.testing.assert_array_equal(found.shift, theirs)
        np.testing.assert_array_equal(found.shift, shift)
        assert found.sa_mse < 1e-24


@pytest.mark.parametrize(("grid", "ndim"), [((16, 24), 2), ((13, 31), 2), ((16, 18, 20), 3)])
def test_the_support_is_where_scipys_blur_is_bright(grid, ndim):
    # One update after the first iteration: the second iterate is the last and has no update.
    generator = torch.Generator().manual_seed(SEED)
    x = torch.randn(grid, dtype=torch.complex128, generator=generator)
    amplitude = torch.fft.fftn(x).abs()
    options = {"support": torch.ones(1, 1, dtype=torch.bool), "ndim": ndim}
    first = symbreak.reconstruct(amplitude, "ER", shrinkwrap=None, **options).object[0]
    # truncate: the Gaussian as far as float64 sees it
    blurred = scipy.ndimage.gaussian_filter(first.abs().numpy(), 1.7, mode="wrap", truncate=9)
    expected = blurred > blurred.mean()
    threshold = float(blurred.mean() / blurred.max())
    rule = symbreak.Shrinkwrap(every=1, sigma=1.7, sigma_min=0, threshold=threshold)
    found = symbreak.reconstruct(amplitude, "2*ER", shrinkwrap=rule, **options).support[0]
    assert 0.2 < expected.mean() < 0.8
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("shape", [(20, 23), (32, 32)])
def test_numpy_sees_the_same_amplitude(shape, generator):
    x = torch.randn(2, 10, 12, dtype=torch.complex128, generator=generator)
    expected = np.abs(np.fft.fft2(x.numpy(), s=shape))
    found = symbreak.fourier_amplitude(x, shape=shape)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", [(5, 7), (4, 5, 6)])
def test_vtk_reads_what_export_writes(tmp_path, shape):
    """The reader of VTK, the library that ParaView is built on."""
    reader = peer("vtkmodules.vtkIOXML", "vtk").vtkXMLImageDataReader()
    rng = np.random.default_rng(3)
    arrays = {
        "amplitude": rng.random(shape).astype(np.float32),
        "phase": rng.normal(size=shape),
        "support": (rng.random(shape) > 0.5).astype(np.uint8),
    }
    spacing = tuple(0.5 + axis for axis in range(len(shape)))
    write_vti(tmp_path / "a.vti", arrays, spacing=spacing)
    reader.SetFileName(str(tmp_path / "a.vti"))
    reader.Update()
    assert reader.GetErrorCode() == 0
    image = reader.GetOutput()
    # VTK counts x first: the last axis of an array.
    assert image.GetDimensions()[: len(shape)] == shape[::-1]
    assert image.GetSpacing()[: len(shape)] == spacing[::-1]
    assert image.GetPointData().GetScalars().GetName() == "amplitude"
    for name, array in arrays.items():
        values = image.GetPointData().GetArray(name)
        for point in np.ndindex(*shape):
            index = (*point[::-1], 0)[:3]
            assert values.GetValue(image.ComputePointId(index)) == array[point]


def test_vtk_reads_vectors_and_tensors(tmp_path):
    reader = peer("vtkmodules.vtkIOXML", "vtk").vtkXMLImageDataReader()
    rng = np.random.default_rng(5)
    shape, path = (3, 4, 5), tmp_path / "a.vti"
    arrays = {"a": rng.random(shape), "u": rng.random((*shape, 3)), "e": rng.random((*shape, 6))}
    write_vti(path, arrays)
    reader.SetFileName(str(path))
    reader.Update()
    assert reader.GetErrorCode() == 0
    data = reader.GetOutput().GetPointData()
    assert data.GetScalars().GetName() == "a"
    assert [data.GetArray("u").GetComponentName(k) for k in range(3)] == ["x", "y", "z"]
    assert data.GetArray("e").GetComponentName(4) == "yz"
    for number, point in enumerate(np.ndindex(*shape)):
        assert data.GetArray("u").GetTuple(number) == tuple(arrays["u"][point])
        assert data.GetArray("e").GetTuple(number) == tuple(arrays["e"][point])


def test_vtk_reads_a_skewed_grid(tmp_path):
    reader = peer("vtkmodules.vtkIOXML", "vtk").vtkXMLStructuredGridReader()
    rng = np.random.default_rng(4)
    shape = (3, 4, 5)
    strain, support = rng.normal(size=shape).astype(np.float32), rng.random(shape) > 0.5
    place = rng.normal(size=(*shape, 3))
    path = tmp_path / "a.vts"
    write_vts(path, {"strain": strain, "support": support.astype(np.uint8)}, place)
    reader.SetFileName(str(path))
    reader.Update()
    assert reader.GetErrorCode() == 0
    grid = reader.GetOutput()
    dimensions = [0, 0, 0]
    grid.GetDimensions(dimensions)
    assert tuple(dimensions) == shape[::-1]
    assert grid.GetPointData().GetScalars().GetName() == "strain"
    for number, point in enumerate(np.ndindex(*shape)):  # x runs first in VTK too
        np.testing.assert_allclose(grid.GetPoint(number), place[point], rtol=1e-6)
        assert grid.GetPointData().GetArray("strain").GetValue(number) == strain[point]
        assert grid.GetPointData().GetArray("support").GetValue(number) == support[point]


def test_xrayutilities_looks_at_the_same_places():
    """Its Q of every pixel and frame, by differences; it takes h c from CODATA of its own."""
    experiment = peer("xrayutilities.experiment", "xrayutilities")
    rng = np.random.default_rng(SEED)
    scanned = 0
    for _ in range(24):
        detector = tuple(Circle(n, rng.choice(AXES[:4]), rng.uniform(-60, 60)) for n in "dg")
        sample = tuple(Circle(n, rng.choice(AXES), rng.uniform(-90, 90)) for n in "tcp")
        moved = rng.choice([c.name for c in sample])
        columns = rng.choice(["x+", "x-"])
        ours = Instrument(
            energy=8.5,
            distance=0.7,
            pixel=(75e-6, 55e-6),
            columns=columns,
            detector=detector,
            sample=sample,
            scan=moved,
            step=0.004,
        )
        theirs = experiment.QConversion(
            [str(c.axis) for c in sample], [str(c.axis) for c in detector], [0, 0, 1], en=8500.0
        )
        theirs.init_area(
            "y-",
            columns,
            cch1=8,
            cch2=8,
            Nch1=16,
            Nch2=16,
            distance=0.7,
            pwidth1=75e-6,
            pwidth2=55e-6,
        )
        angles = [
            c.angle + np.array([-0.004, 0, 0.004]) * (c.name == moved) for c in (*sample, *detector)
        ]
        found = np.array(theirs.area(*angles, deg=True)) * 10  # their unit is 1/angstrom
        turn = [c.angle for c in sample]

        def seen(frame, row, column, found=found, theirs=theirs, turn=turn):
            return theirs.transformSample2Lab(found[:, frame, row, column], *turn)

        steps = [
            (seen(2, 8, 8) - seen(0, 8, 8)) / 2,
            (seen(1, 9, 8) - seen(1, 7, 8)) / 2,
            (seen(1, 8, 9) - seen(1, 8, 7)) / 2,
        ]
        try:
            grid = ours.reciprocal()
        except ValueError:
            assert np.linalg.svd(np.array(steps))[1][-1] < 1e-6
            continue
        scanned += 1
        np.testing.assert_allclose(grid.center, seen(1, 8, 8), atol=1e-5)
        np.testing.assert_allclose(grid.steps, steps, atol=1e-8)
        cube = np.ones((4, 4, 4), complex)
        in_sample = Reflection(cube, cube != 0, grid, sample).q  # the frame that theirs is in
        np.testing.assert_allclose(in_sample, found[:, 1, 8, 8], atol=1e-5)
    assert scanned > 12
