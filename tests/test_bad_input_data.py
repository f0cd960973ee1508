"""Wrong arguments of symbreak.data, models and learning: one line that names what was wrong."""

import h5py
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
from symbreak.data.detector.patterns import read_pattern
from symbreak.data.files.arrays import Source
from symbreak.data.files.objects import read_objects
from symbreak.data.simulation.pairs import Simulation, write_pairs
from symbreak.evaluation import compare_starts
from symbreak.learning.datasets import Pairs, make_pairs
from symbreak.learning.evaluate import compare, embed, evaluate, predict
from symbreak.learning.file_pairs import FilePairs
from symbreak.learning.networks import build_network
from symbreak.learning.settings import TrainSettings
from symbreak.models import SiSPRNet, UNet
from symbreak.transfer import counting_r_factor, r_factor, transfer_function

X = torch.ones(2, 8, 8, dtype=torch.complex64)
A = torch.ones(2, 16, 16)
INSIDE = torch.ones(2, 8, 8, dtype=torch.bool)
NAN = float("nan")
HUGE = 10**5000  # more than Python prints


def settings(**changed):
    return lambda: CrystalSettings(**changed)


def noise(**changed):
    return lambda: poisson_amplitude(**{"amplitude": A, "photons": 10.0, **changed})


def gaps(**changed):
    return lambda: detector_gaps(**{"shape": (8, 8), "module": 3, "gap": 1, **changed})


def training(**changed):
    return lambda: TrainSettings(**changed)


def starts(**changed):
    given = {"objects": X, "supports": INSIDE, "error": torch.ones(2)}
    given |= {"amplitude": X[0].real, "valid": INSIDE[0], **changed}
    return lambda: compare_starts(**given)


def prepared(**changed):
    stack = ArrayStack(np.ones((40, 40)))
    return lambda: prepare_pattern(**{"stack": stack, "shape": 16, **changed})


