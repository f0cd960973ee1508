"""What the API pages show, and the sections of its docstrings: for tests/test_docstrings.py."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

PAGES = Path(__file__).resolve().parent.parent / "docs" / "api"
LISTED = re.compile(r"^::: (\S+)(?:\n    options: (.*))?$", re.MULTILINE)
REFUSES = re.compile(r"^ *raise |\b_?check\w*\(|Source\.of\(", re.MULTILINE)


@cache
def public() -> dict[str, Any]:
    """Every class, function and public method that an API page shows, by its dotted path."""
    found: dict[str, Any] = {}
    for page in sorted(PAGES.glob("*.md")):
        for path, options in LISTED.findall(page.read_text()):
            for name, value in _members(path):
                found[name] = value
                if inspect.isclass(value) and "members: false" not in options:
                    found |= _methods(name, value)
    return found


def _members(path: str) -> Iterator[tuple[str, Any]]:
    """What is at the path; of a module what is defined in it."""
    try:
        module = import_module(path)
    except ModuleNotFoundError:
        parent, name = path.rsplit(".", 1)
        yield path, getattr(import_module(parent), name)
        return
    for name, value in vars(module).items():
        if not name.startswith("_") and getattr(value, "__module__", None) == path:
            yield f"{path}.{name}", value


def _methods(path: str, owner: type) -> dict[str, Any]:
    return {
        f"{path}.{name}": getattr(owner, name)
        for name, value in vars(owner).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or isinstance(value, classmethod))
    }


def sections(documented: Any) -> dict[str, dict[str, str]]:
    """The sections of a Google docstring: the text of each entry by its name."""
    found: dict[str, dict[str, str]] = {}
    section: dict[str, str] = {}
    name = ""
    for line in inspect.getdoc(documented).splitlines():
        if heading := re.fullmatch(r"(\w+):", line):
            section = found.setdefault(heading[1], {})
        elif entry := re.match(r" {4}(\S[^:]*):?(.*)", line):
            name = entry[1]
            section[name] = entry[2]
        elif line.startswith(" ") and name in section:
            section[name] += f" {line.strip()}"
        elif line:
            section, name = {}, ""
    return found


def parameters(documented: Any) -> dict[str, str]:
    """The annotations by name."""
    found = inspect.signature(documented).parameters.values()
    return {p.name: str(p.annotation) for p in found if p.name != "self"}


def own_fields(owner: type) -> list[str]:
    """Fields of a dataclass or a named tuple."""
    if is_dataclass(owner):
        return [field.name for field in fields(owner)]
    return list(getattr(owner, "_fields", ()))


def described_fields(owner: type) -> list[str]:
    """Fields with a docstring of their own, the text on the line below them."""
    body = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0].body
    return [
        field.target.id
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    ]


def refuses(function: Any) -> bool:
    """Whether it raises, or calls what checks arguments."""
    return REFUSES.search(inspect.getsource(function)) is not None
