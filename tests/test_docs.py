"""Every code block of README.md and of docs/ runs; the rules are in documentation.py."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from documentation import PAGES, ROOT, Block, Runner, blocks, compare_printed

import symbreak
from symbreak import data, models, plotting

NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
EXCEPTED = [block for page in PAGES for block in blocks(page) if block.reason]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_page(page: Path, tmp_path: Path) -> None:
    found = [block for block in blocks(page) if not block.reason]
    if not any(block.is_program for block in found):
        pytest.skip("no code to execute on this page")
    runner, printed = Runner(tmp_path), ""
    for block in found:
        if block.is_program:
            printed = runner.run(block)
        elif block.printed:
            compare_printed(block, printed)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_block_has_a_language_or_a_reason(page: Path) -> None:
    unnamed = [block.where for block in blocks(page) if not block.language and not block.reason]
    assert not unnamed


@pytest.mark.parametrize("block", EXCEPTED, ids=[block.where for block in EXCEPTED])
def test_not_executed(block: Block) -> None:
    pytest.skip(f"{block.where} is not executed: {block.reason}")


def test_every_public_name_is_on_a_page_of_the_reference() -> None:
    text = "\n".join(page.read_text() for page in (ROOT / "docs" / "api").glob("*.md"))
    shown = {name.rpartition(".")[2] for name in re.findall(r"^::: (symbreak[\w.]+)$", text, re.M)}
    public = {name for module in (symbreak, data, models, plotting) for name in module.__all__}
    assert not public - shown


def test_the_rules_on_a_page_of_their_own(tmp_path: Path) -> None:
    page = ROOT / "docs" / "none.md"
    text = (
        "# Page\n\n```python\nfrom pathlib import Path\n\n"
        "x = Path('file').write_text('12') / 2\n```\n\n"
        "```console\n$ cat file\n12\n```\n\n<!-- printed -->\n```text\n12\n```\n\n"
        "<!-- not executed: no network -->\n```sh\nexit 1\n```\n\n```python\nprint(x / 3)\n```\n"
    )
    found = _blocks_of(page, text, tmp_path)
    assert [block.language for block in found] == ["python", "console", "text", "sh", "python"]
    assert [block.reason for block in found] == ["", "", "", "no network", ""]
    (tmp_path / "run").mkdir()
    runner = Runner(tmp_path / "run")
    runner.run(found[0])
    printed = runner.run(found[1])
    compare_printed(found[2], printed)
    with pytest.raises(AssertionError, match="but printed was"):
        compare_printed(found[2], "13")
    assert runner.run(found[4]).startswith("0.33")
    with pytest.raises(pytest.fail.Exception, match="exit status 1"):
        runner.run(found[3])


def _blocks_of(page: Path, text: str, folder: Path) -> list[Block]:
    written = folder / page.name
    written.write_text(text)
    return [Block(page, b.line, b.language, b.code, b.reason, b.printed) for b in blocks(written)]
