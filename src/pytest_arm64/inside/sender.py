"""The way out: JSON lines on a private descriptor that no test's output can reach.

Before each batch of frames a mark goes to the descriptor that carries what is printed, so that
the host can put both in the order in which they were written.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import resource
import select
import sys
import threading
from typing import Any

PROTOCOL = 4
MARK = b"\0arm64-%s-%d\0"
# High, because tests that close "all" descriptors usually begin at 3 and stop early.
_HIGHEST_DESCRIPTOR = 4096
# ASCII only: line separators and lone surrogates of a test's making stay inside the string.
_ENCODER = json.JSONEncoder(separators=(",", ":"), skipkeys=True, default=repr)


class Sender:
    """Writes frames, each a list of a kind and its values, in the order of the calls.

    A line holds the frames that go at once: ``[mark, frame, …]``, mark 0 where none was written.
    """

    def __init__(self, descriptor: int, printed: int | None = None) -> None:
        self._descriptor = descriptor
        self._printed = printed
        self._nonce = b""
        self._batches = 0
        self._lock = threading.RLock()
        self._owner = os.getpid()
        self._held: list[tuple[Any, ...]] = []

    def mark_with(self, nonce: str) -> None:
        """Mark what is printed, from now on."""
        self._nonce = nonce.encode()

    def hold(self, *frame: Any) -> None:
        """Send with the next frame that cannot wait."""
        self._held.append(frame)

    def send(self, *frame: Any) -> None:
        """Send now, after what is held."""
        self._held.append(frame)
        self.flush()

    def flush(self) -> None:
        """Send what is held. A fork of this process, unwinding through pytest, stays silent."""
        if not self._held or os.getpid() != self._owner:
            return
        with self._lock:
            frames, self._held = self._held, []
            mark = 0
            if self._nonce and self._printed is not None:
                mark = self._batches = self._batches + 1
                # What Python still buffers was printed before these frames.
                with contextlib.suppress(OSError, ValueError, AttributeError):
                    sys.__stdout__.flush()  # type: ignore[union-attr]
                _write(self._printed, MARK % (self._nonce, mark))
            _write(self._descriptor, f"{_ENCODER.encode([mark, *frames])}\n".encode())


def take_standard_output() -> Sender:
    """Make file descriptor 1 private, and let everything that is printed go to descriptor 2."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    lowest = max(3, min(limit, _HIGHEST_DESCRIPTOR) - 8)
    private = fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, lowest)
    printed = fcntl.fcntl(2, fcntl.F_DUPFD_CLOEXEC, lowest)
    os.dup2(2, 1)
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    return Sender(private, printed)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:  # a test has made standard error non-blocking
            waiting = select.poll()
            waiting.register(descriptor, select.POLLOUT)
            waiting.poll()
