"""The examples of the documentation, as files that pytest runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def examples(page: str) -> Iterator[tuple[str, str]]:
    """Name and text of each Python example of *page* that has a test."""
    for number, block in enumerate(_BLOCK.findall((DOCS / page).read_text("utf-8"))):
        if "def test_" in block:
            yield f"test_example_{number}.py", block
