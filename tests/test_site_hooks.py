"""What docs/hooks makes when the site is built: formulas, commands, measurements, no fetching."""

from __future__ import annotations

import csv
import importlib.util
import logging
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


def hook(name: str) -> Any:
    path = ROOT / "docs" / "hooks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"hook_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_measured_case_is_in_the_tables() -> None:
    made = hook("performance").on_page_markdown("before\n<!-- measurements -->\nafter")
    shown = 0
    for path in (ROOT / "bench" / "results").glob("*.csv"):
        lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        for row in csv.DictReader(lines):
            if "case" in row:
                assert path.name in made
                assert f"| {row['case']} |" in made
                shown += 1
    assert shown
    assert made.startswith("before\n")
    assert made.endswith("\nafter")


def test_a_row_of_a_table() -> None:
    performance = hook("performance")
    row = {
        "case": "hio", "unit": "image", "variant": "symbreak", "seconds_per_unit": "1.5e-4",
        "low_quartile": "9e-7", "high_quartile": "2.0", "ratio": "1.0", "error": "2e-7",
        "GB_per_s": "", "Gflop_per_s": "50",
    }  # fmt: skip
    other = {**row, "variant": "torch", "ratio": "12.34"}
    header = {"core_Gflop_per_s": "100", "threads": "2"}
    cells = performance._cells([row, other], ["torch", "none"], header)
    shown = [cell.replace("&nbsp;", " ") for cell in cells]
    assert shown == [
        "hio", "image", "150 µs", "900 ns to 2 s", "12.3 x", "", "2e-07", "25 % of arithmetic",
    ]  # fmt: skip


def test_formulas_become_mathml(caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("latex2mathml")
    formulas = hook("formulas")
    page = (
        r'<p><span class="arithmatex">\(a &lt; \frac{1}{2}\)</span></p>'
        "\n" + r'<div class="arithmatex">\[\sum_n x(n)\]</div>'
    )
    made = formulas.on_page_content(page, page=SimpleNamespace(file=SimpleNamespace(src_uri="p")))
    assert made.count("<math") == 2
    assert 'display="block"' in made
    assert "<mfrac>" in made
    assert "\\" not in made
    assert not caplog.records


def test_a_formula_that_is_not_understood_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("latex2mathml")
    page = r'<span class="arithmatex">\(\nosuchthing x\)</span>'
    place = SimpleNamespace(file=SimpleNamespace(src_uri="method.md"))
    with caplog.at_level(logging.WARNING):
        hook("formulas").on_page_content(page, page=place)
    assert "method.md" in caplog.text
    assert r"\nosuchthing" in caplog.text


@pytest.mark.parametrize(
    ("tag", "fetches"),
    [
        ('<script src="https://elsewhere/x.js"></script>', True),
        ("<script src=https://elsewhere/x.js></script>", True),
        ('<img alt="" src="//elsewhere/x.png">', True),
        ('<link rel="stylesheet" href="https://elsewhere/x.css">', True),
        ('<a href="https://elsewhere/">read</a>', False),
        ('<script src="assets/x.js"></script>', False),
        ('<link rel="canonical" href="https://elsewhere/">', False),
    ],
)
def test_what_would_be_fetched_is_a_warning(
    tag: str, fetches: bool, caplog: pytest.LogCaptureFixture
) -> None:
    place = SimpleNamespace(file=SimpleNamespace(src_uri="index.md"))
    with caplog.at_level(logging.WARNING):
        hook("self_contained").on_post_page(tag, page=place)
    assert bool(caplog.records) == fetches


def test_the_command_line_page_has_every_command_and_its_examples() -> None:
    pytest.importorskip("mkdocs")
    from symbreak.cli import app as commands

    made = hook("command_line").command_line()
    for command in commands.app.registered_commands:
        assert f"## `symbreak {command.name}`" in made
    assert "[bold]" not in made
    assert "..." not in made.split("**Commands**")[1].split("##")[0]
    for example in commands.reconstruct.EXAMPLES:
        assert f"\n{example}\n" in made
    assert made.count("```") % 2 == 0


def test_a_bare_name_means_what_is_nearest() -> None:
    griffe = pytest.importorskip("griffe")
    extensions = griffe.load_extensions(hook("roles").Roles())
    package = griffe.load(
        "symbreak",
        search_paths=[ROOT / "python"],
        extensions=extensions,
        allow_inspection=False,  # it would load the kernels once more
    )
    for path, target in (
        ("ops.center.Centered", "symbreak.center"),  # public
        ("subpixel.Refined", "symbreak.subpixel.refine"),  # of its module
        ("geometry.instrument.Instrument.of_pattern", "geometry.instrument.Instrument.reciprocal"),
        ("coherence.phasing.reconstruct", "symbreak.coherence.coherence_length"),  # of the package
        ("learning.outcome.Fitted", "symbreak.learning.fit.fit"),  # of the module beside its own
    ):
        assert f"{target}]" in package[path].docstring.value
    with pytest.raises(LookupError, match=r"symbreak\.subpixel: nothing is named"):
        hook("roles")._path_of("nothing", package["subpixel"], package)
