"""symbreak info: what is installed and what of it runs here."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

import torch

import symbreak
from symbreak.cli.output import out, table

OPTIONAL = ("numpy", "h5py", "tifffile", "matplotlib", "typer", "rich", "lightning", "tensorboard")
EXAMPLES = ("symbreak info",)


def info() -> None:
    """Show versions, compiled kernels and devices: what to paste into a report of a problem."""
    rows = table("symbreak", "what", "here")
    rows.columns[1].justify = "left"
    for name, value in symbreak.build_info().items():
        rows.add_row(name, ", ".join(map(str, value)) if isinstance(value, list) else str(value))
    rows.add_row("torch that runs", torch.__version__)
    rows.add_row("CPU threads", str(torch.get_num_threads()))
    for k in range(torch.cuda.device_count()):
        rows.add_row(f"cuda:{k}", torch.cuda.get_device_name(k))
    if not torch.cuda.is_available():
        rows.add_row("CUDA devices", "none")
    for package in OPTIONAL:
        rows.add_row(package, _version(package))
    out().print(rows)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
