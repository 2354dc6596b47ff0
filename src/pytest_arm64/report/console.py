"""Where tables are printed: as wide as a terminal is, and in whole lines for programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

AUTO, ALWAYS, NEVER = COLORS = ("auto", "always", "never")
_VARIABLES = ("NO_COLOR", "FORCE_COLOR")
"""What rich, pip and git obey; see https://no-color.org and https://force-color.org."""
_WHOLE = 10_000
"""Columns where no person looks: no line of a table is that long."""


def console_on(stream: TextIO | None = None) -> Console:
    """A console that writes to *stream*, by default standard output.

    A pipe or a file has no width: lines are broken there only if ``COLUMNS`` says so.
    """
    from rich.console import Console

    stream = stream or sys.stdout
    whole = not stream.isatty() and not os.environ.get("COLUMNS")
    return Console(file=stream, highlight=False, width=_WHOLE if whole else None)


@contextmanager
def coloured(choice: str) -> Iterator[None]:
    """Have what is printed, and commands that are started, use colours as *choice* says."""
    before = {name: os.environ.get(name) for name in _VARIABLES}
    wanted = {ALWAYS: "FORCE_COLOR", NEVER: "NO_COLOR"}.get(choice)
    if wanted is None:
        yield
        return
    try:
        for name in _VARIABLES:
            os.environ.pop(name, None)
        os.environ[wanted] = "1"
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
