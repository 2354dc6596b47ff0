"""A number with its noun."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """*number* and *noun*, with an *s* where it is not one.

    >>> counted(1, "test"), counted(1000, "test")
    ('1 test', '1000 tests')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
