"""docs/performance.md says of the instruction sets what was measured."""

import csv
from pathlib import Path

ROOT = Path(__file__).parent.parent
MEASURED = ROOT / "bench" / "results" / "xeon-emerald-rapids-instruction-sets.csv"
NAMES = {
    "avx512vl": "AVX-512 with vectors of 32 bytes took {} to {} times as long",
    "avx2": "AVX2 {} to {} times",
    "baseline": "the baseline of x86-64 {} to {} times",
}


def test_what_is_chosen_is_the_fastest_by_what_the_page_says():
    page = " ".join((ROOT / "docs" / "performance.md").read_text().split())
    lines = MEASURED.read_text().splitlines()
    assert "# instruction_set: avx512" in lines
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    for variant, text in NAMES.items():
        ratios = [float(row["ratio"]) for row in rows if row["variant"] == variant]
        assert len(ratios) == len(rows) // 4 > 20
        assert min(ratios) > 1
        assert text.format(f"{min(ratios):.2f}", f"{max(ratios):.2f}") in page
