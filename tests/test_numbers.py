"""Counts, sizes and seeds: NumPy's integers do as Python's do; what is no whole number is named.

Small unsigned types, whose arithmetic wraps, show whether a number was made Python's at the door.
"""

from __future__ import annotations

import io
import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

import symbreak
from symbreak.data import (
    ArrayStack,
    CrystalSettings,
    beamstop,
    crystals,
    detector_gaps,
    poisson_amplitude,
    prepare_pattern,
)
from symbreak.data.files.vtk import write_vti
from symbreak.data.simulation.pairs import Simulation, write_pairs
from symbreak.experiments.scales import SCALES
from symbreak.experiments.square_root import SquareRoot
from symbreak.learning.datasets import make_pairs
from symbreak.learning.settings import TrainSettings
from symbreak.models import SiSPRNet, UNet
from symbreak.ops.numbers import integers, is_number, whole

U = np.uint8
X = torch.polar(torch.rand(3, 12, 12), torch.rand(3, 12, 12))
A = symbreak.fourier_amplitude(X)


def reconstruct(number, schedule="6*ER", **options):
    found = symbreak.reconstruct(
        A, schedule, shrinkwrap=symbreak.Shrinkwrap(every=number(2)), starts=number(2),
        first_start=number(255), seed=number(3), ndim=number(2), record_every=number(2), **options,
    )  # fmt: skip
    return found.object, found.support, found.history


def simulated(number):
    settings = CrystalSettings(defects=(number(1), number(2)), miller=number(2))
    return crystals(
        number(2), number(16), number(5), ndim=number(2), first=number(255), workers=number(1),
        settings=settings,
    )  # fmt: skip


def masks(number):
    shape = (number(200), number(200))
    gaps = detector_gaps(
        shape, module=number(90), gap=number(4), offset=number(7), axes=[number(1)]
    )
    return beamstop(shape, number(20), arm=number(3)), gaps


def prepared(number):
    frames = np.random.default_rng(0).poisson(20.0, (300, 300))
    found = prepare_pattern(
        ArrayStack(frames), center=(number(150), number(140)), shape=number(80), bins=number(2)
    )
    return torch.from_numpy(found.intensity), torch.from_numpy(found.mask)


def networks(number):
    torch.manual_seed(0)
    unet = UNet(number(16), (number(32), number(32)), depth=number(2), width=number(8))
    dense = SiSPRNet(number(16), stages=number(1), hidden=number(8), standardise=False).eval()
    amplitude = A[:, :1, :1].expand(3, 32, 32)
    return unet.eval()(amplitude), dense(amplitude)


SAME = {
    "center": lambda n: symbreak.center(X, ndim=n(2)),
    "break_symmetry": lambda n: symbreak.break_symmetry(X, tol=n(0), ndim=n(2)),
    "apply_symmetry": lambda n: (symbreak.apply_symmetry(X, phase=n(2), ndim=n(2)),),
    "align": lambda n: symbreak.align(X.flip(0), X, ndim=n(2)),
    "sa_mse": lambda n: (symbreak.sa_mse(X.flip(0), X, ndim=n(2)),),
    "oversampling": lambda n: (symbreak.fourier_amplitude(X, oversampling=n(3), ndim=n(2)),),
    "shape": lambda n: (symbreak.fourier_amplitude(X, shape=(n(25), n(26))),),
    "reconstruct": reconstruct,
    "steps": lambda n: reconstruct(n, [("ER", n(3)), ("HIO", n(2))], beta=n(1)),
    "crystals": lambda n: (simulated(n),),
    "noise": lambda n: (poisson_amplitude(A, n(200), n(3), ndim=n(2), first=n(255)),),
    "masks": masks,
    "prepare": prepared,
    "networks": networks,
}


# Those with a number that need not be whole, which a tensor is not taken for.
REAL = {"break_symmetry", "steps", "noise", "masks"}
KINDS = [(name, kind) for name in SAME for kind in (U, np.int64)]
KINDS += [(name, torch.tensor) for name in SAME if name not in REAL]


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_numbers_of_every_kind_give_the_same(name, kind):
    for given, expected in zip(SAME[name](kind), SAME[name](int), strict=True):
        torch.testing.assert_close(given, expected, rtol=0, atol=0, equal_nan=True)


