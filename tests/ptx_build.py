"""Builds what runs the kernels' PTX without a GPU: the interpreter, programs, the ops on it.

``python tests/ptx_build.py FOLDER`` makes ``FOLDER/libptx.so`` and a copy of the package whose
``_C_emulated`` holds what nvcc makes of csrc/cuda (``make ptx``). Needs nvcc 12.8 or later, g++,
torch and pybind11.
"""

import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CSRC, INTERPRETER = ROOT / "csrc", ROOT / "tests" / "ptx"
NVCC = shutil.which("nvcc")
HOST = ["-std=c++20", f"-I{CSRC}", "-Xcompiler=-fPIC"]
# PTX and no machine code; of sm_90, where all the kernels are, those of clusters too.
DEVICE = ["-gencode=arch=compute_90,code=compute_90", "--compress-mode=none"]
# Contracted products would be a rounding that the PTX does not ask for.
EXACT = ["-O2", "-Xcompiler=-ffp-contract=off"]
PARTS = ("parser", "warp", "grid", "memory", "instructions", "memory_instructions", "runtime")
STANDALONE = "standalone"
HOST_SOURCES = ("module", "schemas", "common/schedule", "cpu/isa")


def nvcc(*arguments):
    """Runs nvcc.

    Raises:
        RuntimeError: What it says where it fails.
    """
    done = subprocess.run([NVCC, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stdout + done.stderr)


def compile_all(commands, jobs=2):
    """Runs nvcc for each of the lists of arguments, ``jobs`` at once."""
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(lambda command: nvcc(*command), commands))


def build_interpreter(folder, parts=PARTS):
    """The interpreter's object files."""
    folder.mkdir(parents=True, exist_ok=True)
    objects = [folder / f"{name}.o" for name in parts]
    compile_all(
        [*HOST, *EXACT, "-c", INTERPRETER / f"{name}.cpp", "-o", target]
        for name, target in zip(parts, objects, strict=True)
    )
    return objects


def build_program(source, objects, target):
    """A program of its own whose kernels the interpreter runs; objects: its, and standalone's."""
    module = target.with_suffix(".o")
    nvcc(*HOST, *DEVICE, "--expt-relaxed-constexpr", "-x", "cu", "-c", source, "-o", module)
    nvcc("--cudart=none", module, *objects, "-o", target)


def build_package(folder):
    """``folder/symbreak`` and ``folder/libptx.so``."""
    import pybind11
    import torch
    from torch.utils.cpp_extension import include_paths

    objects = build_interpreter(folder / "objects")
    library = folder / "libptx.so"
    nvcc("-shared", "--cudart=none", *objects, "-o", library)
    options = [*HOST, "-DTORCH_TARGET_VERSION=0x020b000000000000", "-DUSE_CUDA"]
    options += ["-DSYMBREAK_EMULATED", "-DSYMBREAK_MODULE=_C_emulated", '-DSYMBREAK_VERSION="0"']
    options += ['-DSYMBREAK_CUDA_ARCHS=""', "--expt-relaxed-constexpr", *DEVICE]
    for path in (*include_paths(), sysconfig.get_path("include"), pybind11.get_include()):
        options.append(f"-isystem={path}")
    sources = [CSRC / f"{name}.cpp" for name in HOST_SOURCES]
    sources += sorted((CSRC / "cuda").glob("*.cu"))
    modules = [folder / "objects" / f"C_{source.stem}.o" for source in sources]
    compile_all([*options, "-c", s, "-o", m] for s, m in zip(sources, modules, strict=True))
    package = folder / "symbreak"
    shutil.rmtree(package, ignore_errors=True)
    unwanted = shutil.ignore_patterns("_C*.so", "__pycache__")
    shutil.copytree(ROOT / "python" / "symbreak", package, ignore=unwanted)
    torch_lib = Path(torch.__file__).parent / "lib"
    libraries = [torch_lib / "libtorch.so", torch_lib / "libtorch_cpu.so", library]
    needed = [f"-Xlinker={word}" for word in ("--no-as-needed", *libraries)]
    target = package / f"_C_emulated{sysconfig.get_config_var('EXT_SUFFIX')}"
    nvcc("-shared", "--cudart=none", *modules, *needed, "-o", target)
    shutil.copy(target, package / target.name.replace("_C_emulated", "_C"))


if __name__ == "__main__":
    build_package(Path(sys.argv[1]).resolve())
