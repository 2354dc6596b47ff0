"""Re-emits what happens inside through the host's ordinary hooks."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from ..errors import ProtocolError
from .frames import PROTOCOL_VERSION, Frame
from .missing_variables import name_lacking
from .reconcile import Ledger
from .reports import failed_report, passed_report, rebuilt_report, rebuilt_warning
from .stops import Stop
from .task import End

Location = tuple[str, "int | None", str]

# What a process that goes on after a death says again until it has collected.
_MAXIMUM_MAPPED = 20_000
_SAID_ALREADY = frozenset(
    {
        "session",
        "collecting",
        "bounded",
        "deselected",
        "collectreport",
        "collected",
        "terminal",
        "warning",
    }
)


@dataclass(frozen=True)
class Bounded:
    """A test that stays on x86."""

    nodeid: str
    location: Location
    reason: str
    """Why, and what would change it."""


class HostMirror:
    """One method per kind of frame; keeps the ledger."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session
        self._before = session.testscollected
        """Tests of the parts of the run that went before."""
        self._config = session.config
        self._hook = session.config.hook
        self._keywords: Mapping[str, Any] = {}
        self._location: Location = ("", None, "")
        """Of the test that was started last: what frames do not repeat."""
        self._again = False
        self._late = bytearray()
        self.ledger = Ledger()
        self._rerun: set[str] = set()
        """Running tests of whose attempts one more follows."""
        self.deselected: list[str] = []
        """Node ids of tests that were collected and left out."""
        self.bounded: dict[str, Bounded] = {}
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
        self.pytest_version = ""
        self.plugins: tuple[str, ...] = ()
        self.showing: Mapping[str, list[str]] = {}
        """Modules of foreign plugins inside, by the hook with which they show something."""
        self.header: list[str] = []
        """Lines of foreign plugins inside, ``OWN_HEADER`` where pytest's own are among them."""
        self.collection_lines: list[str] = []
        self.summary: list[str] = []
        self.mapped: set[str] = set()
        """Libraries that processes of the session had loaded at their end."""
        self.started = self.collected = self.looped = False
        """How far the session inside has come."""
        self.worker_death: Callable[[End], str] = str
        """What there is to say of a worker of pytest-xdist that ended so."""
        self.stop: Stop | None = None
        self.internal_error: str | None = None

    @property
    def _reporter(self) -> Any:
        return self._config.pluginmanager.getplugin("terminalreporter")

    def next_process(self) -> None:
        """Another process goes on where one has died."""
        self._again = self.started
        self.pid = None
        self._keywords = {}

    def handle(self, frame: Frame) -> None:
        """Re-emit *frame*.

        Raises:
            ProtocolError: its values are not what its kind has.
        """
        if self.ledger.exit_code is not None:
            self.ledger.faults.append(f"a {frame.kind} frame came after its end")
        if self._again and frame.kind in _SAID_ALREADY:
            return
        try:
            event = getattr(self, f"_on_{frame.kind}")
            event(*frame.values)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
            raise ProtocolError(f"a {frame.kind} frame cannot be used: {error!r}") from error

    def output(self, data: bytes) -> None:
        """What a test printed, or the interpreter did, live."""
        if self.ledger.status is not None:
            self._late += data  # after the summary, as it would come here
            return
        sys.stdout.flush()
        reporter = self._reporter
        # Past the reporter, which knows nothing of what is printed in an ordinary run either.
        file = reporter._tw._file if reporter is not None else sys.stdout
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

    def _on_hello(self, protocol: int, pid: int, version: str) -> None:
        if protocol != PROTOCOL_VERSION:
            raise ProtocolError(f"the session inside speaks protocol {protocol}")
        self.pid, self.pytest_version = int(pid), version

    def _on_session(
        self,
        plugins: list[str],
        header: list[str],
        showing: dict[str, list[str]],
        only: bool,
        paths: bool | None,
    ) -> None:
        self.started = True
        self.plugins, self.header, self.showing = tuple(plugins), header, showing
        self.ledger.collect_only = only
        if paths is not None and self._reporter is not None:
            self._reporter.showfspath = paths

    def _on_collecting(self) -> None:
        if self._reporter is not None:
            self._reporter.pytest_collection()

    def _on_deselected(self, nodeids: list[str]) -> None:
        self.deselected += nodeids
        if self._reporter is not None:
            self._reporter.pytest_deselected([SimpleNamespace(nodeid=n) for n in nodeids])

    def _on_bounded(self, tests: list[list[Any]], marked: list[str]) -> None:
        self.marked = frozenset(map(str, marked))
        for nodeid, (file, line, name), reason in tests:
            self.bounded[str(nodeid)] = Bounded(str(nodeid), (file, line, name), str(reason))

    def _on_collectreport(self, data: dict[str, Any]) -> None:
        report = self._rebuilt(data)
        if report.outcome == "failed":
            self.ledger.failures += 1
            self.broken[report.nodeid] = None
        self._hook.pytest_collectreport(report=report)

    def _on_collected(
        self, nodeids: list[str], worker: str, count: int, lines: list[str], tree: str
    ) -> None:
        if worker:
            if self.ledger.distributed:
                return
            self.ledger.distributed = True
        self.ledger.collected.update(nodeids)
        self._session.testscollected = self._before + len(nodeids)
        self._session.items = self._stand_ins(nodeids)
        self.collection_lines = lines
        reporter = self._reporter
        if reporter is None or worker:
            return
        reporter._numcollected = count
        reporter._printcollecteditems = lambda items: reporter._tw.write(tree)  # noqa: ARG005
        reporter.pytest_collection_finish(self._session)
        if self.ledger.collect_only:
            self._session.items = []

    def _stand_ins(self, nodeids: list[str]) -> list[Any]:
        """Items for pytest's own reporter where it counts them; to others they would be real."""
        reporter = self._reporter
        times = getattr(reporter, "_show_progress_info", "") == "times"
        if not (self.ledger.collect_only or times):
            return []
        return [SimpleNamespace(nodeid=n, location=(n.split("::")[0], None, n)) for n in nodeids]

    def _on_collection(self, reason: list[Any] | None) -> None:
        self._again = False
        self.collected = True
        self._stopped(reason)

    def _on_expected(self, nodeid: str, reason: str) -> None:
        self.expected[nodeid] = str(reason)

    def _on_logstart(self, nodeid: str, location: list[Any]) -> None:
        where = self._location = (location[0], location[1], location[2])
        self.running[nodeid] = where
        self.began = time.monotonic()
        self._hook.pytest_runtest_logstart(nodeid=nodeid, location=where)

    def _on_passed(self, *values: Any) -> None:
        if values[3] is not None:
            self._keywords = values[3]
        report = passed_report(values, self._location, self._keywords)
        self._attempt(report)
        if report.when == "call":
            self.ledger.decided.add(report.nodeid)
        self._hook.pytest_runtest_logreport(report=report)

    def _attempt(self, report: Any) -> None:
        """Keep in mind whether another attempt has to follow."""
        if report.when == "setup":
            self._rerun.discard(report.nodeid)
        if report.outcome == "rerun":
            self._rerun.add(report.nodeid)

    def _rebuilt(self, data: dict[str, Any]) -> Any:
        missed = data.pop("$arm64_missed", ())
        report = rebuilt_report(self._config, data)
        name_lacking(report, missed, os.environ)
        return report

    def _on_report(self, data: dict[str, Any], status: Any, attributes: Any, hidden: bool) -> None:
        report = self._rebuilt(data)
        if report.outcome == "failed":
            self.ledger.failures += 1
            self.failed[report.nodeid] = self.broken[report.nodeid] = None
        self._attempt(report)
        if report.when == "call" or report.outcome != "passed":
            self.ledger.decided.add(report.nodeid)
        if report.when not in ("setup", "call", "teardown"):
            # A worker of pytest-xdist died: nothing more comes of this test.
            self.ledger.finished[report.nodeid] += 1
            self.running.pop(report.nodeid, None)
            code = getattr(report, "_arm64_code", None)
            if isinstance(code, int):
                overdue = bool(getattr(report, "_arm64_overdue", False))
                cause = self.worker_death(End(code, overdue=overdue))
                report.longrepr = f"the process that ran this test died: {cause}\n{report.longrepr}"
        if status is not None:
            category, letter, word = status
            word = (word[0], word[1]) if isinstance(word, list) else word
            report._arm64_status = (category, letter, word)
        if attributes:
            self._add_attributes(report, attributes)
        with self._unseen(hidden):
            self._hook.pytest_runtest_logreport(report=report)

    @contextmanager
    def _unseen(self, hidden: bool) -> Iterator[None]:
        """Inside, what the reporter said of it became what the test has printed."""
        writer = self._reporter._tw if hidden and self._reporter is not None else None
        if writer is None:
            yield
            return
        file, writer._file = writer._file, io.StringIO()
        try:
            yield
        finally:
            writer._file = file

    def _add_attributes(self, report: Any, attributes: dict[str, str]) -> None:
        for plugin in self._xml():
            plugin.node_reporter(report).attrs.update(attributes)

    def _on_properties(self, properties: list[list[str]]) -> None:
        for plugin in self._xml():
            inside = [(name, value) for name, value in properties]
            here = [entry for entry in plugin.global_properties if entry not in inside]
            plugin.global_properties[:] = inside + here

    def _xml(self) -> list[Any]:
        from _pytest.junitxml import LogXML

        return [p for p in self._config.pluginmanager.get_plugins() if isinstance(p, LogXML)]

    def _on_mapped(self, paths: list[str]) -> None:
        self.mapped |= {path for path in map(str, paths[:_MAXIMUM_MAPPED]) if path[:1] == "/"}

    def _on_logfinish(self, nodeid: str, location: list[Any] | None) -> None:
        ledger = self.ledger
        self.expected.pop(nodeid, None)
        if self.running.pop(nodeid, None) is None and not ledger.distributed:
            ledger.faults.append(f"{nodeid} was finished without its start")
        if nodeid not in ledger.decided and not self._config.getoption("setuponly", default=False):
            ledger.faults.append(f"{nodeid} was finished without a report of its outcome")
        if not ledger.distributed:
            ledger.decided.discard(nodeid)
        ledger.finished[nodeid] += nodeid not in self._rerun
        where = self._location if location is None else (location[0], location[1], location[2])
        self._hook.pytest_runtest_logfinish(nodeid=nodeid, location=where)

    def _on_warning(self, *values: Any) -> None:
        when, nodeid, location = values[4:7]
        self._hook.pytest_warning_recorded.call_historic(
            kwargs={
                "warning_message": rebuilt_warning(values),
                "when": when,
                "nodeid": nodeid,
                "location": tuple(location) if location else None,
            }
        )

    def _on_terminal(self, text: str, closed: bool, summary: bool) -> None:
        if summary:
            self.summary.append(text)
            return
        self._write(text)
        if closed and self._reporter is not None:
            self._reporter.currentfspath = None

    def _on_loop(self, reason: list[Any] | None) -> None:
        self.looped = True
        self.ledger.complete = self.collected
        self._stopped(reason)

    def _on_stopped(self, reason: list[Any] | None) -> None:
        if self.stop is None:
            self._stopped(reason)

    def _stopped(self, reason: list[Any] | None) -> None:
        if reason is not None:
            self.stop = Stop.of(reason)
            self.ledger.reason = (self.stop.kind, self.stop.message, self.stop.code)

    def _on_internalerror(self, text: str) -> None:
        self.internal_error = text

    def _on_finish(self, status: int, why: str | None, changed: int) -> None:
        self.ledger.status, self.ledger.changed = int(status), int(changed)
        if why is not None and self.ledger.reason is None:
            self.ledger.reason = ("Interrupted", why, None)

    def _on_exit(self, code: int) -> None:
        self.ledger.exit_code = int(code)

    def fail(self, nodeid: str, text: str) -> None:
        """Report *nodeid* as failed, complete with its start and finish."""
        location = self.running.pop(nodeid, None)
        decided = nodeid in self.ledger.decided and not self.ledger.distributed
        report = failed_report(nodeid, location, text, "teardown" if decided else "call")
        if location is None:
            self._hook.pytest_runtest_logstart(nodeid=nodeid, location=report.location)
        reason = self.expected.pop(nodeid, None)
        if reason is not None:
            report.outcome, report.wasxfail = "skipped", reason
        else:
            self.ledger.failures += 1
            self.failed[nodeid] = self.broken[nodeid] = None
        self.ledger.finished[nodeid] += 1
        self._hook.pytest_runtest_logreport(report=report)
        self._hook.pytest_runtest_logfinish(nodeid=nodeid, location=report.location)
