"""Time symbreak beside what a user would write: ``python bench/run.py [--case NAME] [--csv F]``."""

from __future__ import annotations

import argparse
import csv
import os
import sys
import traceback
from pathlib import Path

import bench_coherence  # noqa: F401  (registers its cases)
import bench_peers  # noqa: F401
import bench_phasing  # noqa: F401
import bench_symmetries  # noqa: F401
import torch
from registry import CASES, Timing, environment, flop_rate, time_case

FIELDS = (
    "case device variant unit seconds_per_unit low_quartile high_quartile ratio error rounds "
    "GB_per_s Gflop_per_s"
).split()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", action="append", help="only cases whose name contains this")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, help="CPU threads (default: torch's)")
    parser.add_argument("--seconds", type=float, default=4.0, help="per case")
    parser.add_argument("--rounds", type=int, default=200, help="at most, per case")
    parser.add_argument("--csv", type=Path, help="write the results here")
    parser.add_argument("--compare", type=Path, help="an earlier CSV, to print the change against")
    parser.add_argument("--list", action="store_true", help="print the names of the cases")
    options = parser.parse_args()
    chosen = [
        case
        for case in CASES.values()
        if options.device in case.devices
        and (not options.case or any(part in case.name for part in options.case))
    ]
    if options.device == "cuda":  # a limit of time cuts off the end: first what fills a GPU
        chosen.sort(key=lambda case: "cpu" in case.devices)
    if options.list or not chosen:
        print("\n".join(case.name for case in chosen) or f"no case matches {options.case}")
        sys.exit(0 if chosen else 2)
    if options.threads:
        torch.set_num_threads(options.threads)
    header = environment(options.device)
    print(" ".join(f"{name}={value!r}" for name, value in header.items()))
    earlier = read(options.compare) if options.compare else {}
    rows: list[dict[str, str]] = []
    failed = []
    for case in chosen:
        try:
            timings = time_case(
                case, options.device, seconds=options.seconds, rounds=options.rounds
            )
        except Exception:  # the other cases are still worth their time
            traceback.print_exc()
            failed.append(case.name)
            continue
        rows += report(timings, earlier, float(header["copy_GB_per_s"]))
        if options.csv:  # as it grows: an interruption leaves what there is
            write(options.csv, header, rows)
    if options.csv:
        print(f"\nwritten: {options.csv}")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def report(
    timings: list[Timing], earlier: dict[tuple[str, ...], float], copy_rate: float
) -> list[dict[str, str]]:
    """Print one case, every variant beside symbreak; return its CSV rows."""
    ours = timings[0]
    print(f"\n{ours.case} ({ours.device}), per {ours.unit}")
    rows = []
    for timing in timings:
        low, high = (quartile / timing.units for quartile in timing.quartiles)
        ratio = timing.per_unit / ours.per_unit
        rates = [
            f"{count / timing.median / 1e9:.4g}" if count else ""
            for count in (timing.bytes, timing.flops)
        ]
        row = dict(
            zip(
                FIELDS,
                (
                    timing.case,
                    timing.device,
                    timing.variant,
                    timing.unit,
                    f"{timing.per_unit:.4e}",
                    f"{low:.4e}",
                    f"{high:.4e}",
                    f"{ratio:.3f}",
                    f"{timing.error:.2e}",
                    str(len(timing.seconds)),
                    *rates,
                ),
                strict=True,
            )
        )
        rows.append(row)
        line = (
            f"  {timing.variant:<24} {1e6 * timing.per_unit:10.2f} us "
            f"[{1e6 * low:.2f}, {1e6 * high:.2f}]  x{ratio:<7.2f} error {timing.error:.1e}"
        )
        rate = flop_rate() if timing.device == "cpu" and timing.flops else None
        if rate:
            floor = timing.flops / rate / torch.get_num_threads()
            line += f"  {timing.median / floor:.2f} x the add/multiply floor"
        if timing.bytes:
            share = timing.bytes / timing.median / 1e9 / copy_rate
            line += f"  {100 * share:.0f} % of the copy rate"
        before = earlier.get((timing.case, timing.device, timing.variant))
        if before:
            line += f"  {100 * (timing.per_unit / before - 1):+.0f} % against the earlier file"
        print(line, flush=True)
    return rows


def read(path: Path) -> dict[tuple[str, ...], float]:
    with path.open() as lines:
        rows = csv.DictReader(line for line in lines if not line.startswith("#"))
        return {
            (row["case"], row["device"], row["variant"]): float(row["seconds_per_unit"])
            for row in rows
        }


def write(path: Path, header: dict[str, str], rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with temporary.open("w", newline="") as out:
        for name, value in header.items():
            out.write(f"# {name}: {value}\n")
        writer = csv.DictWriter(out, FIELDS)
        writer.writeheader()
        writer.writerows(rows)
    os.replace(temporary, path)


if __name__ == "__main__":
    main()
