"""Reports as the host's pytest knows them, rebuilt from what the session inside sent."""

from __future__ import annotations

import builtins
import inspect
import warnings
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, TypeAlias, cast

import pytest

from ..errors import ProtocolError
from ..inside.frames import Location, PhasePassed, ReportData, ReportDetails, WarningRecorded
from .pytest_internals import (
    WARNING_MODULES,
    Gateway,
    TerminalWriter,
    Worker,
    plain_location,
    restore_subtest,
)

AnyReport: TypeAlias = pytest.TestReport | pytest.CollectReport
Phase: TypeAlias = Literal["setup", "call", "teardown"]
_HAS_TIMES = "start" in inspect.signature(pytest.TestReport.__init__).parameters


def passed_report(
    frame: PhasePassed, started: Location, keywords: Mapping[str, object]
) -> pytest.TestReport:
    """The report of an uneventful phase.

    *started* is the location of the test that was started last, *keywords* those of the last
    report that had any.
    """
    times: dict[str, Any] = {"start": frame.start, "stop": frame.stop} if _HAS_TIMES else {}
    return pytest.TestReport(
        nodeid=frame.nodeid,
        location=started if frame.location is None else frame.location,
        keywords=cast("Mapping[str, Literal[1]]", keywords),
        outcome="passed",
        longrepr=None,
        when=cast("Phase", frame.when),
        duration=frame.duration,
        **times,
    )


def rebuilt_report(config: pytest.Config, data: ReportData, details: ReportDetails) -> AnyReport:
    """The report that *data* describes; a plain one where its type is unknown here.

    JSON has turned tuples into lists; those that pytest and its plugins rely on are restored.

    Raises:
        ProtocolError: a report cannot be made of it.
    """
    try:
        return _rebuilt(config, dict(data), details)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise ProtocolError(
            f"a report from the session inside cannot be used: {error!r}"
        ) from error


def _rebuilt(config: pytest.Config, data: ReportData, details: ReportDetails) -> AnyReport:
    sections, properties = _pairs(data.get("sections")), _pairs(data.get("user_properties"))
    data |= {"sections": sections, "user_properties": properties}
    for name in ("location", "longrepr"):
        value = data.get(name)
        if isinstance(value, list):
            data[name] = tuple(value)
    try:
        report = config.hook.pytest_report_from_serializable(config=config, data=dict(data))
    except Exception as error:  # noqa: BLE001  (any plugin may raise anything here)
        report = None
        sections.append(("pytest-arm64", f"report was not understood here: {error!r}"))
    if report is None:
        report = _plain(data)
    restore_subtest(report, data)
    if details.shown is not None:
        report.longrepr = Shown(str(report.longrepr), details.shown)
    if details.worker is not None:
        name, line = details.worker
        report.node = Worker(Gateway(name), line)
    return cast("AnyReport", report)


def _pairs(value: object) -> list[tuple[object, ...]]:
    return [tuple(entry) for entry in cast("list[list[object]]", value or [])]


class Shown:
    """A failure's description of a kind that only shows itself, as it was shown inside."""

    def __init__(self, text: str, shown: str) -> None:
        self._text = text
        self._shown = shown

    def __str__(self) -> str:
        return self._text

    def toterminal(self, writer: TerminalWriter) -> None:
        writer.write_raw(self._shown) if hasattr(writer, "write_raw") else writer.write(self._shown)


def _plain(data: ReportData) -> AnyReport:
    """A report of pytest's own kind with what every kind has in common."""
    nodeid, longrepr = str(data.get("nodeid", "")), data.get("longrepr")
    if isinstance(longrepr, Mapping):
        longrepr = str(longrepr.get("reprcrash") or longrepr)
    common: dict[str, Any] = {  # of any type, as JSON has it
        "nodeid": nodeid,
        "outcome": data.get("outcome", "failed"),
        "longrepr": longrepr,
        "sections": data.get("sections", ()),
    }
    if data.get("when") == "collect" or data.get("$report_type") == "CollectReport":
        return pytest.CollectReport(**common, result=[])
    common |= {
        "location": data.get("location") or plain_location(nodeid),
        "keywords": data.get("keywords") or {},
        "when": data.get("when") or "call",
        "duration": data.get("duration") or 0,
        "user_properties": data.get("user_properties") or [],
    }
    return pytest.TestReport(**common)


def failed_report(
    nodeid: str, location: Location | None, text: str, when: Phase = "call"
) -> pytest.TestReport:
    """A failure that no session inside could report, because it is about that session."""
    return pytest.TestReport(
        nodeid=nodeid,
        location=location or plain_location(nodeid),
        keywords={},
        outcome="failed",
        longrepr=text,
        when=when,
    )


def rebuilt_warning(frame: WarningRecorded) -> warnings.WarningMessage:
    """The warning that *frame* describes.

    Raises:
        ProtocolError: its category is not the name of a class.
    """
    try:
        category = _category(tuple(frame.categories))
    except ValueError as error:
        raise ProtocolError(f"a warning from the session inside cannot be used: {error}") from error
    instance = category.__new__(category)
    instance.args = (frame.message,)
    source = _UNTRACED if frame.has_source else None
    return warnings.WarningMessage(
        instance, category, frame.filename, frame.lineno, line=frame.line, source=source
    )


# Stands for the object that a ResourceWarning is about; its origin is known inside only.
_UNTRACED = type("Untraced", (), {})()


@cache
def _category(bases: tuple[tuple[str, str], ...]) -> type[Warning]:
    """The first of *bases* if it is a builtin or pytest's, else one of its name.

    Nothing is imported for it: what is installed inside need not be here.
    """
    for position, (module, name) in enumerate(bases):
        base = None
        if module == "builtins":
            base = getattr(builtins, name, None)
        elif module in WARNING_MODULES:
            base = getattr(pytest, name, None)
        if isinstance(base, type) and issubclass(base, Warning):
            if position == 0:
                return base
            own_module, own_name = bases[0]
            return type(own_name, (base,), {"__module__": own_module, "__str__": _text_of})
    return UserWarning


def _text_of(warning: Warning) -> str:
    return str(warning.args[0])