def test_a_compiled_function_takes_them_too():
    function = torch.compile(
        lambda x: symbreak.fourier_amplitude(x, oversampling=3, ndim=2), backend="eager"
    )
    torch.testing.assert_close(function(X), symbreak.fourier_amplitude(X, oversampling=U(3)))


SWITCHES = {
    "center": lambda on: symbreak.center(X, wrap=on),
    "apply_symmetry": lambda on: (symbreak.apply_symmetry(X, shift=[1, 2], flipped=on, wrap=on),),
    "align": lambda on: symbreak.align(X.flip(0), X, wrap=on),
    "sa_mse": lambda on: (symbreak.sa_mse(X.flip(0), X, wrap=on),),
    "make_pairs": lambda on: make_pairs(X, broken=on)[0],
    "UNet": lambda on: UNet(8, width=1, skips=on).state_dict().values(),
    "channels": lambda on: UNet(8, width=1, complex_output=on).head.state_dict().values(),
    "SiSPRNet": lambda on: SiSPRNet(16, hidden=1, standardise=on).state_dict().values(),
}


@pytest.mark.parametrize("name", SWITCHES)
@pytest.mark.parametrize("on", [False, True])
def test_switches_of_numpy_do_as_those_of_python(name, on):
    found = []
    for value in (on, np.bool_(on)):
        torch.manual_seed(0)
        found.append(list(SWITCHES[name](value)))
    torch.testing.assert_close(*found, rtol=0, atol=0, equal_nan=True)


def test_no_progress_is_drawn_for_numpys_false(capsys):
    for shown in (np.False_, np.True_):
        symbreak.reconstruct(A, "ER", progress=shown)
        assert bool(capsys.readouterr().err) == bool(shown)


@pytest.mark.parametrize("name", sorted({*SWITCHES} - {"apply_symmetry"}))
@pytest.mark.parametrize("value", [1, "no", None, torch.tensor(True)])
def test_what_is_no_switch(name, value):
    with pytest.raises(TypeError, match=r"must be True or False, got (1|'no'|None|tensor.*)\.$"):
        SWITCHES[name](value)


R, T = np.float32, np.True_
SETTINGS = [
    CrystalSettings(
        area=(R(0.125), np.float64(0.25)), nonconvex=R(0.5), vertices=(U(5), U(9)),
        rounding=np.array([0.0, 0.25], "f4"), defects=[U(0), U(3)], miller=U(2),
        poisson_ratio=np.float16(0.25), rigid_phase=T,
    ),
    Simulation(size=U(128), seed=U(1), ndim=U(2), oversampling=U(2), photons=R(1e5),
               beamstop=R(2.5), gaps=(U(9), U(1))),
    TrainSettings(
        options={"width": U(16), "skips": T, "dropout": R(0.25)}, learning_rate=R(0.5),
        min_learning_rate=np.float64(0.25), factor=R(0.5), batch=U(200), seed=U(7), tf32=T,
    ),
    symbreak.Shrinkwrap(every=U(200), sigma=R(2.5), decay=R(0.5), area=(R(0.25), R(0.125))),
    SquareRoot(dense=U(200), learning_rate=R(0.25)),
    replace(SCALES["tiny"], sets=(U(8), U(200)), learning_rate=R(0.25), machine={"tf32": T}),
]  # fmt: skip


def parts(value):
    """All that a value consists of, itself included."""
    inner = value.values() if isinstance(value, dict) else value
    if isinstance(value, (dict, tuple, list)):
        return [value, *(part for item in inner for part in parts(item))]
    return [value]


@pytest.mark.parametrize("given", SETTINGS, ids=lambda given: type(given).__name__)
def test_settings_keep_numbers_of_python(given):
    values = asdict(given)
    assert {type(x) for x in parts(values)} <= {
        dict, tuple, list, str, bool, int, float, type(None),
    }  # fmt: skip
    file = io.BytesIO()
    torch.save(values, file)
    file.seek(0)
    assert torch.load(file, weights_only=True) == values
    again = json.loads(json.dumps(values))
    assert json.loads(json.dumps(asdict(type(given)(**again)))) == again


