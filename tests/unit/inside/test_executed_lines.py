"""Which statements a process executes, of those that it was asked about."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pytest_arm64.inside.executed_lines import ExecutedLines, _installed
from pytest_arm64.inside.frames import LinesExecuted

CODE = """\
def used(): return [
    1,
]
def unused():
    return 2
for _ in range(3):
    used()
"""
MEASURED = sys.version_info >= (3, 12)
TOO_OLD = f"Python 3.{sys.version_info[1]} has no sys.monitoring"


def test_executed_statements_are_noted_by_their_first_lines(tmp_path: Path) -> None:
    path = str(tmp_path / "module.py")
    watch = ExecutedLines({path: [(1, 3), (5, 5), (6, 7)], str(tmp_path / "other.py"): [(1, 9)]})
    try:
        exec(compile(CODE, path, "exec"), {})
        exec(compile("x = 1", str(tmp_path / "unasked.py"), "exec"), {})
        lines = watch.so_far()
    finally:
        _let_go()
    if MEASURED:
        assert lines == LinesExecuted({path: [1, 6]}, "")
    else:
        assert lines == LinesExecuted({}, TOO_OLD)


def _let_go() -> None:
    if sys.version_info >= (3, 12):
        for tool in (3, 4):
            if sys.monitoring.get_tool(tool) == "pytest-arm64":
                sys.monitoring.set_events(tool, 0)
                sys.monitoring.free_tool_id(tool)


def test_it_gives_way_to_tools_of_others(tmp_path: Path) -> None:
    taken: list[int] = []
    if sys.version_info >= (3, 12):
        taken = [tool for tool in (3, 4) if sys.monitoring.get_tool(tool) is None]
        for tool in taken:
            sys.monitoring.use_tool_id(tool, "theirs")
    try:
        lines = ExecutedLines({str(tmp_path / "a.py"): [(1, 1)]}).so_far()
    finally:
        if sys.version_info >= (3, 12):
            for tool in taken:
                sys.monitoring.free_tool_id(tool)
    assert lines == LinesExecuted({}, "other tools use sys.monitoring" if MEASURED else TOO_OLD)


def test_a_project_that_was_built_runs_from_where_it_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTEST_ARM64_SOURCE", '["/repo/api", "/repo/lib"]')
    monkeypatch.setattr(sys, "path", ["/env/site-packages"])
    paths = ("/repo/api/src/api/a.py", "/repo/lib/lib/b.py", "/repo/tool.py")
    names = list(_installed(dict.fromkeys(paths, ())))
    assert names == [
        ("/repo/api/src/api/a.py", "/repo/api/src/api/a.py"),
        ("/env/site-packages/api/a.py", "/repo/api/src/api/a.py"),
        ("/repo/lib/lib/b.py", "/repo/lib/lib/b.py"),
        ("/env/site-packages/lib/b.py", "/repo/lib/lib/b.py"),
        ("/repo/tool.py", "/repo/tool.py"),
    ]
