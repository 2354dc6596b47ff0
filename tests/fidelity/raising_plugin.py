"""A plugin one of whose hooks raises, on the host and natively; named by ``-p``."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

HOOK = os.environ.get("RAISING_HOOK", "")
ERROR = os.environ.get("RAISING_ERROR", "")
ERRORS: dict[str, Callable[[], BaseException]] = {
    "KeyError": lambda: KeyError("of the plugin"),
    "ValueError": lambda: ValueError("of the plugin"),
    "TypeError": lambda: TypeError("of the plugin"),
    "AttributeError": lambda: AttributeError("of the plugin"),
    "RuntimeError": lambda: RuntimeError("of the plugin"),
    "UsageError": lambda: pytest.UsageError("of the plugin"),
    "Exit": lambda: pytest.exit.Exception("of the plugin", 7),
    "KeyboardInterrupt": lambda: KeyboardInterrupt("of the plugin"),
}


def _act(hook: str) -> None:
    if hook == HOOK and "PYTEST_ARM64_TASK" not in os.environ:  # which the session inside has
        error = ERRORS[ERROR]()
        raise error


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        _act("pytest_collectreport")


def pytest_runtest_logstart() -> None:
    _act("pytest_runtest_logstart")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call":
        _act("pytest_runtest_logreport")


def pytest_runtest_logfinish() -> None:
    _act("pytest_runtest_logfinish")


def pytest_warning_recorded() -> None:
    _act("pytest_warning_recorded")
