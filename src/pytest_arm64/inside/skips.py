"""Marks skips and expected failures that depend on the machine."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from .machine_conditions import line_depends_on_machine, reason_names_machine
from .project_code import is_project_file
from .reports import Report

FOR_MACHINE = "arm64_for_machine"
"""Attribute of a report: the test would be run, or have to pass, on another machine."""
Place = tuple[str, int]
"""File and line, from 1."""


def note_skipped_test(
    item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport
) -> None:
    """Mark *report* if its test is skipped, or expected to fail, because of the machine."""
    expected = str(getattr(report, "wasxfail", "")).replace("reason: ", "", 1)
    if report.outcome == "skipped" or expected:
        path, line, _ = item.location
        places = [(str(item.config.rootpath / path), (line or 0) + 1), *_places(call)]
        _mark(report, expected or _reason(report), places)


def note_skipped_file(report: pytest.CollectReport, root: str) -> None:
    """Mark *report* if it is of a file that is skipped because of the machine."""
    if report.outcome == "skipped" and isinstance(report.longrepr, tuple):
        path, line, _ = report.longrepr
        _mark(report, _reason(report), [(os.path.join(root, str(path)), int(line))])


def _mark(report: Report, reason: str, places: list[Place]) -> None:
    if reason_names_machine(reason) or any(
        line_depends_on_machine(path, line, reason) for path, line in places
    ):
        setattr(report, FOR_MACHINE, True)


def _reason(report: Report) -> str:
    said = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
    return str(said).replace("Skipped: ", "", 1)


def _places(call: pytest.CallInfo[None]) -> Iterator[Place]:
    """Where code of the project called ``pytest.skip`` or ``pytest.xfail``."""
    error = call.excinfo.value if call.excinfo is not None else None
    if not isinstance(error, (pytest.skip.Exception, pytest.xfail.Exception)):
        return
    traceback = error.__traceback__
    while traceback is not None:
        path = traceback.tb_frame.f_code.co_filename
        if is_project_file(path):
            yield path, traceback.tb_lineno
        traceback = traceback.tb_next
