"""The nearest valid word, or the nearest file, to one that was misspelt."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

_MOST_NAMES = 2000


def suggestion(word: str, choices: Iterable[str]) -> str:
    """`` (did you mean 'x'?)`` where one of *choices* is close to *word*, else nothing."""
    close = difflib.get_close_matches(word, list(choices), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def file_suggestion(path: Path, root: Path | None = None) -> str:
    """The same for a *path* that does not exist, among the names in its folder.

    Where a file of the repository *root* names *path*, no folder outside of it is listed.
    """
    try:
        if root is not None and not path.parent.resolve().is_relative_to(root.resolve()):
            return ""
        names = [entry.name for entry in islice(path.parent.iterdir(), _MOST_NAMES)]
    except (OSError, ValueError):  # a name with a NUL is no path
        return ""
    return "" if path.name in names else suggestion(path.name, names)
