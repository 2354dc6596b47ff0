"""The host's session: it collects nothing and runs nothing, it drives and mirrors one inside."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import pytest

from .frames import Ordered
from .mirror import HostMirror
from .reconcile import COMPLETE_STATUSES
from .stops import InsideError
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

    *task* makes the task of a process from what others of this run have done already.
    """

    def __init__(
        self,
        session: pytest.Session,
        transport: Transport,
        task: Callable[[dict[str, int], list[str]], Task],
        explain: Callable[[str], str],
        mirror: HostMirror | None = None,
    ) -> None:
        self._session = session
        self._transport = transport
        self._task = task
        self._explain = explain
        self._events: Iterator[None] = iter(())
        self._running: Running | None = None
        self._tail = ""
        self._deaths = 0
        self._left_at_end = False
        self.mirror = HostMirror(session) if mirror is None else mirror
        self.problems: list[str] = []

    def start(self) -> None:
        """Start the session inside and follow it until it is set up."""
        self._events = self._follow()
        self._advance(lambda: self.mirror.started)
        if not self.mirror.started:
            self._stop_here()
            if self.mirror.internal_error is not None:
                raise InsideError(self.mirror.internal_error)
            if self.mirror.ledger.final == pytest.ExitCode.USAGE_ERROR:
                raise pytest.UsageError  # it has said why
            self._conclude()

    def collect(self) -> None:
        """Follow the session inside until it has collected."""
        self._advance(lambda: self.mirror.collected)
        self._stop_here()

    def run(self) -> None:
        """Follow the session inside to the end of its last test."""
        self._advance(lambda: self.mirror.looped)
        self._stop_here()
        if self._session.shouldfail:
            raise self._session.Failed(self._session.shouldfail)

    def abandon(self, reason: str) -> None:
        """End before the first test, as ``-x`` would; what goes on inside is lost."""
        self.close()
        self._events = iter(())
        ledger = self.mirror.ledger
        ledger.reason = ("Failed", reason, None)
        ledger.status = ledger.changed = ledger.exit_code = 1

    def finish(self) -> None:
        """Follow the session inside to its end and account for everything."""
        before = self.mirror.stop
        self._advance(lambda: False)
        self._conclude()
        self._left_at_end = before is None and self.mirror.stop is not None

    def follow_to_the_end(self) -> None:
        """Follow the session inside through all its phases; what stops it is not raised."""
        self._events = self._follow()
        self._advance(lambda: False)
        self._conclude()

    def leave(self) -> None:
        """Leave the end of the session as the one inside has left it."""
        if self._left_at_end:
            self._stop_here()

    def close(self) -> None:
        """Let go of a process that still runs."""
        if self._running is not None:
            self._running.close()
            self._running = None

    def _advance(self, reached: Callable[[], bool]) -> None:
        if reached():
            return
        with _on_interrupt(self._interrupt):
            for _ in self._events:
                if reached():
                    return

    def _interrupt(self) -> None:
        """Have the session inside stop as it would by Ctrl-C; what it still says is shown."""
        if self._running is not None and self.mirror.pid is not None:
            self._running.interrupt(self.mirror.pid)

    def _stop_here(self) -> None:
        """Raise what the phase inside was ended by."""
        stop, mirror = self.mirror.stop, self.mirror
        if stop is None:
            return
        if stop.kind == "error":
            self._advance(lambda: mirror.internal_error is not None)
        stop.raise_here(self._session, mirror.internal_error)

    def _follow(self) -> Iterator[None]:
        """All processes in turn: a death fails its test, the rest goes on in a new one."""
        mirror = self.mirror
        while True:
            self._tail = ""
            mirror.next_process()
            task = self._task(dict(mirror.ledger.finished), list(mirror.failed))
            self._running = self._transport.start(task)
            ordered = Ordered(task.nonce)
            try:
                for channel, data in self._running:
                    if channel in (PROTOCOL, OUTPUT):
                        yield from self._handled(ordered.feed(data, protocol=channel == PROTOCOL))
                yield from self._handled(ordered.rest())
                end = self._running.end()
            finally:
                self.close()
            if ordered.incomplete:
                self.problems.append("what the session inside said ended inside a frame")
            if mirror.ledger.exit_code is not None:
                if end.code not in (None, mirror.ledger.exit_code):
                    said = mirror.ledger.exit_code
                    self.problems.append(f"the process inside said {said} and ended with {end}")
                return
            if not self._died(str(end), gone=end.code is None):
                return

    def _handled(self, events: Iterator[object]) -> Iterator[None]:
        for event in events:
            if isinstance(event, bytes):
                self._tail = (self._tail + event.decode("utf-8", "replace"))[-TAIL:]
                self.mirror.output(event)
            else:
                self.mirror.handle(event)  # type: ignore[arg-type]
                yield

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
        if self._session.shouldfail:
            ledger.reason = ("Failed", str(self._session.shouldfail), None)
            ledger.status = ledger.changed = ledger.exit_code = 1
            return False
        if self._deaths >= MAXIMUM_DEATHS:
            self.problems.append(
                f"{self._deaths} tests have killed their process; the run ends here"
            )
            return False
        if not ledger.missing():  # the last test was the one that died
            ledger.status = ledger.changed = ledger.exit_code = 1
            return False
        return True

    def _conclude(self) -> None:
        ledger = self.mirror.ledger
        self.problems += ledger.problems()
        if ledger.missing() and ledger.reason is None and ledger.final in (None, 0, 1):
            for nodeid in ledger.missing().elements():
                self.mirror.fail(nodeid, "this test was collected and never reported")

    def exit_status(self, here: int) -> int:
        """Exit status of the run, given the one that the host's session has come to."""
        final = self.mirror.ledger.final
        if self.problems and final in (None, *COMPLETE_STATUSES):
            return here if here not in COMPLETE_STATUSES else 1
        if here not in COMPLETE_STATUSES or final is None:
            return here or 1
        if final in (0, 5) and self._session.testsfailed > self.mirror.ledger.failures:
            return 1  # something of this process's own has failed
        return final
