"""Build backend: scikit-build-core, with torch as a build requirement only where none is installed.

A static requirement would download a second torch into pip's isolated build environment although
the kernels use nothing of torch but its headers and libtorch.so, which any installed one has.
"""

import subprocess
import sys

from scikit_build_core import build as _core
from scikit_build_core.build import *  # noqa: F403  (the PEP 517 and PEP 660 hooks)

TORCH = "torch>=2.11,<2.14"
# "-I" looks past pip's isolated build environment, at the environment the package is going into.
_PROBE = "import importlib.util as u; raise SystemExit(u.find_spec('torch') is None)"


def _missing_torch() -> list[str]:
    found = subprocess.run([sys.executable, "-I", "-c", _PROBE], check=False).returncode == 0
    return [] if found else [TORCH]


def get_requires_for_build_wheel(config_settings=None) -> list[str]:
    return [*_core.get_requires_for_build_wheel(config_settings), *_missing_torch()]


def get_requires_for_build_editable(config_settings=None) -> list[str]:
    return [*_core.get_requires_for_build_editable(config_settings), *_missing_torch()]
