"""What the docstrings of the API pages say is raised is raised, each of it, in one line."""

from __future__ import annotations

import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from docstrings import public, sections
from test_bad_input import CASES
from torch.autograd import forward_ad

import symbreak
from symbreak import Reconstruction, Shrinkwrap, data, plotting
from symbreak.coherence import PartlyCoherent, blurred_intensity, coherence_length
from symbreak.coherence import reconstruct as partly_coherent
from symbreak.cross_validation import cross_validated_error, ranking
from symbreak.data.detector.pattern_file import write_pattern
from symbreak.data.detector.patterns import read_pattern
from symbreak.data.files.cxi import Phasing, read_cxi, write_cxi
from symbreak.data.files.reflections import read_reflection
from symbreak.data.files.vtk import write_vti, write_vts
from symbreak.data.simulation.pairs import Simulation, write_pairs
from symbreak.evaluation import compare_starts
from symbreak.geometry import (
    Circle,
    Instrument,
    ReciprocalGrid,
    Reflection,
    crystal_mask,
    displacement,
    displacement_vector,
    halves_strain_error,
    instrument_file,
    match_reflections,
    orthogonal,
    read_instrument,
    strain,
    strain_spread,
    strain_tensor,
)
from symbreak.halves import compare_halves
from symbreak.learning.datasets import Pairs, make_pairs
from symbreak.learning.evaluate import compare, embed, evaluate, predict
from symbreak.learning.file_pairs import FilePairs
from symbreak.learning.networks import build_network, load_network
from symbreak.learning.positions import InPositions
from symbreak.learning.rotated_pairs import RotatedPairs
from symbreak.learning.settings import TrainSettings
from symbreak.learning.turned_pairs import TurnedPairs
from symbreak.models import SiSPRNet, UNet
from symbreak.shells import fourier_shell_correlation
from symbreak.subpixel import refine, shift_by
from symbreak.supports import best_of, choose, next_rule, phase_trial
from symbreak.transfer import (
    counting_log_likelihood,
    counting_r_factor,
    r_factor,
    transfer_function,
)

pytest.importorskip("lightning")  # a page shows the training too

PUBLIC = public()
X = torch.ones(2, 8, 8, dtype=torch.complex64)
A, V = torch.ones(8, 8), torch.ones(8, 8, dtype=torch.bool)
MANY = X[:1].expand(10**10, 8, 8)  # 5 TB without taking any
STACK = data.ArrayStack(np.ones((64, 64)))
STARTS = {"objects": X, "supports": V.expand(2, 8, 8), "error": torch.ones(2)}
STARTS |= {"amplitude": A, "valid": V}
FOUND = Phasing(X[0].numpy(), V.numpy(), 0.1, {}, "0")
NET = build_network("UNet", 8, 16, {"width": 1})
DENSE = SiSPRNet(16, hidden=1)
LEARNT = Pairs(torch.ones(2, 16, 16), X)
NOWHERE = Path("nowhere") / "a.h5"
BEAM = Instrument(9, 0.5, (1e-4, 1e-4))
BRAGG = ReciprocalGrid(np.eye(3) / 100, (20, 0, 0))
FEW = Reconstruction(X, V.expand(2, 8, 8), torch.ones(2), torch.ones(2, 0))
CUBE = np.ones((8, 8, 8), np.complex64)
TEXT = __file__


def backward(operator):
    x = X.clone().requires_grad_()
    operator(x)[0].abs().sum().backward()


def forward(operator):
    with warnings.catch_warnings(), forward_ad.dual_level():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch, about its own rules
        dual = forward_ad.make_dual(X, X)
        operator(dual)


def interrupted(done, total):
    raise KeyboardInterrupt


def fit(**changed):
    fit = pytest.importorskip("symbreak.learning.fit").fit
    given = {"settings": TrainSettings(), "train": LEARNT, "validation": LEARNT, "folder": NOWHERE}
    return fit(**{**given, **changed})


