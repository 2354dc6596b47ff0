"""Functions that fail in ways that Lambda has a name for."""

import time
from typing import Any


def late(_event: Any, _context: object) -> None:
    """Takes longer than any function may."""
    time.sleep(1000)


def long(event: int, _context: object) -> str:
    """As many bytes as the event says, less two quotes."""
    return "x" * event
