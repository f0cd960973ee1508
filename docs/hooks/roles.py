"""griffe extension: what the docstrings say in another way than mkdocstrings reads it.

``:func:`name``` becomes a link to what it names, the block under ``Example:`` becomes code, as it
would be under ``Examples:``, and a description that begins with ``>= 0`` is not a quotation.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:func|class|meth|mod):`([\w.]+)`")
EXAMPLE = re.compile(r"^Example:$", re.MULTILINE)
COMPARISON = re.compile(r"^( +\w+: )>", re.MULTILINE)


class Roles(griffe.Extension):
    """Rewrite the docstrings of a package once all of it is read."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Rewrite every docstring of the package."""
        self._rewrite(pkg, pkg)

    def _rewrite(self, item: griffe.Object, package: griffe.Module) -> None:
        if item.docstring:
            text = EXAMPLE.sub("Examples:", item.docstring.value)
            text = COMPARISON.sub(r"\1\>", text)
            item.docstring.value = ROLE.sub(lambda found: _link(found[1], item, package), text)
        for member in item.members.values():
            if not member.is_alias:
                self._rewrite(member, package)


def _link(name: str, item: griffe.Object, package: griffe.Module) -> str:
    path = name if name.startswith(f"{package.name}.") else _path_of(name, item, package)
    return f"[`{name}`][{path}]"


def _path_of(name: str, item: griffe.Object, package: griffe.Module) -> str:
    """What a bare name means: in the package, beside the item, then in the modules next to its."""
    around = item.module.parent
    rooms: list[Any] = [package, item.parent, item.module]
    if isinstance(around, griffe.Module):
        rooms += [around, *around.modules.values()]
    for room in rooms:
        found = room.members.get(name) if room else None
        if found is not None and (found.is_alias or not found.is_module):
            return f"{room.path}.{name}"
    raise LookupError(f"{item.path}: {name} is named in its docstring and is nowhere around.")
