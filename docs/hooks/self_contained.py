"""mkdocs hook: a page that would load anything from elsewhere is a warning, so an error in CI."""

from __future__ import annotations

import logging
import re
from typing import Any

# What a browser fetches by itself; links that a reader follows may lead anywhere.
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source|video|audio)\b[^>]*\bsrc=["']?(?:https?:)?//[^>]*>"""
    r"""|<link\b(?=[^>]*\brel=["']?(?:stylesheet|preload|preconnect|icon))[^>]*\bhref=["']?"""
    r"""(?:https?:)?//[^>]*>"""
)


def on_post_page(output: str, *, page: Any, **_: Any) -> None:
    """Look at the finished HTML of one page."""
    for found in FETCHED.finditer(output):
        text = f"{page.file.src_uri} would load something from elsewhere: {found[0]}"
        logging.getLogger("mkdocs.hooks").warning(text)
