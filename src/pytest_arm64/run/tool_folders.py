"""Folders of the tools that run tests, to which they can write where the project is read-only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_CACHE, _EXAMPLES = ".pytest_cache", ".hypothesis"


def tool_folders(rootpath: Path) -> Iterator[Path]:
    """pytest's cache, which is created where it is missing, and the examples of Hypothesis."""
    cache = rootpath / _CACHE
    with suppress(OSError):  # then pytest warns that it cannot write to its cache
        cache.mkdir()
        # As pytest does it where the folder is its own.
        (cache / ".gitignore").write_text("*\n", "ascii")
    yield cache
    yield rootpath / _EXAMPLES