# Call, the exception, how its line begins.
CASES = [
    (lambda: crystals(True), ValueError, "crystals: count must be an integer >= 0, got True"),
    (lambda: crystals(-HUGE), ValueError, "crystals: count must be .* got a value of type int"),
    (lambda: crystals(10**9), MemoryError, "crystals: count = 10+ of size = 64 needs 29.8 TB"),
    (lambda: crystals(1, 10**7), MemoryError, "crystals: count = 1 of size = 10+ needs"),
    (lambda: crystals(1, ndim=2.0), TypeError, "crystals: ndim must be the integer 2 or 3"),
    (lambda: crystals(1, settings={}), TypeError, "crystals: settings must be .* got {}"),
    (settings(area=(0.4, 0.1)), ValueError, "CrystalSettings: area must be .* got .0.4, 0.1"),
    (settings(area=(NAN, 0.4)), ValueError, "CrystalSettings: area must be .* got .nan, 0.4"),
    (settings(area=0.3), ValueError, "CrystalSettings: area must be two numbers .* got 0.3"),
    (settings(defects=(False, True)), ValueError, "CrystalSettings: defects must be two integers"),
    (settings(nonconvex="a"), ValueError, "CrystalSettings: nonconvex must be .* got 'a'"),
    (settings(nonconvex=None), ValueError, "CrystalSettings: nonconvex must be .* got None"),
    (
        settings(miller=np.ones(2)),
        ValueError,
        "CrystalSettings: miller must be 1, 2 or 3, got .1.0, 1.0",
    ),
    (
        settings(poisson_ratio=None),
        ValueError,
        "CrystalSettings: poisson_ratio must be .* got None",
    ),
    (settings(rigid_phase="no"), ValueError, "CrystalSettings: rigid_phase must be .* got 'no'"),
    (noise(amplitude=A.numpy()), TypeError, "poisson_amplitude: amplitude must be .* got ndarray"),
    (noise(amplitude=A.to_sparse()), TypeError, "poisson_amplitude: amplitude must be a dense"),
    (noise(amplitude=A.to("meta")), ValueError, "poisson_amplitude: amplitude must hold data"),
    (noise(amplitude=A[:, :0]), ValueError, "poisson_amplitude: the grid .* shape .2, 0, 16"),
    (
        noise(amplitude=1e200 * A.double()),
        ValueError,
        "poisson_amplitude: amplitude must .* 1e\\+150",
    ),
    (noise(photons="10"), TypeError, "poisson_amplitude: photons must be a number, got '10'"),
    (noise(photons=1e30), ValueError, "poisson_amplitude: photons must be .* got 1e\\+30"),
    (noise(photons=HUGE), ValueError, "poisson_amplitude: photons must be .* got a value of type"),
    (noise(photons=torch.ones(1)), TypeError, "poisson_amplitude: photons must be a number, got t"),
    (noise(seed=True), ValueError, "poisson_amplitude: seed must be an integer >= 0, got True"),
    (lambda: beamstop(8, 1), ValueError, "beamstop: shape must be 2 or 3 integers >= 1, got 8"),
    (lambda: beamstop((10**6,) * 2, 1), MemoryError, "beamstop: shape = .* needs"),
    (lambda: beamstop((8, 8), "1"), TypeError, "beamstop: radius must be a number, got '1'"),
    (lambda: beamstop((8, 8), NAN), ValueError, "beamstop: radius must be .* got nan"),
    (lambda: beamstop((8, 8), 1, arm=HUGE), ValueError, "beamstop: arm must be .* got a value"),
    (gaps(module=HUGE), ValueError, "detector_gaps: module must be .* got a value of type int"),
    (gaps(gap=True), ValueError, "detector_gaps: gap must be an integer >= 0, got True"),
    (gaps(axes=0), ValueError, "detector_gaps: axes must be axes of .8, 8., got 0"),
    (gaps(axes=[0.5]), ValueError, "detector_gaps: axes must be axes of .8, 8., got .0.5"),
    (lambda: ArrayStack([[1]]), TypeError, "ArrayStack: frames must be a NumPy array, got list"),
    (lambda: ArrayStack(A), TypeError, "ArrayStack: frames must be a NumPy array, got Tensor"),
    (lambda: ArrayStack(A.numpy(), [1]), TypeError, "ArrayStack: valid must be a NumPy array"),
    (prepared(stack=A.numpy()), TypeError, "prepare_pattern: stack must be frames, .* got ndarray"),
    (prepared(saturation=NAN), ValueError, "prepare_pattern: saturation must be .* got nan"),
    (prepared(saturation="9"), ValueError, "prepare_pattern: saturation must be .* got '9'"),
    (prepared(background="9"), ValueError, "prepare_pattern: background must be real, got '9'"),
    (prepared(flat="9"), ValueError, "prepare_pattern: flat must be real, got '9'"),
    (prepared(hot="9"), ValueError, "hot_pixels: factor .--hot. must be > 1, got '9'"),
    (lambda: UNet(8, norm=np.ones(2)), ValueError, "UNet: norm must be one of .* got array"),
    (lambda: UNet(None), ValueError, "UNet: object_shape must be .* got None"),
    (lambda: UNet(32.0), ValueError, "UNet: object_shape must be .* got 32.0"),
    (lambda: UNet(16, scaling=[]), ValueError, r"UNet: scaling must be one of .* got \[\]"),
    (lambda: UNet(8)(None), TypeError, "UNet: amplitude must be a torch.Tensor, got NoneType"),
    (lambda: UNet(8)(A.numpy()), TypeError, "UNet: amplitude must be a torch.Tensor, got ndarray"),
    (lambda: SiSPRNet(16, dropout="a"), ValueError, "SiSPRNet: dropout must be .* got 'a'"),
    (lambda: SiSPRNet(16, dropout=NAN), ValueError, "SiSPRNet: dropout must be .* got nan"),
    (lambda: build_network([], (8, 8), (16, 16)), ValueError, "build_network: name must be one of"),
    (lambda: build_network("UNet", (8, 8), (16, 16), [1]), ValueError, "build_network: UNet does"),
    (training(learning_rate="1"), ValueError, "TrainSettings: learning_rate must be a number"),
    (training(learning_rate=float("inf")), ValueError, "TrainSettings: learning_rate must be"),
    (
        training(final_loss="mae"),
        ValueError,
        "TrainSettings: final_loss must be one of mse, sa_mse",
    ),
    (training(final_loss="mse"), ValueError, "TrainSettings: final_loss asks for final_epochs"),
    (training(factor=None), ValueError, "TrainSettings: factor must be a number, got None"),
    (training(batch=True), ValueError, "TrainSettings: batch must be an integer >= 1, got True"),
    (training(tf32="no"), TypeError, "TrainSettings: tf32 must be True or False, got 'no'"),
    (training(options=[1]), ValueError, "TrainSettings: options must be a dict"),
    (training(network=[]), ValueError, "TrainSettings: network must be one of UNet"),
    (lambda: make_pairs(None), ValueError, "make_pairs: objects must be a tensor .* got NoneType"),
    (lambda: make_pairs(X[0]), ValueError, "make_pairs: objects must be a tensor .* got .8, 8"),
    (lambda: make_pairs(X, ambiguous="skip"), ValueError, "make_pairs: ambiguous must be .*'skip'"),
    (lambda: FilePairs("a.h5", ndim="2"), TypeError, "FilePairs: ndim must be the integer 2 or 3"),
    (lambda: FilePairs("a.h5", broken="no"), TypeError, "FilePairs: broken must be True or False"),
    (
        lambda: Pairs(A.numpy(), X),
        TypeError,
        "Pairs: amplitude must be a torch.Tensor, got nd",
    ),
    (lambda: Pairs(A, A), TypeError, "Pairs: object must be complex, got float32"),
    (lambda: Pairs(A, X.to("meta")), ValueError, "Pairs: .* on one device, got cpu and meta"),
    (lambda: compare(X[0], X[0]), ValueError, "compare: objects must be .items, .grid. .* .8, 8"),
    (lambda: compare(X[:0], X[:0]), ValueError, "compare: objects must be .* at least one"),
    (lambda: predict(torch.nn.Identity(), A), ValueError, "predict: network must have parameters"),
    (lambda: embed(X, "ab"), TypeError, "embed: shape must be a sequence of integers, got 'ab'"),
    (lambda: Pairs(A, X[:1]), ValueError, "Pairs: .* as many items, got 2 and 1"),
    (
        lambda: evaluate(UNet(8), Pairs(A, X), batch=0),
        ValueError,
        "evaluate: batch must be .* got 0",
    ),
    (lambda: predict(UNet(8), A, batch=-1), ValueError, "predict: batch must be .* got -1"),
    (lambda: embed(X, (4, 4)), ValueError, "embed: shape must be >= the grid .8, 8. .* got .4, 4"),
    (starts(supports=INSIDE[0]), ValueError, "compare_starts: supports must be .* got bool of"),
    (starts(supports=X.real), ValueError, "compare_starts: supports must be bool .* got float32"),
    (starts(free=INSIDE[0, :7]), ValueError, "free_log_likelihood: free must be broadcastable to"),
    (starts(error=torch.ones(3)), ValueError, "compare_starts: error must have shape .2,., got .3"),
    (
        lambda: r_factor(X, None, INSIDE[0]),
        TypeError,
        "r_factor: amplitude must be .* got NoneType",
    ),
    (lambda: r_factor(X, X[0], INSIDE[0]), TypeError, "r_factor: amplitude must be .* got complex"),
    (
        lambda: r_factor(X, A[0, :8, :8], X[0].real),
        TypeError,
        "r_factor: valid must be bool, got f",
    ),
    (
        lambda: r_factor(X, A[0, :8, :8].to("meta"), INSIDE[0]),
        ValueError,
        "r_factor: amplitude must be on the device of objects, cpu, got meta",
    ),
    (
        lambda: counting_r_factor(X[0], INSIDE[0], seed="1"),
        TypeError,
        "counting_r_factor: seed must be an integer, got '1'",
    ),
    (
        lambda: transfer_function(X[:0], A[0, :8, :8], INSIDE[0]),
        ValueError,
        "transfer_function: objects must be .K, .grid. with K >= 1",
    ),
    (starts(error=[1, 1]), TypeError, "compare_starts: error must be a torch.Tensor, got list"),
    (starts(factor="1"), ValueError, "compare_starts: factor must be >= 1, got '1'"),
]


