"""The pytest plugin that tells the host, event by event, what this session does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from .sender import Sender

# What a report of an uneventful phase consists of; anything more is sent whole.
_PLAIN = frozenset(
    "nodeid location keywords outcome longrepr when user_properties sections duration start stop "
    "_report_type".split()
)


class Mirror:
    """One method per event; *finished* are node ids with counts that need not run again."""

    def __init__(self, sender: Sender, finished: Mapping[str, int]) -> None:
        self._sender = sender
        self._finished = Counter(finished)
        self._config: Any = None
        self._keywords: Any = None
        self._reason: list[str] | None = None
        self._distributed = False

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        self._config = config
        self._distributed = config.pluginmanager.hasplugin("dsession")
        _silence(config)

    def pytest_sessionstart(self) -> None:
        self._sender.send("session", _plugins(self._config))

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
            report.result = []
            self._sender.send("collectreport", self._serialised(report))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if not self._distributed:
            self._sender.send("collected", [item.nodeid for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Sequence[str]) -> None:
        self._sender.send("collected", list(ids), str(node.gateway.id))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        self._sender.send("logstart", nodeid, location)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not _plain(report):
            self._sender.send("report", self._serialised(report))
            return
        keywords = None
        if report.keywords != self._keywords:
            keywords = self._keywords = report.keywords
        times = (report.duration, getattr(report, "start", 0), getattr(report, "stop", 0))
        values = (report.nodeid, report.location, report.when, keywords, *times)
        if report.when == "call":
            self._sender.send("passed", *values)
        else:
            self._sender.hold("passed", *values)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        self._sender.send("logfinish", nodeid, location)

    def pytest_warning_recorded(
        self,
        warning_message: Any,
        when: str,
        nodeid: str,
        location: tuple[str, int, str] | None,
    ) -> None:
        category = warning_message.category
        self._sender.send(
            "warning",
            [category.__module__, category.__qualname__],
            str(warning_message.message),
            str(warning_message.filename),
            warning_message.lineno,
            when,
            nodeid,
            location,
        )

    def pytest_internalerror(self, excrepr: Any) -> None:
        self._sender.send("internalerror", str(excrepr))

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        code = getattr(excinfo.value, "returncode", None)
        message = getattr(excinfo.value, "msg", None) or str(excinfo.value)
        self._reason = [excinfo.typename, str(message), code]  # type: ignore[list-item]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        reason = self._reason
        stopped = getattr(session, "shouldfail", False) or getattr(session, "shouldstop", False)
        if reason is None and stopped:
            kind = "Failed" if getattr(session, "shouldfail", False) else "Interrupted"
            reason = [kind, str(stopped), None]  # type: ignore[list-item]
        self._sender.send("finish", int(exitstatus), reason)

    def _serialised(self, report: Any) -> dict[str, Any]:
        """The report as data; what one odd attribute spoils is sent as a plain report."""
        report.__dict__.pop("node", None)  # xdist's, alive, and of no use elsewhere
        try:
            data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
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
        return dict(data)


def _plain(report: pytest.TestReport) -> bool:
    return (
        type(report) is pytest.TestReport
        and report.outcome == "passed"
        and report.longrepr is None
        and not report.sections
        and not report.user_properties
        and report.__dict__.keys() <= _PLAIN
    )


def _plugins(config: pytest.Config) -> list[str]:
    found = {
        f"{distribution.metadata['Name']}-{distribution.version}"
        for _, distribution in config.pluginmanager.list_plugin_distinfo()
    }
    return sorted(found)


def _silence(config: pytest.Config) -> None:
    """The host's terminal shows this session; its own reporter writes nowhere.

    ``--collect-only`` and its like print instead of running, and that is for the user to see.
    """
    reporter: Any = config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None and not config.option.collectonly:
        reporter._tw._file = _Nowhere()  # noqa: SLF001


class _Nowhere:
    encoding = "utf-8"

    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False
