"""Notes which of a few statements that the host asked about are executed in this process.

Each line is noted once, and each function looked at once: what runs often costs nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import CodeType
from typing import TYPE_CHECKING, cast

from .bound_stdlib import originals
from .frames import ASSUMING_X86, LinesExecuted
from .plugin import SOURCE

if TYPE_CHECKING:
    import pytest

Statements = Mapping[str, Sequence[Sequence[int]]]
"""First and last lines of statements, by the absolute path of their file."""
_NAME = "arm64-executed-lines"
_IDS = (4, 3)
"""Of tools, none of those that ``sys.monitoring`` has names for: coverage is 1."""


def note_executed_lines(manager: pytest.PytestPluginManager, records: Mapping[str, object]) -> None:
    """Begin to take note, before any conftest is loaded, where *records* name statements."""
    statements = cast("Statements", records.get(ASSUMING_X86))
    if statements and not manager.has_plugin(_NAME):
        manager.register(ExecutedLines(statements), _NAME)


def executed_lines(
    manager: pytest.PytestPluginManager, others: Sequence[LinesExecuted] = ()
) -> Iterator[LinesExecuted]:
    """What was executed here, then *others*; nothing where the host did not ask."""
    lines = cast("ExecutedLines | None", manager.get_plugin(_NAME))
    if lines is not None:
        yield lines.so_far()
        yield from others


class ExecutedLines:
    """Watches *statements* from now on."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._paths = dict(_installed(statements))
        """Of each watched file, under every name that its code may have here."""
        self._executed: dict[str, set[int]] = {}
        self.problem = self._watch()
        """Why nothing is noted; empty where it is."""

    def so_far(self) -> LinesExecuted:
        """First lines of the statements of which something was executed."""
        return LinesExecuted(
            {path: sorted(lines) for path, lines in self._executed.items()}, self.problem
        )

    def _note(self, code: CodeType, line: int) -> None:
        path = self._paths[code.co_filename]
        for first, last in self._statements[path]:
            if first <= line <= last:
                self._executed.setdefault(path, set()).add(first)

    def _watch(self) -> str:
        if sys.version_info < (3, 12):
            return "Python {}.{} has no sys.monitoring".format(*sys.version_info)
        monitoring = sys.monitoring
        tool = next((tool for tool in _IDS if monitoring.get_tool(tool) is None), None)
        if tool is None:
            return "other tools use sys.monitoring"
        monitoring.use_tool_id(tool, "pytest-arm64")

        def begun(code: CodeType, offset: int) -> object:  # noqa: ARG001 - the interpreter's call
            if code.co_filename in self._paths:
                monitoring.set_local_events(tool, code, monitoring.events.LINE)
            return monitoring.DISABLE

        def executed(code: CodeType, line: int) -> object:
            self._note(code, line)
            return monitoring.DISABLE

        monitoring.register_callback(tool, monitoring.events.PY_START, begun)
        monitoring.register_callback(tool, monitoring.events.LINE, executed)
        monitoring.set_events(tool, monitoring.events.PY_START)
        return ""


def _installed(statements: Statements) -> Iterator[tuple[str, str]]:
    """The names that code of each watched file may have, each with the path of the file."""
    folders = [
        os.path.join(folder, below, "")
        for folder in originals.json_loads(os.environ.get(SOURCE, "[]"))
        for below in ("src", "")
    ]
    for path in statements:
        yield path, path
        folder = next((folder for folder in folders if path.startswith(folder)), "")
        if folder:
            for place in sys.path:
                yield os.path.join(place, path[len(folder) :]), path
