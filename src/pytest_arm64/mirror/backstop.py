"""Kills a process whose test overstays its time where the watch inside could not."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .mirror import HostMirror
    from .transport import Running

GRACE_SECONDS = 10.0
"""How much later than the watch inside, which also tells where the test hangs."""


class Backstop:
    """Watches one process; *seconds* is what a test may take, 0 for any time."""

    def __init__(self, seconds: float, mirror: HostMirror, running: Running) -> None:
        self.fired = False
        self._seconds = seconds + GRACE_SECONDS
        self._mirror = mirror
        self._running = running
        self._cancelled = threading.Event()
        if seconds:
            threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self._cancelled.wait(0.5):
            mirror = self._mirror
            overdue = time.monotonic() - mirror.began > self._seconds
            # Workers of pytest-xdist have nothing but their own watches.
            if mirror.running and overdue and mirror.pid and not mirror.ledger.distributed:
                self.fired = True
                self._running.kill(mirror.pid)
                return

    def cancel(self) -> None:
        """The process has ended."""
        self._cancelled.set()
