"""HDF5 results written piece by piece: what an interrupted command left is found and continued.

While ``data.h5`` is in the making there are, beside where it will lie,

    .data.part.h5      all datasets in their final size, the first items filled
    .data.part.json    how many of them are done, and the settings they belong to

Space is allocated when the file is made, so that later pieces change no structure of the file:
wherever the process is killed, the part can be opened again.
"""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import symbreak
from symbreak.data.files.atomic import check_writable, system_error
from symbreak.data.streaming.interrupts import remembering_interrupts

SETTINGS = "settings"
NOTHING = "nothing is kept."
Shapes = Mapping[str, tuple[tuple[int, ...], str]]
"""Name of a dataset -> its shape, and type as NumPy spells it."""


class Unfinished:
    """A result in the making: write items from ``done`` on into ``file``, then `advance`."""

    def __init__(
        self, file: h5py.File, journal: Path, settings: str, total: int, check: Callable[[], None]
    ) -> None:
        self.file, self.total = file, total
        self.done = 0
        """Items that are written."""
        self._journal, self._settings, self._check = journal, settings, check

    def advance(self, items: int) -> None:
        """Count further items as written; from here on they survive a kill."""
        self.file.flush()
        self.done += items
        self._note()
        self._check()

    def _note(self) -> None:
        new = self._journal.with_suffix(".new")
        new.write_text(json.dumps({"done": self.done, SETTINGS: self._settings}))
        os.replace(new, self._journal)


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, with what is kept; where one result is made within another, of both."""

    def __init__(self, kept: tuple[str, ...]) -> None:
        super().__init__(f"interrupted; {_told(kept)}")
        self.kept = kept


@contextmanager
def resuming(
    path: Path,
    shapes: Shapes,
    total: int,
    settings: Mapping[str, Any],
    describe: Callable[[h5py.File], None] = lambda file: None,
    *,
    what: str = "",
    intermediate: bool = False,
) -> Iterator[Unfinished]:
    """Make the HDF5 file ``path``, or go on with what an earlier call for it left behind.

    The file appears under its name when the block ends, with an attribute ``settings``. Where the
    block is left by an exception or the process is killed, the finished items are kept; a part of
    other settings, or a damaged one, is made anew.

    Args:
        path: Where the result will lie.
        shapes: Its datasets.
        total: Items in all.
        settings: All that the content depends on; the version of symbreak is added.
        describe: Writes attributes and small datasets into the new file.
        what: What the items are, for the message.
        intermediate: The pieces are not the result but lead to it: the block itself writes
            ``path``, from ``file``, which is removed when the block ends.

    Raises:
        OSError: The file cannot be written, or another process is writing it; the message says
            what is kept.
        Interrupted: A KeyboardInterrupt whose message says what is kept.
    """
    check_writable(path)
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    journal = part.with_suffix(".json")
    text = settings_text(settings)
    done = _done(part, journal, text, total)
    unfinished = None
    try:
        if done is None:
            _discard(journal)
            _create(part, shapes, text, describe)
        with remembering_interrupts() as check, h5py.File(part, "r+") as file:
            unfinished = Unfinished(file, journal, text, total, check)
            unfinished.done = done or 0
            yield unfinished
        if intermediate:
            part.unlink()
        else:
            os.replace(part, path)
        _discard(journal)
    except KeyboardInterrupt as error:
        inner = error.kept if isinstance(error, Interrupted) else ()
        raise Interrupted((*inner, *_counted(unfinished, what))) from error
    except (OSError, RuntimeError) as error:
        plain = system_error(error, part, path) or error
        if unfinished is None or not unfinished.done or not isinstance(plain, OSError):
            raise plain from error
        shown = f"{plain.filename}: {plain.strerror}" if plain.filename else str(plain)
        raise OSError(f"{shown}; {_told(_counted(unfinished, what))}") from error
    finally:
        if unfinished is not None and not unfinished.done:
            part.unlink(missing_ok=True)
            _discard(journal)


def settings_text(settings: Mapping[str, Any]) -> str:
    """Write settings in a form that can be compared."""
    return json.dumps({"version": symbreak.__version__, **settings}, sort_keys=True, default=str)


def is_made(path: Path, settings: Mapping[str, Any]) -> bool:
    """Whether ``path`` is the whole result of these settings."""
    try:
        with h5py.File(path, "r") as file:
            return bool(file.attrs.get(SETTINGS) == settings_text(settings))
    except OSError:
        return False


def identity(path: Path) -> dict[str, Any]:
    """What tells an input file from another, or from a later state of itself."""
    state = path.stat()
    return {"path": str(path.resolve()), "bytes": state.st_size, "changed": state.st_mtime_ns}


def _counted(unfinished: Unfinished | None, what: str) -> tuple[str, ...]:
    if unfinished is None or not unfinished.done:
        return ()
    items = f"{unfinished.total} {what}".rstrip()
    return (f"{unfinished.done} of {items}",)


def _told(kept: tuple[str, ...]) -> str:
    return f"{' and '.join(kept)} are kept, the same command continues." if kept else NOTHING


def _done(part: Path, journal: Path, settings: str, total: int) -> int | None:
    """How many items of the part are of use; None if it must be made anew."""
    if part.exists():
        try:
            with h5py.File(part, "r+"):  # locked while another process has it open
                pass
        except BlockingIOError:
            raise OSError(f"{part}: another process is writing it.") from None
        except OSError:
            return None
    try:
        found = json.loads(journal.read_text())
        done = found["done"] if found[SETTINGS] == settings and part.exists() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return done if isinstance(done, int) and 0 < done <= total else None


def _create(
    part: Path, shapes: Shapes, settings: str, describe: Callable[[h5py.File], None]
) -> None:
    made = False
    try:
        _reserve(part, sum(math.prod(s) * np.dtype(kind).itemsize for s, kind in shapes.values()))
        with h5py.File(part, "w") as file:
            for name, (shape, kind) in shapes.items():
                layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
                layout.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
                layout.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
                file.create_dataset(name, shape, kind, dcpl=layout)
            file.attrs[SETTINGS] = settings
            describe(file)
        _reserve(part, part.stat().st_size)
        made = True
    finally:
        if not made:
            part.unlink(missing_ok=True)


def _reserve(path: Path, size: int) -> None:
    """Take the place on the disk before HDF5 does, which crashes where the disk is full."""
    if not hasattr(os, "posix_fallocate") or not size:
        return
    with open(path, "ab") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
                raise OSError(error.errno, error.strerror, str(path)) from None


def _discard(journal: Path) -> None:
    journal.unlink(missing_ok=True)
    journal.with_suffix(".new").unlink(missing_ok=True)