@pytest.mark.parametrize(
    ("settings", "name"),
    [(symbreak.Shrinkwrap, "area"), (CrystalSettings, "area"), (CrystalSettings, "rounding")],
)
def test_lists_arrays_and_tuples_are_the_same_settings(settings, name):
    pair = (0.125, 0.25)
    given = [settings(**{name: kind(pair)}) for kind in (tuple, list, np.array)]
    assert len({*given}) == 1


def test_settings_keep_the_values_they_are_given():
    crystal, simulation, training, shrinkwrap, _, scale = SETTINGS
    assert (crystal.area, crystal.rounding, crystal.rigid_phase) == ((0.125, 0.25), (0, 0.25), True)
    assert (simulation.measured_shape, simulation.beamstop) == ((256, 256), 2.5)
    assert training.options == {"width": 16, "skips": True, "dropout": 0.25}
    assert shrinkwrap.every * 2 == 400
    assert shrinkwrap.areas == [0.25, 0.125]
    assert scale.training("UNet", 8, "before").tf32 is True


@pytest.mark.parametrize("value", ["1", None, True, np.True_, 1j, torch.tensor(0.5)])
def test_what_is_no_number_in_settings(value):
    shown = True if value is np.True_ else value
    for make, name in (
        (TrainSettings, "factor"), (CrystalSettings, "nonconvex"), (symbreak.Shrinkwrap, "decay"),
    ):  # fmt: skip
        with pytest.raises((TypeError, ValueError), match=f"{name} must be ") as error:
            make(**{name: value})
        assert str(error.value).endswith(f"got {shown!r}.")


def test_pairs_are_written_with_them(tmp_path):
    for number in (U, int):
        simulation = Simulation(size=number(16), seed=number(1), oversampling=number(2))
        write_pairs(
            tmp_path / f"{number.__name__}.h5", "train", number(3), simulation, chunk=number(2)
        )
    assert (tmp_path / "uint8.h5").read_bytes() == (tmp_path / "int.h5").read_bytes()


def test_spacing_of_a_volume(tmp_path):
    for k, spacing in enumerate((2, U(2), np.float32(2))):
        write_vti(tmp_path / f"{k}.vti", {"x": np.zeros((4, 5), np.float32)}, spacing=spacing)
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


@pytest.mark.parametrize(
    "value", [2.0, np.float64(2), "2", None, True, np.True_, np.array([2]), torch.tensor(True)]
)
def test_what_is_no_whole_number(value):
    assert whole(value) is None
    for call, line in (
        (lambda: symbreak.reconstruct(A, starts=value), "reconstruct: starts must be an integer"),
        (lambda: symbreak.Shrinkwrap(every=value), "Shrinkwrap: every must be an integer, got "),
        (lambda: symbreak.center(X, ndim=value), "center: ndim must be the integer 2 or 3, got "),
        (lambda: crystals(value), "crystals: count must be an integer >= 0, got "),
        (lambda: UNet(16, width=value), "UNet: width must be an integer >= 1, got "),
        (lambda: TrainSettings(batch=value), "TrainSettings: batch must be an integer >= 1, got "),
    ):
        with pytest.raises((TypeError, ValueError)) as error:
            call()
        assert str(error.value).startswith(line)
        assert "\n" not in str(error.value)


def test_tensors_without_data_and_what_only_looks_like_numbers():
    assert whole(torch.empty((), dtype=torch.int64, device="meta")) is None
    assert integers(np.array([3, 4])) == [3, 4]
    assert integers(np.array([3.0, 4.0])) is None
    assert integers("34") is None
    assert integers((3, True)) is None
    assert [is_number(n) for n in (1, 2.5, np.float32(1), U(1))] == [True] * 4
    assert not any(is_number(n) for n in (True, np.True_, "1", 1j, None, np.ones(1)))
