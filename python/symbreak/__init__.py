"""Far-field phase retrieval in PyTorch: break the symmetries, phase, and compare up to them."""

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import torch  # before the kernels, which are linked to the libraries that it loads

if os.environ.get("SYMBREAK_EMULATE_CUDA") == "1":
    # The CUDA kernels, run by emulation on CPU tensors: a build for their tests (make emulated).
    sys.modules["symbreak._C"] = import_module("symbreak._C_emulated")

from symbreak import _C  # noqa: F401  (registers the ops before their Python side looks for them)
from symbreak.ops import reconstruct_blurred as _reconstruct_blurred  # noqa: F401  (likewise)
from symbreak.ops.align import Alignment, align, sa_mse
from symbreak.ops.apply_symmetry import apply_symmetry
from symbreak.ops.break_symmetry import SymmetryBreaking, break_symmetry
from symbreak.ops.build_info import build_info
from symbreak.ops.center import Centered, center
from symbreak.ops.fourier_amplitude import fourier_amplitude
from symbreak.ops.free_pixels import free_log_likelihood, free_pixels
from symbreak.ops.reconstruct import reconstruct
from symbreak.ops.reconstruction import Reconstruction
from symbreak.ops.shrinkwrap import Shrinkwrap

# What was saved by torch.save is read by torch.load as it is: these hold tensors and numbers alone.
torch.serialization.add_safe_globals(
    [Alignment, Centered, Reconstruction, Shrinkwrap, SymmetryBreaking]
)

__version__: str = build_info()["version"]

__all__ = [
    "Alignment",
    "Centered",
    "Reconstruction",
    "Shrinkwrap",
    "SymmetryBreaking",
    "align",
    "apply_symmetry",
    "break_symmetry",
    "build_info",
    "center",
    "fourier_amplitude",
    "free_log_likelihood",
    "free_pixels",
    "reconstruct",
    "sa_mse",
]

_MODULES = (
    "coherence",
    "cross_validation",
    "data",
    "evaluation",
    "geometry",
    "halves",
    "learning",
    "models",
    "plotting",
    "shells",
    "subpixel",
    "supports",
    "transfer",
)

if not TYPE_CHECKING:  # a type checker would take any name for one of these

    def __getattr__(name: str) -> object:
        """Import ``symbreak.data`` and the like when they are first asked for, as some are slow."""
        if name in _MODULES:
            return import_module(f"symbreak.{name}")
        raise AttributeError(f"module 'symbreak' has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *_MODULES})
