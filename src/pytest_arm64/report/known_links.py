"""Which addresses in a text may become links: those of our own tables, never a package's."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..audit.known_packages import replacement_sources

_ADDRESS = re.compile(r"https://[^\s()]+")


def known_links(text: str) -> Iterator[tuple[str, str]]:
    """Parts of *text*, each with its address if it is one of a known replacement, else empty."""
    end = 0
    for match in _ADDRESS.finditer(text):
        if match[0] in replacement_sources():
            yield text[end : match.start()], ""
            yield match[0], match[0]
            end = match.end()
    yield text[end:], ""
