"""Places in files, as rows and findings name them: ``requirements.txt:12``."""

from __future__ import annotations

import re

_PLACE = re.compile(r"(?P<file>.+):(?P<line>[0-9]{1,9})", re.DOTALL)


def place_of(text: str) -> tuple[str, int]:
    """File and line of *text*; all of it and the line 0 where it names no line."""
    match = _PLACE.fullmatch(text)
    return (match["file"], int(match["line"])) if match else (text, 0)
