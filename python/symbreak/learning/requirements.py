"""A clear message where the packages for training are missing."""

from __future__ import annotations

from importlib.util import find_spec


def require_training() -> None:
    """Raise ImportError, with the command that helps, unless training is possible here."""
    for package in ("lightning", "tensorboard"):
        if find_spec(package) is None:
            raise ImportError(f"training needs {package}: pip install 'symbreak[train]'.")
