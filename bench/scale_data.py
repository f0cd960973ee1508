"""What the scripts of scale share: data sets of any size, and tables between marks of a page."""

from __future__ import annotations

import csv
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path

import h5py
import torch

import symbreak
from symbreak.data.simulation.crystals import crystals

PAGE = Path(__file__).parent.parent / "docs" / "scale.md"
RESULTS = Path(__file__).parent / "results"
KINDS = 64  # different crystals of a data set; more of it are moved and turned copies


def write_objects(path: Path, count: int, size: int) -> None:
    """Write ``object`` and ``amplitude`` as `symbreak simulate` does, but in no time."""
    kinds = crystals(KINDS, size)
    amplitude = symbreak.fourier_amplitude(kinds)
    with h5py.File(path, "w") as file:
        for name, x in (("object", kinds), ("amplitude", amplitude)):
            file.create_dataset(name, (count, *x.shape[1:]), x.numpy().dtype)
        for start in range(0, count, KINDS):
            rows = slice(start, min(start + KINDS, count))
            turned = kinds * torch.polar(torch.ones(()), torch.tensor(0.001 * start))
            file["object"][rows] = turned[: rows.stop - start].numpy()
            file["amplitude"][rows] = amplitude[: rows.stop - start].numpy()


def machine() -> dict[str, str]:
    """What the numbers depend on."""
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        cpu = found[1] if found else cpu
    return {"cpu": cpu, "symbreak": symbreak.__version__, "torch": torch.__version__}


def write_csv(path: Path, header: dict[str, str], fields: Sequence[str], rows: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with temporary.open("w", newline="") as out:
        for name, value in header.items():
            out.write(f"# {name}: {value}\n")
        writer = csv.DictWriter(out, fields, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    os.replace(temporary, path)


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open() as lines:
        return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def read_header(path: Path) -> dict[str, str]:
    with path.open() as lines:
        return dict(line[2:].strip().split(": ", 1) for line in lines if line.startswith("# "))


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def replace_between_marks(page: Path, name: str, text: str) -> None:
    """Put ``text`` between ``<!-- name -->`` and ``<!-- /name -->``."""
    old = page.read_text()
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if old.count(begin) != 1 or old.count(end) != 1:
        raise ValueError(f"{page} needs one pair of marks {begin} and {end}.")
    before, rest = old.split(begin)
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{rest.split(end)[1]}")
