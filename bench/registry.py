"""Cases, how they are timed beside each other, and the machine they ran on."""

from __future__ import annotations

import datetime
import functools
import gc
import platform
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

import symbreak

CASES: dict[str, Case] = {}


@dataclass(frozen=True)
class Workload:
    """One problem on one device: the same work written in several ways."""

    variants: dict[str, Callable[[], Any]]  # "symbreak" first, then what a user would write
    units: int | dict[str, int]  # how many of `unit` one call does, of each variant if they differ
    unit: str
    error: Callable[[Any], float]  # of a variant's result, against float64
    judged: dict[str, Callable[[], Any]] | None = None  # what the error is taken of, if not these
    bytes: int | None = None  # that have to be moved in one call
    unit_flops: float | None = None  # additions and multiplications of one unit

    def units_of(self, variant: str) -> int:
        return self.units if isinstance(self.units, int) else self.units[variant]


@dataclass(frozen=True)
class Case:
    name: str
    build: Callable[[str], Workload]  # of the device
    devices: tuple[str, ...] = ("cpu", "cuda")


def case(name: str, **options: Any) -> Callable[[Callable[[str], Workload]], Callable]:
    """Register a function that builds a workload on a device."""

    def register(build: Callable[[str], Workload]) -> Callable[[str], Workload]:
        CASES[name] = Case(name, build, **options)
        return build

    return register


@dataclass
class Timing:
    case: str
    device: str
    variant: str
    seconds: list[float] = field(default_factory=list)
    units: int = 1
    unit: str = "call"
    error: float = float("nan")
    bytes: int | None = None
    flops: int | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def quartiles(self) -> tuple[float, float]:
        if len(self.seconds) < 2:
            return self.median, self.median
        low, _, high = statistics.quantiles(self.seconds, n=4)
        return low, high

    @property
    def per_unit(self) -> float:
        return self.median / self.units


def wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def time_case(case: Case, device: str, *, seconds: float, rounds: int) -> list[Timing]:
    """Time all variants of a case alternately, so that a change of the clock meets all of them."""
    if device == "cuda":
        torch.cuda.empty_cache()
    workload = case.build(device)
    timings = []
    for variant, function in workload.variants.items():
        result = function()  # warms up
        if workload.judged:
            result = workload.judged[variant]()
        wait(device)
        units, flops = workload.units_of(variant), workload.unit_flops
        timings.append(
            Timing(
                case.name,
                device,
                variant,
                units=units,
                unit=workload.unit,
                error=workload.error(result),
                bytes=workload.bytes,
                flops=flops and round(flops * units),
            )
        )
        del result
    gc.collect()
    started = time.perf_counter()
    functions = list(workload.variants.values())
    for done in range(rounds):
        for timing, function in zip(timings, functions, strict=True):
            timing.seconds.append(seconds_of(function, device))
        if done >= 4 and time.perf_counter() - started > seconds:
            break
    return timings


def seconds_of(function: Callable[[], Any], device: str) -> float:
    """One call's time, alone on the device."""
    wait(device)
    begin = time.perf_counter()
    function()
    wait(device)
    return time.perf_counter() - begin


def copy_rate(device: str) -> float:
    """Bytes per second of a large copy, read and write counted."""
    source = torch.zeros(1 << (28 if device == "cuda" else 26), device=device)
    target = torch.empty_like(source)
    rates = []
    for _ in range(7):
        wait(device)
        begin = time.perf_counter()
        target.copy_(source)
        wait(device)
        rates.append(2 * source.nbytes / (time.perf_counter() - begin))
    return statistics.median(rates)


@functools.cache
def flop_rate() -> float | None:
    """Additions and multiplications per second of one core, or None without a C++ compiler."""
    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if not compiler:
        return None
    source = Path(__file__).with_name("floor.cpp")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "floor"
        flags = ["-O3", "-march=native", "-ffp-contract=off", str(source), "-o", str(program)]
        subprocess.run([compiler, *flags], check=True, timeout=120)
        done = subprocess.run([program], check=True, capture_output=True, text=True, timeout=120)
    return float(done.stdout)


def environment(device: str) -> dict[str, str]:
    """What the figures depend on."""
    rate = flop_rate() if device == "cpu" else None
    info = {
        "date": datetime.date.today().isoformat(),
        "symbreak": symbreak.__version__,
        "torch": torch.__version__,
        "device": torch.cuda.get_device_name() if device == "cuda" else cpu_name(),
        "threads": str(torch.get_num_threads()),
        "copy_GB_per_s": f"{copy_rate(device) / 1e9:.1f}",
        "core_Gflop_per_s": f"{rate / 1e9:.1f}" if rate else "not measured",
    }
    if device == "cuda":
        info["cuda"] = str(torch.version.cuda)
        info["driver"] = driver_version()
    return info


def driver_version() -> str:
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader", "--id=0"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def cpu_name() -> str:
    try:
        with open("/proc/cpuinfo") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
