"""Marks reports that say another thing than what their test did, whatever hook has changed them.

What a test did is noted where no hook of the project comes between: around pytest's own call of
the function. Only where the project replaces that call is the function itself watched for.
"""

from __future__ import annotations

import threading
import unittest
from collections.abc import Callable, Generator
from types import CodeType, FrameType
from typing import TYPE_CHECKING

import pytest

from .bound_stdlib import originals
from .project_code import code_of, is_of_project
from .pytest_internals import hook_implementations
from .skips import note_skipped_test

if TYPE_CHECKING:
    from pluggy import Result

REWRITTEN = "arm64_rewritten"
"""Attribute of a report that passes for something else: one of the three below."""
RAISED, NOT_CALLED, HANDMADE = "raised", "not-called", "handmade"
_OBSERVED = "arm64_observed"
"""The same, on its way from a worker, before anybody knows what the report will say."""
_NO_ERRORS = (pytest.skip.Exception, pytest.xfail.Exception, unittest.SkipTest)
_FAILED = pytest.StashKey[bool]()
_ENTERED = pytest.StashKey[bool]()


class Observer:
    """Registered in every process that runs tests."""

    def __init__(self) -> None:
        self._observed: dict[tuple[str, str], str] = {}
        self._made: set[tuple[str, str]] = set()
        self._own_calls = self._own_protocol = False

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._own_calls = _has_own(session.config, "pytest_pyfunc_call")
        self._own_protocol = _has_own(session.config, "pytest_runtest_protocol")
        if self._own_calls or _has_own(session.config, "pytest_runtest_call"):
            # Behind every conftest, so that no wrapper comes between it and pytest's own call. A
            # wrapper shows in --tb=native: only where there may be others.
            session.config.pluginmanager.register(_Innermost(), "arm64-innermost")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        item.stash[_FAILED] = False
        code = _code_to_watch_for(item, own_calls=self._own_calls)
        if code is None or originals.getprofile() is not None:
            return
        item.stash[_ENTERED] = False
        watch = _profile(code, item)
        threading.setprofile(watch)
        originals.setprofile(watch)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, Result[pytest.TestReport], None]:
        error = call.excinfo.value if call.excinfo is not None else None
        if call.when == "call" and _ENTERED in item.stash:
            originals.setprofile(None)
            threading.setprofile(None)
        outcome = yield
        if outcome.excinfo is None:
            note_skipped_test(item, call, outcome.get_result())
        if self._own_protocol:
            self._made.add((item.nodeid, call.when))
        raised = error is not None and not isinstance(error, _NO_ERRORS)
        if call.when == "call":
            raised = raised or item.stash.get(_FAILED, False)
        if raised and not item.get_closest_marker("xfail"):
            self._observed[item.nodeid, call.when] = RAISED
        elif call.when == "call" and not item.stash.get(_ENTERED, True):
            self._observed[item.nodeid, call.when] = NOT_CALLED

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not self._observed and not self._own_protocol:
            return
        key = (report.nodeid, report.when or "")
        observed = self._observed.pop(key, "")
        if self._own_protocol and report.when == "call" and key not in self._made:
            observed = HANDMADE
        self._made.discard(key)
        if observed:
            setattr(report, _OBSERVED, observed)


class _Innermost:
    """Notes whether the call of a test's function raised an error."""

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_pyfunc_call(
        self, pyfuncitem: pytest.Function
    ) -> Generator[None, Result[object], None]:
        outcome = yield
        error = outcome.excinfo[1] if outcome.excinfo is not None else None
        # Of several attempts the last one counts.
        pyfuncitem.stash[_FAILED] = error is not None and not isinstance(error, _NO_ERRORS)


def note_rewritten(report: pytest.TestReport) -> None:
    """Mark *report* if it does not say what was observed."""
    observed = report.__dict__.pop(_OBSERVED, "")
    hiding = ("passed", "skipped") if observed == RAISED else ("passed",)
    if observed and report.outcome in hiding:
        setattr(report, REWRITTEN, observed)


def _has_own(config: pytest.Config, hook: str) -> bool:
    """Whether code of the project implements *hook*."""
    return any(is_of_project(each.function) for each in hook_implementations(config, hook))


def _code_to_watch_for(item: pytest.Item, *, own_calls: bool) -> CodeType | None:
    """The code of the function of *item*, where code of the project may run another one instead."""
    if not isinstance(item, pytest.Function):
        return None
    written = getattr(getattr(item.parent, "obj", None), item.originalname, None)
    replaced = callable(written) and _function(written) is not _function(item.obj)
    return code_of(written) if own_calls or replaced or is_of_project(item.runtest) else None


def _function(value: object) -> object:
    return getattr(value, "__func__", value)


def _profile(code: CodeType, item: pytest.Item) -> Callable[[FrameType, str, object], None]:
    """What notes that *code* is run, and then watches no longer."""

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code is code:
            item.stash[_ENTERED] = True
            originals.setprofile(None)

    return profile
