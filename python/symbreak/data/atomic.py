"""Files appear whole or not at all: write under a temporary name, then rename."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def check_writable(path: Path) -> None:
    """Find out before a long computation whether its result can be written.

    Raises:
        OSError: ``path`` is a folder, or its folder is missing or not writable.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, a file name is needed for the result.")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: there is no folder {path.parent} to write to.")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"{path}: the folder {path.parent} is not writable.")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; rename it to ``path`` if the block succeeds.

    The temporary name keeps the suffix, from which libraries guess the format. On an error the
    temporary file is removed, and what was at ``path`` before stays.
    """
    check_writable(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
