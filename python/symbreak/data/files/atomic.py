"""Files appear whole or not at all: write under a temporary name, then rename."""

from __future__ import annotations

import os
import re
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

    Raises:
        OSError: It cannot be written; in one line, also where HDF5 says it in several.
    """
    check_writable(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:
        plain = system_error(error, temporary, path)
        if plain is None:
            raise
        raise plain from error
    finally:
        temporary.unlink(missing_ok=True)


def system_error(error: Exception, temporary: Path, path: Path) -> OSError | None:
    """What the system said of a file in the making, also out of an error of HDF5.

    HDF5 words it at length, over several lines; while closing a file it is even a RuntimeError.

    Args:
        error: What was raised.
        temporary: The name that HDF5 knows.
        path: The name to show for it.

    Returns:
        None where the error is of another kind.
    """
    if isinstance(error, OSError) and error.filename == str(temporary):
        return OSError(error.errno, error.strerror, str(path))
    number = re.search(r"errno = (\d+)", str(error))
    if number is None:
        return None
    name = re.search(r"filename = '([^']*)'", str(error))
    shown = name[1] if name and Path(name[1]) != temporary else str(path)
    return OSError(int(number[1]), os.strerror(int(number[1])), shown)
