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
        """Look a bare name up among the public functions first, then in its own module."""
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
    target = name
    if not name.startswith(f"{package.name}."):
        owner = package if name in package.members else item.module
        target = f"{owner.path}.{name}"
    return f"[`{name}`][{target}]"
