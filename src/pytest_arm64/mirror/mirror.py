"""Re-emits what happens inside through the host's ordinary hooks."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast, get_args

import pytest

from ..errors import ProtocolError
from ..inside import frames
from ..inside.frames import BoundaryTest, Frame, Location, StopReason
from .executed import ExecutedStatements
from .missing_variables import name_lacking
from .pytest_internals import (
    add_junit_attributes,
    counts_items,
    junit_recorders,
    put_properties_first,
    show_collected,
    terminal_file,
    terminal_reporter,
    writing_nowhere,
)
from .reconcile import Ledger
from .reports import AnyReport, failed_report, passed_report, rebuilt_report, rebuilt_warning
from .task import End

if TYPE_CHECKING:
    from _pytest.junitxml import LogXML
    from _pytest.terminal import TerminalReporter

STATUS = "arm64_status"
"""Attribute of a report: how a plugin inside wants it shown."""
_MAXIMUM_LOADED = 20_000
_METHODS = {frame: f"_on_{frame.__name__.lower()}" for frame in get_args(Frame)}
# What a process that goes on after a death says again until it has collected.
_SAID_ALREADY = (
    frames.SessionStarted,
    frames.CollectionStarted,
    frames.BoundaryTests,
    frames.Deselected,
    frames.Omitted,
    frames.CollectionReported,
    frames.ItemsCollected,
    frames.TerminalText,
    frames.WarningRecorded,
)


class HostMirror:
    """One method per kind of frame; keeps the ledger.

    A method decodes all of its frame before it calls a hook: an error in the first is one of the
    session inside, in the second one of a plugin here.
    """

    limited = False
    """Whether the container has the limits of a Lambda function."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session
        self._before = session.testscollected
        """Tests of the parts of the run that went before."""
        self._config = session.config
        self._hook = session.config.hook
        self._keywords: Mapping[str, object] = {}
        self._location: Location = ("", None, "")
        """Of the test that was started last: what frames do not repeat."""
        self._again = False
        self._late = bytearray()
        self.ledger, self.executed = Ledger(), ExecutedStatements()
        self._rerun: set[str] = set()
        """Running tests of whose attempts one more follows."""
        self.deselected: list[str] = []
        """Node ids of tests that were collected and left out."""
        self.omitted: list[frames.Omitted] = []
        """What code of the project left out."""
        self.bounded: dict[str, BoundaryTest] = {}
        """By node id: tests that were selected and belong behind an x86 boundary."""
        self.marked: frozenset[str] = frozenset()
        """Node ids of those and of the ones that were not selected."""
        self.running: dict[str, Location] = {}
        self.failed: dict[str, None] = {}
        self.broken: dict[str, None] = {}
        """Tests that failed, and modules that could not be collected."""
        self.expected: dict[str, str] = {}
        """Running tests that are expected to fail, with the reason."""
        self.began = 0.0
        """When the last test was started, by the monotonic clock."""
        self.pid: int | None = None
        self.relay = 0
        """The process through which all comes that the session says; 0 before it has said so."""
        self.pytest_version = ""
        self.plugins: tuple[str, ...] = ()
        self.showing: Mapping[str, list[str]] = {}
        """Modules of foreign plugins inside, by the hook with which they show something."""
        self.header: list[str] = []
        """Lines of foreign plugins inside, ``OWN_HEADER`` where pytest's own are among them."""
        self.collection_lines: list[str] = []
        self.summary: list[str] = []
        self.loaded, self.reached = set[str](), dict[str, set[str]]()
        """At the end of the session's processes: the libraries that they had loaded, and by test
        file the packages with newer code that its tests can reach."""
        self.started = self.collected = self.looped = False
        """How far the session inside has come."""
        self.worker_death: Callable[[End], str] = str
        """What there is to say of a worker of pytest-xdist that ended so."""
        self.stop: StopReason | None = None
        self.internal_error: str | None = None
        self.missing_variables: list[str] = []
        """Variables that may explain why the session inside never started."""

    @property
    def _reporter(self) -> TerminalReporter | None:
        return terminal_reporter(self._config)

    def next_process(self) -> None:
        """Another process goes on where one has died."""
        self._again = self.started
        self.pid, self.relay = None, 0
        self._keywords = {}

    def handle(self, frame: Frame) -> None:
        """Re-emit *frame*.

        Raises:
            ProtocolError: it describes nothing that pytest knows.
        """
        if self.ledger.exit_code is not None:
            self.ledger.faults.append(f"a {type(frame).__name__} frame came after its end")
        if not (self._again and isinstance(frame, _SAID_ALREADY)):
            getattr(self, _METHODS[type(frame)])(frame)

    def output(self, data: bytes) -> None:
        """What a test printed, or the interpreter did, live."""
        if self.ledger.status is not None:
            self._late += data  # after the summary, as it would come here
            return
        sys.stdout.flush()
        reporter = self._reporter
        # Past the reporter, which knows nothing of what is printed in an ordinary run either.
        file = terminal_file(reporter) if reporter is not None else sys.stdout
        file.write(data.decode("utf-8", "backslashreplace"))
        file.flush()

    def late_output(self) -> str:
        """What came after the end of the session."""
        return bytes(self._late).decode("utf-8", "backslashreplace")

    def _write(self, text: str) -> None:
        sys.stdout.flush()
        reporter = self._reporter
        if reporter is not None:
            reporter.write(text)
            reporter.flush()
        else:
            sys.stdout.write(text)
            sys.stdout.flush()

    def _on_hello(self, frame: frames.Hello) -> None:
        if frame.protocol != frames.PROTOCOL_VERSION:
            raise ProtocolError(f"the session inside speaks protocol {frame.protocol}")
        self.pid, self.relay = frame.pid, frame.relay
        self.pytest_version = frame.pytest_version

    def _on_sessionstarted(self, frame: frames.SessionStarted) -> None:
        self.started = True
        self.plugins, self.header = tuple(frame.plugins), frame.header
        self.showing = frame.showing
        self.ledger.collect_only = frame.collect_only
        if frame.showfspath is not None and self._reporter is not None:
            self._reporter.showfspath = frame.showfspath

    def _on_collectionstarted(self, _: frames.CollectionStarted) -> None:
        if self._reporter is not None:
            self._reporter.pytest_collection()

    def _on_deselected(self, frame: frames.Deselected) -> None:
        self.deselected += frame.nodeids
        if self._reporter is not None:
            items = [SimpleNamespace(nodeid=nodeid) for nodeid in frame.nodeids]
            self._reporter.pytest_deselected(cast("Sequence[pytest.Item]", items))

    def _on_omitted(self, frame: frames.Omitted) -> None:
        self.omitted.append(frame)

    def _on_boundarytests(self, frame: frames.BoundaryTests) -> None:
        self.marked = frozenset(frame.marked)
        self.bounded |= {test.nodeid: test for test in frame.selected}

    def _on_collectionreported(self, frame: frames.CollectionReported) -> None:
        report = self._rebuilt(frame)
        if report.outcome == "failed":
            self.ledger.failures += 1
            self.broken[report.nodeid] = None
        self._hook.pytest_collectreport(report=report)

    def _on_itemscollected(self, frame: frames.ItemsCollected) -> None:
        if frame.worker:
            if self.ledger.distributed:
                return
            self.ledger.distributed = True
        self.ledger.collected.update(frame.nodeids)
        self._session.testscollected = self._before + len(frame.nodeids)
        self._session.items = self._stand_ins(frame.nodeids)
        self.collection_lines = frame.lines
        reporter = self._reporter
        if reporter is None or frame.worker:
            return
        show_collected(reporter, self._session, frame.total, frame.tree)
        if self.ledger.collect_only:
            self._session.items = []

    def _stand_ins(self, nodeids: list[str]) -> list[pytest.Item]:
        """Items for pytest's own reporter where it counts them; to others they would be real."""
        if not (self.ledger.collect_only or counts_items(self._reporter)):
            return []
        items = [SimpleNamespace(nodeid=n, location=(n.split("::")[0], None, n)) for n in nodeids]
        return cast("list[pytest.Item]", items)

    def _on_collectionended(self, frame: frames.CollectionEnded) -> None:
        self._again = False
        self.collected = True
        self._stopped(frame.reason)

    def _on_deathexpected(self, frame: frames.DeathExpected) -> None:
        self.expected[frame.nodeid] = frame.reason

    def _on_logstart(self, frame: frames.LogStart) -> None:
        self._location = self.running[frame.nodeid] = frame.location
        self.began = time.monotonic()
        self._hook.pytest_runtest_logstart(nodeid=frame.nodeid, location=frame.location)

    def _on_phasepassed(self, frame: frames.PhasePassed) -> None:
        if frame.keywords is not None:
            self._keywords = frame.keywords
        report = passed_report(frame, self._location, self._keywords)
        self._attempt(report)
        if report.when == "call":
            self.ledger.decided.add(report.nodeid)
        self._hook.pytest_runtest_logreport(report=report)

    def _attempt(self, report: AnyReport) -> None:
        """Keep in mind whether another attempt has to follow."""
        if report.when == "setup":
            self._rerun.discard(report.nodeid)
        if cast("str", report.outcome) == "rerun":
            self._rerun.add(report.nodeid)

    def _rebuilt(self, frame: frames.CollectionReported | frames.PhaseReported) -> AnyReport:
        report = rebuilt_report(self._config, frame.data, frame.details)
        name_lacking(report, frame.details.missing_variables, os.environ, limited=self.limited)
        return report

    def _on_phasereported(self, frame: frames.PhaseReported) -> None:
        report = self._rebuilt(frame)
        if report.outcome == "failed":
            self.ledger.failures += 1
            self.failed[report.nodeid] = self.broken[report.nodeid] = None
        self._attempt(report)
        if report.when == "call" or report.outcome != "passed":
            self.ledger.decided.add(report.nodeid)
        if report.when not in ("setup", "call", "teardown"):
            self._worker_died(report, frame.death)
        if frame.status is not None:
            vars(report)[STATUS] = tuple(frame.status)
        if frame.attributes:
            for recorder in self._junit():
                add_junit_attributes(recorder, cast("pytest.TestReport", report), frame.attributes)
        reporter = self._reporter
        # Inside, what the reporter said of it became what the test has printed.
        hidden = frame.hidden and reporter is not None
        with writing_nowhere(reporter) if hidden and reporter else nullcontext():
            self._hook.pytest_runtest_logreport(report=report)

    def _worker_died(self, report: AnyReport, death: frames.WorkerDeath | None) -> None:
        """A worker of pytest-xdist died: nothing more comes of this test."""
        self.ledger.finished[report.nodeid] += 1
        self.running.pop(report.nodeid, None)
        if death is not None:
            cause = self.worker_death(End(death.code, overdue=death.overdue))
            report.longrepr = f"the process that ran this test died: {cause}\n{report.longrepr}"
            vars(report)["arm64_died"] = True

    def _on_junitproperties(self, frame: frames.JUnitProperties) -> None:
        for recorder in self._junit():
            put_properties_first(recorder, frame.properties)

    def _junit(self) -> Sequence[LogXML]:
        return junit_recorders(self._config)

    def _on_librariesloaded(self, frame: frames.LibrariesLoaded) -> None:
        self.loaded |= {path for path in frame.paths[:_MAXIMUM_LOADED] if path[:1] == "/"}

    def _on_packagesreached(self, frame: frames.PackagesReached) -> None:
        for file, packages in frame.files.items():
            self.reached.setdefault(file, set()).update(packages)

    def _on_linesexecuted(self, frame: frames.LinesExecuted) -> None:
        self.executed.take(frame)

    def _on_logfinish(self, frame: frames.LogFinish) -> None:
        ledger, nodeid = self.ledger, frame.nodeid
        self.expected.pop(nodeid, None)
        if self.running.pop(nodeid, None) is None and not ledger.distributed:
            ledger.faults.append(f"{nodeid} was finished without its start")
        if nodeid not in ledger.decided and not self._config.getoption("setuponly", default=False):
            ledger.faults.append(f"{nodeid} was finished without a report of its outcome")
        if not ledger.distributed:
            ledger.decided.discard(nodeid)
        ledger.finished[nodeid] += nodeid not in self._rerun
        location = self._location if frame.location is None else frame.location
        self._hook.pytest_runtest_logfinish(nodeid=nodeid, location=location)

    def _on_warningrecorded(self, frame: frames.WarningRecorded) -> None:
        self._hook.pytest_warning_recorded.call_historic(
            kwargs={
                "warning_message": rebuilt_warning(frame),
                "when": frame.when,
                "nodeid": frame.nodeid,
                "location": frame.location,
            }
        )

    def _on_terminaltext(self, frame: frames.TerminalText) -> None:
        if frame.summary:
            self.summary.append(frame.text)
            return
        self._write(frame.text)
        if frame.closed and self._reporter is not None:
            self._reporter.currentfspath = None

    def _on_loopended(self, frame: frames.LoopEnded) -> None:
        self.looped = True
        self.ledger.complete = self.collected
        self._stopped(frame.reason)

    def _on_stopped(self, frame: frames.Stopped) -> None:
        if self.stop is None:
            self._stopped(frame.reason)

    def _stopped(self, reason: StopReason | None) -> None:
        if reason is not None:
            self.stop = reason
            self.ledger.reason = reason.kind

    def _on_internalerror(self, frame: frames.InternalError) -> None:
        self.internal_error = frame.text

    def _on_sessionfinished(self, frame: frames.SessionFinished) -> None:
        self.ledger.status, self.ledger.changed = frame.status, frame.changed
        if frame.reason is not None and self.ledger.reason is None:
            self.ledger.reason = "Interrupted"

    def _on_exited(self, frame: frames.Exited) -> None:
        self.ledger.exit_code = frame.code
        self.missing_variables = frame.missing_variables

    def fail(
        self,
        nodeid: str,
        text: str,
        *,
        died: bool = False,
        properties: Sequence[tuple[str, object]] = (),
    ) -> None:
        """Report *nodeid* as failed, complete with its start and finish.

        *died* is whether the process that ran it is gone; *properties* are the report's own.
        """
        location = self.running.pop(nodeid, None)
        decided = nodeid in self.ledger.decided and not self.ledger.distributed
        report = failed_report(nodeid, location, text, "teardown" if decided else "call")
        if location is None:
            self._hook.pytest_runtest_logstart(nodeid=nodeid, location=report.location)
        vars(report)["arm64_died"] = died
        report.user_properties += properties
        reason = self.expected.pop(nodeid, None)
        if reason is not None:
            report.outcome, report.wasxfail = "skipped", reason
        else:
            self.ledger.failures += 1
            self.failed[nodeid] = self.broken[nodeid] = None
        self.ledger.finished[nodeid] += 1
        self._hook.pytest_runtest_logreport(report=report)
        self._hook.pytest_runtest_logfinish(nodeid=nodeid, location=report.location)
