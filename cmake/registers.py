"""Registers and spills of every CUDA kernel, held against csrc/cuda/registers.csv.

As the launcher of the CUDA compiler it records what ptxas says of each source:
    export CMAKE_CUDA_COMPILER_LAUNCHER="python;$PWD/cmake/registers.py;record;FOLDER"
After the build, compare with the table or write it anew:
    python cmake/registers.py check FOLDER
    python cmake/registers.py update FOLDER
"""

import csv
import re
import subprocess
import sys
from pathlib import Path

TABLE = Path(__file__).resolve().parent.parent / "csrc" / "cuda" / "registers.csv"
FIELDS = ("kernel", "arch", "registers", "spill_bytes")
Usage = dict[tuple[str, str], tuple[int, int]]  # (kernel, arch) -> (registers, spill bytes)


def record(folder: Path, command: list[str]) -> int:
    """Run the compiler; keep what ptxas says under the name of the source."""
    sources = [argument for argument in command if argument.endswith(".cu")]
    if not sources or "-c" not in command:  # CMake trying the compiler, or linking
        return subprocess.run(command, check=False).returncode
    done = subprocess.run([*command, "-Xptxas=-v"], stderr=subprocess.PIPE, text=True, check=False)
    report = done.stderr.splitlines(keepends=True)
    sys.stderr.writelines(
        line for line in report if not re.match(r"ptxas info|    \d+ bytes", line)
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{Path(sources[0]).stem}.log").write_text(done.stderr)
    return done.returncode


def parse(report: str) -> Usage:
    """Kernels by their C++ names; the largest figures where several sources hold one."""
    demangled = subprocess.run(
        ["c++filt"], input=report, capture_output=True, text=True, check=True
    ).stdout
    usage: Usage = {}
    kernel, spills = None, 0
    for line in demangled.splitlines():
        if entry := re.search(r"Compiling entry function '(.*)' for '(sm_\w+)'", line):
            kernel, spills = (short_name(entry[1]), entry[2]), 0
        elif spilled := re.search(r"(\d+) bytes spill stores, (\d+) bytes spill loads", line):
            spills = spills or int(spilled[1]) + int(spilled[2])
        elif (used := re.search(r"Used (\d+) registers", line)) and kernel:
            before = usage.get(kernel, (0, 0))
            usage[kernel] = (max(before[0], int(used[1])), max(before[1], spills))
            kernel = None
    return usage


def short_name(signature: str) -> str:
    """``void symbreak::(anonymous namespace)::f<float>(int)`` -> ``f<float>``."""
    name = re.sub(r"^void ", "", signature).replace("(anonymous namespace)::", "")
    name = name.replace("symbreak::", "")
    depth = 0
    for i in range(len(name) - 1, -1, -1):  # back over the parameters
        depth += {")": 1, "(": -1}.get(name[i], 0)
        if depth == 0:
            return name[:i] if name[i] == "(" else name
    return name


def read_table() -> Usage:
    with TABLE.open() as lines:
        rows = csv.DictReader(lines)
        return {
            (row["kernel"], row["arch"]): (int(row["registers"]), int(row["spill_bytes"]))
            for row in rows
        }


def differences(found: Usage, table: Usage) -> list[str]:
    """What is worse than the table or missing from it, one line each."""
    archs = {arch for _, arch in found}
    lines = []
    for (kernel, arch), usage in sorted(found.items()):
        limit = table.get((kernel, arch))
        if limit is None:
            lines.append(f"{kernel} ({arch}) is not in the table")
        elif usage[0] > limit[0] or usage[1] > limit[1]:
            lines.append(
                f"{kernel} ({arch}) uses {usage[0]} registers and {usage[1]} spill bytes, "
                f"the table allows {limit[0]} and {limit[1]}"
            )
    gone = sorted(key for key in set(table) - set(found) if key[1] in archs)
    return lines + [f"{kernel} ({arch}) is in the table but not built" for kernel, arch in gone]


def update(found: Usage) -> None:
    """Write the table; rows of architectures that were not built stay."""
    archs = {arch for _, arch in found}
    kept = read_table() if TABLE.exists() else {}
    rows = {key: usage for key, usage in kept.items() if key[1] not in archs} | found
    with TABLE.open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(FIELDS)
        writer.writerows((*key, *usage) for key, usage in sorted(rows.items()))


def main() -> int:
    action, folder = sys.argv[1], Path(sys.argv[2])
    if action == "record":
        return record(folder, sys.argv[3:])
    found = parse("".join(log.read_text() for log in sorted(folder.glob("*.log"))))
    if not found:
        print(f"registers: no report of ptxas in {folder}")
        return 1
    if action == "update":
        update(found)
        return 0
    lines = differences(found, read_table())
    print("\n".join([*lines, f"registers: {len(found)} kernels, {len(lines)} against the table"]))
    if lines:
        print(f"Where that is meant: python cmake/registers.py update {folder}")
    return bool(lines)


if __name__ == "__main__":
    sys.exit(main())
