"""Data sets in chunks: out of memory lowers the chunk, and more items need no more memory."""

import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from command_line import succeeds

import symbreak
from symbreak.data.simulation.crystals import crystals
from symbreak.data.simulation.pairs import Simulation, write_pairs
from symbreak.data.streaming.chunks import Chunks, Done, Fitting
from symbreak.ops import memory
from symbreak.ops.memory import is_out_of_memory

SCHEDULE = "20*HIO+5*ER"


def content(path):
    with h5py.File(path) as file:
        return {name: file[name][()] for name in file}


def assert_same(a, b):
    first, second = content(a), content(b)
    assert first.keys() == second.keys()
    for name in first:
        assert np.array_equal(first[name], second[name], equal_nan=True), name


class Small:
    """A device with memory for so many items."""

    def __init__(self, function, most, error=torch.OutOfMemoryError):
        self.function, self.most, self.error, self.sizes = function, most, error, []

    def __call__(self, x, *rest, **options):
        self.sizes.append(len(x))
        if len(x) > self.most:
            raise self.error("out of memory, tried to allocate 7 GiB")
        return self.function(x, *rest, **options)


def test_pieces_that_fit_are_found_once_and_kept():
    double = Small(lambda x: {"y": 2 * x}, 3)
    fitting = Fitting(lambda part: double(part["x"]))
    x = np.arange(13)
    done = fitting({"x": x})
    assert np.array_equal(done.arrays["y"], 2 * x)
    assert double.sizes == [13, 6, 3, 3, 3, 3, 1]
    assert done.notes == (
        "out of memory with 13 items at a time: going on with 6 at a time.",
        "out of memory with 6 items at a time: going on with 3 at a time.",
    )
    double.sizes.clear()
    assert fitting({"x": x[:4]}) == Done({"y": pytest.approx([0, 2, 4, 6])}, ())
    assert double.sizes == [3, 1]


def test_a_single_item_must_fit():
    with pytest.raises(MemoryError, match=r"no memory for a single item: .*7 GiB"):
        Fitting(lambda part: Small(None, 0)(part["x"]))({"x": np.arange(5)})


def test_other_errors_are_left_alone():
    with pytest.raises(RuntimeError, match="something else"):
        Fitting(lambda part: (_ for _ in ()).throw(RuntimeError("something else")))(
            {"x": np.arange(5)}
        )


@pytest.mark.parametrize(("total", "step"), [(1, 1), (7, 3), (6, 3), (2, 5)])
def test_every_row_is_written_once(total, step):
    target = {"x": np.full((total, 2), -1), "good": np.zeros(total, "u1")}
    seen = []
    chunks = Chunks(
        lambda x: Done({"x": np.stack([x, x], 1), "good": x >= 0}, ("note",)),
        lambda rows: np.arange(rows.start, rows.stop),
        step,
        report=lambda rows, notes: seen.append((rows, notes)),
    )
    advanced = []
    chunks.fill(target, 1 if total > 1 else 0, total, advance=advanced.append)
    expected = np.arange(total)
    expected[0] = -1 if total > 1 else 0
    assert np.array_equal(target["x"], np.stack([expected, expected], 1))
    assert sum(advanced) == total - (total > 1)
    assert [rows for rows, _ in seen] == advanced


@pytest.fixture
def data(tmp_path):
    write_pairs(tmp_path / "data.h5", "train", 9, Simulation(16))
    return tmp_path / "data.h5"


