"""A repository's files as proposals read them: few, small, as text, whatever is in them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ..inputs.project_files import walk
from ..inside.regular_file import read_regular_text

_MAXIMUM_ENTRIES = 50_000
_MAXIMUM_BYTES = 1_000_000
_MAXIMUM_LINE = 1000
"""Characters of a line that are looked at: longer ones were written by machines."""


def files_below(root: Path) -> Iterator[Path]:
    """Regular files below *root*, without version control, caches and environments."""
    for path in islice(walk(root), _MAXIMUM_ENTRIES):
        # A name that is no Unicode can be written into no TOML file.
        if path.is_file() and not path.is_symlink() and str(path).isprintable():
            yield path


def lines_of(path: Path) -> list[str]:
    """The lines of a text file, none of one that is too large or cannot be read."""
    try:
        text = read_regular_text(path, "replace", most=_MAXIMUM_BYTES)
    except OSError:
        return []
    return [line[:_MAXIMUM_LINE] for line in text.splitlines()]
