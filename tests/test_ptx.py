"""The kernels as nvcc compiles them: their PTX, interpreted with checks (tests/ptx)."""

import os
import subprocess

import ptx_build
import pytest
from ptx_build import INTERPRETER, NVCC, PARTS, ROOT

pytestmark = pytest.mark.skipif(NVCC is None, reason="needs nvcc")
GXX = ("g++", "-std=c++20", "-O1", f"-I{ROOT / 'csrc'}")
EMULATION = [ROOT / "csrc" / "emulation" / name for name in ("fibers.cpp", "grid.cpp")]


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """Builds a program for the interpreter, and with g++ for the emulation if asked."""
    folder = tmp_path_factory.mktemp("ptx")
    objects = ptx_build.build_interpreter(folder, (*PARTS, "standalone"))
    built = {}

    def build(source, emulated=False):
        if (source, emulated) not in built:
            target = folder / f"{source.stem}{'_emulated' if emulated else ''}"
            if emulated:
                subprocess.run([*GXX, *EMULATION, source, "-o", target], check=True)
            else:
                ptx_build.build_program(source, objects, target)
            built[source, emulated] = target
        return built[source, emulated]

    return build


def output(program, case, **environment):
    done = subprocess.run(
        [program, case],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
        check=False,
    )
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("none", "no fault"),
        ("no-barrier", "where another one is at the same time"),
        ("no-warp-barrier", "where another one is at the same time"),
        ("same-place", "where another one is at the same time"),
        ("relaxed", "no fault"),
        ("half-relaxed", "where another one is at the same time"),
        ("uneven-barrier", "wait for others that do not come"),
        ("uneven-shuffle", "wait for others that do not come"),
        ("small-mask", "a lane that its own mask leaves out"),
        ("too-far", "is in no allocation"),
        ("wrong-space", "is in no allocation"),
        ("unaligned", "is not aligned to the 8 bytes there"),
        ("behind-shared", "outside of the 256 bytes of shared memory"),
        ("unset", "a condition that nothing has set"),
        ("too-many-threads", "128 threads where .maxntid allows 64"),
        ("ended-block", "a block of the cluster that has ended"),
    ],
)
def test_faults_are_found(programs, case, message):
    assert message in output(programs(INTERPRETER / "faults.cu"), case)


@pytest.mark.parametrize(
    ("name", "case", "shared"),
    [
        ("emulation_check", "cluster", "232448"),
        ("emulated_placement", "whole", "232448"),
        ("emulated_placement", "parts", "4500"),
        ("emulated_phasing", "64", "232448"),
        ("emulated_phasing", "256", "232448"),
        ("emulated_phasing", "two-pass", "232448"),
    ],
)
@pytest.mark.parametrize("order", ["forward", "shuffle:1"])
def test_kernels_do_what_they_do_by_emulation(programs, name, case, shared, order):
    source = ROOT / "tests" / f"{name}.cpp"
    environment = {"SYMBREAK_EMULATED_SHARED_BYTES": shared, "SYMBREAK_EMULATED_ORDER": order}
    found = output(programs(source), case, **environment).split()
    expected = output(programs(source, emulated=True), case, **environment).split()
    assert len(found) == len(expected) > 0
    values = [number(word) for word in found]
    # Two compilers round differently; what is large is of order one.
    assert values == pytest.approx([number(word) for word in expected], rel=1e-4, abs=1e-5)


def number(word):
    return float.fromhex(word) if "0x" in word else float(word)
