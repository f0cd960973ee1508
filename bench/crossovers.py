"""Measure every engine of reconstruct on this GPU: ``python bench/crossovers.py [--write]``.

Per size and batch, the time of an HIO iteration of one image by each engine; what is fastest from
which batch on is the table in csrc/cuda/crossovers.h, which ``--write`` rewrites for this device.
Sizes that are not measured keep their rows; table and CSV are written after each size, so that a
limit of time leaves what there is.
``--from FILE`` takes the measurements from earlier CSVs, and needs no GPU.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import os
import re
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

HEADER = Path(__file__).resolve().parent.parent / "csrc" / "cuda" / "crossovers.h"
BEGIN, END = "// crossovers: begin\n", "// crossovers: end\n"
ENGINES = {"general": "kGeneral", "two_pass": "kTwoPass", "on_chip": "kOnChip"}
# The most used first: a limit of time cuts off the end.
SIZES = (64, 128, 256, 512, 32, 96, 192, 384, 1024, 48, 80, 160, 320, 640, 768)
MOST_PIXELS = 1 << 26  # of a batch
# Pixels that the two-pass engine takes together: from well inside an L2 cache to everything.
TOGETHER = (1 << 19, 1 << 20, 1 << 21, 1 << 22, MOST_PIXELS)
# An engine must be so much faster to take over: less is noise, and a table of its steps.
GAIN = 0.97
FIELDS = ("capability", "bits", "size", "images", "engine", "at_once", "ns")


@dataclass(frozen=True)
class Measured:
    """Nanoseconds of an image's iteration."""

    capability: int
    bits: int
    size: int
    images: int
    engine: str
    at_once: int  # images taken through the schedule together, 0: as the model has it
    ns: float


@dataclass(frozen=True)
class Row:
    """One of csrc/cuda/crossovers.h."""

    capability: int
    bits: int
    size: int
    images: int
    engine: str
    at_once: int

    def text(self) -> str:
        numbers = f"{self.capability}, {self.bits}, {self.size}, {self.images}"
        return f"    {{{numbers}, PhasingEngine::{ENGINES[self.engine]}, {self.at_once}}},"


def crossovers(measured: list[Measured]) -> list[Row]:
    """The fastest engine from which batch on, in the order of the table."""
    rows: list[Row] = []
    for key in sorted({(m.capability, m.bits, m.size) for m in measured}):
        here = [m for m in measured if (m.capability, m.bits, m.size) == key]
        before: Measured | None = None
        for images in sorted({m.images for m in here}):
            found = [m for m in here if m.images == images]
            best = min(found, key=lambda m: m.ns)
            same = [m for m in found if before and choice(m) == choice(before)]
            if same and best.ns > GAIN * same[0].ns:
                continue  # what was best for fewer images is as good
            if before is None or choice(best) != choice(before):
                # Also for fewer images than were measured.
                rows.append(Row(*key, images if rows_of(rows, key) else 1, *choice(best)))
                before = best
    return rows


def choice(m: Measured) -> tuple[str, int]:
    return m.engine, m.at_once


def rows_of(rows: list[Row], key: tuple[int, int, int]) -> list[Row]:
    return [row for row in rows if (row.capability, row.bits, row.size) == key]


def table(rows: list[Row]) -> str:
    """The table as C++."""
    lines = "\n".join(row.text() for row in rows)
    body = f"{{{{\n{lines}\n}}}}" if rows else "{}"
    return f"inline constexpr std::array<Crossover, {len(rows)}> kCrossovers = {body};\n"


def read(text: str) -> list[Row]:
    """The rows in the header."""
    names = {name: engine for engine, name in ENGINES.items()}
    pattern = r"\{(\d+), (\d+), (\d+), (\d+),\s*PhasingEngine::(\w+),\s*(\d+)\}"
    return [
        Row(*map(int, numbers), names[name], int(at_once))
        for *numbers, name, at_once in re.findall(pattern, text)
    ]


def rewritten(text: str, rows: list[Row]) -> str:
    """The header with these rows in place of those of the same device, type and size."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    new = {(row.capability, row.bits, row.size) for row in rows}
    kept = [row for row in read(rest) if (row.capability, row.bits, row.size) not in new]
    rows = sorted(kept + rows, key=lambda r: (r.capability, r.bits, r.size, r.images))
    return before + BEGIN + table(rows) + END + after


@contextmanager
def forced(engine: str, at_once: int) -> Iterator[None]:
    """The engine takes every reconstruction, so many images at once (0: as the model has it)."""
    os.environ["SYMBREAK_CUDA_ENGINE"] = engine
    os.environ["SYMBREAK_CUDA_IMAGES"] = str(at_once)
    try:
        yield
    finally:
        del os.environ["SYMBREAK_CUDA_ENGINE"], os.environ["SYMBREAK_CUDA_IMAGES"]


def milliseconds(amplitude: torch.Tensor, support: torch.Tensor, iterations: int) -> float:
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    torch.ops.symbreak.reconstruct(
        amplitude, f"{iterations}*HIO", support=support, shrinkwrap_every=0
    )
    end.record()
    end.synchronize()
    return begin.elapsed_time(end)


def nanoseconds(amplitude: torch.Tensor, support: torch.Tensor, repeats: int) -> float:
    """Of an image's iteration, without what a call costs once: from runs of n and 3 n."""
    milliseconds(amplitude, support, 20)  # loads kernels, makes plans
    once = milliseconds(amplitude, support, 20) / 20
    n = max(8, min(400, int(4.0 / once)))
    times = []
    for _ in range(repeats):
        short, long = (milliseconds(amplitude, support, k * n) for k in (1, 3))
        times.append((long - short) / (2 * n))
    return 1e6 * statistics.median(times) / len(amplitude)


