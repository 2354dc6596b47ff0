"""Ends what does not end by itself: a test that overstays its time, a session that does not stop.

The session, and the relay that passes on what it says, run as the tests do: a test can stop both.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .mirror import HostMirror
    from .transport import Running

GRACE_SECONDS = 10.0
"""How much later than the watch inside, which also tells where the test hangs."""
BETWEEN_SECONDS = 2.0
"""How long the stream may take to end after each step of the end."""
SILENT_SECONDS = 10.0
"""After what silence the relay is woken, in case a test has stopped it; then twice that, and on."""


class Backstop:
    """Watches one process; *seconds* is what a test may take, 0 for any time."""

    def __init__(self, seconds: float, mirror: HostMirror, running: Running) -> None:
        self.fired = False
        self._limit = seconds + GRACE_SECONDS if seconds else float("inf")
        self._mirror = mirror
        self._running = running
        self._cancelled = threading.Event()
        self._silence = SILENT_SECONDS
        self._heard = time.monotonic()
        threading.Thread(target=self._watch, daemon=True).start()

    def heard(self) -> None:
        """Something has come from the process."""
        self._heard = time.monotonic()

    def end(self) -> None:
        """End the process, then its relay, then the connection, until the stream has ended."""
        for step in self._steps():
            step()
            if self._cancelled.wait(BETWEEN_SECONDS):
                return

    def _steps(self) -> Iterator[Callable[[], None]]:
        if self._mirror.pid is not None:
            for pid in (self._mirror.pid, self._mirror.relay):
                yield partial(self._running.kill, pid)
        yield self._running.cut

    def _watch(self) -> None:
        while not self._cancelled.wait(0.5):
            now = time.monotonic()
            # Workers of pytest-xdist have watches of their own, which come first.
            limit = self._limit * (2 if self._mirror.ledger.distributed else 1)
            if self._mirror.running and now - self._mirror.began > limit and self._mirror.pid:
                self.fired = True
                self.end()
                return
            if now - self._heard > self._silence and self._mirror.relay:
                self._silence *= 2
                self._running.wake(self._mirror.relay)

    def cancel(self) -> None:
        """The process has ended."""
        self._cancelled.set()
