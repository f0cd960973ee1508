"""The CUDA kernels without a GPU: emulated threads in many orders, and under ThreadSanitizer."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ORDERS = ("forward", "reverse", "shuffle:1", "shuffle:2")
# Big enough for the working space of a block, too small for an object of the tests.
SMALL_SHARED = "4500"
LARGE_SHARED = "8000"  # holds the flags of the rows and columns of 300 x 200
GXX = ("g++", "-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'csrc'}")
SOURCES = {
    "fibers": ["fibers.cpp", "grid.cpp"],
    "ucontext": ["fibers.cpp", "grid.cpp"],
    "threads": ["os_threads.cpp", "grid.cpp"],
}
FLAGS = {
    "fibers": [],
    "ucontext": ["-DSYMBREAK_EMULATION_UCONTEXT"],
    "threads": ["-DSYMBREAK_EMULATION_THREADS", "-fsanitize=thread", "-pthread"],
}

needs_emulated = pytest.mark.skipif(
    importlib.util.find_spec("symbreak._C_emulated") is None,
    reason="the emulated CUDA kernels are not built here: make emulated",
)


def run(command, **environment):
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=300,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        check=False,
    )


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """Builds a program of this folder, once per way of running threads."""
    built = {}

    def build(kind, name="emulation_check"):
        if (kind, name) not in built:
            target = tmp_path_factory.mktemp(kind) / name
            sources = [ROOT / "csrc" / "emulation" / name for name in SOURCES[kind]]
            sources.append(ROOT / "tests" / f"{name}.cpp")
            try:
                done = run([*GXX, *FLAGS[kind], *sources, "-o", target])
            except FileNotFoundError:
                pytest.skip("there is no g++ here")
            if kind == "threads" and "tsan" in done.stderr:
                pytest.skip("this g++ has no ThreadSanitizer")
            assert done.returncode == 0, done.stderr
            built[kind, name] = target
        return built[kind, name]

    return build


@needs_emulated
@pytest.mark.parametrize(
    ("files", "shared", "some"),
    [
        (("center", "break_symmetry", "reindex"), None, ""),
        (("center", "break_symmetry"), SMALL_SHARED, " and not large_objects"),
        (("center", "break_symmetry"), LARGE_SHARED, " and large_objects"),
        (("align", "align_search", "sa_mse", "fourier_amplitude"), None, ""),
    ],
)
def test_ops_pass_their_tests_on_the_cuda_kernels(files, shared, some):
    names = [f"tests/test_{name}.py" for name in files]
    # What does not depend on the kernels has run on the CPU's.
    chosen = "not compile and not bad_arguments and not gradient and not opcheck and not thread"
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    environment = {"SYMBREAK_EMULATED_SHARED_BYTES": shared} if shared else {}
    done = run([*command, "-k", chosen + some, *names], SYMBREAK_EMULATE_CUDA="1", **environment)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert " passed" in done.stdout


BITS = """
import hashlib, os, sys, torch, symbreak
assert symbreak.build_info()["emulated_cuda"]
generator = torch.Generator().manual_seed(3)
x = torch.zeros(3, 5, 19, 21, dtype=torch.complex64)
x[:, 1:, 3:15, 2:17] = torch.randn(3, 4, 12, 15, dtype=torch.complex64, generator=generator)
for order in sys.argv[1:]:
    os.environ["SYMBREAK_EMULATED_ORDER"] = order
    results = [*symbreak.center(x, wrap=True), *symbreak.center(x, tol=0.2)]
    results += [*symbreak.break_symmetry(x), *symbreak.break_symmetry(x, tol=0.2, ndim=3)]
    results += symbreak.break_symmetry(x, rule="circulation")
    results.append(torch.ops.symbreak.flip_pivot(x, wrap=False, ndim=2))
    results.append(symbreak.fourier_amplitude(x))
    if "SYMBREAK_EMULATED_SHARED_BYTES" not in os.environ:  # align has one way only
        results += symbreak.align(x, x.flip(-1), wrap=True)
        results += symbreak.align(x, x.flip(0), ndim=3)
    bits = b"".join(torch.as_tensor(r).contiguous().numpy().tobytes() for r in results)
    print(hashlib.sha256(bits).hexdigest())
