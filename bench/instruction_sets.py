"""Time symbreak with every instruction set of this machine, by turns: which is the fastest here?

    python bench/instruction_sets.py --csv bench/results/mine-instruction-sets.csv

Every instruction set has a process of its own, since it is chosen where the library is loaded; one
process works at a time. "symbreak" is the one that is chosen by itself.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import bench_coherence  # noqa: F401  (registers its cases)
import bench_phasing  # noqa: F401
import bench_symmetries  # noqa: F401
import torch
from registry import CASES, Timing, environment, seconds_of
from run import report, write

import symbreak

# The C library keeps the memory that results had: kernels are compared, not the system's pages.
KEPT = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**40)}
PARTS = ("hio", "align", "sa_mse", "fourier_amplitude", "break_symmetry 256")


class Worker:
    """A process that runs cases with one instruction set, on demand."""

    def __init__(self, isa: str, threads: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--worker", "--threads", str(threads)],
            env={**os.environ, **KEPT, "SYMBREAK_CPU_ISA": isa},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, case: str) -> dict:
        """One more measurement of a case; what another case needed is forgotten."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(case, file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{case}: the worker ended, {self.process.wait()}")
        return json.loads(line)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate(timeout=60)  # the end of its input ends it


def work() -> None:
    """The worker: a line with a case's name in, a line with what was measured out."""
    loaded = None
    for line in sys.stdin:
        name = line.strip()
        if name != loaded:
            workload, loaded = CASES[name].build("cpu"), name
            function = workload.variants["symbreak"]
            judged = (workload.judged or workload.variants)["symbreak"]
            known = {
                "unit": workload.unit,
                "units": workload.units_of("symbreak"),
                "bytes": workload.bytes,
                "flops": workload.unit_flops,
                "error": workload.error(judged()),
            }
            function()  # warms up
        print(json.dumps({**known, "seconds": seconds_of(function, "cpu")}), flush=True)


def measure(case: str, workers: dict[str, Worker], rounds: int) -> list[Timing]:
    timings = {}
    for variant, worker in workers.items():
        first = worker.ask(case)  # warms up
        flops = first["flops"] and round(first["flops"] * first["units"])
        timings[variant] = Timing(
            case, "cpu", variant, units=first["units"], unit=first["unit"], error=first["error"],
            bytes=first["bytes"], flops=flops,
        )  # fmt: skip
    turns = list(workers)
    for _ in range(rounds):
        random.shuffle(turns)
        for variant in turns:
            timings[variant].seconds.append(workers[variant].ask(case)["seconds"])
    return list(timings.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", action="append", help="only cases whose name contains this")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--csv", type=Path, help="write the results here")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.worker:
        return work()
    info = symbreak.build_info()
    others = [isa for isa in reversed(info["cpu_isas"]) if isa != info["cpu_isa"]]
    header = {**environment("cpu"), "instruction_set": info["cpu_isa"]}
    cases = [
        name
        for name, case in CASES.items()
        if "cpu" in case.devices and any(part in name for part in options.case or PARTS)
    ]
    rows: list[dict[str, str]] = []
    with ExitStack() as running:
        workers = {
            variant: running.enter_context(Worker(isa, options.threads))
            for variant, isa in [("symbreak", info["cpu_isa"]), *((isa, isa) for isa in others)]
        }
        for name in cases:
            timings = measure(name, workers, options.rounds)
            rows += report(timings, {}, float(header["copy_GB_per_s"]))
            if options.csv:
                write(options.csv, header, rows)


if __name__ == "__main__":
    main()