def module(**changed):
    module = pytest.importorskip("symbreak.learning.module")
    return module.PhaseRetrieval("UNet", [8, 8], [16, 16], changed)


def missing(library):
    """Something that needs a library, which is then not there."""

    def refused(call):
        with pytest.MonkeyPatch.context() as patch:
            for name in [n for n in sys.modules if n.startswith("symbreak.data.simulation.poly")]:
                patch.delitem(sys.modules, name)
            patch.setitem(sys.modules, library, None)
            call()

    return refused


def without_toml(call):
    """As on a Python without the module and without what it was made of."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(instrument_file.sys, "version_info", (3, 10))
        patch.setitem(sys.modules, "tomli", None)
        call()


def prepare(**changed):
    return data.prepare_pattern(**{"stack": STACK, "shape": 32, **changed})


def crystals_into(path=NOWHERE, **changed):
    return write_pairs(path, "train", 1, Simulation(**{"size": 8, **changed}))


# What the docstrings say is raised, beside what test_bad_input.py tries.
TRIED = {
    "symbreak.center": {RuntimeError: lambda: backward(symbreak.center)},
    "symbreak.break_symmetry": {RuntimeError: lambda: backward(symbreak.break_symmetry)},
    "symbreak.align": {RuntimeError: lambda: backward(lambda x: symbreak.align(x, X))},
    "symbreak.sa_mse": {
        MemoryError: lambda: symbreak.sa_mse(MANY, MANY),
        RuntimeError: lambda: forward(lambda x: symbreak.sa_mse(x, X)),
    },
    "symbreak.apply_symmetry": {RuntimeError: lambda: forward(symbreak.apply_symmetry)},
    "symbreak.fourier_amplitude": {RuntimeError: lambda: forward(symbreak.fourier_amplitude)},
    "symbreak.Reconstruction.best": {
        ValueError: lambda: Reconstruction(X[0], V, A[0, 0], A[0]).best(),
        TypeError: lambda: FEW.best(valid=1),
    },
    "symbreak.cross_validation.ranking": {
        TypeError: lambda: ranking(A, V, 1),
        ValueError: lambda: ranking(A[0], V[None], V),
    },
    "symbreak.reconstruct": {
        KeyboardInterrupt: lambda: symbreak.reconstruct(A, "ER", progress=interrupted),
        RuntimeError: lambda: backward(lambda x: symbreak.reconstruct(x.abs(), "ER")),
    },
    "symbreak.data.crystals": {
        ValueError: lambda: data.crystals(-1),
        TypeError: lambda: data.crystals(1, ndim=2.0),
        MemoryError: lambda: data.crystals(10**10),
        ImportError: lambda: missing("shapely")(lambda: data.crystals(1)),
    },
    "symbreak.data.CrystalSettings": {ValueError: lambda: data.CrystalSettings(miller=4)},
    "symbreak.data.poisson_amplitude": {
        TypeError: lambda: data.poisson_amplitude(A, "1"),
        ValueError: lambda: data.poisson_amplitude(-A, 1),
    },
    "symbreak.data.beamstop": {
        TypeError: lambda: data.beamstop((8, 8), "1"),
        ValueError: lambda: data.beamstop((8, 8), -1),
        MemoryError: lambda: data.beamstop((2**20, 2**20), 1),
    },
    "symbreak.data.detector_gaps": {
        ValueError: lambda: data.detector_gaps((8, 8), module=0, gap=1),
        MemoryError: lambda: data.detector_gaps((2**20, 2**20), module=1, gap=1),
    },
    "symbreak.data.find_center": {
        ValueError: lambda: data.find_center(np.zeros((8, 8))),
        ImportError: lambda: missing("scipy")(lambda: data.find_center(np.ones((8, 8)))),
    },
    "symbreak.data.ArrayStack": {
        TypeError: lambda: data.ArrayStack([[1]]),
        ValueError: lambda: data.ArrayStack(np.ones(8)),
    },
    "symbreak.data.prepare_pattern": {
        TypeError: lambda: prepare(stack=np.ones((64, 64))),
        ValueError: lambda: prepare(flat=0),
        MemoryError: lambda: prepare(shape=2**30),
        ImportError: lambda: missing("scipy")(prepare),
    },
    "symbreak.data.simulation.pairs.Simulation.valid": {
        TypeError: lambda: Simulation(beamstop="1").valid(),
        ValueError: lambda: Simulation(beamstop=-1).valid(),
        MemoryError: lambda: Simulation(size=2**30, beamstop=1).valid(),
    },
    "symbreak.data.simulation.pairs.write_pairs": {
        TypeError: lambda: write_pairs(NOWHERE, "train", 1, {}),
        ValueError: lambda: write_pairs(NOWHERE, "all", 1, Simulation()),
        MemoryError: lambda: crystals_into("a.h5", size=2**30, beamstop=1),
        ImportError: lambda: missing("shapely")(lambda: crystals_into("a.h5")),
        OSError: crystals_into,
    },
    "symbreak.data.detector.patterns.read_pattern": {
        ValueError: lambda: read_pattern("a.npy", values="counts"),
        TypeError: lambda: read_pattern(np.ones((8, 8))),
        OSError: lambda: read_pattern("nowhere.h5"),
        data.files.arrays.DataError: lambda: read_pattern(TEXT),
    },
    "symbreak.data.detector.pattern_file.write_pattern": {
        OSError: lambda: write_pattern(NOWHERE, prepare(), title="", version="0")
    },
    "symbreak.data.files.cxi.write_cxi": {
        TypeError: lambda: write_cxi("a.cxi", replace(FOUND, object=X[0])),
        ValueError: lambda: write_cxi("a.cxi", replace(FOUND, starts={"error": np.ones(2)})),
        OSError: lambda: write_cxi(NOWHERE, FOUND),
    },
    "symbreak.data.files.cxi.read_cxi": {
        OSError: lambda: read_cxi(NOWHERE),
        data.files.arrays.DataError: lambda: read_cxi(TEXT),
    },
    "symbreak.data.files.vtk.write_vti": {
        TypeError: lambda: write_vti("a.vti", {"x": X}),
        ValueError: lambda: write_vti("a.vti", {"x": np.ones((8, 8), "f2")}),
        OSError: lambda: write_vti(NOWHERE, {"x": np.ones((8, 8))}),
    },
    "symbreak.data.files.vtk.write_vts": {
        TypeError: lambda: write_vts("a.vts", {"x": np.ones((8, 8))}, A),
        ValueError: lambda: write_vts("a.vts", {"x": np.ones((8, 8))}, np.ones((8, 8))),
        OSError: lambda: write_vts(NOWHERE, {"x": np.ones((8, 8))}, np.ones((8, 8, 3))),
    },
    "symbreak.geometry.Circle": {
        TypeError: lambda: Circle(1, "x+"),
        ValueError: lambda: Circle("theta", "x"),
    },
    "symbreak.geometry.Instrument": {
        TypeError: lambda: Instrument("9", 0.5, (1e-4, 1e-4)),
        ValueError: lambda: Instrument(9, 0.5, (1e-4, 1e-4), rows="z+"),
    },
    "symbreak.geometry.Instrument.reciprocal": {
        TypeError: lambda: BEAM.reciprocal(bins=1.5),
        ValueError: lambda: BEAM.reciprocal(bins=0),
    },
    "symbreak.geometry.Instrument.of_pattern": {
        TypeError: lambda: BEAM.of_pattern(2, bins=1.5),
        ValueError: lambda: BEAM.of_pattern(3),
    },
    "symbreak.geometry.read_instrument": {
        ValueError: lambda: read_instrument(TEXT),
        ImportError: lambda: without_toml(lambda: read_instrument(TEXT)),
        OSError: lambda: read_instrument(NOWHERE),
    },
    "symbreak.geometry.ReciprocalGrid": {
        TypeError: lambda: ReciprocalGrid("steps", (0, 0, 0)),
        ValueError: lambda: ReciprocalGrid(np.ones((3, 3)), (0, 0, 0)),
    },
    "symbreak.geometry.ReciprocalGrid.voxel": {ValueError: lambda: BRAGG.voxel((8, 8))},
    "symbreak.geometry.ReciprocalGrid.positions": {ValueError: lambda: BRAGG.positions((8, 8))},
    "symbreak.geometry.orthogonal": {
        TypeError: lambda: orthogonal({"x": np.ones((8, 8, 8))}, BRAGG, "1"),
        ValueError: lambda: orthogonal({"x": np.ones((8, 8, 8))}, BRAGG, 0),
        MemoryError: lambda: orthogonal({"x": np.ones((8, 8, 8))}, BRAGG, 1e-9),
        ImportError: lambda: missing("scipy.ndimage")(
            lambda: orthogonal({"x": np.ones((8, 8, 8))}, BRAGG, 1)
        ),
    },
    "symbreak.geometry.displacement": {
        TypeError: lambda: displacement(CUBE.real, CUBE != 0, BRAGG),
        ValueError: lambda: displacement(CUBE, CUBE[1:] != 0, BRAGG),
        ImportError: lambda: missing("skimage.restoration")(
            lambda: displacement(CUBE, CUBE != 0, BRAGG)
        ),
    },
    "symbreak.data.files.reflections.read_reflection": {
        data.files.arrays.DataError: lambda: read_reflection(TEXT),
        OSError: lambda: read_reflection(NOWHERE),
    },
    "symbreak.geometry.Reflection": {
        TypeError: lambda: Reflection(CUBE, CUBE != 0, BRAGG, level="0.5"),
        ValueError: lambda: Reflection(CUBE, CUBE[1:] != 0, BRAGG),
        ImportError: lambda: missing("skimage.restoration")(
            lambda: Reflection(CUBE, CUBE != 0, BRAGG)
        ),
    },
    "symbreak.geometry.Reflection.covariance": {
        ImportError: lambda: missing("scipy.ndimage")(
            lambda: Reflection(CUBE, CUBE != 0, BRAGG, starts=CUBE[None]).covariance(
                np.zeros((3, 1))
            )
        )
    },
    **{
        f"symbreak.geometry.Reflection.{name}": {
            ImportError: lambda name=name: missing("scipy.ndimage")(
                lambda: getattr(Reflection(CUBE, CUBE != 0, BRAGG), name)(np.zeros((3, 1)))
            )
        }
        for name in ("magnitude", "gradient", "displacement")
    },
    "symbreak.geometry.match_reflections": {
        TypeError: lambda: match_reflections([Reflection(CUBE, CUBE != 0, BRAGG)] * 2, "1"),
        ValueError: lambda: match_reflections([]),
        MemoryError: lambda: match_reflections([Reflection(CUBE, CUBE != 0, BRAGG)] * 2, 1e-6),
        ImportError: lambda: missing("scipy.ndimage")(
            lambda: match_reflections([Reflection(CUBE, CUBE != 0, BRAGG)] * 2)
        ),
    },
    "symbreak.geometry.strain_tensor": {
        ValueError: lambda: strain_tensor(np.zeros((2, 3)), np.eye(3)[:2])
    },
    "symbreak.geometry.displacement_vector": {
        ValueError: lambda: displacement_vector(np.zeros((2, 3)), np.eye(3))
    },
    "symbreak.geometry.halves_strain_error": {
        TypeError: lambda: halves_strain_error(CUBE.real, CUBE, BRAGG),
        ValueError: lambda: halves_strain_error(CUBE, CUBE[1:], BRAGG),
    },
    "symbreak.halves.compare_halves": {
        TypeError: lambda: compare_halves(X[0].real, X[0]),
        ValueError: lambda: compare_halves(X[0], X[0, 1:]),
    },
    "symbreak.shells.fourier_shell_correlation": {
        TypeError: lambda: fourier_shell_correlation(X[0], X[0], steps=[[1, 0], [0, 1]]),
        ValueError: lambda: fourier_shell_correlation(X[0], X[0], filled=0),
    },
    "symbreak.data.split_counts": {
        TypeError: lambda: data.split_counts([1]),
        ValueError: lambda: data.split_counts(np.ones(3) / 2),
    },
    "symbreak.data.prepare_halves": {
        TypeError: lambda: data.prepare_halves(np.ones((64, 64)), prepare()),
        ValueError: lambda: data.prepare_halves(
            data.ArrayStack(np.ones((64, 64)) / 2),
            prepare(stack=data.ArrayStack(np.ones((64, 64)) / 2)),
        ),
    },
    "symbreak.data.merge_patterns": {
        TypeError: lambda: data.merge_patterns("ab"),
        ValueError: lambda: data.merge_patterns([prepare()]),
        ImportError: lambda: missing("skimage.registration")(
            lambda: data.merge_patterns([prepare(), prepare()])
        ),
    },
    "symbreak.geometry.crystal_mask": {
        TypeError: lambda: crystal_mask(CUBE, CUBE != 0, "0.4"),
        ValueError: lambda: crystal_mask(CUBE, CUBE[1:] != 0),
    },
    "symbreak.geometry.strain_spread": {
        TypeError: lambda: strain_spread(CUBE.real[None], CUBE != 0, BRAGG),
        ValueError: lambda: strain_spread(CUBE[None], CUBE != 0, BRAGG),
    },
    "symbreak.geometry.strain": {
        TypeError: lambda: strain(CUBE.real, CUBE != 0, BRAGG),
        ValueError: lambda: strain(CUBE, CUBE[1:] != 0, BRAGG),
    },
    "symbreak.evaluation.compare_starts": {
        TypeError: lambda: compare_starts(**{**STARTS, "error": [1, 1]}),
        ValueError: lambda: compare_starts(**STARTS, factor="1"),
    },
    "symbreak.transfer.r_factor": {
        TypeError: lambda: r_factor(X, A, V.int()),
        ValueError: lambda: r_factor(X, A.to("meta"), V),
    },
    "symbreak.transfer.counting_r_factor": {
        TypeError: lambda: counting_r_factor(A, V),
        ValueError: lambda: counting_r_factor(X[0], V, ndim=4),
    },
    "symbreak.transfer.counting_log_likelihood": {
        TypeError: lambda: counting_log_likelihood(X[0], V.int()),
        ValueError: lambda: counting_log_likelihood(X[0], V & False),
    },
    "symbreak.supports.choose": {
        TypeError: lambda: choose(A, shrinkwrap=None),
        ValueError: lambda: choose(A[0]),
        MemoryError: lambda: choose(A[:1, :1].expand(2**20, 2**20)),
    },
    "symbreak.supports.phase_trial": {
        TypeError: lambda: phase_trial(A, 0, valid=V),
        ValueError: lambda: phase_trial(A, Shrinkwrap(), valid=V & False),
    },
    "symbreak.cross_validation.cross_validated_error": {
        TypeError: lambda: cross_validated_error(A[0], V[None].int(), V),
        ValueError: lambda: cross_validated_error(A[0], V[None], V, ndim=4),
    },
    "symbreak.supports.next_rule": {
        TypeError: lambda: next_rule([], 64, thresholds=("a",)),
        ValueError: lambda: next_rule([], 64, factors=(-1,)),
    },
    "symbreak.supports.best_of": {ValueError: lambda: best_of([])},
    "symbreak.coherence.reconstruct": {
        TypeError: lambda: partly_coherent(A, blur=0.5),
        ValueError: lambda: partly_coherent(A, first=15),
        MemoryError: lambda: partly_coherent(A, starts=10**10 // 3),
        KeyboardInterrupt: lambda: partly_coherent(A, progress=interrupted),
    },
    "symbreak.coherence.PartlyCoherent.best": {
        TypeError: lambda: PartlyCoherent(FEW, A[:2, :2]).best(valid=1),
        ValueError: lambda: PartlyCoherent(FEW.best(), A[0, :2]).best(),
    },
    "symbreak.coherence.blurred_intensity": {
        TypeError: lambda: blurred_intensity(X, [0.5, 0.5]),
        ValueError: lambda: blurred_intensity(X, -torch.ones(2)),
    },
    "symbreak.coherence.coherence_length": {
        TypeError: lambda: coherence_length(torch.ones(2, dtype=torch.int64), (8, 8)),
        ValueError: lambda: coherence_length(torch.ones(2), (8, 8, 8)),
    },
    "symbreak.subpixel.refine": {
        TypeError: lambda: refine(X, X[0].to(torch.complex128)),
        ValueError: lambda: refine(X, X),
    },
    "symbreak.subpixel.shift_by": {
        TypeError: lambda: shift_by(X, torch.ones(2, dtype=torch.int64)),
        ValueError: lambda: shift_by(X, torch.ones(3)),
    },
    "symbreak.transfer.transfer_function": {
        TypeError: lambda: transfer_function(X, X[0], V),
        ValueError: lambda: transfer_function(X[:0], A, V),
    },
    "symbreak.plotting.save": {
        ValueError: lambda: plotting.save(plotting.breaking_figure(X, X, V[0]), "a.xyz"),
        OSError: lambda: plotting.save(plotting.breaking_figure(X, X, V[0]), "nowhere/a.png"),
    },
    "symbreak.models.UNet": {
        TypeError: lambda: UNet(8, skips="no"),
        ValueError: lambda: UNet(8, norm=np.ones(2)),
    },
    "symbreak.models.UNet.channels": {
        TypeError: lambda: NET.channels(torch.ones(2, 16, 16, dtype=torch.int64)),
        ValueError: lambda: NET.channels(torch.ones(2, 8, 8)),
    },
    "symbreak.models.UNet.forward": {
        TypeError: lambda: NET(np.ones((2, 16, 16))),
        ValueError: lambda: NET(torch.ones(16, 16)),
    },
    "symbreak.models.SiSPRNet": {
        TypeError: lambda: SiSPRNet(16, standardise=1),
        ValueError: lambda: SiSPRNet(12),
    },
    "symbreak.models.SiSPRNet.channels": {
        TypeError: lambda: DENSE.channels(torch.ones(2, 32, 32, dtype=torch.int64)),
        ValueError: lambda: DENSE.channels(torch.ones(2, 8, 8)),
    },
    "symbreak.models.SiSPRNet.forward": {
        TypeError: lambda: DENSE(np.ones((2, 32, 32))),
        ValueError: lambda: DENSE(torch.ones(32, 32)),
    },
    "symbreak.learning.networks.build_network": {ValueError: lambda: build_network("VGG", 8, 16)},
    "symbreak.learning.networks.load_network": {
        OSError: lambda: load_network(NOWHERE),
        ValueError: lambda: load_network(TEXT),
    },
    "symbreak.learning.datasets.make_pairs": {
        TypeError: lambda: make_pairs(X, broken="no"),
        ValueError: lambda: make_pairs(X, ambiguous="skip"),
        MemoryError: lambda: make_pairs(MANY),
    },
    "symbreak.learning.datasets.Pairs": {
        TypeError: lambda: Pairs(X, X),
        ValueError: lambda: Pairs(A.expand(2, 8, 8).to("meta"), X),
    },
    "symbreak.learning.file_pairs.FilePairs": {
        TypeError: lambda: FilePairs("a.h5", broken=1),
        OSError: lambda: FilePairs(NOWHERE),
        ValueError: lambda: FilePairs(TEXT),
    },
    "symbreak.learning.settings.TrainSettings": {
        TypeError: lambda: TrainSettings(tf32=1),
        ValueError: lambda: TrainSettings(factor=1),
    },
    "symbreak.learning.fit.fit": {
        TypeError: lambda: fit(resume="yes"),
        ValueError: lambda: fit(train=LEARNT.head(0)),
    },
    "symbreak.learning.module.PhaseRetrieval": {ValueError: lambda: module(depth=9)},
    "symbreak.learning.evaluate.predict": {
        TypeError: lambda: predict(NET, np.ones((2, 16, 16))),
        ValueError: lambda: predict(torch.nn.Identity(), torch.ones(2, 16, 16)),
    },
    "symbreak.learning.rotated_pairs.RotatedPairs": {
        TypeError: lambda: RotatedPairs(A[None]),
        ValueError: lambda: RotatedPairs(X, angles=0),
    },
    "symbreak.learning.rotated_pairs.RotatedPairs.of": {
        TypeError: lambda: RotatedPairs.of(make_pairs(X), broken=1),
        ValueError: lambda: RotatedPairs.of(LEARNT),
    },
    "symbreak.learning.turned_pairs.TurnedPairs": {
        TypeError: lambda: TurnedPairs(LEARNT, broken=1),
        ValueError: lambda: TurnedPairs(LEARNT, rule="x"),
    },
    "symbreak.learning.positions.InPositions": {
        TypeError: lambda: InPositions(torch.nn.Identity()),
        ValueError: lambda: InPositions(NET, average=9),
    },
    "symbreak.learning.positions.InPositions.estimates": {
        TypeError: lambda: InPositions(NET).estimates(torch.ones(2, 16, 16, dtype=torch.int64)),
        ValueError: lambda: InPositions(NET).estimates(torch.ones(2, 16, 8)),
    },
    "symbreak.learning.positions.InPositions.forward": {
        TypeError: lambda: InPositions(NET)(torch.ones(2, 16, 16, dtype=torch.int64)),
        ValueError: lambda: InPositions(NET)(torch.ones(2, 16, 8)),
    },
    "symbreak.learning.evaluate.evaluate": {ValueError: lambda: evaluate(NET, LEARNT.head(0))},
    "symbreak.learning.evaluate.compare": {
        TypeError: lambda: compare(X, X.real),
        ValueError: lambda: compare(X[:0], X[:0]),
    },
    "symbreak.learning.evaluate.embed": {
        TypeError: lambda: embed(X, "ab"),
        ValueError: lambda: embed(X, (8, 4)),
    },
}
# What takes more to bring about, and which test does.
ELSEWHERE = {
    ("symbreak.data.simulation.pairs.write_pairs", "KeyboardInterrupt"): "test_interruption.py",
    ("symbreak.learning.file_pairs.FilePairs.load", "ValueError"): "test_bad_input_data.py",
    ("symbreak.learning.fit.fit", "FileExistsError"): "test_learning_fit.py",
    ("symbreak.learning.fit.fit", "KeyboardInterrupt"): "test_learning_fit.py",
    ("symbreak.learning.fit.fit", "OSError"): "test_bad_input_cli.py",
}
TRIALS = [(name, error) for name, trials in TRIED.items() for error in trials]


def test_everything_that_is_said_to_be_raised_is_tried():
    said = {(name, e) for name, value in PUBLIC.items() for e in sections(value).get("Raises", {})}
    there = {(f"symbreak.{function}", error.__name__) for function, _, error, _ in CASES}
    tried = {(name, error.__name__) for name, error in TRIALS}
    assert there <= said
    assert tried <= said
    assert said - there - tried == set(ELSEWHERE)
    assert not [file for file in ELSEWHERE.values() if not (Path(__file__).parent / file).exists()]


@pytest.mark.parametrize(("name", "error"), TRIALS)
def test_what_is_said_to_be_raised_is_raised(name, error, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error) as caught:
        TRIED[name][error]()
    assert len(str(caught.value).splitlines()) == (0 if error is KeyboardInterrupt else 1)
    assert not list(tmp_path.iterdir())