"""


@needs_emulated
@pytest.mark.parametrize("shared", [{}, {"SYMBREAK_EMULATED_SHARED_BYTES": SMALL_SHARED}])
def test_no_order_of_threads_changes_a_bit(shared):
    done = run([sys.executable, "-c", BITS, *ORDERS], SYMBREAK_EMULATE_CUDA="1", **shared)
    assert done.returncode == 0, done.stderr
    bits = done.stdout.split()
    assert len(bits) == len(ORDERS)
    assert len(set(bits)) == 1


@pytest.mark.parametrize("kind", ["fibers", "ucontext"])
@pytest.mark.parametrize("order", ORDERS)
def test_barriers_shuffles_and_clusters(program, kind, order):
    def numbers(case):
        done = run([program(kind), case], SYMBREAK_EMULATED_ORDER=order)
        assert done.returncode == 0, done.stderr
        return [float(number) for number in done.stdout.split()]

    block = [float(i) for i in range(63, -1, -1)]
    reversed_blocks = block + [64 + i for i in block]
    assert numbers("reverse") == reversed_blocks
    assert numbers("missing-barrier") != reversed_blocks
    sums = [float(sum(range(32 * warp, 32 * warp + 32))) for warp in range(4)]
    assert numbers("cluster") == [sums[warp] for warp in (2, 3, 0, 1) for _ in range(32)]


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("uneven-barrier", "wait at a barrier that the others never reach"),
        ("overflow", "wrote behind its 64 bytes of shared memory"),
    ],
)
@pytest.mark.parametrize("order", ORDERS)
def test_faults_end_the_program(program, case, message, order):
    done = run([program("fibers"), case], SYMBREAK_EMULATED_ORDER=order)
    assert done.returncode != 0
    assert message in done.stderr


def test_launches_beyond_the_device_are_errors(program):
    assert "more shared memory" in run([program("fibers"), "too-much-shared"]).stdout


@pytest.mark.parametrize(
    ("name", "case", "shared"),
    [
        ("emulated_placement", "whole", "232448"),
        ("emulated_placement", "parts", SMALL_SHARED),
        ("emulated_alignment", "all", "232448"),
        ("emulated_phasing", "64", "232448"),
        ("emulated_phasing", "256", "232448"),
        ("emulated_phasing", "two-pass", "232448"),
        ("emulation_check", "cluster", "232448"),
    ],
)
def test_thread_sanitizer_finds_nothing(program, name, case, shared):
    fibers = run([program("fibers", name), case], SYMBREAK_EMULATED_SHARED_BYTES=shared)
    threads = run([program("threads", name), case], SYMBREAK_EMULATED_SHARED_BYTES=shared)
    assert threads.returncode == 0, threads.stderr
    assert threads.stdout == fibers.stdout


def test_clusters_and_the_order_of_threads(program):
    # Four blocks hold an image of 256: what one of them reads of another must be written before.
    command = [program("fibers", "emulated_phasing"), "256"]
    bits = {run(command, SYMBREAK_EMULATED_ORDER=order).stdout for order in ORDERS}
    assert len(bits) == 1
    assert "nan" not in bits.pop()


def test_a_wave_of_images_is_what_the_device_holds_at_once(program):
    # 33 clusters of four would have blocks enough, but not within its groups of multiprocessors.
    assert (
        run([program("fibers", "emulated_phasing"), "waves"]).stdout.split() == "528 132 32".split()
    )


def test_shared_memory_serves_a_warp_at_once(program):
    done = run([program("fibers", "shared_banks")])
    assert done.returncode == 0, done.stderr
    conflicts = {}
    for line in done.stdout.splitlines():
        kernel, number, size, step, degree = line.split()
        conflicts[kernel, number, int(size), step] = float(degree)
    assert {size for kernel, _, size, _ in conflicts if kernel == "on_chip"} == {64, 128, 256}
    for (kernel, number, size, step), degree in conflicts.items():
        free = kernel == "on_chip" or (number == "float" and size in (128, 256))
        assert degree <= (1 if free else 2), (kernel, number, size, step)


def test_thread_sanitizer_finds_a_missing_barrier(program):
    done = run([program("threads"), "missing-barrier"])
    assert done.returncode != 0
    assert "data race" in done.stderr
    assert "reverse_kernel" in done.stderr
