"""Watches single tests in the process that runs them: how long each may take, which may fail."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from .bound_stdlib import originals, private_copy
from .pytest_internals import xfail_reason


class Watch:
    """What the process needs to know before a test that may kill it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._marked: dict[str, pytest.Item] = {}
        self._stderr = -1
        if seconds:
            self._stderr = private_copy(2)  # before anything is captured

    def collected(self, items: Sequence[pytest.Item]) -> None:
        """Remember which of *items* are marked ``xfail``."""
        self._marked = {item.nodeid: item for item in items if "xfail" in item.keywords}

    def begin(self, nodeid: str) -> str | None:
        """A test starts; the reason for which its death is expected, None where it is not."""
        if self._seconds:
            # Needs neither the interpreter's lock nor its cooperation.
            originals.dump_later(self._seconds, exit=True, file=self._stderr)
        return xfail_reason(self._marked[nodeid]) if nodeid in self._marked else None

    def end(self) -> None:
        """The test is over."""
        if self._seconds:
            originals.cancel_dump_later()
