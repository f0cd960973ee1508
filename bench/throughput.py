"""Measure what one core and a GPU do of the data-set commands, and what 1e6 and 1e9 patterns cost.

    taskset -c 1 python bench/throughput.py     # bench/results/throughput.csv and the page's table
    python bench/throughput.py --device cuda    # bench/results/throughput-cuda.csv and the table
    python bench/throughput.py --table          # only the table, from the CSVs

The commands run in this process, on a CPU with one thread, on files of the system's temporary
folder, reading and writing included; a first run, of few patterns, is not counted.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
import time
from pathlib import Path

import torch
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
from typer.testing import CliRunner

from symbreak.cli.app import app
from symbreak.ops.schedule import SCHEDULE

CSV = {"cpu": RESULTS / "throughput.csv", "cuda": RESULTS / "throughput-cuda.csv"}
FIELDS = (
    "command patterns seconds_per_pattern fastest slowest cpu_seconds rounds bytes_per_pattern"
).split()
BUSY = 1.2  # seconds per second of the processor, above which something else was running
SIZE, WARM_UP = 64, 4
CORES, DAYS = 64, 7  # of one machine; for 1e9 patterns
TITLES = {
    "simulate": "`simulate`",
    "break": "`break`",
    "align": "`align -o`",
    "predict": "`predict`, UNet",
    "reconstruct-stack": "`reconstruct-stack --starts 1`",
}
# Patterns of one measurement: a second or more of work. Simulation has no kernels for a GPU.
COUNTS = {
    "cpu": {"simulate": 200, "break": 4000, "align": 800, "predict": 60, "reconstruct-stack": 24},
    "cuda": {"break": 16384, "align": 16384, "predict": 8192, "reconstruct-stack": 4096},
}


def words(name: str, folder: Path, data: Path, count: int, device: str) -> list[str]:
    out = str(folder / "out.h5")
    command = {
        "simulate": [
            *("simulate", str(folder / "simulated"), "--train", str(count)),
            *("--validation", "0", "--test", "0"),
        ],
        "break": ["break", f"{data}:object", "-o", out],
        "align": ["align", f"{data}:object", f"{data}:object", "-o", out],
        "predict": ["predict", str(folder / "run" / "best.ckpt"), f"{data}:amplitude", "-o", out],
        "reconstruct-stack": [
            *("reconstruct-stack", f"{data}:amplitude", "-o", out),
            *("--amplitudes", "--dc", "corner", "--starts", "1", "--schedule", SCHEDULE),
        ],
    }[name]
    return command if device == "cpu" else [*command, "--device", device]


def run(command: list[str]) -> None:
    result = CliRunner().invoke(app, command)
    if result.exit_code:
        raise RuntimeError(f"symbreak {' '.join(command)}: {result.output}")


def measure(name: str, folder: Path, rounds: int, device: str) -> dict[str, str]:
    made = folder / "simulated" / "train.h5" if name == "simulate" else folder / "out.h5"
    seconds, busy = [], []
    for k in range(rounds + 1):
        count = COUNTS[device][name] if k else WARM_UP
        data = folder / f"{count}.h5"
        if not data.exists():
            write_objects(data, count, SIZE)
        begun, used = time.perf_counter(), time.process_time()
        run(words(name, folder, data, count, device))
        seconds.append((time.perf_counter() - begun) / count)
        busy.append((time.process_time() - used) / count)
        size = made.stat().st_size
        made.unlink()
    counted = seconds[1:]
    row = {
        "command": name,
        "patterns": str(count),
        "seconds_per_pattern": f"{statistics.median(counted):.4g}",
        "fastest": f"{min(counted):.4g}",
        "slowest": f"{max(counted):.4g}",
        "cpu_seconds": f"{statistics.median(busy[1:]):.4g}",
        "rounds": str(rounds),
        "bytes_per_pattern": str(round(size / count)),
    }
    print(*(f"{key}={value}" for key, value in row.items()), flush=True)
    return row


def write_table() -> None:
    header, found = read_header(CSV["cpu"]), read_csv(CSV["cpu"])
    speed, cost = [], []
    gpu = {row["command"]: row for row in read_csv(CSV["cuda"])} if CSV["cuda"].exists() else {}
    for row in found:
        seconds, size = float(row["seconds_per_pattern"]), int(row["bytes_per_pattern"])
        title = TITLES[row["command"]]
        speed.append(
            [
                title,
                f"{1e3 * seconds:.3g} ms",
                number(1 / seconds),
                on_gpu(row["command"], gpu),
                f"{size:,}",
            ]
        )
        machines = math.ceil(1e9 * seconds / (CORES * DAYS * 86400))
        cost.append(
            [
                title,
                f"{duration(1e6 * seconds)} of a core",
                f"{duration(1e6 * seconds / CORES)}",
                storage(1e6 * size),
                f"{duration(1e9 * seconds)} of a core",
                f"{machines:,}",
                storage(1e9 * size),
            ]
        )
    threads = [
        "command",
        "time per pattern, one core",
        "patterns/s, one core",
        "patterns/s, GPU",
        "bytes, result",
    ]
    text = markdown(threads, speed)
    text += (
        f"\n\nMedian of {found[0]['rounds']} runs, by `python bench/throughput.py`, on one core of "
        f"{header['cpu']}, torch {header['torch']}; objects of {SIZE} x {SIZE}, patterns of "
        f"{2 * SIZE} x {2 * SIZE} pixels, schedule `{SCHEDULE}`; reading and writing files "
        "included.\n\n"
    )
    if gpu:
        header = read_header(CSV["cuda"])
        text += (
            f"The GPU: {header['gpu']}, torch {header['torch']}, median of "
            f"{next(iter(gpu.values()))['rounds']} runs by `python bench/throughput.py --device "
            "cuda`, the same files read and written by one process.\n\n"
        )
    ratios = [float(r["seconds_per_pattern"]) / float(r["cpu_seconds"]) for r in found]
    if max(ratios) > BUSY:
        text += (
            f"**The core was busy with other work, too: these times are {min(ratios):.1f} to "
            f"{max(ratios):.1f} times what the processor spent. To be measured again.**\n\n"
        )
    text += markdown(
        [
            "command",
            "10^6 patterns",
            f"on {CORES} cores",
            "storage",
            "10^9 patterns",
            f"machines of {CORES} cores for {DAYS} days",
            "storage",
        ],
        cost,
    )
    text += (
        "\n\nComputed from the table above: time divided by cores, as if every core were as fast "
        "as the measured one while the others work. What `reconstruct-stack` needs grows with "
        "`--starts`."
    )
    replace_between_marks(PAGE, "throughput", text)


def on_gpu(command: str, measured: dict[str, dict[str, str]]) -> str:
    """Patterns per second."""
    if command not in COUNTS["cuda"]:
        return "runs on the CPU"
    if command not in measured:
        return "not yet measured"
    return number(1 / float(measured[command]["seconds_per_pattern"]))


def duration(seconds: float) -> str:
    for unit, length in (("years", 365.25 * 86400), ("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{number(seconds / length)} {unit}"
    return f"{number(seconds)} s"


def storage(count: float) -> str:
    for unit, length in (("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= length:
            return f"{number(count / length)} {unit}"
    return f"{count:.0f} B"


def number(value: float) -> str:
    """Two digits or more, never as a power of ten."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", choices=sorted(COUNTS), default="cpu")
    parser.add_argument("--table", action="store_true", help="only the table, from the CSVs")
    options = parser.parse_args()
    if not options.table:
        header = machine()
        if options.device == "cpu":
            torch.set_num_threads(1)
        else:
            header["gpu"] = torch.cuda.get_device_name()
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            write_objects(folder / "few.h5", 8, SIZE)
            few = str(folder / "few.h5")
            training = ("--max-epochs", "1", "--accelerator", "cpu", "-o", str(folder / "run"))
            run(["train", few, few, *training])
            rows = []
            for name in COUNTS[options.device]:
                rows.append(measure(name, folder, options.rounds, options.device))
                # As they come, so that a limit of time leaves what there is.
                write_csv(CSV[options.device], header, FIELDS, rows)
    write_table()


if __name__ == "__main__":
    main()
