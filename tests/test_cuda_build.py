"""When CUDA kernels are compiled, and for what (cmake/Cuda.cmake); needs no CUDA compiler."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CMAKE = shutil.which("cmake")
pytestmark = pytest.mark.skipif(CMAKE is None, reason="needs cmake")


def call(tmp_path, *words):
    """What one of the functions of the file answers."""
    script = tmp_path / "call.cmake"
    arguments = " ".join(f'"{word}"' for word in words[1:])
    called = f'{words[0]}({arguments} answer)\nmessage("=${{answer}}")\n'
    script.write_text(f'include("{ROOT}/cmake/Cuda.cmake")\n{called}')
    done = subprocess.run([CMAKE, "-P", script], capture_output=True, text=True, check=True)
    return done.stderr.strip().removeprefix("=")


@pytest.mark.parametrize(
    ("version", "architectures"),
    [
        ("11.5.119", ""),  # no C++20
        ("12.0.140", "80;86;90"),
        ("12.8.93", "80;86;90;100;120"),
        ("13.0.88", "80;86;90;100;120"),
    ],
)
def test_architectures_are_those_that_the_compiler_knows(tmp_path, version, architectures):
    assert call(tmp_path, "symbreak_architectures", version) == architectures


@pytest.mark.parametrize(
    ("mode", "cuda_torch", "wanted"),
    [
        ("AUTO", True, True),
        ("AUTO", False, False),
        ("ON", False, True),
        ("OFF", True, False),
    ],
)
def test_cuda_is_compiled_for_a_torch_that_can_use_it_or_when_asked(
    tmp_path, mode, cuda_torch, wanted
):
    if cuda_torch:
        (tmp_path / "lib").mkdir()
        (tmp_path / "lib" / "libtorch_cuda.so").touch()
    assert call(tmp_path, "symbreak_wants_cuda", mode, tmp_path) == str(wanted).upper()
