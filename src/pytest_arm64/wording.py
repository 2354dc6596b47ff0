"""Words that are put together in the same way everywhere."""

from __future__ import annotations

from collections.abc import Sequence


def first_of(names: Sequence[str], most: int, separator: str = ", ") -> str:
    """The first *most* of *names*, and how many there are besides.

    >>> first_of(["a", "b", "c", "d"], 2)
    'a, b and 2 more'
    """
    more = len(names) - most
    return separator.join(names[:most]) + (f" and {more} more" if more > 0 else "")
