"""Re-emits what happens inside through the host's ordinary hooks."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from ..errors import ProtocolError
from .frames import PROTOCOL_VERSION, Frame
from .reconcile import Ledger
from .reports import failed_report, passed_report, rebuilt_report, rebuilt_warning

Location = tuple[str, "int | None", str]


class HostMirror:
    """One method per kind of frame; keeps the ledger."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session
        self._config = session.config
        self._hook = session.config.hook
        self._keywords: Mapping[str, Any] = {}
        self.ledger = Ledger()
        self.running: dict[str, Location] = {}
        self.pid: int | None = None
        self.pytest_version = ""
        self.plugins: tuple[str, ...] = ()
        self.collected = False
        self.internal_error = ""

    @property
    def _reporter(self) -> Any:
        return self._config.pluginmanager.getplugin("terminalreporter")

    def handle(self, frame: Frame) -> None:
        """Re-emit *frame*.

        Raises:
            ProtocolError: its values are not what its kind has.
        """
        try:
            getattr(self, f"_on_{frame.kind}")(*frame.values)
        except (TypeError, ValueError, KeyError, IndexError) as error:
            raise ProtocolError(f"a {frame.kind} frame cannot be used: {error!r}") from error

    def output(self, data: bytes) -> None:
        """What a test printed, or the interpreter did, live."""
        sys.stdout.flush()
        text = data.decode("utf-8", "replace")
        reporter = self._reporter
        if reporter is not None:
            reporter.write(text)
            reporter.flush()
        else:
            sys.stdout.write(text)

    def _on_hello(self, protocol: int, pid: int, version: str) -> None:
        if protocol != PROTOCOL_VERSION:
            raise ProtocolError(f"the session inside speaks protocol {protocol}")
        self.pid, self.pytest_version = pid, version

    def _on_session(self, plugins: list[str]) -> None:
        self.plugins = tuple(plugins)

    def _on_deselected(self, nodeids: list[str]) -> None:
        if self._reporter is not None and not self.collected:
            self._reporter.pytest_deselected([SimpleNamespace(nodeid=n) for n in nodeids])

    def _on_collectreport(self, data: dict[str, Any]) -> None:
        report = rebuilt_report(self._config, data)
        self.ledger.failures += report.outcome == "failed"
        self._hook.pytest_collectreport(report=report)

    def _on_collected(self, nodeids: list[str], worker: str = "") -> None:
        if worker:
            self.ledger.distributed = True
        if self.collected:
            return
        self.collected = True
        self.ledger.collected.update(nodeids)
        self._session.testscollected = len(nodeids)
        if self._reporter is not None:
            self._reporter._numcollected = len(nodeids) + _deselected(self._reporter)
            self._reporter.pytest_collection_finish(self._session)

    def _on_logstart(self, nodeid: str, location: list[Any]) -> None:
        where = (location[0], location[1], location[2])
        self.running[nodeid] = where
        self._hook.pytest_runtest_logstart(nodeid=nodeid, location=where)

    def _on_passed(self, *values: Any) -> None:
        if values[3] is not None:
            self._keywords = values[3]
        self._hook.pytest_runtest_logreport(report=passed_report(values, self._keywords))

    def _on_report(self, data: dict[str, Any]) -> None:
        report = rebuilt_report(self._config, data)
        self.ledger.failures += report.outcome == "failed"
        self._hook.pytest_runtest_logreport(report=report)

    def _on_logfinish(self, nodeid: str, location: list[Any]) -> None:
        self.running.pop(nodeid, None)
        self.ledger.finished[nodeid] += 1
        self._hook.pytest_runtest_logfinish(
            nodeid=nodeid, location=(location[0], location[1], location[2])
        )

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

    def _on_internalerror(self, text: str) -> None:
        self.internal_error = text
        if self._reporter is not None:
            for line in text.splitlines():
                self._reporter.write_line(f"INTERNALERROR> {line}")

    def _on_finish(self, status: int, reason: list[Any] | None) -> None:
        self.ledger.status = status
        self.ledger.reason = (reason[0], reason[1], reason[2]) if reason else None

    def _on_exit(self, code: int) -> None:
        self.ledger.exit_code = code

    def fail(self, nodeid: str, text: str) -> None:
        """Report *nodeid* as failed, complete with its start and finish."""
        location = self.running.pop(nodeid, None)
        report = failed_report(nodeid, location, text)
        if location is None:
            self._hook.pytest_runtest_logstart(nodeid=nodeid, location=report.location)
        self.ledger.failures += 1
        self.ledger.finished[nodeid] += 1
        self._hook.pytest_runtest_logreport(report=report)
        self._hook.pytest_runtest_logfinish(nodeid=nodeid, location=report.location)


def _deselected(reporter: Any) -> int:
    return len(reporter.stats.get("deselected", []))
