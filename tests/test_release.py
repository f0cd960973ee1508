"""What is said twice agrees: versions, supported Pythons and torches, files that workflows run."""

import re
import sys
from pathlib import Path

import pytest

import symbreak

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # comes with pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def test_the_version_comes_from_one_place():
    version = PROJECT["project"]["version"]
    assert symbreak.__version__ == version
    citation = (ROOT / "CITATION.cff").read_text()
    assert re.search(r"^version: (.+)$", citation, re.MULTILINE)[1].strip("\"'") == version
    # Nowhere else is it written down, so nothing is forgotten with the next one.
    sources = [*ROOT.glob("python/**/*.py"), *ROOT.glob("csrc/**/*.cpp"), ROOT / "CMakeLists.txt"]
    assert not [path for path in sources if f'"{version}"' in path.read_text()]


def test_the_changelog_begins_with_this_version():
    first = re.search(r"^## \[?([^\s\]]+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1]
    assert first in (PROJECT["project"]["version"], "Unreleased")


def test_the_build_takes_the_torch_that_the_package_needs():
    needed = next(line for line in PROJECT["project"]["dependencies"] if line.startswith("torch"))
    assert f'TORCH = "{needed}"' in (ROOT / "cmake" / "backend.py").read_text()


def test_wheels_are_built_for_the_pythons_that_are_named():
    least = tuple(map(int, PROJECT["project"]["requires-python"].removeprefix(">=").split(".")))
    built = PROJECT["tool"]["cibuildwheel"]["build"].split()
    minors = [int(re.fullmatch(r"cp3(\d+)-\*", name)[1]) for name in built]
    assert minors == list(range(least[1], least[1] + len(minors)))
    named = [
        int(line.rsplit(".", 1)[1])
        for line in PROJECT["project"]["classifiers"]
        if re.fullmatch(r"Programming Language :: Python :: 3\.\d+", line)
    ]
    assert named == minors


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_run_what_there_is(workflow):
    text = workflow.read_text()
    makefile = (ROOT / "Makefile").read_text()
    extras = PROJECT["project"]["optional-dependencies"]
    for script in re.findall(r"run: (\.ci/\w+)", text):
        assert (ROOT / script).stat().st_mode & 0o100
    for targets in re.findall(r"run: make ([\w ]+)", text):
        assert all(re.search(rf"^{name}:", makefile, re.MULTILINE) for name in targets.split())
    for names in re.findall(r"pip install '\.\[([\w,]+)\]'", text):
        assert set(names.split(",")) <= set(extras)


def test_workflows_compile_with_the_cuda_of_the_table_of_registers():
    # Another version of ptxas needs other registers, and .ci/run would fail on the hosted machine.
    page = (ROOT / "docs" / "cuda.md").read_text()
    table = re.search(r"registers.csv` holds what ptxas \(CUDA ([\d.]+)\)", page)[1]
    text = "".join(workflow.read_text() for workflow in WORKFLOWS)
    assert re.findall(r"(?:nvidia/|builder:)cuda:?(\d+\.\d+)", text) == [table, table]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(workflow):
    # Whoever owns an action can move its tags; what runs with our credentials is a commit we chose.
    used = re.findall(r"uses: (.+)", workflow.read_text())
    assert used
    assert [line for line in used if not re.fullmatch(r"\S+@[0-9a-f]{40} # v[\d.]+", line)] == []


def test_there_are_workflows():
    assert [path.stem for path in WORKFLOWS] == ["ci", "docs", "wheels"]
