"""The way out: JSON lines on a private descriptor that no test's output can reach.

Before each batch of frames a mark goes to the descriptor that carries what is printed, so that
the host can put both in the order in which they were written.
"""

from __future__ import annotations

import errno
import os
import select
import sys
import threading

from .bound_stdlib import json_encoder, originals, private_copy
from .frames import Frame

MARK = b"\0arm64-%s-%d\0"
_CLOSED = b"\npytest-arm64: a test closed the descriptor by which its outcome is reported\n"


class Sender:
    """Writes frames in the order of the calls.

    A line holds the frames that go at once: ``[mark, frame, …]``, mark 0 where none was written.
    """

    def __init__(self, descriptor: int, printed: int | None = None) -> None:
        self._descriptor = descriptor
        self._printed = printed
        self._nonce = b""
        self._batches = 0
        self._lock = threading.RLock()
        self._getpid = originals.getpid
        self._owner = self._getpid()
        self._encode = json_encoder()
        self._held: list[tuple[object, ...]] = []

    def mark_with(self, nonce: str) -> None:
        """Mark what is printed, from now on."""
        self._nonce = nonce.encode()

    def hold(self, frame: Frame) -> None:
        """Send *frame* with the next one that cannot wait."""
        self._held.append((frame.__class__.__name__, *frame))

    def send(self, frame: Frame) -> None:
        """Send *frame* now, after what is held."""
        self._held.append((frame.__class__.__name__, *frame))
        self.flush()

    def flush(self) -> None:
        """Send what is held. A fork of this process, unwinding through pytest, stays silent."""
        if not self._held or self._getpid() != self._owner:
            return
        with self._lock:
            frames, self._held = self._held, []
            mark = 0
            if self._nonce and self._printed is not None:
                mark = self._batches = self._batches + 1
                _flush_standard_output()
                _write(self._printed, MARK % (self._nonce, mark))
            _write(self._descriptor, f"{self._encode([mark, *frames])}\n".encode())


def take_standard_output() -> Sender:
    """Make file descriptor 1 private, and let everything that is printed go to descriptor 2."""
    private, printed = private_copy(1), private_copy(2)
    os.dup2(2, 1)
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]  # a TextIO, which a new process has
    return Sender(private, printed)


def _flush_standard_output() -> None:
    """What Python still buffers was printed before the frames that are sent now."""
    try:
        if originals.stdout is not None:
            originals.stdout.flush()
    except (OSError, ValueError, RuntimeError):  # a test closed it, or it is just being flushed
        pass


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[originals.write(descriptor, view) :]
        except BlockingIOError:  # a test has made standard error non-blocking
            waiting = originals.poll()
            waiting.register(descriptor, select.POLLOUT)
            waiting.poll()
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
            # As a death that the host can report: nothing else can be said any more.
            originals.write(2, _CLOSED)
            originals.end_process(1)
