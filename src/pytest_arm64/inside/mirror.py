"""The pytest plugin that tells the host, event by event, what this session does."""

from __future__ import annotations

import linecache
import os
import sys
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import pytest

from .boundary import RECORD, Apart
from .mapped import mapped_libraries
from .missing_variables import MissedVariables
from .sender import Sender
from .terminal import Nowhere, Terminal, hush_standard_error
from .watch import Watch

# What a report of an uneventful phase consists of; anything more is sent whole.
_PLAIN = frozenset(
    [
        "nodeid",
        "_id",
        "location",
        "keywords",
        "outcome",
        "longrepr",
        "when",
        "user_properties",
        "sections",
        "duration",
        "start",
        "stop",
        "_report_type",
    ]
)

# From here on, in seconds, somebody waits for the outcome; what is quicker goes in one piece.
_NOTICED = 0.02

_SAME_IN_JSON = (str, int, float, bool, type(None))


class Mirror:
    """One method per event."""

    def __init__(self, sender: Sender, task: Mapping[str, Any], note: str) -> None:
        self._sender = sender
        self._task = task
        self._finished = Counter(task["finished"])
        self._failed: list[str] | None = list(task.get("failed", ()))
        self._watch = Watch(task.get("timeout", 0))
        self._note: str = note
        self._noting: int | None = None
        self._missed = MissedVariables()
        self._missed.watch()
        self._terminal = Terminal(sender, task["terminal"])
        self._config: Any = None
        self._first_config: Any = None
        self._keywords: Any = None
        self._location: Any = None
        self._distributed = False
        self._workers: Any = None
        self._apart: Apart | None = None
        self._statuses: bool | None = None
        self._xml: Any = None
        self._header: list[str] = []
        self._collected_lines: list[str] = []
        self._usage_error = False
        self._stderr: Any = None

    def pytest_addoption(self, pluginmanager: pytest.PytestPluginManager) -> None:
        # The first to be added is the last to be called, when nothing is captured any more.
        config: Any = pluginmanager.getplugin("pytestconfig")
        self._first_config = config
        config.add_cleanup(self._before_exit)

    def _before_exit(self) -> None:
        if self._usage_error:
            hush_standard_error()

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> None:
        config.option.usepdb = False  # nobody sits here; the host tells how a test is opened

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        self._config = config
        self._terminal.attach(config, self._after())
        if config.pluginmanager.hasplugin("xdist"):
            from .workers import Workers

            self._workers = Workers(self._task)
            config.pluginmanager.register(self._workers)
        if RECORD in self._task["records"]:
            self._apart = Apart(self._task["records"], self._bounded)
            config.pluginmanager.register(self._apart)
        self._xml = _without_file(config)

    def _bounded(self, told: Sequence[Any]) -> None:
        self._sender.send("bounded", *told)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_report_header(self) -> Generator[None, Any, None]:
        outcome = yield
        self._header = _lines(outcome.get_result())

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_sessionstart(self) -> Generator[None, Any, None]:
        outcome = yield
        if outcome.excinfo is not None:
            self._sender.send("stopped", self._reason(outcome.excinfo))
            if issubclass(outcome.excinfo[0], pytest.exit.Exception):
                # pytest says so now, and says it on the host too.
                sys.stderr, self._stderr = Nowhere(), sys.stderr

    def _after(self) -> dict[str, Any]:
        return {
            "pytest_sessionstart": self.started,
            "pytest_collection": lambda: self._sender.send("collecting"),
            "pytest_runtest_logreport": self.reported,
        }

    def started(self, *_: object) -> None:
        """Tell what a header can tell."""
        reporter: Any = self._config.pluginmanager.getplugin("terminalreporter")
        self._sender.send(
            "session",
            _plugins(self._config),
            self._header,
            self._terminal.foreign(),
            bool(self._config.option.collectonly),
            getattr(reporter, "_showfspath", None),
        )

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection(self) -> Generator[None, Any, None]:
        outcome = yield
        self._sender.send("collection", self._reason(outcome.excinfo))

    def pytest_collectstart(self, collector: pytest.Collector) -> None:
        if isinstance(collector, pytest.Module):
            if self._noting is None:
                flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
                self._noting = os.open(self._note, flags, 0o600)
            os.pwrite(self._noting, collector.nodeid.encode("utf-8", "replace") + b"\0", 0)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self._finished:
            items[:] = [item for item in items if not self._skip(item.nodeid)]

    def _skip(self, nodeid: str) -> bool:
        self._finished[nodeid] -= 1
        return self._finished[nodeid] >= 0

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        self._sender.send("deselected", [item.nodeid for item in items])

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if not report.passed:
            result, report.result = report.result, []
            self._sender.send("collectreport", self._serialised(report))
            report.result = result

    @pytest.hookimpl(hookwrapper=True)
    def pytest_report_collectionfinish(self) -> Generator[None, Any, None]:
        outcome = yield
        self._collected_lines = _lines(outcome.get_result())

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> Generator[None, Any, None]:
        yield
        self._watch.collected(session.items)
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        left_out = self._apart.left_out if self._apart is not None else 0
        self._sender.send(
            "collected",
            [item.nodeid for item in session.items],
            "",
            getattr(reporter, "_numcollected", len(session.items)) - left_out,
            self._collected_lines,
            self._terminal.tree,
        )

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        self._distributed = True
        bounded = self._workers.bounded(node)
        if bounded:
            self._bounded(bounded)
        self._sender.send("collected", list(ids), str(node.gateway.id), len(ids), [], "")

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Generator[None, Any, None]:
        outcome = yield
        self._sender.send("loop", self._reason(outcome.excinfo))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        if self._failed is not None:
            self._inherit(self._failed)
        self._location = location
        self._missed.next_test()
        if not self._distributed:  # workers have watches of their own
            expected = self._watch.begin(nodeid)
            if expected is not None:
                self._sender.hold("expected", nodeid, expected)
        self._sender.send("logstart", nodeid, location)

    def _inherit(self, failed: list[str]) -> None:
        """Go on counting, and remembering for ``--lf``, where a process that died has stopped."""
        self._failed = None
        if failed:
            session: Any = self._config.pluginmanager.getplugin("session")
            session.testsfailed += len(failed)
            last: Any = self._config.pluginmanager.getplugin("lfplugin")
            if last is not None:
                last.lastfailed.update(dict.fromkeys(failed, True))

    def reported(self, report: pytest.TestReport) -> None:
        """Tell of a phase of a test."""
        if self._statuses is None:
            self._statuses = bool(self._terminal.foreign()["pytest_report_teststatus"])
        attributes = self._attributes(report)
        status = self._status(report) if self._statuses else None
        if status is not None or attributes or not _plain(report):
            hidden = self._terminal.captured()
            self._sender.send("report", self._serialised(report), status, attributes, hidden)
            return
        keywords = None
        if report.keywords != self._keywords:
            keywords = self._keywords = report.keywords
        location = None if report.location == self._location else report.location
        times = (report.duration, getattr(report, "start", 0), getattr(report, "stop", 0))
        self._sender.hold("passed", report.nodeid, location, report.when, keywords, *times)
        if report.when == "call" and report.duration > _NOTICED:
            self._sender.flush()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        # A teardown that may take its time, or die: its test's outcome is known by then.
        if getattr(item, "fixturenames", True):
            self._sender.flush()

    def _status(self, report: pytest.TestReport) -> Any:
        """How a plugin of the project wants *report* shown."""
        return tuple(self._config.hook.pytest_report_teststatus(report=report, config=self._config))

    def _attributes(self, report: pytest.TestReport) -> dict[str, str] | None:
        """What the test has recorded for its element in the JUnit file."""
        if self._xml is None or report.when != "call":
            return None
        nodes: Any = self._xml.node_reporters
        found = nodes.get((getattr(report, "id", report.nodeid), getattr(report, "node", None)))
        return dict(found.attrs) if found is not None else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logfinish(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        self._watch.end()
        told = None if location == self._location else location
        # Nothing but the start of the next test follows, unless others run them.
        (self._sender.send if self._distributed else self._sender.hold)("logfinish", nodeid, told)

    def pytest_warning_recorded(
        self,
        warning_message: Any,
        when: str,
        nodeid: str,
        location: tuple[str, int, str] | None,
    ) -> None:
        category = warning_message.category
        bases = [(base.__module__, base.__qualname__) for base in category.__mro__[:-1]]
        filename, lineno = str(warning_message.filename), warning_message.lineno
        self._sender.send(
            "warning",
            bases,
            str(warning_message.message),
            filename,
            lineno,
            when,
            nodeid,
            location,
            warning_message.line or linecache.getline(filename, lineno),
            getattr(warning_message, "source", None) is not None,
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: Any) -> bool:
        if self._config is None:
            self._terminal.attach(self._first_config, self._after())
        self._sender.send("internalerror", str(excrepr))
        return True  # it is shown

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        if self._stderr is not None:
            sys.stderr = self._stderr
        self._sender.send("stopped", self._reason((excinfo.type, excinfo.value, excinfo.tb)))

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_sessionfinish(
        self, session: pytest.Session, exitstatus: int
    ) -> Generator[None, Any, None]:
        self._terminal.before_summary()
        outcome = yield
        if outcome.excinfo is not None and issubclass(outcome.excinfo[0], pytest.exit.Exception):
            self._sender.send("stopped", self._reason(outcome.excinfo))
            hush_standard_error()  # pytest says it there, and so it does on the host
        if self._xml is not None:
            self._sender.send("properties", self._xml.global_properties)
        mapped = self._workers.mapped if self._distributed else mapped_libraries()
        self._sender.hold("mapped", sorted(mapped))
        stop = getattr(session, "shouldfail", False) or getattr(session, "shouldstop", False)
        told = str(stop) if stop else None
        self._sender.send("finish", int(exitstatus), told, int(session.exitstatus))

    def _reason(self, excinfo: Any) -> list[Any] | None:
        """Why something ended before its time: kind, message, return code, place, traceback."""
        if excinfo is None:
            return None
        error = excinfo[1]
        if isinstance(error, pytest.UsageError):
            self._usage_error = True
            return ["UsageError", [str(value) for value in error.args], None, None, ""]
        kind = "error"
        for known in (KeyboardInterrupt, pytest.exit.Exception):
            if isinstance(error, known):
                kind = known.__name__
        for stop in ("Interrupted", "Failed"):
            if isinstance(error, getattr(pytest.Session, stop)):
                kind = stop
        shown = pytest.ExceptionInfo.from_exc_info(excinfo).getrepr(funcargs=True)
        crash = shown.reprcrash
        place = [str(crash.path), crash.lineno, crash.message] if crash is not None else None
        message = getattr(error, "msg", None) or str(error)
        return [kind, str(message), getattr(error, "returncode", None), place, str(shown)]

    def _serialised(self, report: Any) -> dict[str, Any]:
        """The report as data; what one odd attribute spoils is sent as a plain report."""
        node = report.__dict__.pop("node", None)  # xdist's, alive
        try:
            data = self._config.hook.pytest_report_to_serializable(
                config=self._config, report=report
            )
        except Exception as error:  # noqa: BLE001  (any plugin may raise anything here)
            data = None
            report.sections = [*report.sections, ("pytest-arm64", f"not serialisable: {error!r}")]
        if data is None:
            data = {
                "$report_type": type(report).__name__,
                "nodeid": report.nodeid,
                "location": getattr(report, "location", None),
                "keywords": {},
                "outcome": report.outcome,
                "longrepr": None if report.longrepr is None else str(report.longrepr),
                "when": getattr(report, "when", "call"),
                "sections": [(str(name), str(text)) for name, text in report.sections],
                "duration": getattr(report, "duration", 0),
                "user_properties": [],
                "result": None,
            }
        data = dict(data)
        if node is not None:
            report.node = node
            data["$arm64_worker"] = [str(node.gateway.id), _worker_line(node)]
        data["user_properties"] = [
            (str(name), value if isinstance(value, _SAME_IN_JSON) else str(value))
            for name, value in data.get("user_properties") or ()
        ]
        if isinstance(data.get("longrepr"), str) and not isinstance(report.longrepr, str):
            data["$arm64_shown"] = self._terminal.rendered(report.longrepr)
        if report.outcome == "failed":
            data["$arm64_missed"] = self._missed.names(str(self._config.rootpath))
        return data


def _worker_line(node: Any) -> str:
    from _pytest.reports import getworkerinfoline

    line: Any = getworkerinfoline
    return str(line(node)) if hasattr(node, "workerinfo") else ""


def _plain(report: pytest.TestReport) -> bool:
    return (
        type(report) is pytest.TestReport
        and report.outcome == "passed"
        and report.longrepr is None
        and not report.sections
        and not report.user_properties
        and report.__dict__.keys() <= _PLAIN
    )


def _lines(results: Sequence[str | Sequence[str]]) -> list[str]:
    """Lines in the order in which pytest's reporter shows those of several plugins."""
    found: list[str] = []
    for result in reversed(results):
        found += [result] if isinstance(result, str) else [str(line) for line in result]
    return found


def _plugins(config: pytest.Config) -> list[str]:
    found = {
        f"{distribution.metadata['Name']}-{distribution.version}"
        for _, distribution in config.pluginmanager.list_plugin_distinfo()
    }
    return sorted(found)


def _without_file(config: pytest.Config) -> Any:
    """pytest's JUnit plugin, which goes on recording and leaves the file to the host."""
    from _pytest.junitxml import LogXML

    for plugin in config.pluginmanager.get_plugins():
        if isinstance(plugin, LogXML):
            plugin.logfile = os.devnull
            return plugin
    return None
