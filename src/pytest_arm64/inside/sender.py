"""The way out: JSON lines on a private descriptor that no test's output can reach."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import threading
from typing import Any

PROTOCOL = 1
# High, because tests that close "all" descriptors usually begin at 3 and stop early.
_LOWEST_DESCRIPTOR = 200


class Sender:
    """Writes frames, each a JSON list of a kind and its values, in the order of the calls."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._owner = os.getpid()
        self._held: list[str] = []

    def hold(self, kind: str, *values: Any) -> None:
        """Send with the next frame that cannot wait."""
        self._held.append(_encoded(kind, values))

    def send(self, kind: str, *values: Any) -> None:
        """Send now. A fork of this process, unwinding through pytest, must stay silent."""
        if os.getpid() != self._owner:
            return
        with self._lock:
            data = "".join([*self._held, _encoded(kind, values)]).encode()
            self._held.clear()
            view = memoryview(data)
            while view:
                view = view[os.write(self._descriptor, view) :]


def take_standard_output() -> Sender:
    """Make file descriptor 1 private, and let everything that is printed go to descriptor 2."""
    private = fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, _LOWEST_DESCRIPTOR)
    os.dup2(2, 1)
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    return Sender(private)


def _encoded(kind: str, values: tuple[Any, ...]) -> str:
    # ASCII only: line separators and lone surrogates of a test's making stay inside the string.
    return json.dumps([kind, *values], separators=(",", ":"), skipkeys=True, default=repr) + "\n"
