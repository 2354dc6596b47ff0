"""Marks reports of phases that raised an error, so that a hook cannot make a pass of one unseen."""

from __future__ import annotations

import unittest
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pluggy import Result

RAISED = "arm64_raised"
"""Attribute of a report inside: its phase raised an error that is neither a skip nor expected."""
REWRITTEN = "arm64_rewritten"
"""Attribute of a report that says something else of such a phase."""
_NO_ERRORS = (pytest.skip.Exception, pytest.xfail.Exception, unittest.SkipTest)


@pytest.hookimpl(hookwrapper=True, trylast=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Result[pytest.TestReport], None]:
    """Inside the wrappers of the project: what these make of the report comes later."""
    outcome = yield
    error = call.excinfo.value if call.excinfo is not None else None
    if error is None or isinstance(error, _NO_ERRORS) or item.get_closest_marker("xfail"):
        return
    setattr(outcome.get_result(), RAISED, True)


def note_rewritten(report: pytest.TestReport) -> None:
    """Mark *report* if it does not say what was raised, and take the first mark away."""
    raised = report.__dict__.pop(RAISED, False)
    if raised and report.outcome in ("passed", "skipped"):
        setattr(report, REWRITTEN, True)
