"""The code blocks of the documentation, and how each kind is run.

- ```` ```python ```` runs in one namespace per page, ```` ```sh ```` in bash, both in the page's
  own empty folder, in the order of the page.
- ``<!-- not executed: reason -->`` on the line before a block excepts it; the tests list these.
- ``<!-- printed -->`` before a ```` ```text ```` block: it is what the block above it prints; words
  have to be equal, numbers with a decimal point to 15 %, since they differ from machine to machine.
- Any other language is no program of ours (yaml, toml ...); a block without one is an error.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

import symbreak

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PYTHON, SHELL = {"python", "py"}, {"sh", "bash", "shell", "console"}
EXCEPTED = re.compile(r"<!-- not executed: (\S.*?) -->\s*")
PRINTED = "<!-- printed -->"
NUMBER_TOLERANCE = 0.15


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    language: str
    code: str
    reason: str
    """Why it is not executed; empty if it is."""
    printed: bool
    """It is the output of the block above it."""

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def is_program(self) -> bool:
        return self.language in PYTHON | SHELL


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    found, before = [], ""
    for token in MarkdownIt().parse(page.read_text()):
        if token.type == "fence":
            assert token.map is not None
            words = token.info.split()
            excepted = EXCEPTED.fullmatch(before)
            found.append(
                Block(
                    page,
                    token.map[0] + 1,
                    words[0] if words else "",
                    token.content,
                    excepted[1] if excepted else "",
                    before.strip() == PRINTED,
                )
            )
        elif token.type == "code_block":
            assert "```" not in token.content, f"{page}: an indented fence would not be executed"
        before = token.content if token.type == "html_block" else ""
    return found


class Runner:
    """Executes the blocks of one page in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "page"
        self.folder.mkdir()
        programs = folder / "programs"
        programs.mkdir()
        for name, arguments in (("symbreak", "-m symbreak"), ("python", "")):
            (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
            (programs / name).chmod(0o755)
        package = Path(symbreak.__file__).parents[1]
        self.environment = {
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join([str(package), *filter(None, [_python_path()])]),
            "COLUMNS": "100",
            "NO_COLOR": "1",
        }
        self.namespace: dict[str, Any] = {"__name__": "__main__"}

    def run(self, block: Block) -> str:
        """Execute a block; what it printed. Fails the test with the place in the page."""
        if block.language in PYTHON:
            return self._python(block)
        return self._shell(block)

    def _python(self, block: Block) -> str:
        # As many empty lines before it as the page has, so that tracebacks tell the page's line.
        code = compile("\n" * block.line + block.code, str(block.page), "exec")
        out, before = io.StringIO(), Path.cwd()
        os.chdir(self.folder)
        try:
            with contextlib.redirect_stdout(out):
                exec(code, self.namespace)
        finally:
            os.chdir(before)
        return out.getvalue()

    def _shell(self, block: Block) -> str:
        script = block.code
        if block.language == "console":  # only what follows the prompt
            lines = [line[2:] for line in script.splitlines() if line.startswith("$ ")]
            script = "\n".join(lines)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
        )
        if done.returncode:
            pytest.fail(f"{block.where}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout


def compare_printed(block: Block, printed: str) -> None:
    """Hold what the page shows against what was printed."""
    shown, real = block.code.split(), printed.split()
    same = len(shown) == len(real) and all(map(_same_word, shown, real))
    assert same, f"{block.where} shows\n{block.code}\nbut printed was\n{printed}"


def _same_word(shown: str, real: str) -> bool:
    if shown == real:
        return True
    try:
        return "." in shown and float(real) == pytest.approx(float(shown), rel=NUMBER_TOLERANCE)
    except ValueError:
        return False


def _python_path() -> str:
    """PYTHONPATH with absolute paths: the blocks run in another folder."""
    given = os.environ.get("PYTHONPATH", "")
    return os.pathsep.join(str(Path(part).resolve()) for part in given.split(os.pathsep) if part)
