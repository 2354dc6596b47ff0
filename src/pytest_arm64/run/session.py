"""The host's session: it collects nothing and runs nothing, it drives and mirrors one inside."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import pytest

from .frames import FrameReader
from .mirror import HostMirror
from .task import Task
from .transport import OUTPUT, PROTOCOL, Running, Transport

MAXIMUM_DEATHS = 10
TAIL = 4000
"""How much of the last output a death report shows, in characters."""


@contextmanager
def _on_interrupt(act: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl-C calls *act*, so that no byte on its way is lost; the second ends at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        signal.signal(signal.SIGINT, before)
        act()

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class MirroredSession:
    """Drives the processes of one session inside and mirrors what they say.

    *task* makes the task of a process from the tests that are finished already.
    """

    def __init__(
        self,
        session: pytest.Session,
        transport: Transport,
        task: Callable[[dict[str, int]], Task],
        explain: Callable[[str], str],
    ) -> None:
        self._session = session
        self._transport = transport
        self._task = task
        self._explain = explain
        self._events: Iterator[None] = iter(())
        self._running: Running | None = None
        self._tail = ""
        self._deaths = 0
        self.mirror = HostMirror(session)
        self.problems: list[str] = []

    def collect(self) -> None:
        """Start the session inside and follow it until it has collected, or has ended."""
        self._events = self._follow()
        self._advance(until_collected=True)
        if not self.mirror.collected:
            self._conclude()

    def run(self) -> None:
        """Follow the session inside to its end and say how it ended, as pytest would here."""
        self._advance(until_collected=False)
        self._conclude()

    def close(self) -> None:
        """Let go of a process that still runs."""
        if self._running is not None:
            self._running.close()
            self._running = None

    def _advance(self, *, until_collected: bool) -> None:
        with _on_interrupt(self._interrupt):
            for _ in self._events:
                if until_collected and self.mirror.collected:
                    return

    def _interrupt(self) -> None:
        """Have the session inside stop as it would by Ctrl-C; what it still says is shown."""
        if self._running is not None and self.mirror.pid is not None:
            self._running.interrupt(self.mirror.pid)

    def _follow(self) -> Iterator[None]:
        """All processes, one after another: a death fails its test, the rest goes on in a new one."""
        while True:
            self._tail = ""
            self._running = self._transport.start(self._task(dict(self.mirror.ledger.finished)))
            reader = FrameReader()
            try:
                for channel, data in self._running:
                    if channel == PROTOCOL:
                        for frame in reader.feed(data):
                            self.mirror.handle(frame)
                            yield
                    elif channel == OUTPUT:
                        self._tail = (self._tail + data.decode("utf-8", "replace"))[-TAIL:]
                        self.mirror.output(data)
                end = self._running.end()
            finally:
                self.close()
            ledger = self.mirror.ledger
            if ledger.exit_code is not None:
                return
            if not self._died(str(end), gone=end.code is None):
                return

    def _died(self, end: str, *, gone: bool) -> bool:
        """Account for a process that ended without a word; whether another is to go on."""
        ledger, running = self.mirror.ledger, list(self.mirror.running)
        self._deaths += 1
        text = f"the process that ran this test died: {self._explain(end)}"
        if self._tail.strip():
            text += f"\n--- last output of the process ---\n{self._tail.strip()}"
        for nodeid in running:
            self.mirror.fail(nodeid, text)
        if ledger.status is not None:
            self.problems.append(f"the process inside died after its session: {end}")
            return False
        if not running:
            self.problems.append(f"the process inside died and was running no test: {end}")
            return False
        if gone:
            self.problems.append(f"the session inside is gone: {end}")
            return False
        if self._deaths >= MAXIMUM_DEATHS:
            self.problems.append(f"{self._deaths} tests have killed their process; the run ends here")
            return False
        return bool(ledger.missing())

    def _conclude(self) -> None:
        ledger, session = self.mirror.ledger, self._session
        if self._deaths and ledger.status is None and not ledger.missing() and not self.problems:
            ledger.status = ledger.exit_code = 1  # the last test was the one that died
        self.problems += ledger.problems()
        if ledger.missing() and ledger.reason is None and ledger.status in (None, 0, 1):
            for nodeid in ledger.missing().elements():
                self.mirror.fail(nodeid, "this test was collected and never reported")
        if ledger.reason is None:
            return
        kind, message, code = ledger.reason
        if kind == "Failed":
            raise session.Failed(message)
        if kind == "Exit":
            raise pytest.exit.Exception(message, code)
        if kind == "Interrupted":
            raise session.Interrupted(message)
        raise KeyboardInterrupt(message)

    def exit_status(self, here: int) -> int:
        """Exit status of the run, given the one that the host's session has come to."""
        if here not in (0, 1, 5):
            return here
        ledger = self.mirror.ledger
        if self.problems or ledger.failures:
            inside = ledger.exit_code if ledger.exit_code is not None else ledger.status
            return inside if inside in (2, 3, 4) else 1
        if ledger.status is not None:
            return ledger.status
        return ledger.exit_code if ledger.exit_code is not None else 1
