"""The host's session: it collects nothing and runs nothing, it drives and mirrors one inside."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import pytest

from ..errors import Arm64Error
from ..inside.frames import Frame, Hello, LoopEnded
from .deaths import Ground, LastWords, SecondTry
from .frames import Ordered
from .mirror import HostMirror
from .missing_variables import lacking
from .overdue import Backstop
from .reconcile import COMPLETE_STATUSES
from .signals import TERMINATED, TERMINATION_SECONDS, on_signals
from .stops import InsideError, raise_here
from .task import End, Task
from .transport import OUTPUT, PROTOCOL, Running, Transport

MAXIMUM_DEATHS = 10
ASK_SECONDS = 0.5
"""How long the session inside has for the end of its tests after a plugin here ended the run."""


class MirroredSession:
    """Drives the processes of one session inside and mirrors what they say.

    *task* makes the task of a process from what others of this run have done already. *repeat* runs
    tests that killed their process on another core, where that tells the cause.
    """

    def __init__(
        self,
        session: pytest.Session,
        transport: Transport,
        task: Callable[[dict[str, int], list[str]], Task],
        ground: Ground,
        mirror: HostMirror,
        repeat: Callable[[Sequence[str], End], SecondTry | None] = lambda _nodeids, _end: None,
    ) -> None:
        self._session = session
        self._transport = transport
        self._task = task
        self._ground = ground
        self._events: Iterator[None] = iter(())
        self._running: Running | None = None
        self._backstop: Backstop | None = None
        self._words = LastWords()
        self._deaths = 0
        self._left_at_end = self._ended_here = False
        self._interrupted = self._terminated = False
        self._timer: threading.Timer | None = None
        self.mirror = mirror
        self.mirror.limited = ground.limited
        self.mirror.worker_death = lambda end: self._cause(end, self._words.of_worker(end))
        self.problems: list[str] = []
        self._repeat = repeat

    @property
    def ended_on_host(self) -> bool:
        """Whether a plugin of this process ended it, or the user did."""
        return self._ended_here or self._interrupted

    def start(self) -> None:
        """Start the session inside and follow it until it is set up."""
        self._events = self._follow()
        self._advance(lambda: self.mirror.started)
        if not self.mirror.started:
            self._stop_here()
            if self.mirror.internal_error is not None:
                raise InsideError(self.mirror.internal_error)
            if self.mirror.ledger.final == pytest.ExitCode.USAGE_ERROR:
                hint = lacking(self.mirror.missing_variables, os.environ)
                raise pytest.UsageError(*filter(None, [hint]))  # it has said why
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

    def abandon(self) -> None:
        """End before the first test, as ``-x`` would; what goes on inside is lost."""
        self.close()
        self._events = iter(())
        ledger = self.mirror.ledger
        ledger.reason = "Failed"
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
        with on_signals(self._interrupt, self._terminate):
            try:
                for _ in self._events:
                    if reached():
                        return
            except Arm64Error:
                raise
            except BaseException:  # of a plugin here, which ends the run as it would natively
                self._ended_here = True
                raise

    def _interrupt(self) -> None:
        """Have the session inside stop as it would by Ctrl-C; what it still says is shown."""
        self._interrupted = True
        if self._running is not None and self.mirror.pid is not None:
            self._running.wake(self.mirror.relay)
            self._running.interrupt(self.mirror.pid)

    def _terminate(self) -> None:
        """As Ctrl-C; whoever sends SIGTERM sends SIGKILL before long, so there is a limit."""
        self._terminated = True
        self._interrupt()
        if self._backstop is not None:
            self._timer = _timer(TERMINATION_SECONDS, self._backstop.end)

    def _stop_here(self) -> None:
        """Raise what the phase inside was ended by."""
        stop, mirror = self.mirror.stop, self.mirror
        if stop is None:
            return
        if stop.kind == "error":
            self._advance(lambda: mirror.internal_error is not None)
        raise_here(stop, self._session, mirror.internal_error)

    def _follow(self) -> Iterator[None]:
        """All processes in turn: a death fails its test, the rest goes on in a new one."""
        mirror = self.mirror
        while True:
            self._words = LastWords()
            mirror.next_process()
            task = self._task(dict(mirror.ledger.finished), list(mirror.failed))
            try:
                self._running = self._transport.start(task)
            except Arm64Error as error:
                if not self._deaths:
                    raise
                self.problems.append(f"the tests that are left cannot go on: {error}")
                return
            ordered = Ordered(task.nonce)
            self._backstop = backstop = Backstop(self._ground.timeout, mirror, self._running)
            said = _said(self._running, ordered, backstop)
            try:
                yield from self._heard(self._running, said, backstop)
                end = self._running.end()
                if backstop.fired:
                    end = replace(end, overdue=True)
                collecting = "" if mirror.collected else self._running.collecting()
            finally:
                backstop.cancel()
                if self._timer is not None:
                    self._timer.cancel()
                self.close()
            if ordered.incomplete:
                self.problems.append("what the session inside said ended inside a frame")
            if mirror.ledger.exit_code is not None:
                if end.code not in (None, mirror.ledger.exit_code):
                    code = mirror.ledger.exit_code
                    self.problems.append(f"the process inside said {code} and ended with {end}")
                return
            if not self._died(end, collecting):
                return

    def _heard(
        self, running: Running, said: Iterator[Frame | bytes], backstop: Backstop
    ) -> Iterator[None]:
        try:
            yield from self._handled(said)
        except (Arm64Error, GeneratorExit):
            raise
        except BaseException:  # of a plugin here
            if not self._interrupted:
                self._let_stop(running, said, backstop)
            raise

    def _let_stop(
        self, running: Running, said: Iterator[Frame | bytes], backstop: Backstop
    ) -> None:
        """Let the session inside come to its end: only then is what it writes there whole.

        It may be far ahead, so it is asked to stop only if it goes on with its tests.
        """
        if self.mirror.pid is None:
            return
        ask = _timer(ASK_SECONDS, partial(running.interrupt, self.mirror.pid))
        if self.mirror.looped:
            ask.cancel()
        self._timer = _timer(TERMINATION_SECONDS, backstop.end)
        try:
            for event in said:
                if isinstance(event, LoopEnded):
                    ask.cancel()
        except Arm64Error:
            pass  # why the run ends is known already
        finally:
            ask.cancel()

    def _handled(self, events: Iterator[Frame | bytes]) -> Iterator[None]:
        for event in events:
            words = self._words
            shown = words.add(event) if isinstance(event, bytes) else words.release()
            if shown:
                self.mirror.output(shown)
            if not isinstance(event, bytes):
                self.mirror.handle(event)
                if self._interrupted and isinstance(event, Hello):
                    self._interrupt()  # it could not be reached before
                yield

    def _died(self, end: End, collecting: str) -> bool:
        """Account for a process that ended without a word; whether another is to go on."""
        ledger, running = self.mirror.ledger, list(self.mirror.running)
        self._deaths += not self.mirror.expected.keys() & running
        said = self._words.text if running else self._words.brief
        again = self._second_try(running, end)
        cause = self._cause(end, said, again)
        text = f"the process that ran this test died: {cause}"
        for nodeid in running if not self._interrupted else ():
            properties = again.properties if again is not None else ()
            self.mirror.fail(nodeid, text, died=True, properties=properties)
        if ledger.status is not None:
            self.problems.append(f"the process inside died after its session: {cause}")
            return False
        if ledger.distributed:
            self.problems.append(f"the process that distributes tests to workers died: {cause}")
            return False
        if not running:
            phase = self._phase(collecting)
            self.problems.append(f"the process inside died {phase}: {cause}")
            return False
        if end.code is None:
            self.problems.append(f"the session inside is gone: {cause}")
            return False
        if self._interrupted:
            names = ", ".join(running)
            self.problems.append(f"the run was interrupted, and would not stop in {names}")
            return False
        if self._session.shouldfail:
            ledger.reason = "Failed"
            ledger.status = ledger.changed = ledger.exit_code = 1
            return False
        if self._deaths >= MAXIMUM_DEATHS:
            self.problems.append(
                f"{self._deaths} tests have killed their process; the run ends here"
            )
            return False
        if not ledger.missing():  # the last test was the one that died
            failed = int(bool(self.mirror.failed or ledger.failures))
            ledger.status = ledger.changed = ledger.exit_code = failed
            ledger.complete = True
            return False
        return True

    def _second_try(self, running: Sequence[str], end: End) -> SecondTry | None:
        """What became of the tests that were running on another core, where that tells anything."""
        unexpected = [nodeid for nodeid in running if nodeid not in self.mirror.expected]
        if not unexpected or self._interrupted or self.mirror.ledger.distributed:
            return None
        return self._repeat(unexpected, end)

    def _cause(self, end: End, said: str, again: SecondTry | None = None) -> str:
        cause = "\n".join(filter(None, [self._ground.cause(end, said), str(again or "")]))
        return f"{cause}\n--- last output of the process ---\n{said}" if said else cause

    def _phase(self, collecting: str) -> str:
        """When a process that was running no test died."""
        if self.mirror.collected:
            return "between two tests"
        return f"while it collected {collecting}" if collecting else "before it collected"

    def _conclude(self) -> None:
        ledger = self.mirror.ledger
        if self._ended_here:
            return
        self.problems += [each for each in ledger.problems() if each not in self.problems]
        if self._interrupted:
            return  # as ever, what it did not come to is neither passed nor failed
        if ledger.missing() and ledger.reason is None and ledger.final in (None, 0, 1):
            for nodeid in ledger.missing().elements():
                self.mirror.fail(nodeid, "this test was collected and never reported")

    def exit_status(self, here: int) -> int:
        """Exit status of the run, given the one that the host's session has come to."""
        final = self.mirror.ledger.final
        if self._terminated:
            return TERMINATED
        if self._ended_here:
            return here
        if self.problems and final in (None, *COMPLETE_STATUSES):
            return here if here not in COMPLETE_STATUSES else 1
        if here not in COMPLETE_STATUSES or final is None:
            return here or 1
        if final in (0, 5) and self._session.testsfailed > self.mirror.ledger.failures:
            return 1  # something of this process's own has failed
        return final


def _said(running: Running, ordered: Ordered, backstop: Backstop) -> Iterator[Frame | bytes]:
    """Everything that *running* says, in order, until its streams end."""
    for channel, data in running:
        backstop.heard()
        if channel in (PROTOCOL, OUTPUT):
            yield from ordered.feed(data, protocol=channel == PROTOCOL)
    yield from ordered.rest()


def _timer(seconds: float, act: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()
    return timer
