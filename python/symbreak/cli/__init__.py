"""The command line. It needs more than the library does: ``pip install 'symbreak[cli]'``."""

from __future__ import annotations

import sys

EXTRA = {"typer", "rich", "h5py", "tifffile", "matplotlib"}


def main() -> None:
    """Run the ``symbreak`` command; exit status 0 done, 1 failed, 2 wrong usage."""
    try:
        from symbreak.cli.app import app
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in EXTRA:
            raise
        sys.exit(
            f"symbreak: the command line needs {error.name}, which is not installed: "
            "pip install 'symbreak[cli]'"
        )
    app()
