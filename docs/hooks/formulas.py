r"""mkdocs hook: every formula, ``$...$`` or ``$$...$$``, becomes MathML, which browsers draw.

pymdownx.arithmatex marks the formulas; nothing is fetched or run when the page is read.
"""

from __future__ import annotations

import logging
import re
from html import unescape
from typing import Any

from latex2mathml.converter import convert

INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.DOTALL)
BLOCK = re.compile(r'<div class="arithmatex">\s*\\\[(.*?)\\\]\s*</div>', re.DOTALL)


def on_page_content(html: str, *, page: Any, **_: Any) -> str:
    """Replace the formulas of one page."""
    place = page.file.src_uri
    html = BLOCK.sub(lambda found: _mathml(found[1], "block", place), html)
    return INLINE.sub(lambda found: _mathml(found[1], "inline", place), html)


def _mathml(formula: str, display: str, place: str) -> str:
    formula = unescape(formula).strip()
    made = convert(formula, display=display)
    if "\\" in made:  # a command that is not known is passed on as it is
        text = f"{place}: latex2mathml does not know all of {formula}"
        logging.getLogger("mkdocs.hooks").warning(text)
    return made
