"""The pytest plugin that tells the host, event by event, what this session does."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO, cast

import pytest

from . import frames
from .bound_stdlib import originals, private_copy
from .boundary import RECORD
from .boundary_selection import Apart
from .executed_lines import executed_lines, note_executed_lines
from .finished import leave_out
from .mapped import mapped_libraries
from .missing_variables import MissedVariables
from .omissions import note_omissions, omitted
from .pytest_internals import (
    XdistNode,
    count_failures,
    count_of_collected,
    junit_attributes,
    junit_recorder,
    leave_file_to_host,
    paths_shown,
    terminal_reporter,
)
from .reports import ExcInfo, Report, is_uneventful, serialised, stop_reason
from .rewritten import note_rewritten
from .sender import Sender
from .skips import note_skipped_file
from .terminal import Terminal, hush_standard_error
from .watch import Watch

if TYPE_CHECKING:
    import warnings

    from _pytest.junitxml import LogXML
    from pluggy import Result

    from .reach import Reached
    from .workers import XdistWorkers

# From here on, in seconds, somebody waits for the outcome; what is quicker goes in one piece.
_NOTICED = 0.02


class Mirror:
    """One method per event."""

    def __init__(self, sender: Sender, task: frames.TaskFile, note: str) -> None:
        self._sender = sender
        self._task = task
        self._finished = Counter(task["finished"])
        self._failed: list[str] | None = list(task["failed"])
        self._watch = Watch(task["timeout"])
        self._note = note
        self._noting: int | None = None
        self._missed = MissedVariables()
        self._missed.watch()
        self._terminal = Terminal(sender, task["terminal"])
        self._first_config: pytest.Config | None = None
        self._configured: pytest.Config | None = None
        self._keywords: object = None
        self._location: frames.Location | None = None
        self._distributed = False
        self._workers: XdistWorkers | None = None
        self._apart: Apart | None = None
        self._reach: Callable[[pytest.Session, Mapping[str, object]], Reached] | None = None
        self._statuses: bool | None = None
        self._junit: LogXML | None = None
        self._header: list[str] = []
        self._collected_lines: list[str] = []
        self._usage_error = False
        self._stderr: TextIO | None = None

    @property
    def _config(self) -> pytest.Config:
        assert self._configured is not None
        return self._configured

    def pytest_addoption(self, pluginmanager: pytest.PytestPluginManager) -> None:
        # The first to be added is the last to be called, when nothing is captured any more.
        config = cast("pytest.Config", pluginmanager.getplugin("pytestconfig"))
        self._first_config = config
        note_omissions(pluginmanager)
        note_executed_lines(pluginmanager, self._task["records"])
        config.add_cleanup(self._before_exit)

    def missing_variables(self) -> list[str]:
        """Variables that may explain why the session never started; none once it has."""
        if self._configured is not None or self._first_config is None:
            return []
        return self._missed.names(str(self._first_config.rootpath))

    def _before_exit(self) -> None:
        if self._usage_error:
            hush_standard_error()

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> None:
        config.option.usepdb = False  # nobody sits here; the host tells how a test is opened

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        self._configured = config
        self._terminal.attach(config, self._after())
        if config.pluginmanager.hasplugin("xdist"):
            from .workers import XdistWorkers

            self._workers = XdistWorkers(self._task["timeout"], self._task["finished"])
            config.pluginmanager.register(self._workers)
        if RECORD in self._task["records"]:
            self._apart = Apart(self._task["records"], self._sender.send)
            config.pluginmanager.register(self._apart)
        if frames.NEWER_CODE in self._task["records"]:
            from .reach import reached_by_files

            self._reach = reached_by_files
        self._junit = junit_recorder(config)
        leave_file_to_host(self._junit)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_report_header(self) -> Generator[None, Result[list[str | list[str]]], None]:
        outcome = yield
        self._header = _lines(outcome.get_result())

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_sessionstart(self) -> Generator[None, Result[None], None]:
        outcome = yield
        if outcome.excinfo is not None:
            self._sender.send(frames.Stopped(self._reason(outcome.excinfo)))
            if issubclass(outcome.excinfo[0], pytest.exit.Exception):
                # pytest says so now, and says it on the host too.
                self._stderr = sys.stderr
                hush_standard_error()

    def _after(self) -> dict[str, Callable[..., None]]:
        return {
            "pytest_sessionstart": self.started,
            "pytest_collection": lambda *_: self._sender.send(frames.CollectionStarted()),
            "pytest_runtest_logreport": self.reported,
        }

    def started(self, *_: object) -> None:
        """Tell what a header can tell."""
        self._sender.send(
            frames.SessionStarted(
                plugins=_plugins(self._config),
                header=self._header,
                showing=self._terminal.foreign(),
                collect_only=bool(self._config.option.collectonly),
                showfspath=paths_shown(terminal_reporter(self._config)),
            )
        )

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection(self) -> Generator[None, Result[None], None]:
        outcome = yield
        self._sender.send(frames.CollectionEnded(self._reason(outcome.excinfo)))

    def pytest_collectstart(self, collector: pytest.Collector) -> None:
        if isinstance(collector, pytest.Module):
            if self._noting is None:
                descriptor = os.open(self._note, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
                self._noting = private_copy(descriptor)
                os.close(descriptor)
            with suppress(OSError):  # a module closed it; then no death in a module is placed
                name = collector.nodeid.encode("utf-8", "replace")
                originals.pwrite(self._noting, name + b"\0", 0)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        leave_out(items, self._finished)

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        self._sender.send(frames.Deselected([item.nodeid for item in items]))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if not report.passed:
            result, report.result = report.result, []
            note_skipped_file(report, str(self._config.rootpath))
            self._sender.send(frames.CollectionReported(*self._serialised(report)))
            report.result = result

    @pytest.hookimpl(hookwrapper=True)
    def pytest_report_collectionfinish(
        self,
    ) -> Generator[None, Result[list[str | list[str]]], None]:
        outcome = yield
        self._collected_lines = _lines(outcome.get_result())

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> Generator[None, None, None]:
        yield
        self._watch.collected(session.items)
        left_out = self._apart.left_out if self._apart is not None else 0
        for each in omitted(session, self._apart):
            self._sender.send(each)
        count = count_of_collected(terminal_reporter(self._config), len(session.items))
        self._sender.send(
            frames.ItemsCollected(
                nodeids=[item.nodeid for item in session.items],
                worker="",
                total=count - left_out,
                lines=self._collected_lines,
                tree=self._terminal.tree,
            )
        )

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: XdistNode, ids: Sequence[str]) -> None:
        assert self._workers is not None
        self._distributed = True
        bounded = self._workers.bounded(node)
        if bounded is not None:
            self._sender.send(bounded)
        worker = str(node.gateway.id)
        self._sender.send(frames.ItemsCollected(list(ids), worker, len(ids), [], ""))

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Generator[None, Result[None], None]:
        outcome = yield
        self._sender.send(frames.LoopEnded(self._reason(outcome.excinfo)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str, location: frames.Location) -> None:
        if self._failed is not None:
            # Go on counting, and remembering for --lf, where a process that died has stopped.
            failed, self._failed = self._failed, None
            if failed:
                count_failures(self._config, failed)
        self._location = location
        self._missed.next_test()
        if not self._distributed:  # workers have watches of their own
            expected = self._watch.begin(nodeid)
            if expected is not None:
                self._sender.hold(frames.DeathExpected(nodeid, expected))
        self._sender.send(frames.LogStart(nodeid, location))

    def reported(self, report: pytest.TestReport) -> None:
        """Tell of a phase of a test."""
        note_rewritten(report)
        if self._statuses is None:
            self._statuses = bool(self._terminal.foreign()["pytest_report_teststatus"])
        attributes = None
        if self._junit is not None and report.when == "call":
            attributes = junit_attributes(self._junit, report)
        status = self._status(report) if self._statuses else None
        if status is not None or attributes or not is_uneventful(report):
            death = self._workers.death_of(report) if self._workers is not None else None
            hidden = self._terminal.captured()
            data, details = self._serialised(report)
            self._sender.send(
                frames.PhaseReported(data, details, status, attributes, hidden, death)
            )
            return
        keywords: dict[str, object] | None = None
        if report.keywords != self._keywords:
            self._keywords = report.keywords
            keywords = dict(report.keywords)
        location = None if report.location == self._location else report.location
        start, stop = getattr(report, "start", 0.0), getattr(report, "stop", 0.0)
        self._sender.hold(
            frames.PhasePassed(
                report.nodeid,
                location,
                report.when or "",
                keywords,
                report.duration,
                start,
                stop,
            )
        )
        if report.when == "call" and report.duration > _NOTICED:
            self._sender.flush()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        # A teardown that may take its time, or die: its test's outcome is known by then.
        if getattr(item, "fixturenames", True):
            self._sender.flush()

    def _status(self, report: pytest.TestReport) -> frames.ReportStatus:
        """How a plugin of the project wants *report* shown."""
        status = self._config.hook.pytest_report_teststatus(report=report, config=self._config)
        category, letter, word = status
        return frames.ReportStatus(category, letter, word)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logfinish(self, nodeid: str, location: frames.Location) -> None:
        self._watch.end()
        frame = frames.LogFinish(nodeid, None if location == self._location else location)
        # Nothing but the start of the next test follows, unless others run them.
        (self._sender.send if self._distributed else self._sender.hold)(frame)

    def pytest_warning_recorded(
        self,
        warning_message: warnings.WarningMessage,
        when: str,
        nodeid: str,
        location: tuple[str, int, str] | None,
    ) -> None:
        filename, lineno = str(warning_message.filename), warning_message.lineno
        line = warning_message.line
        with suppress(Exception):  # as pytest goes on without the line where it cannot be read
            line = line or originals.getline(filename, lineno)
        bases = warning_message.category.__mro__[:-1]
        self._sender.send(
            frames.WarningRecorded(
                categories=[(base.__module__, base.__qualname__) for base in bases],
                message=str(warning_message.message),
                filename=filename,
                lineno=lineno,
                when=when,
                nodeid=nodeid,
                location=location,
                line=line or "",
                has_source=getattr(warning_message, "source", None) is not None,
            )
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: object) -> bool:
        if self._configured is None:
            assert self._first_config is not None
            self._terminal.attach(self._first_config, self._after())
        self._sender.send(frames.InternalError(str(excrepr)))
        return True  # it is shown

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        if self._stderr is not None:
            sys.stderr = self._stderr
        reason = self._reason((excinfo.type, excinfo.value, excinfo.tb))
        self._sender.send(frames.Stopped(reason))

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_sessionfinish(
        self, session: pytest.Session, exitstatus: int
    ) -> Generator[None, Result[None], None]:
        self._terminal.before_summary()
        outcome = yield
        if outcome.excinfo is not None and issubclass(outcome.excinfo[0], pytest.exit.Exception):
            self._sender.send(frames.Stopped(self._reason(outcome.excinfo)))
            hush_standard_error()  # pytest says it there, and so it does on the host
        if self._junit is not None:
            properties = [(str(n), str(v)) for n, v in self._junit.global_properties]
            self._sender.send(frames.JUnitProperties(properties))
        mapped = mapped_libraries()
        if self._distributed and self._workers is not None:
            mapped = sorted(self._workers.mapped)
            for each in self._workers.omitted:
                self._sender.send(each)
        self._sender.hold(frames.LibrariesLoaded(mapped))
        if self._reach is not None:
            reached = self._reach(session, self._task["records"])
            if self._distributed and self._workers is not None:
                reached = self._workers.reached
            self._sender.hold(frames.PackagesReached({f: list(p) for f, p in reached.items()}))
        others = self._workers.executed if self._workers is not None else []
        for lines in executed_lines(self._config.pluginmanager, others):
            self._sender.hold(lines)
        stop = getattr(session, "shouldfail", False) or getattr(session, "shouldstop", False)
        reason = str(stop) if stop else None
        self._sender.send(frames.SessionFinished(int(exitstatus), reason, int(session.exitstatus)))

    def _reason(self, excinfo: ExcInfo | None) -> frames.StopReason | None:
        if excinfo is None:
            return None
        self._usage_error |= isinstance(excinfo[1], pytest.UsageError)
        return stop_reason(excinfo)

    def _serialised(self, report: Report) -> tuple[frames.ReportData, frames.ReportDetails]:
        failed = report.outcome == "failed"
        missing = self._missed.names(str(self._config.rootpath)) if failed else []
        return serialised(self._config, report, missing, self._terminal.rendered)


def _lines(results: Sequence[str | Sequence[str]]) -> list[str]:
    """Lines in the order in which pytest's reporter shows those of several plugins."""
    lines: list[str] = []
    for result in reversed(results):
        lines += [result] if isinstance(result, str) else [str(line) for line in result]
    return lines


def _plugins(config: pytest.Config) -> list[str]:
    distributions = config.pluginmanager.list_plugin_distinfo()
    return sorted({f"{d.metadata['Name']}-{d.version}" for _, d in distributions})
