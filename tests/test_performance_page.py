"""README.md and docs/performance.md say of two machines what was measured there."""

import csv
from pathlib import Path

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "bench" / "results"
NAMES = {
    "avx512vl": "AVX-512 with vectors of 32 bytes took {} to {} times as long",
    "avx2": "AVX2 {} to {} times",
    "baseline": "the baseline of x86-64 {} to {} times",
}


def words(page):
    return " ".join((ROOT / page).read_text().split())


def measured(name):
    lines = (RESULTS / name).read_text().splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def test_what_is_chosen_is_the_fastest_by_what_the_page_says():
    name = "xeon-emerald-rapids-instruction-sets.csv"
    assert "# instruction_set: avx512\n" in (RESULTS / name).read_text()
    rows = measured(name)
    for variant, text in NAMES.items():
        ratios = [float(row["ratio"]) for row in rows if row["variant"] == variant]
        assert len(ratios) == len(rows) // 4 > 20
        assert min(ratios) > 1
        said = text.format(f"{min(ratios):.2f}", f"{max(ratios):.2f}")
        assert said in words("docs/performance.md")


def test_how_long_torch_takes_on_either_machine():
    texts = {
        "epyc-zen4-2cores.csv": "Phasing there takes in-place torch {:.1f} to {:.1f} times as long",
        "xeon-emerald-rapids-2cores.csv": "{:.1f} to {:.1f} times on two cores of an Intel Xeon",
    }
    for name, text in texts.items():
        ratios = {
            row["case"]: float(row["ratio"])
            for row in measured(name)
            if row["variant"] == "in-place torch" and row["case"].startswith(("hio", "raar", "dm"))
        }
        assert len(ratios) > 20
        assert min(ratios, key=ratios.get) == "hio 1x128x128x128"
        assert text.format(min(ratios.values()), max(ratios.values())) in words("README.md")


def test_what_error_reduction_leaves_out():
    rows = measured("xeon-emerald-rapids-er.csv")
    ours = {r["case"]: float(r["seconds_per_unit"]) for r in rows if r["variant"] == "symbreak"}
    batch, volume = (
        ours[f"er {grid}"] / ours[f"hio {grid}"] for grid in ("16x256x256", "1x64x64x64")
    )
    said = "images took {:.2f} of the time of HIO, a single volume on two threads {:.2f}"
    assert said.format(batch, volume) in words("docs/performance.md")
