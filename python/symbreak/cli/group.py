"""Errors in one line on stderr, without a traceback unless --debug asks for one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup

FAILED = 1
INTERRUPTED = 130  # 128 + SIGINT, what a shell reports of an interrupted program

# What bad input and a bad environment raise. Anything else is a fault of ours and keeps its trace.
EXPECTED = (ValueError, TypeError, OSError, RuntimeError, MemoryError, ImportError)


class OneLineErrors(TyperGroup):
    """A group of commands that reports every error as one line.

    ``--debug`` is understood anywhere on the line, since it is added after something went wrong.
    """

    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> Any:
        """Run a command; ends with SystemExit: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
        words = list(sys.argv[1:] if args is None else args)
        debug = "--debug" in words
        words = [word for word in words if word != "--debug"]
        options["standalone_mode"] = False
        try:
            result = super().main(words, *rest, **options)
        except typer.Abort:  # the end of the input
            _say("interrupted.")
            sys.exit(INTERRUPTED)
        except Exception as error:
            status = _report(error)
            if debug or status is None:
                raise
            sys.exit(status)
        sys.exit(result if isinstance(result, int) else 0)

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command; Ctrl-C is caught here, before typer, which says nothing."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            _say(str(error) or "interrupted.")
            raise typer.Exit(INTERRUPTED) from None


def _report(error: Exception) -> int | None:
    """Print the line; the exit status, or None if the traceback should be seen."""
    describe = getattr(error, "format_message", None)
    if describe is not None:  # wrong usage, found by the parser of the options
        command = getattr(getattr(error, "ctx", None), "command_path", "symbreak")
        text = _one_line(describe())
        if text:  # empty where no command was given and the help was printed instead
            line, *pointed = text.split("\n", 1)  # a schedule, and the caret below it
            _say("\n".join([f"{line} (see '{command} --help')", *pointed]))
        return int(getattr(error, "exit_code", 2))
    if isinstance(error, OSError) and error.strerror and error.filename:
        _say(f"{error.filename}: {error.strerror}")
        return FAILED
    if isinstance(error, EXPECTED):
        _say(_one_line(str(error)) or type(error).__name__)
        return FAILED
    return None


def _one_line(text: str) -> str:
    """Join lines, without PyTorch's C++ stack; a caret stays under the character it points at."""
    text = text.split("\nException raised from")[0]
    lines = text.splitlines()
    if lines and lines[-1].strip() == "^":
        return text
    return " ".join(" ".join(line.split()) for line in lines)


def _say(text: str) -> None:
    print(f"symbreak: error: {text}", file=sys.stderr)
