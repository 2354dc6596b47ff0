"""Reports as the host's pytest knows them, rebuilt from what the session inside sent."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

_HAS_TIMES = "start" in inspect.signature(pytest.TestReport.__init__).parameters


def passed_report(values: Sequence[Any], keywords: Mapping[str, Any]) -> pytest.TestReport:
    """The report of an uneventful phase, from the values of a ``passed`` frame."""
    nodeid, location, when, _, duration, start, stop = values[:7]
    times = {"start": start, "stop": stop} if _HAS_TIMES else {}
    return pytest.TestReport(
        nodeid=nodeid,
        location=_location(location),
        keywords=keywords,
        outcome="passed",
        longrepr=None,
        when=when,
        duration=duration,
        **times,
    )


def rebuilt_report(config: pytest.Config, data: dict[str, Any]) -> Any:
    """The report that *data* describes; a plain one where its type is unknown here.

    JSON has turned tuples into lists; those that pytest and its plugins rely on are restored.
    """
    for name in ("sections", "user_properties"):
        data[name] = [tuple(entry) for entry in data.get(name) or []]
    if data.get("location") is not None:
        data["location"] = _location(data["location"])
    if isinstance(data.get("longrepr"), list):
        data["longrepr"] = tuple(data["longrepr"])
    try:
        report = config.hook.pytest_report_from_serializable(config=config, data=dict(data))
    except Exception as error:  # noqa: BLE001  (any plugin may raise anything here)
        report = None
        data["sections"].append(("pytest-arm64", f"report was not understood here: {error!r}"))
    return report if report is not None else _plain(data)


def _plain(data: Mapping[str, Any]) -> pytest.TestReport | pytest.CollectReport:
    """A report of pytest's own kind with what every kind has in common."""
    longrepr = data.get("longrepr")
    if isinstance(longrepr, Mapping):
        longrepr = str(longrepr.get("reprcrash") or longrepr)
    if data.get("when") == "collect" or data.get("$report_type") == "CollectReport":
        return pytest.CollectReport(
            nodeid=str(data.get("nodeid", "")),
            outcome=data.get("outcome", "failed"),
            longrepr=longrepr,
            result=[],
            sections=data.get("sections", ()),
        )
    return pytest.TestReport(
        nodeid=str(data.get("nodeid", "")),
        location=data.get("location") or (str(data.get("nodeid", "")).split("::")[0], None, ""),
        keywords=data.get("keywords") or {},
        outcome=data.get("outcome", "failed"),
        longrepr=longrepr,
        when=data.get("when") or "call",
        sections=data.get("sections", ()),
        duration=data.get("duration") or 0,
        user_properties=data.get("user_properties") or [],
    )


def failed_report(nodeid: str, location: tuple[str, int | None, str] | None, text: str) -> Any:
    """A failure that no session inside could report, because it is about that session."""
    return pytest.TestReport(
        nodeid=nodeid,
        location=location or (nodeid.split("::")[0], None, nodeid.partition("::")[2] or nodeid),
        keywords={},
        outcome="failed",
        longrepr=text,
        when="call",
    )


def rebuilt_warning(values: Sequence[Any]) -> warnings.WarningMessage:
    """The warning of a ``warning`` frame.

    Its category is looked up by name among the builtins and pytest's own; nothing is imported,
    so that any other is a ``UserWarning`` that says what it was.
    """
    (module, name), message, filename, lineno = values[:4]
    category: Any = None
    if module == "builtins":
        category = getattr(__import__("builtins"), name, None)
    elif module in ("pytest", "_pytest.warning_types"):
        category = getattr(pytest, name, None)
    if not (isinstance(category, type) and issubclass(category, Warning)):
        category, message = UserWarning, f"{module}.{name}: {message}"
    try:
        instance = category(message)
    except TypeError:
        category, instance = UserWarning, UserWarning(f"{name}: {message}")
    return warnings.WarningMessage(instance, category, filename, lineno)


def _location(value: Sequence[Any]) -> tuple[str, int | None, str]:
    return (value[0], value[1], value[2])
