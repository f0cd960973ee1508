"""Measure the peak memory of the data-set commands for few and many patterns.

    python bench/memory.py                      # bench/results/memory.csv and the table of the page
    python bench/memory.py --items 1000 10000   # smaller
    python bench/memory.py --command predict    # one of them, the others' rows stay
    python bench/memory.py --table              # only the table, from the CSV

Every command is a process of its own with one thread; its peak is what the system reports of it.
Up to 23 GiB of the system's temporary folder are used at a time.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from scale_data import (
    PAGE,
    RESULTS,
    machine,
    markdown,
    read_csv,
    read_header,
    replace_between_marks,
    write_csv,
    write_objects,
)

CSV = RESULTS / "memory.csv"
FIELDS = "command size items data_MiB peak_MiB".split()
SIZE = 64
SMALL = {"predict": 32, "evaluate": 32}  # objects of these, so that a network is done in minutes
NETWORK = ("--options", '{"width": 4}', "--max-epochs", "1", "--accelerator", "cpu")
NAMES = ("simulate", "break", "align", "reconstruct-stack", "predict", "evaluate")


def commands(folder: Path, data: Path, items: int) -> dict[str, list[str]]:
    """The commands by name; one iteration of phasing holds as much memory as hundreds."""
    out, network = str(folder / "out.h5"), str(folder / "run" / "best.ckpt")
    amplitudes = ["--amplitudes", "--dc", "corner", "--starts", "1", "--schedule", "ER"]
    return {
        "simulate": [
            *("simulate", str(folder / "simulated"), "--size", str(SIZE)),
            *("--train", str(items), "--validation", "0", "--test", "0"),
        ],
        "break": ["break", f"{data}:object", "-o", out],
        "align": ["align", f"{data}:object", f"{data}:object", "-o", out],
        "reconstruct-stack": ["reconstruct-stack", f"{data}:amplitude", "-o", out, *amplitudes],
        "predict": ["predict", network, f"{data}:amplitude", "-o", out],
        "evaluate": ["evaluate", network, str(data)],
    }


def symbreak(words: list[str]) -> tuple[float, float]:
    """Run a command; its peak of resident memory in MiB and its seconds."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "symbreak", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    with process.stderr:
        said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"symbreak {' '.join(words)}: {said}")
    return usage.ru_maxrss / 1024, time.perf_counter() - begun


def folder_size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def measure(names: list[str], counts: list[int]) -> Iterator[dict[str, str]]:
    for size in sorted({SMALL.get(name, SIZE) for name in names}):
        with tempfile.TemporaryDirectory() as place:
            folder, data = Path(place), Path(place) / "data.h5"
            now = [name for name in names if SMALL.get(name, SIZE) == size]
            if {"predict", "evaluate"} & set(now):
                write_objects(data, 64, size)
                symbreak(["train", str(data), str(data), "-o", str(folder / "run"), *NETWORK])
                data.unlink()
            for items in counts:
                for name in now:
                    if name != "simulate" and not data.exists():
                        write_objects(data, items, size)
                    yield one(name, commands(folder, data, items)[name], folder, items)
                    (folder / "out.h5").unlink(missing_ok=True)
                    (folder / "simulated" / "train.h5").unlink(missing_ok=True)
                data.unlink(missing_ok=True)


def one(name: str, words: list[str], folder: Path, items: int) -> dict[str, str]:
    peak, seconds = symbreak(words)
    row = {
        "command": name,
        "size": str(SMALL.get(name, SIZE)),
        "items": str(items),
        "data_MiB": f"{folder_size(folder) / 2**20:.0f}",
        "peak_MiB": f"{peak:.0f}",
    }
    print(*(f"{key}={value}" for key, value in row.items()), f"seconds={seconds:.1f}", flush=True)
    return row


def keep(path: Path, row: dict[str, str]) -> None:
    """Write a row at once, in the place of an earlier one of the same measurement."""
    rows = read_csv(path) if path.exists() else []
    rows = [r for r in rows if (r["command"], r["items"]) != (row["command"], row["items"])]
    rows = sorted([*rows, row], key=lambda r: (NAMES.index(r["command"]), int(r["items"])))
    write_csv(path, machine(), FIELDS, rows)


def write_table() -> None:
    header, found = read_header(CSV), read_csv(CSV)
    rows = []
    for name in dict.fromkeys(row["command"] for row in found):
        measured = [row for row in found if row["command"] == name]
        few, many = measured[0], measured[-1]
        rows.append(
            [
                f"`{name}`",
                f"{few['size']} x {few['size']}",
                *(f"{int(r['items']):,}: {r['peak_MiB']} MiB" for r in (few, many)),
                f"{float(many['data_MiB']) / 1024:.1f} GiB",
            ]
        )
    head = ["command", "objects", "fewer patterns: peak", "more: peak", "files of the latter"]
    text = markdown(head, rows) + (
        f"\n\nMeasured by `python bench/memory.py` on {header['cpu']}, torch {header['torch']}: "
        "patterns of twice the objects' size per axis, one thread; a UNet of width 4."
    )
    replace_between_marks(PAGE, "memory", text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, nargs=2, default=[10**4, 10**5])
    parser.add_argument("--command", action="append", choices=NAMES, help="default: all")
    parser.add_argument("--csv", type=Path, default=CSV)
    parser.add_argument("--table", action="store_true", help="only the table, from the CSV")
    options = parser.parse_args()
    if not options.table:
        for row in measure(options.command or list(NAMES), options.items):
            keep(options.csv, row)
    if options.csv == CSV:
        write_table()


if __name__ == "__main__":
    main()
