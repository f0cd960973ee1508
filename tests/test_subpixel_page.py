"""The tables that bench/subpixel_table.py keeps in a page, and what the page says of them."""

import csv
import sys
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
import subpixel_table as bench  # noqa: E402


def test_the_page_shows_the_committed_results(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(bench.PAGE.read_text())
    bench.write_page(page, bench.MEASURED)
    assert page.read_text() == bench.PAGE.read_text()


def test_the_claims_of_the_page():
    with bench.MEASURED.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if int(row["good"]) >= 2]
    known = [row for row in rows if row["distance_best"] and row["data"] != bench.CONTROL]

    def ratios(name, chosen):
        return [float(row[f"{name}_refined"]) / float(row[f"{name}_whole"]) for row in chosen]

    near = ratios("distance", [row for row in known if float(row["apart"]) < 0.2])
    far = ratios("distance", [row for row in known if float(row["apart"]) >= 0.2])
    assert max(near) < 1.045
    assert median(near) < 0.96
    assert max(far) > 1.05 > 0.95 > min(far)
    assert max(ratios("prtf", bench.of(rows, bench.CONTROL))) < 1.02
    measured = [row for row in rows if not row["distance_best"]]
    assert len(measured) == 5
    assert min(ratios("prtf", measured)) > 1
