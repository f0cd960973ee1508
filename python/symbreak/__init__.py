"""Far-field phase retrieval in PyTorch: break the symmetries, phase, and compare up to them."""

import torch  # noqa: F401  (loads libtorch before the kernels that are linked to it)

from symbreak.ops.build_info import build_info
from symbreak.ops.center import Centered, center

__version__: str = build_info()["version"]

__all__ = [
    "Centered",
    "build_info",
    "center",
]
