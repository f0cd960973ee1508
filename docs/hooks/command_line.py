"""mkdocs hook: the page command-line.md, made by typer from the commands themselves."""

from __future__ import annotations

import re
from typing import Any

import typer
from mkdocs.structure.files import File, Files
from typer.cli import get_docs_for_click

from symbreak.cli.app import app

PAGE = "command-line.md"
HEAD = """# Command line

What `symbreak COMMAND --help` prints, made from the program itself: first the commands in a list,
then every option of each. To learn them by doing: [quickstart](quickstart.md#on-the-command-line).

| to | commands |
|---|---|
| look around | `demo`, `info` |
| phase a measurement | `prepare`, `reconstruct`, then `resolution`, `export`, `combine` |
| phase many | `reconstruct-stack` |
| compare, or break symmetries | `align`, `break` |
| train a network | `simulate`, `train`, `evaluate`, `predict` |
| repeat the paper | `experiment` |

"""
EXAMPLES = "[bold]Examples[/]"


def on_files(files: Files, *, config: Any, **_: Any) -> Files:
    """Add the page to those that mkdocs found in docs/."""
    files.append(File.generated(config, PAGE, content=HEAD + command_line()))
    return files


def command_line() -> str:
    """Markdown of all commands."""
    command = typer.main.get_command(app)
    context = typer.Context(command, info_name="symbreak")
    text = get_docs_for_click(obj=command, ctx=context, name="symbreak")
    text = text.split("\n", 1)[1]  # the page has a title of its own
    for name, part in command.commands.items():
        # typer cuts the summaries off at 45 characters.
        summary = part.get_short_help_str(limit=200)
        text = re.sub(rf"^\* `{name}`: .*$", f"* `{name}`: {summary}", text, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", _with_examples(text))


def _with_examples(text: str) -> str:
    """Join the examples, paragraphs of the help, in one block; stars of the help are no markup."""
    lines, in_examples = [], False
    for line in text.splitlines():
        if line == EXAMPLES:
            lines += ["**Examples**:", "", "```sh"]
            in_examples = True
        elif in_examples and line.startswith("#"):
            lines += ["```", "", line]
            in_examples = False
        elif in_examples:
            lines += [line] if line else []
        else:
            lines.append(_plain_stars(line))
    return "\n".join([*lines, "```"] if in_examples else lines)


def _plain_stars(line: str) -> str:
    item = re.fullmatch(r"(\* `[^`]*`)(.*)", line)
    if item:
        return item[1] + item[2].replace("*", r"\*")
    return line if line.startswith(("**", "`", "#")) else line.replace("*", r"\*")
