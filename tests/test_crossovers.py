"""The choice of a CUDA engine: from measurements to the table, from the table to the choice."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
import crossovers as bench  # noqa: E402

import symbreak  # noqa: E402


def measured(size, times, bits=32, capability=90):
    """times: images -> {engine, or (engine, at once): ns}."""
    return [
        bench.Measured(capability, bits, size, images, *choice, ns)
        for images, row in times.items()
        for name, ns in row.items()
        for choice in [name if isinstance(name, tuple) else (name, 0)]
    ]


MEASURED = [
    *measured(64, {1: {"general": 9e3, "two_pass": 5e3, "on_chip": 2e4},
                   64: {"general": 200, "two_pass": 99, "on_chip": 100},
                   128: {"general": 190, "two_pass": 101, "on_chip": 100},  # within noise
                   256: {"general": 90, "two_pass": 70, "on_chip": 30},
                   512: {"general": 90, "two_pass": 31, "on_chip": 30}}),
    *measured(256, {4: {"general": 900, "two_pass": 950},
                    32: {"general": 900, "two_pass": 800, ("two_pass", 16): 790},
                    64: {"general": 900, "two_pass": 800, ("two_pass", 16): 700}}),
    *measured(64, {1: {"general": 9e3, "two_pass": 5e3}}, bits=64),
]  # fmt: skip
ROWS = [
    bench.Row(90, 32, 64, 1, "two_pass", 0),
    bench.Row(90, 32, 64, 256, "on_chip", 0),
    bench.Row(90, 32, 256, 1, "general", 0),
    bench.Row(90, 32, 256, 32, "two_pass", 16),
    bench.Row(90, 64, 64, 1, "two_pass", 0),
]


def test_the_fastest_from_which_batch_on():
    assert bench.crossovers(MEASURED) == ROWS


def test_the_header_is_rewritten_for_one_device_and_its_sizes_only():
    header = bench.HEADER.read_text()
    first = bench.rewritten(header, ROWS)
    mine = {(r.capability, r.bits, r.size) for r in ROWS}
    others = {r for r in bench.read(header) if (r.capability, r.bits, r.size) not in mine}
    assert set(bench.read(first)) == others | set(ROWS)
    both = bench.rewritten(first, [bench.Row(80, 32, 128, 1, "two_pass", 0)])
    assert len(bench.read(both)) == len(bench.read(first)) + 1
    assert bench.rewritten(both, ROWS) == both
    assert bench.rewritten(both, ROWS[:2]) == both  # the other sizes keep their rows
    before, after = (re.split("// crossovers: (?:begin|end)\n", x) for x in (header, both))
    assert (before[0], before[2]) == (after[0], after[2])


@pytest.fixture(scope="module")
def choose(tmp_path_factory):
    """The choice by the header's own code, with a table of our rows."""
    folder = tmp_path_factory.mktemp("choice")
    planted = bench.table(ROWS).replace("inline constexpr", "constexpr")
    (folder / "planted.h").write_text(planted.replace("kCrossovers", "kPlanted"))
    program = folder / "choice"
    command = ["g++", "-std=c++20", "-Wall", "-Wextra", "-Werror", "-DPLANTED", f"-I{folder}"]
    command += [f"-I{ROOT / 'csrc'}", str(ROOT / "tests/engine_choice.cpp"), "-o", str(program)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no g++ here")
    assert done.returncode == 0, done.stderr

    def run(*problem):
        text = " ".join(str(int(x) if isinstance(x, bool) else x) for x in problem) + "\n"
        done = subprocess.run([program], input=text, capture_output=True, text=True, check=True)
        engine, images = done.stdout.split()
        return engine, int(images)

    return run


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        # capability, bits, rows, columns, depth, images, two_pass, on_chip
        ((90, 32, 64, 64, 1, 1, True, True), ("two_pass", 1)),
        ((90, 32, 64, 64, 1, 255, True, True), ("two_pass", 255)),
        ((90, 32, 64, 64, 1, 256, True, True), ("on_chip", 256)),
        ((90, 32, 256, 256, 1, 31, True, False), ("general", 7)),  # always the plan's
        ((90, 32, 256, 256, 1, 32, True, False), ("two_pass", 16)),
        ((90, 64, 64, 64, 1, 4096, True, False), ("two_pass", 179)),  # at once: the model's
        # A row whose engine cannot here, another grid, another device: the model's.
        ((90, 32, 64, 64, 1, 256, True, False), ("two_pass", 256)),
        ((90, 32, 64, 128, 1, 256, True, False), ("two_pass", 176)),
        ((90, 32, 64, 64, 64, 256, False, False), ("general", 7)),
        ((80, 32, 64, 64, 1, 95, True, True), ("two_pass", 95)),
        ((80, 32, 64, 64, 1, 96, True, True), ("on_chip", 96)),
        ((86, 32, 64, 64, 1, 4096, True, True), ("two_pass", 353)),
        ((75, 32, 512, 512, 1, 16, False, False), ("general", 7)),
        # Forced.
        ((90, 32, 64, 64, 1, 256, True, True, "two_pass"), ("two_pass", 256)),
        ((90, 32, 256, 256, 1, 64, True, False, "general", 3), ("general", 7)),
        ((90, 32, 256, 256, 1, 64, True, False, "-", 5), ("two_pass", 5)),
        ((90, 32, 64, 64, 1, 99999, True, True, "on_chip"), ("on_chip", 132 * 62)),
    ],
)
def test_the_choice(choose, problem, expected):
    assert choose(*problem) == expected


def test_what_was_measured_is_in_the_header_before_all_is(tmp_path, monkeypatch):
    def measure(size, *_):
        if size == 512:
            raise KeyboardInterrupt  # as a limit of time would
        return [m for m in MEASURED if m.size == size and m.bits == 32]

    header = tmp_path / "crossovers.h"
    header.write_text(bench.HEADER.read_text())
    monkeypatch.setattr(bench, "HEADER", header)
    monkeypatch.setattr(bench, "measure", measure)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(symbreak, "build_info", lambda: {"cuda": True})
    monkeypatch.setattr(sys, "argv", ["crossovers", "--write", "--sizes", "64", "256", "512"])
    with pytest.raises(KeyboardInterrupt):
        bench.main()
    assert set(ROWS[:-1]) <= set(bench.read(header.read_text()))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_it_says_so():
    done = subprocess.run(
        [sys.executable, bench.__file__], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["crossovers: needs a GPU; torch sees none here."]


def test_a_table_from_an_earlier_file(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a device")
    bench.write_csv(tmp_path / "a.csv", MEASURED[:14])
    bench.write_csv(tmp_path / "b.csv", MEASURED[14:])
    files = [str(tmp_path / name) for name in ("a.csv", "b.csv")]
    monkeypatch.setattr(sys, "argv", ["crossovers", "--from", *files])
    assert bench.main() == 0
    assert capsys.readouterr().out == bench.table(ROWS)


def test_the_ways_to_share_a_batch():
    assert bench.ways_to_share(16, 64) == [0]
    assert bench.ways_to_share(1, 1024) == [0, 64]
    assert bench.ways_to_share(1024, 64) == [0, 128, 256, 512, 16384]
