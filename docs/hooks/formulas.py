r"""mkdocs hook: every formula, ``$...$`` or ``$$...$$``, becomes MathML, which browsers draw.

pymdownx.arithmatex marks the formulas; nothing is fetched or run when the page is read.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from latex2mathml.converter import convert

INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.DOTALL)
BLOCK = re.compile(r'<div class="arithmatex">\s*\\\[(.*?)\\\]\s*</div>', re.DOTALL)


def on_page_content(html: str, **_: Any) -> str:
    """Replace the formulas of one page."""
    html = BLOCK.sub(lambda found: _mathml(found[1], "block"), html)
    return INLINE.sub(lambda found: _mathml(found[1], "inline"), html)


def _mathml(formula: str, display: str) -> str:
    return convert(unescape(formula).strip(), display=display)
