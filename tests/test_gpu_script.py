"""bench/gpu.sh without a GPU: that it says so, and its stages with the commands faked."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "bench" / "gpu.sh"
# Answers what the script asks, notes everything else; FAILS names what fails, SLEEPS what hangs.
PYTHON = """#!/usr/bin/env bash
case "$*" in
  *cuda.is_available*) exit ${NO_CUDA:-0} ;;
  *build_info*) exit ${NOT_BUILT:-0} ;;
  *get_cmake_dir*) echo "/fake/python /fake/pybind11"; exit ;;
  *"print("*) echo "torch 9.9 CUDA 9.9"; exit ;;
  *find_spec*" lightning") exit 1 ;;
  *find_spec*) exit 0 ;;
esac
echo "$(basename "$0") $* PYTHONPATH=$PYTHONPATH" >>"$CALLS"
[[ -z ${SLEEPS:-} || "$*" != *$SLEEPS* ]] || sleep 60
[[ -z ${FAILS:-} || "$*" != *$FAILS* ]] || { echo "FAILED tests/x.py::y - wrong"; exit 3; }
"""
SMI = """#!/usr/bin/env bash
case "$*" in
  *compute_cap*) echo 9.0 ;;
  *) echo "Fake GPU 80" ;;
esac
"""


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    fakes = dict.fromkeys(("python3", "cmake", "compute-sanitizer", "ncu"), PYTHON)
    fakes["nvidia-smi"] = SMI

    def script(*stages, without=(), patience=60, **environment):
        for name, text in fakes.items():
            (folder / name).write_text(text)
            (folder / name).chmod(stat.S_IRWXU)
        for name in without:
            (folder / name).unlink()
        found = subprocess.run(
            [SCRIPT, *stages],
            env={
                "PATH": f"{folder}:/usr/bin:/bin",
                "LOGS": str(tmp_path / "logs"),
                "OUT": str(tmp_path / "out"),
                "CALLS": str(tmp_path / "calls"),
                "CSV": str(tmp_path / "gpu.csv"),
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=patience,
            check=False,
        )
        calls = tmp_path / "calls"
        return found, calls.read_text().splitlines() if calls.exists() else []

    return script


@pytest.mark.parametrize(
    ("without", "environment", "message"),
    [
        (("nvidia-smi",), {}, "no GPU here: nvidia-smi is missing or finds none."),
        ((), {"NO_CUDA": "1"}, "a GPU (Fake GPU 80), but the torch of python3 cannot use it."),
    ],
)
def test_without_a_gpu_one_line_says_so(run, tmp_path, without, environment, message):
    found, calls = run(without=without, **environment)
    assert found.returncode == 2
    assert found.stdout == ""
    assert len(found.stderr.splitlines()) == 1
    assert message in found.stderr
    assert not calls
    assert not (tmp_path / "out").exists()


def test_an_unknown_stage_is_named(run):
    found, _ = run("build", "tests")
    assert found.returncode == 2
    assert "no stage tests; there are: build test" in found.stderr


def test_all_stages_in_their_order(run, tmp_path):
    found, calls = run()
    assert found.returncode == 0, found.stdout + found.stderr
    assert "everything passed" in found.stdout
    assert "missing: lightning" in found.stdout
    assert "-DPython_EXECUTABLE=/fake/python -Dpybind11_DIR=/fake/pybind11 " in calls[0]
    assert "-DCMAKE_CUDA_ARCHITECTURES=90 " in calls[0]
    parts = ["cmake -S .", "cmake --build", "cmake -E copy", "phasing_engines.py", "-k cuda"]
    parts += ["-k not cuda", "memcheck", "racecheck", "synccheck", "initcheck", "run.py"]
    parts += ["throughput.py --device cuda", "profiled_calls.py", "profiled_calls.py"]
    parts += ["crossovers.py", "--bits 64"]
    assert len(calls) == len(parts)
    assert all(part in call for part, call in zip(parts, calls, strict=True))
    # What is initialised by kernels that initcheck does not see is reported wrongly.
    sanitized = [call for call in calls if call.startswith("compute-sanitizer")]
    assert ["kns=symbreak" in call for call in sanitized] == [True, True, True, False]
    assert all(call.endswith(f"PYTHONPATH={ROOT / 'python'}") for call in calls)
    results = {path.name for path in (tmp_path / "out").iterdir()}
    assert results == {"summary.txt", "logs.tar.gz", "crossovers.h"}
    assert (tmp_path / "out" / "summary.txt").read_text() == found.stdout


def test_a_failure_is_told_and_stops_only_itself(run):
    found, calls = run("test", "bench", FAILS="-k cuda")
    assert found.returncode == 1
    assert "device: FAILED, exit 3" in found.stdout
    assert found.stdout.count("FAILED tests/x.py::y") == 2  # by name, and the end of the log
    assert "failed: device after" in found.stdout
    assert "run.py" in calls[-1]


def test_parts_of_the_suite(run):
    found, calls = run("test", TESTS="device engines")
    assert found.returncode == 0, found.stdout
    assert len(calls) == 2
    assert "-k cuda and not test_cuda_ tests/test_align.py tests/" in calls[0]
    assert "phasing_engines.py" in calls[1]
    # A file that cannot be collected costs its own tests, not all of them.
    assert all("--continue-on-collection-errors" in call for call in calls)


def test_options_of_the_stages(run):
    found, calls = run(
        *("crossovers", "throughput", "sanitize"),
        CROSSOVERS_ARGS="--sizes 64 128",
        THROUGHPUT_ARGS="--rounds 2",
        SANITIZERS="memcheck racecheck",
        PYTHONPATH="/else/where",
    )
    assert found.returncode == 0, found.stdout
    sizes, rounds, memcheck, racecheck = calls
    assert "--report-api-errors no --kernel-name kns=symbreak" in memcheck
    assert "--sizes 64 128 " in sizes
    assert "--rounds 2 " in rounds
    assert "--tool memcheck" in memcheck
    assert "--tool racecheck" in racecheck
    assert all(call.endswith(f"PYTHONPATH={ROOT / 'python'}:/else/where") for call in calls)


def test_what_is_there_is_not_built_before_the_crossovers_are_measured(run):
    found, calls = run("build", "crossovers", "build", "bench", PREBUILT="1", BENCH_ARGS="--case x")
    assert found.returncode == 0, found.stdout
    assert "build: the library that is here" in found.stdout
    parts = ["crossovers.py", "--bits 64", "cmake -S .", "cmake --build", "cmake -E copy"]
    parts += ["--case x "]
    assert all(part in call for part, call in zip(parts, calls, strict=True))
    found, calls = run("build", PREBUILT="1", NOT_BUILT="1")
    assert "cmake -S ." in calls[len(parts)]


def test_an_end_by_force_loses_no_step_that_was_done(run, tmp_path):
    with pytest.raises(subprocess.TimeoutExpired):
        run("throughput", "bench", SLEEPS="run.py", BENCH_LIMIT="12", patience=6)
    assert "throughput: ok" in (tmp_path / "out" / "summary.txt").read_text()
    assert (tmp_path / "out" / "logs.tar.gz").stat().st_size > 100


def test_the_kernels_that_are_profiled(run):
    _, calls = run("profile")
    pattern = re.compile(re.search(r"--kernel-name regex:(\S+) --csv", calls[0])[1])
    sources = [path.read_text() for path in (ROOT / "csrc" / "cuda").iterdir()]
    kernels = {name for text in sources for name in re.findall(r"(?<=\b)(\w+_kernel)\(", text)}
    # As the compiler spells them, in a namespace without a name of its own or not.
    mangled = {name: f"_ZN8symbreak12_GLOBAL__N_1{len(name)}{name}IfEEvv" for name in kernels}
    chosen = {name for name in kernels if pattern.search(mangled[name])}
    assert {"on_chip_kernel", "row_sweep_kernel", "column_sweep_kernel", "place_kernel"} < chosen
    named = {f"{name}_kernel" for name in re.search(r"\((.+)\)", pattern.pattern)[1].split("|")}
    assert chosen == named
    assert "for_pixels_kernel" in kernels - chosen


def test_without_a_build_nothing_runs(run):
    found, calls = run(FAILS="-S .")
    assert found.returncode == 1
    assert len(calls) == 1
    found, calls = run("test", "bench", NOT_BUILT="1")
    assert "test: no CUDA build of symbreak here" in found.stdout
    assert "failed: test bench after" in found.stdout
    assert len(calls) == 1


def test_limits(run):
    found, calls = run("test", "bench", SLEEPS="-k cuda", TEST_LIMIT="1")
    assert "device: FAILED, out of time after" in found.stdout
    assert "run.py" in calls[-1]
    found, calls = run("test", LIMIT="5")
    assert "engines: left out, the limit of 5 s is reached" in found.stdout
    assert found.returncode == 1


def test_the_tables_at_the_scale_of_the_paper(run, tmp_path):
    found, calls = run("steps", "train", JOBS="3", TRAIN_ARGS="--set 500")
    assert found.returncode == 0, found.stdout
    assert "training_steps.py" in calls[0]
    assert "tables --scale paper" in calls[1]
    assert f"--jobs 3 --workers {len(os.sched_getaffinity(0))} --set 500" in calls[1]


BLOCK = """import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("shapely", "scipy", "skimage", "lightning"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
"""


def test_what_needs_a_missing_package_is_skipped_and_says_so(tmp_path):
    (tmp_path / "missing.py").write_text(BLOCK)
    paths = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    names = ("crystals", "spread", "halves_page", "learning_cli")
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-p", "missing"]
    command += ["-p", "no:cacheprovider", *(f"tests/test_{name}.py" for name in names)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 5, done.stdout  # no tests, and no error
    assert done.stdout.count("SKIPPED [1]") == len(names)
    assert "could not import 'shapely'" in done.stdout