@pytest.mark.parametrize("case", range(len(CASES)))
def test_one_line_says_what_is_wrong(case):
    call, error, message = CASES[case]
    with pytest.raises(error, match=f"^{message}") as caught:
        call()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


SIMULATIONS = [
    ({"size": 16.0}, "size must be an integer >= 1, got 16.0"),
    ({"size": 0}, "size must be an integer >= 1, got 0"),
    ({"oversampling": -1}, "oversampling must be an integer >= 1, got -1"),
    ({"seed": None}, "seed must be an integer >= 0, got None"),
    ({"seed": 2**63}, "seed must fit 64 bits, got 9223372036854775808"),
    ({"gaps": 3}, r"gaps must be two integers .module, gap., got 3"),
    ({"gaps": (3,)}, r"gaps must be two integers .module, gap., got \(3,\)"),
    ({"count": 1.5}, "count must be an integer >= 1, got 1.5"),
    ({"chunk": True}, "chunk must be an integer >= 1, got True"),
]


@pytest.mark.parametrize(("changed", "message"), SIMULATIONS)
def test_simulations_that_cannot_be_written(tmp_path, changed, message):
    others = {"count": 1, "chunk": 1, **changed}
    count, chunk = others.pop("count"), others.pop("chunk")
    simulation = Simulation(**{"size": 8, **others})
    with pytest.raises(ValueError, match=f"^write_pairs: {message}"):
        write_pairs(tmp_path / "a.h5", "train", count, simulation, chunk=chunk)
    assert not list(tmp_path.iterdir())


