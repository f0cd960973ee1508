"""mkdocs hook: the line ``<!-- measurements -->`` becomes the tables of what bench/run.py wrote."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

MARK = "<!-- measurements -->"
RESULTS = Path(__file__).parents[2] / "bench" / "results"
OURS = "symbreak"

Row = dict[str, str]


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in the tables."""
    if MARK not in markdown:
        return markdown
    files = [(path, *read(path)) for path in sorted(RESULTS.glob("*.csv"))]
    # The others are of bench/memory.py and bench/throughput.py, and are shown in docs/scale.md.
    return markdown.replace(MARK, "\n".join(_file(*file) for file in files if "case" in file[2][0]))


def _file(path: Path, header: Row, rows: list[Row]) -> str:
    cases: dict[str, list[Row]] = {}
    for row in rows:
        cases.setdefault(row["case"], []).append(row)
    others = list(dict.fromkeys(row["variant"] for row in rows if row["variant"] != OURS))
    heads = ["case", "per", "symbreak", "quartiles", *others, "error", "of the limit"]
    threads = "one thread" if header["threads"] == "1" else f"{header['threads']} threads"
    machine = ", ".join([header["device"], threads, f"torch {header['torch']}"])
    about = f"{header['date']}, complex64, from `bench/results/{path.name}`"
    if "instruction_set" in header:
        about += f"; symbreak chose {header['instruction_set']} by itself"
    lines = ["", f"### {machine}", "", f"Measured {about}.{_rates(header)}", ""]
    lines += [_line(heads), _line(["---", "---", *["--:"] * (len(heads) - 2)])]
    lines += [_line(_cells(found, others, header)) for found in cases.values()]
    return "\n".join([*lines, ""])


def _rates(header: Row) -> str:
    if "copy_GB_per_s" not in header:
        return ""
    return (
        f" In the same run the machine copied {header['copy_GB_per_s']} GB/s, and one core did "
        f"{header['core_Gflop_per_s']} billion additions and multiplications a second."
    )


def _cells(rows: list[Row], others: list[str], header: Row) -> list[str]:
    by_variant = {row["variant"]: row for row in rows}
    ours = by_variant.get(OURS, rows[0])
    quartiles = [_seconds(float(ours[name])) for name in ("low_quartile", "high_quartile")]
    ratios = [f"{float(by_variant[v]['ratio']):.1f} x" if v in by_variant else "" for v in others]
    time = _seconds(float(ours["seconds_per_unit"]))
    error = f"{float(ours['error']):.0e}"
    cells = [ours["unit"], time, " to ".join(quartiles), *ratios, error, _limit(ours, header)]
    return [ours["case"], *(cell.replace(" ", "&nbsp;") for cell in cells)]


def _limit(row: Row, header: Row) -> str:
    """What part of the machine's own rate was reached."""
    if row["GB_per_s"] and "copy_GB_per_s" in header:
        return f"{100 * float(row['GB_per_s']) / float(header['copy_GB_per_s']):.0f} % of copying"
    if row["Gflop_per_s"] and "core_Gflop_per_s" in header:
        rate = float(header["core_Gflop_per_s"]) * int(header["threads"])
        return f"{100 * float(row['Gflop_per_s']) / rate:.0f} % of arithmetic"
    return ""


def _seconds(value: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def read(path: Path) -> tuple[Row, list[Row]]:
    """Read the notes and the rows of a results file, as bench/run.py wrote it."""
    lines = path.read_text().splitlines()
    notes = [line[1:].split(":", 1) for line in lines if line.startswith("#")]
    header = {name.strip(): value.strip() for name, value in notes}
    return header, list(csv.DictReader(line for line in lines if not line.startswith("#")))
