"""Links of the pages outside docs/ lead to a file, and to a heading of it; mkdocs checks docs/."""

import re

import pytest
from documentation import ROOT

PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
LINK = re.compile(r"\]\((?!\w+:)([^)#]*)#?([^)]*)\)")


def anchors(text: str) -> set[str]:
    """Of the headings, as GitHub and mkdocs make them of plain words."""
    titles = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", title.lower())) for title in titles}


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text()
    for path, anchor in LINK.findall(text):
        target = ROOT / (path or name)
        assert target.exists(), f"{name}: {path} is not there"
        assert not anchor or anchor in anchors(target.read_text()), f"{name}: {path}#{anchor}"


def test_readme_has_links() -> None:
    found = LINK.findall((ROOT / "README.md").read_text())
    assert sum(bool(anchor) for _, anchor in found) >= 5