COMMANDS = {
    "break_symmetry": ("break", "{}:object"),
    "align": ("align", "{}:object", "{}:object"),
    "reconstruct": (
        *("reconstruct-stack", "{}:amplitude", "--amplitudes", "--dc", "corner", "--starts", 2),
        *("--schedule", SCHEDULE),
    ),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_go_on_with_less(tmp_path, data, monkeypatch, name):
    words = [str(word).format(data) for word in COMMANDS[name]]
    succeeds(*words, "-o", tmp_path / "whole.h5")
    small = Small(getattr(symbreak, name), 4)
    monkeypatch.setattr(symbreak, name, small)
    shown = succeeds(*words, "-o", tmp_path / "small.h5")
    assert small.sizes == [9, 4, 4, 1]
    assert "out of memory with 9 items at a time: going on with 4 at a time." in shown.output
    assert_same(tmp_path / "whole.h5", tmp_path / "small.h5")


@pytest.mark.parametrize("schedule", [SCHEDULE, "ER"])  # the latter leaves no history
def test_reconstruct_goes_on_with_fewer_starts(tmp_path, monkeypatch, schedule):
    np.save(tmp_path / "a.npy", symbreak.fourier_amplitude(crystals(1, 16)[0]).numpy())
    words = ("reconstruct", tmp_path / "a.npy", "--amplitudes", "--dc", "corner", "--starts", 5)
    words = (*words, "--schedule", schedule, "-o")
    monkeypatch.setattr(torch, "get_num_threads", lambda: 5)
    succeeds(*words, tmp_path / "whole.cxi", "--plot", tmp_path / "whole.png")
    sizes, reconstruct = [], symbreak.reconstruct

    def small(amplitude, *rest, starts, **options):
        sizes.append(starts)
        if starts > 2:
            raise torch.OutOfMemoryError
        return reconstruct(amplitude, *rest, starts=starts, **options)

    monkeypatch.setattr(symbreak, "reconstruct", small)
    shown = succeeds(*words, tmp_path / "small.cxi")
    assert sizes == [5, 2, 2, 1]
    assert "out of memory with 5 items at a time: going on with 2 at a time." in shown.output
    for name in ("data", "support", "error"):
        with h5py.File(tmp_path / "small.cxi") as few, h5py.File(tmp_path / "whole.cxi") as all_:
            name = f"entry_1/image_3/{name}"
            assert np.array_equal(few[name], all_[name])


def test_predict_and_evaluate_go_on_with_less(tmp_path, data, monkeypatch):
    pytest.importorskip("lightning")
    from symbreak.learning import evaluate

    words = ("--options", '{"width": 4}', "--accelerator", "cpu", "--max-epochs", 1)
    succeeds("train", data, data, "-o", tmp_path / "run", *words)
    network = tmp_path / "run" / "best.ckpt"
    succeeds("predict", network, f"{data}:amplitude", "-o", tmp_path / "whole.h5")
    numbers = succeeds("evaluate", network, data).stdout

    forward = evaluate.predict
    small = Small(lambda x, network, **options: forward(network, x, **options), 4)
    for module in ("symbreak.cli.predict.estimate", "symbreak.learning.evaluate.predict"):
        monkeypatch.setattr(module, lambda network, x, **options: small(x, network, **options))
    shown = succeeds("predict", network, f"{data}:amplitude", "-o", tmp_path / "small.h5")
    assert "going on with 4 at a time" in shown.output
    found, whole = (
        content(tmp_path / "small.h5")["object"],
        content(tmp_path / "whole.h5")["object"],
    )
    assert np.allclose(found, whole, atol=1e-5)
    shown = succeeds("evaluate", network, data)
    assert "going on with 4 at a time" in shown.output
    assert shown.stdout == numbers


# Truly out of memory, which the stable ABI of PyTorch does not report as such.
EXHAUSTED = """
import resource, torch, symbreak
from symbreak.data.streaming.chunks import Fitting

x = torch.ones(96, 256, 256, dtype=torch.complex64) * torch.arange(1, 97)[:, None, None]
expected = symbreak.break_symmetry(x).phase
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
limit = int(open("/proc/self/statm").read().split()[0].strip()) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (limit + 24 * 2**20,) * 2)
fitting = Fitting(lambda part: {"phase": symbreak.break_symmetry(part["x"]).phase.numpy()})
done = fitting({"x": x})
assert (torch.from_numpy(done.arrays["phase"]) == expected).all()
print(*done.notes, sep="\\n")
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits the address space")
def test_real_exhaustion_is_recognised():
    done = subprocess.run(
        [sys.executable, "-c", EXHAUSTED], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("out of memory with 96 items at a time: going on with 48")


def test_what_is_out_of_memory():
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: 5 bytes"))
    assert is_out_of_memory(RuntimeError("cuFFT error: CUFFT_ALLOC_FAILED"))
    assert not is_out_of_memory(RuntimeError("expected a float"))
    with pytest.raises(RuntimeError) as caught:
        torch.ops.symbreak.reconstruct(torch.ones(4, 4), "2*ER", torch.ones(5, 5) > 0)
    assert not is_out_of_memory(caught.value)


def test_what_is_out_of_memory_where_torch_tells_no_texts(monkeypatch):
    """PyTorch 2.11 names the call that failed, not why."""
    monkeypatch.setattr(memory, "_said_by_the_stable_abi", lambda: None)
    source = (Path(__file__).parent.parent / "csrc/common/stable.h").read_text()
    # The FFT, see call_aten.
    call = "torch_call_dispatcher(name, overload, stack.data(), TORCH_ABI_VERSION)"
    assert call in source
    for failed in (call, 'torch_call_dispatcher( "aten::new_empty", ""', "aten::contiguous"):
        assert is_out_of_memory(RuntimeError(f"{failed} API call failed at stable.h, line 9"))
    assert not is_out_of_memory(RuntimeError("aoti_torch_get_dim(x) API call failed at"))


# --- memory does not grow with the number of items

PEAK = """
import resource, sys
from typer.testing import CliRunner
from symbreak.cli.app import app
result = CliRunner().invoke(app, sys.argv[1:])
assert result.exit_code == 0, result.output
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak(*words):
    """Peak of the resident memory of a command in MiB."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout.splitlines()[-1]) / 1024


FEW, MANY, SIZE = 256, 4096, 32
GROWTH = {  # MiB of the objects alone from FEW to MANY
    "items": (MANY - FEW) * SIZE * SIZE * 8 / 2**20
}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory):
    """Objects and amplitudes, few and many: the same ones again and again."""
    folder = tmp_path_factory.mktemp("stacks")
    objects = crystals(8, SIZE)
    amplitude = symbreak.fourier_amplitude(objects)
    for count in (FEW, MANY):
        with h5py.File(folder / f"{count}.h5", "w") as file:
            for name, x in (("object", objects), ("amplitude", amplitude)):
                file.create_dataset(name, (count, *x.shape[1:]), x.numpy().dtype)
                for start in range(0, count, len(x)):
                    file[name][start : start + len(x)] = x.numpy()
    return folder


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak in KiB")
@pytest.mark.parametrize("name", COMMANDS)
def test_memory_does_not_grow_with_the_items(tmp_path, stacks, name):
    more = ("--chunk", 64, "-o", tmp_path / "out.h5")
    if name == "reconstruct":
        more = (*more, "--schedule", "ER", "--starts", 1)
    few, many = (
        peak(*(str(w).format(stacks / f"{count}.h5") for w in COMMANDS[name]), *more)
        for count in (FEW, MANY)
    )
    # All data of the larger set, read and written, are several times this.
    assert many < few + GROWTH["items"] / 2, f"{few:.0f} MiB, then {many:.0f} MiB"
