"""Data flows one way: which room of the package may import which, read from the sources.

Imports inside functions and those for type checkers count like any other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import symbreak

PACKAGE = Path(symbreak.__file__).parent
SOURCES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
KERNELS = "symbreak._C"

# A room, and those that it may import; `symbreak` itself stands for the public functions.
PUBLIC = {"symbreak", "ops"}
FILES = {"geometry", "data.files", "data.streaming"}
DATA = {*FILES, "data.detector", "data.simulation", "data"}
ROOMS: dict[str, set[str]] = {
    "ops": set(),
    "symbreak": {"ops"},
    "reference": PUBLIC,
    "coherence": PUBLIC,
    "shells": PUBLIC,
    "subpixel": PUBLIC,
    "transfer": {*PUBLIC, "shells"},
    "halves": {*PUBLIC, "shells", "subpixel"},
    "cross_validation": PUBLIC,
    "evaluation": {*PUBLIC, "cross_validation", "subpixel", "transfer"},
    "supports": {*PUBLIC, "coherence", "cross_validation"},
    "models": PUBLIC,
    "geometry": {*PUBLIC, "subpixel"},
    "data.files": {*PUBLIC, "geometry"},
    "data.streaming": {*PUBLIC, "data.files"},
    "data.detector": {*PUBLIC, "geometry", "data.files", "subpixel"},
    "data.simulation": {*PUBLIC, *FILES},
    "data": DATA - {"data"},
    "learning": {*PUBLIC, *DATA, "models"},
    "plotting": {*PUBLIC, *DATA, "evaluation", "halves"},
    "experiments": {*PUBLIC, *DATA, "reference", "models", "learning", "plotting"},
    "cli": {
        *PUBLIC,
        *DATA,
        "coherence",
        "cross_validation",
        "evaluation",
        "halves",
        "shells",
        "supports",
        "models",
        "learning",
        "plotting",
        "experiments",
    },
    "__main__": {"cli"},
}


def imported(code: ast.AST) -> Iterator[str]:
    """Modules of symbreak that are imported anywhere in the code."""
    for node in ast.walk(code):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for name in node.names:
                inner = f"{node.module}.{name.name}"
                yield inner if inner in {*SOURCES, KERNELS} else str(node.module)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def graph() -> dict[str, set[str]]:
    """For every module those of its own package that it imports; the kernels are left out."""
    found = {}
    for module, path in SOURCES.items():
        names = set(imported(ast.parse(path.read_text())))
        found[module] = {name for name in names if name in SOURCES}
    return found


def room(module: str) -> str:
    """The room of a module: the first name below symbreak, within data the first two."""
    names = module.split(".")[1:]
    return ".".join(names[: 2 if names[:1] == ["data"] else 1]) or "symbreak"


@pytest.mark.parametrize(
    ("line", "module"),
    [
        ("import symbreak", "symbreak"),
        ("from symbreak import align", "symbreak"),
        ("from symbreak import _C", "symbreak._C"),
        ("from symbreak import data", "symbreak.data"),
        ("from symbreak.data import crystals", "symbreak.data"),
        ("def f():\n    from symbreak.plotting.toy import x", "symbreak.plotting.toy"),
    ],
)
def test_what_a_line_imports(line: str, module: str) -> None:
    assert list(imported(ast.parse(line))) == [module]


def test_every_module_has_its_room() -> None:
    assert {room(module) for module in SOURCES} == set(ROOMS)


def test_rooms_import_in_the_allowed_direction() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, others in graph().items()
        for other in sorted(others)
        if room(other) not in {*ROOMS[room(module)], room(module)}
    ]
    assert not wrong


def test_no_circle_among_rooms_or_modules() -> None:
    for arrows in (ROOMS, graph()):
        order = list(TopologicalSorter(arrows).static_order())  # raises CycleError, and names it
        assert len(order) == len(arrows)


def test_pictures_are_drawn_only_by_those_who_report() -> None:
    """Whoever computes an experiment needs no matplotlib: plotting is imported in functions."""
    drawing = {
        module
        for module, path in SOURCES.items()
        if room(module) in ("experiments", "cli")
        for node in ast.parse(path.read_text()).body
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef))
        if any(room(name) == "plotting" for name in imported(node) if name in SOURCES)
    }
    assert not drawing
