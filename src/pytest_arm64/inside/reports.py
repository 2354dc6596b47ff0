"""Reports and reasons to stop as the host gets them."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Optional, Union, cast

import pytest

from .frames import ReportData, ReportDetails, StopReason
from .pytest_internals import XdistNode, worker_line

Report = Union[pytest.TestReport, pytest.CollectReport]  # noqa: UP007  (evaluated on Python 3.9)
ExcInfo = tuple[type[BaseException], BaseException, Optional[TracebackType]]  # noqa: UP045  (evaluated on Python 3.9)

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
_SAME_IN_JSON = (str, int, float, bool, type(None))


def is_uneventful(report: pytest.TestReport) -> bool:
    """Whether *report* says nothing but that its phase passed."""
    return (
        type(report) is pytest.TestReport
        and report.outcome == "passed"
        and report.longrepr is None
        and not report.sections
        and not report.user_properties
        and report.__dict__.keys() <= _PLAIN
    )


def serialised(
    config: pytest.Config,
    report: Report,
    missing_variables: list[str],
    rendered: Callable[[object], str],
) -> tuple[ReportData, ReportDetails]:
    """*report* as data; what an odd attribute spoils becomes a plain report.

    *rendered* is what a failure's description prints, for one of a type that only does that.
    """
    node = cast("XdistNode | None", report.__dict__.pop("node", None))
    data = _data(config, report)
    data["user_properties"] = [
        (str(name), value if isinstance(value, _SAME_IN_JSON) else str(value))
        for name, value in cast("list[tuple[object, object]]", data.get("user_properties") or [])
    ]
    worker = None
    if node is not None:
        report.__dict__["node"] = node
        worker = (str(node.gateway.id), worker_line(node))
    shown = None
    if isinstance(data.get("longrepr"), str) and not isinstance(report.longrepr, str):
        shown = rendered(report.longrepr)
    failed = report.outcome == "failed"
    return data, ReportDetails(worker, shown, missing_variables if failed else [])


def _data(config: pytest.Config, report: Report) -> ReportData:
    try:
        data = config.hook.pytest_report_to_serializable(config=config, report=report)
    except Exception as error:  # noqa: BLE001  (any plugin may raise anything here)
        data = None
        report.sections = [*report.sections, ("pytest-arm64", f"not serialisable: {error!r}")]
    if data is not None:
        return dict(data)
    return {
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


def stop_reason(excinfo: ExcInfo) -> StopReason:
    """Why something ended early."""
    error = excinfo[1]
    if isinstance(error, pytest.UsageError):
        return StopReason("UsageError", "", None, None, "", [str(value) for value in error.args])
    raised = cast("tuple[type[BaseException], BaseException, TracebackType]", excinfo)
    shown = pytest.ExceptionInfo.from_exc_info(raised).getrepr(funcargs=True)
    crash = shown.reprcrash
    place = (str(crash.path), crash.lineno, crash.message) if crash is not None else None
    message = str(getattr(error, "msg", None) or error)
    code = getattr(error, "returncode", None)
    code = int(code) if isinstance(code, int) else None
    return StopReason(_kind(error), message, code, place, str(shown), [])


def _kind(error: BaseException) -> str:
    for stop in ("Interrupted", "Failed"):
        if isinstance(error, getattr(pytest.Session, stop)):
            return stop
    for kind in (pytest.exit.Exception, KeyboardInterrupt):
        if isinstance(error, kind):
            return kind.__name__
    return "error"
