"""Watches single tests in the process that runs them: how long each may take, which may fail."""

from __future__ import annotations

import faulthandler
import os
from collections.abc import Sequence
from typing import Any

import pytest


class Watch:
    """What the process needs to know before a test that may kill it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._marked: dict[str, Any] = {}
        self._stderr = -1
        if seconds:
            self._stderr = os.dup(2)  # before anything is captured

    def collected(self, items: Sequence[Any]) -> None:
        """Remember which of *items* are marked ``xfail``."""
        self._marked = {item.nodeid: item for item in items if "xfail" in item.keywords}

    def begin(self, nodeid: str) -> str | None:
        """A test starts; the reason for which its death is expected, None where it is not."""
        if self._seconds:
            # Needs neither the interpreter's lock nor its cooperation.
            faulthandler.dump_traceback_later(self._seconds, exit=True, file=self._stderr)
        return _expected(self._marked[nodeid]) if nodeid in self._marked else None

    def end(self) -> None:
        """The test is over."""
        if self._seconds:
            faulthandler.cancel_dump_traceback_later()


def _expected(item: Any) -> str | None:
    """Why *item* is expected to fail in whatever way."""
    from _pytest.skipping import evaluate_xfail_marks

    if item.config.option.runxfail:
        return None
    try:
        found = evaluate_xfail_marks(item)
    except (Exception, pytest.fail.Exception):  # noqa: BLE001  (pytest tells it at the setup)
        return None
    # A death is none of the exceptions that a mark may name.
    return found.reason if found is not None and found.raises is None else None
