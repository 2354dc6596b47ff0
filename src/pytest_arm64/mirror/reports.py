"""Reports as the host's pytest knows them, rebuilt from what the session inside sent."""

from __future__ import annotations

import builtins
import inspect
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import pytest

_HAS_TIMES = "start" in inspect.signature(pytest.TestReport.__init__).parameters


def passed_report(
    values: Sequence[Any], started: tuple[str, int | None, str], keywords: Mapping[str, Any]
) -> pytest.TestReport:
    """The report of an uneventful phase, from the values of a ``passed`` frame.

    *started* is the location of the test that was started last, *keywords* those told last.
    """
    nodeid, location, when, _, duration, start, stop = values[:7]
    times = {"start": start, "stop": stop} if _HAS_TIMES else {}
    return pytest.TestReport(
        nodeid=nodeid,
        location=started if location is None else _location(location),
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
    worker, shown = data.pop("$arm64_worker", None), data.pop("$arm64_shown", None)
    if isinstance(data.get("longrepr"), list):
        data["longrepr"] = tuple(data["longrepr"])
    try:
        report = config.hook.pytest_report_from_serializable(config=config, data=dict(data))
    except Exception as error:  # noqa: BLE001  (any plugin may raise anything here)
        report = None
        data["sections"].append(("pytest-arm64", f"report was not understood here: {error!r}"))
    if report is None:
        report = _plain(data)
    context, told = getattr(report, "context", None), data.get("_subtest.context")
    if isinstance(told, Mapping) and hasattr(context, "kwargs"):
        # pytest describes a subtest's values when it makes the context, and would again here.
        object.__setattr__(context, "kwargs", told.get("kwargs", {}))
    if shown is not None:
        report.longrepr = Shown(str(report.longrepr), shown)
    if worker is not None:
        report.node = Worker(Gateway(worker[0]), worker[1])
    return report


class Shown:
    """A failure's description of a kind that only shows itself, as it was shown inside."""

    def __init__(self, text: str, shown: str) -> None:
        self._text = text
        self._shown = shown

    def __str__(self) -> str:
        return self._text

    def toterminal(self, writer: Any) -> None:
        writer.write_raw(self._shown) if hasattr(writer, "write_raw") else writer.write(self._shown)


@dataclass(frozen=True)
class Gateway:
    """What pytest asks of the way to an xdist worker."""

    id: str


@dataclass(frozen=True)
class Worker:
    """What pytest asks of the xdist worker that ran a test."""

    gateway: Gateway
    _workerinfocache: str
    """What pytest keeps there: the worker's machine and interpreter, told above a failure."""


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


def failed_report(
    nodeid: str,
    location: tuple[str, int | None, str] | None,
    text: str,
    when: Literal["call", "teardown"] = "call",
) -> Any:
    """A failure that no session inside could report, because it is about that session."""
    path, _, name = nodeid.partition("::")
    return pytest.TestReport(
        nodeid=nodeid,
        location=location or (path, None, name or nodeid),
        keywords={},
        outcome="failed",
        longrepr=text,
        when=when,
    )


def rebuilt_warning(values: Sequence[Any]) -> warnings.WarningMessage:
    """The warning of a ``warning`` frame."""
    bases, message, filename, lineno = values[:4]
    category = _category(tuple((str(module), str(name)) for module, name in bases))
    instance = category.__new__(category)
    instance.args = (message,)
    source = _UNTRACED if values[8] else None
    return warnings.WarningMessage(
        instance, category, filename, lineno, line=values[7], source=source
    )


# Stands for the object that a ResourceWarning is about; its origin is known inside only.
_UNTRACED = type("Untraced", (), {})()


@cache
def _category(bases: tuple[tuple[str, str], ...]) -> Any:
    """The first of *bases* if it is a builtin or pytest's, else one of its name.

    Nothing is imported for it: what is installed inside need not be here.
    """
    for position, (module, name) in enumerate(bases):
        found = None
        if module == "builtins":
            found = getattr(builtins, name, None)
        elif module in ("pytest", "_pytest.warning_types"):
            found = getattr(pytest, name, None)
        if isinstance(found, type) and issubclass(found, Warning):
            if position == 0:
                return found
            own_module, own_name = bases[0]
            return type(own_name, (found,), {"__module__": own_module, "__str__": _text_of})
    return UserWarning


def _text_of(warning: Warning) -> str:
    return str(warning.args[0])


def _location(value: Sequence[Any]) -> tuple[str, int | None, str]:
    return (value[0], value[1], value[2])
