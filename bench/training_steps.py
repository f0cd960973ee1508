"""Time a training step at the paper's scale in several ways, before hours are spent on one of them.

    python bench/training_steps.py --csv steps.csv

A step is forward, loss, backward and Adam on a batch that lies on the device; its time says how
long a cell of the tables takes at least (`symbreak experiment tables --scale paper`), without
validation and checkpoints. Weights are random, so that nothing is said of how well it learns.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch.nn import functional

import symbreak
from symbreak.experiments.scales import SCALES
from symbreak.learning.networks import build_network

SCALE = SCALES["paper"]
COLUMNS = ("network", "way", "loss", "ms", "low_quartile", "high_quartile", "cell_s", "peak_GB")


class Way(NamedTuple):
    """How the arithmetic is done."""

    name: str
    tf32: bool = True
    bf16: bool = False
    channels_last: bool = False
    benchmark: bool = False
    compiled: bool = False


WAYS = (
    Way("float32", tf32=False),
    Way("tf32"),
    Way("tf32, channels last", channels_last=True),
    Way("tf32, channels last, benchmark", channels_last=True, benchmark=True),
    Way("bf16", bf16=True),
    Way("bf16, channels last", bf16=True, channels_last=True),
    Way("bf16, channels last, benchmark", bf16=True, channels_last=True, benchmark=True),
    Way("bf16, channels last, compiled", bf16=True, channels_last=True, compiled=True),
)


def step(network: str, way: Way, loss: str, device: str, size: int) -> Callable[[], None]:
    """A function that does one step."""
    torch.set_float32_matmul_precision("high" if way.tf32 else "highest")
    if device == "cuda":
        torch.backends.cudnn.allow_tf32 = way.tf32
        torch.backends.cudnn.benchmark = way.benchmark
    torch.manual_seed(0)
    shapes = [size] * 2, [2 * size] * 2
    model = build_network(network, *shapes, SCALE.options[network]).to(device).train()
    if way.channels_last:
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if way.compiled:
        model.compile()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    objects = torch.randn(SCALE.batch, *shapes[0], dtype=torch.complex64, device=device)
    amplitude = symbreak.fourier_amplitude(objects)

    def run() -> None:
        with torch.autocast(device, torch.bfloat16, enabled=way.bf16):
            estimate = model(amplitude)
            if loss == "sa_mse":
                value = symbreak.sa_mse(estimate, objects)
            else:
                value = functional.mse_loss(*map(torch.view_as_real, (estimate, objects)))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()

    return run


def measure(run: Callable[[], None], device: str, steps: int) -> tuple[list[float], float]:
    """Milliseconds of groups of steps, each waited for once, and the peak of the memory in GB."""
    wait = torch.cuda.synchronize if device == "cuda" else (lambda: None)
    for _ in range(3):
        run()
    wait()
    times, group = [], 5
    for _ in range(max(1, steps // group)):
        begun = time.perf_counter()
        for _ in range(group):
            run()
        wait()
        times.append(1e3 * (time.perf_counter() - begun) / group)
    return times, torch.cuda.max_memory_allocated() / 2**30 if device == "cuda" else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--size", type=int, default=SCALE.size)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--csv", type=Path)
    options = parser.parse_args()
    cases = [(n, way, "mse") for n in SCALE.options for way in WAYS]
    cases += [(n, way, "sa_mse") for n in SCALE.options for way in (WAYS[1], WAYS[5])]
    rows = []
    for network, way, loss in cases:
        if options.device == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        try:
            run = step(network, way, loss, options.device, options.size)
            times, peak = measure(run, options.device, options.steps)
        except Exception:  # the other ways are still worth their time
            traceback.print_exc()
            continue
        low, middle, high = statistics.quantiles(times, n=4) if len(times) > 1 else 3 * [times[0]]
        cell = middle * SCALE.passes / SCALE.batch / 1e3
        numbers = (f"{x:.4g}" for x in (middle, low, high, cell, peak))
        rows.append(dict(zip(COLUMNS, (network, way.name, loss, *numbers), strict=True)))
        print(*rows[-1].values(), sep=", ", flush=True)
        if options.csv:
            with options.csv.open("w", newline="") as file:
                writer = csv.DictWriter(file, COLUMNS)
                writer.writeheader()
                writer.writerows(rows)


if __name__ == "__main__":
    main()