OBJECTS = {"object": X.numpy()}
FILES = [
    ({"object": "text"}, "needs a complex dataset 'object' with 3 axes"),
    ({"object": h5py.Empty("c8")}, "needs a complex dataset 'object' with 3 axes"),
    ({"object/group": 1}, "needs a complex dataset 'object' with 3 axes"),
    ({**OBJECTS, "amplitude/group": 1}, "'amplitude' must be real, with 3 axes"),
    ({**OBJECTS, "amplitude": X.numpy()}, "'amplitude' must be real, with 3 axes"),
    ({**OBJECTS, "amplitude": np.array([[[b"a"]]])}, "'amplitude' must be real, with 3 axes"),
    ({**OBJECTS, "ambiguous": np.zeros(5, bool)}, "'ambiguous' must be 2 booleans"),
    ({**OBJECTS, "ambiguous": "no"}, "'ambiguous' must be 2 booleans"),
]


@pytest.mark.parametrize(("content", "message"), FILES)
def test_files_that_are_no_pairs(tmp_path, content, message):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, value in content.items():
            file[name] = value
    with pytest.raises(ValueError, match=message):
        FilePairs(tmp_path / "a.h5")


def test_odd_things_in_a_file_are_passed_over(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["data"] = np.ones((8, 8))
        file["empty"] = h5py.Empty("f4")
        file["loop"] = h5py.SoftLink("/loop")
        file["nowhere"] = h5py.SoftLink("/absent")
        file["elsewhere"] = h5py.ExternalLink("absent.h5", "/x")
        file["itself"] = h5py.SoftLink("/")
    assert read_pattern(Source(path)).amplitude.shape == (8, 8)
    for name in ("empty", "loop", "nowhere", "elsewhere"):
        with pytest.raises(ValueError, match=f"there is no dataset '{name}'; it holds /data"):
            read_pattern(Source(path, name))
    with pytest.raises(ValueError, match="no dataset can be a stack of complex objects"):
        read_objects(Source(path))


@pytest.mark.parametrize("changed", [{"values": "counts"}, {"origin": "middle"}])
def test_a_pattern_is_not_read_otherwise_than_was_said(tmp_path, changed):
    np.save(tmp_path / "a.npy", np.ones((8, 8)))
    ((name, value),) = changed.items()
    with pytest.raises(ValueError, match=f"^read_pattern: {name} must be .* or .*, got '{value}'"):
        read_pattern(Source(tmp_path / "a.npy"), **changed)


def test_a_file_is_named_by_a_text_a_path_or_a_source(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"], file["y"], file["good"] = np.ones((8, 8)), np.ones((9, 9)), np.eye(8)
    expected = read_pattern(Source(path, "x"), valid=Source(path, "good"))
    assert expected.valid.sum() == 8
    for valid in (":good", f"{path}:good"):
        found = read_pattern(f"{path}:x", valid=valid)
        assert torch.equal(found.amplitude, expected.amplitude)
        assert torch.equal(found.valid, expected.valid)
    with pytest.raises(ValueError, match="several datasets can be the pattern"):
        read_pattern(path)
    with pytest.raises(TypeError, match="a file must be a Source, a path or a text, got array"):
        read_pattern(np.ones(8))


def test_numpys_seeds_of_counts():
    given = X[0], INSIDE[0]
    assert counting_r_factor(*given, seed=np.int64(3)) == counting_r_factor(*given, seed=3)


def test_a_beamstop_larger_than_any_pattern_covers_it():
    assert not beamstop((8, 8), 1e200).any()
    assert symbreak.data.detector_gaps((8, 8), module=1, gap=2**40).sum() <= 4
