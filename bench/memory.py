"""Measure the peak memory of the data-set commands for few and many patterns.

    python bench/memory.py                      # bench/results/memory.csv and the table of the page
    python bench/memory.py --items 1000 10000   # smaller
    python bench/memory.py --table              # only the table, from the CSV

Every command is a process of its own with one thread; its peak is what the system reports of it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
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
FIELDS = "command items data_MiB peak_MiB seconds".split()
SIZE = 64
NETWORK = ("--options", '{"width": 4}', "--max-epochs", "1", "--accelerator", "cpu")
TITLES = {
    "simulate": "simulate",
    "break": "break",
    "align": "align",
    "reconstruct-stack": "reconstruct-stack",
    "predict": "predict",
    "evaluate": "evaluate",
}


def commands(folder: Path, data: Path, items: int) -> dict[str, list[str]]:
    """The commands by name; one iteration of phasing holds as much memory as hundreds."""
    out, network = str(folder / "out.h5"), str(folder / "run" / "best.ckpt")
    amplitudes = ["--amplitudes", "--dc", "corner", "--starts", "1", "--schedule", "ER"]
    return {
        "simulate": [
            *("simulate", str(folder / "simulated"), "--train", str(items)),
            *("--validation", "0", "--test", "0"),
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


def measure(names: list[str], counts: list[int], simulated: list[int]) -> list[dict[str, str]]:
    rows = []
    with tempfile.TemporaryDirectory() as place:
        folder, data = Path(place), Path(place) / "data.h5"
        if {"predict", "evaluate"} & set(names):
            write_objects(data, 64, SIZE)
            symbreak(["train", str(data), str(data), "-o", str(folder / "run"), *NETWORK])
            data.unlink()
        for items in counts:
            others = [name for name in names if name != "simulate"]
            if others:
                write_objects(data, items, SIZE)
            for name in others:
                rows.append(one(name, commands(folder, data, items)[name], folder, items))
                (folder / "out.h5").unlink(missing_ok=True)
        data.unlink(missing_ok=True)
        for items in simulated if "simulate" in names else []:
            rows.append(one("simulate", commands(folder, data, items)["simulate"], folder, items))
            (folder / "simulated" / "train.h5").unlink()
    return rows


def one(name: str, words: list[str], folder: Path, items: int) -> dict[str, str]:
    peak, seconds = symbreak(words)
    row = {
        "command": name,
        "items": str(items),
        "data_MiB": f"{folder_size(folder) / 2**20:.0f}",
        "peak_MiB": f"{peak:.0f}",
        "seconds": f"{seconds:.1f}",
    }
    print(*(f"{key}={value}" for key, value in row.items()), flush=True)
    return row


def write_table() -> None:
    header, found = read_header(CSV), read_csv(CSV)
    rows = []
    for name in dict.fromkeys(row["command"] for row in found):
        few, many = sorted(
            (r for r in found if r["command"] == name), key=lambda r: int(r["items"])
        )
        rows.append(
            [
                f"`{TITLES[name]}`",
                *(f"{int(r['items']):,}: {r['peak_MiB']} MiB" for r in (few, many)),
                f"{float(many['data_MiB']) / 1024:.1f} GiB",
            ]
        )
    text = markdown(["command", "fewer patterns: peak", "more: peak", "files of the latter"], rows)
    text += (
        f"\n\nMeasured by `python bench/memory.py` on {header['cpu']}, torch {header['torch']}: "
        f"objects of {SIZE} x {SIZE}, patterns of {2 * SIZE} x {2 * SIZE} pixels, one thread."
    )
    replace_between_marks(PAGE, "memory", text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, nargs=2, default=[10**4, 10**5])
    parser.add_argument("--simulated", type=int, nargs=2, default=[2000, 8000])
    parser.add_argument("--command", action="append", choices=list(TITLES), help="default: all")
    parser.add_argument("--csv", type=Path, default=CSV)
    parser.add_argument("--table", action="store_true", help="only the table, from the CSV")
    options = parser.parse_args()
    if not options.table:
        rows = measure(options.command or list(TITLES), options.items, options.simulated)
        if options.csv.exists() and options.command:  # the others stay
            rows += [r for r in read_csv(options.csv) if r["command"] not in options.command]
        rows.sort(key=lambda r: (list(TITLES).index(r["command"]), int(r["items"])))
        write_csv(options.csv, machine(), FIELDS, rows)
    if options.csv == CSV:
        write_table()


if __name__ == "__main__":
    main()