def measure(size: int, bits: int, batches: list[int], repeats: int) -> Iterator[Measured]:
    """All engines that take this size, over the batches."""
    major, minor = torch.cuda.get_device_capability()
    dtype = torch.float32 if bits == 32 else torch.float64
    support = torch.zeros(1, size, size, dtype=torch.bool, device="cuda")
    support[:, : size // 2, : size // 2] = True
    for images in batches:
        if images * size * size > MOST_PIXELS:
            break
        amplitude = torch.rand(images, size, size, dtype=dtype, device="cuda") + 0.1
        inside = support.expand(images, 1, size, size).contiguous()
        for engine in ENGINES:
            for together in ways_to_share(images, size) if engine == "two_pass" else [0]:
                try:
                    with forced(engine, together):
                        ns = nanoseconds(amplitude, inside, repeats)
                except RuntimeError as error:
                    if "does not take this grid" not in str(error):
                        raise
                    continue
                found = Measured(10 * major + minor, bits, size, images, engine, together, ns)
                print(" ".join(str(getattr(found, f)) for f in FIELDS[:-1]), f"{ns:.1f} ns")
                sys.stdout.flush()
                yield found


def ways_to_share(images: int, size: int) -> list[int]:
    """How many images to take at once, beside what the model says (0)."""
    pixels = size * size
    if images * pixels <= TOGETHER[0]:
        return [0]
    parts = [p // pixels for p in TOGETHER if p // pixels > 0 and p < images * pixels]
    return [0, *parts, MOST_PIXELS // pixels]


def write_csv(path: Path, measured: list[Measured]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with temporary.open("w", newline="") as out:
        out.write(f"# date: {datetime.date.today().isoformat()}\n")
        out.write(f"# device: {torch.cuda.get_device_name()}\n# torch: {torch.__version__}\n")
        writer = csv.writer(out)
        writer.writerow(FIELDS)
        for m in measured:
            writer.writerow([getattr(m, f) for f in FIELDS[:-1]] + [f"{m.ns:.1f}"])
    os.replace(temporary, path)


def read_csv(path: Path) -> list[Measured]:
    with path.open() as lines:
        rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    numbers = ("capability", "bits", "size", "images", "at_once")
    return [
        Measured(**{f: int(r[f]) for f in numbers}, engine=r["engine"], ns=float(r["ns"]))
        for r in rows
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--bits", type=int, nargs="+", default=[32], choices=(32, 64))
    parser.add_argument("--most", type=int, default=2048, help="images")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--csv", type=Path, help="write every measurement here")
    parser.add_argument("--write", action="store_true", help=f"rewrite {HEADER.name}")
    parser.add_argument("--from", type=Path, nargs="+", dest="earlier", metavar="FILE")
    options = parser.parse_args()
    if options.earlier:
        return finish([m for path in options.earlier for m in read_csv(path)], options.write)
    if not torch.cuda.is_available():
        print("crossovers: needs a GPU; torch sees none here.", file=sys.stderr)
        return 2
    import symbreak

    if not symbreak.build_info()["cuda"]:
        print("crossovers: symbreak was built without CUDA here.", file=sys.stderr)
        return 2
    batches = [1 << k for k in range(options.most.bit_length()) if 1 << k <= options.most]
    measured: list[Measured] = []
    for bits in options.bits:
        for size in options.sizes:
            measured += measure(size, bits, batches, options.repeats)
            if options.csv:
                write_csv(options.csv, measured)
            if options.write:
                write_header(crossovers(measured))
    return finish(measured, options.write)


def finish(measured: list[Measured], write: bool) -> int:
    rows = crossovers(measured)
    print(table(rows), end="")
    if write:
        write_header(rows)
        print(f"written: {HEADER}; build anew for it to count")
    return 0


def write_header(rows: list[Row]) -> None:
    temporary = HEADER.with_suffix(".tmp")
    temporary.write_text(rewritten(HEADER.read_text(), rows))
    os.replace(temporary, HEADER)


if __name__ == "__main__":
    sys.exit(main())
