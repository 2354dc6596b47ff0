"""Notes which tests and files code of the project leaves out of a session."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from inspect import isgeneratorfunction
from types import FrameType
from typing import cast

import pytest

from .bound_stdlib import originals
from .boundary_selection import Apart
from .frames import Omitted
from .machine_conditions import assignment_depends_on_machine, function_depends_on_machine
from .project_code import code_of, is_of_project, is_project_file
from .pytest_internals import PACKAGE, hook_implementations, implementations_in

_NAME = "arm64-omissions"
DESELECTED, DROPPED, IGNORED = "deselected", "dropped", "ignored"
SELECTED = "selected"
"""Deselected by an installed plugin, which is named."""
_IGNORING = ("collect_ignore", "collect_ignore_glob")
_BETWEEN = ("pluggy", f"{PACKAGE}.config", (__package__ or "").partition(".")[0])
"""Modules through which a hook is called."""


def note_omissions(manager: pytest.PytestPluginManager) -> None:
    """Begin to take note, before any conftest is loaded."""
    manager.register(Omissions(), _NAME)


def omitted(session: pytest.Session, apart: Apart | None) -> list[Omitted]:
    """What code of the project left out of *session*, which has collected."""
    omissions = cast("Omissions", session.config.pluginmanager.getplugin(_NAME))
    return omissions.of(session, apart.left_out if apart is not None else 0)


class Omissions:
    """Registered in every process that collects."""

    def __init__(self) -> None:
        self._collected = 0
        self._omitted: Counter[tuple[str, str, bool]] = Counter()
        """By who left out, how, and whether that depends on the machine."""
        self._deselected = 0

    def pytest_itemcollected(self) -> None:
        self._collected += 1

    def pytest_plugin_registered(self, plugin: object, manager: pytest.PytestPluginManager) -> None:
        for implementation in implementations_in(manager, "pytest_ignore_collect"):
            function = implementation.function
            own = implementation.plugin is plugin and is_of_project(function)
            if own and not isgeneratorfunction(function):
                implementation.function = self._counting(function)

    def _counting(self, ignores: Callable[..., object]) -> Callable[..., object]:
        code = code_of(ignores)
        assert code is not None
        path, line = code.co_filename, code.co_firstlineno

        def pytest_ignore_collect(*values: object) -> object:
            ignored = ignores(*values)
            if ignored:
                self._note(path, IGNORED, function_depends_on_machine(path, line))
            return ignored

        return pytest_ignore_collect

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        self._deselected += len(items)
        frame: FrameType | None = originals.getframe(1)
        while frame is not None and str(frame.f_globals.get("__name__")).startswith(_BETWEEN):
            frame = frame.f_back
        if frame is None:
            return
        path, module = frame.f_code.co_filename, str(frame.f_globals.get("__name__"))
        if is_project_file(path):
            machine = function_depends_on_machine(path, frame.f_lineno)
            self._note(path, DESELECTED, machine, len(items))
        elif not module.startswith(f"{PACKAGE}."):
            self._note(module.partition(".")[0], SELECTED, False, len(items))

    def of(self, session: pytest.Session, apart: int) -> list[Omitted]:
        """What was left out of *session*; *apart* is how many tests we took out ourselves."""
        for path in _conftests(session.config):
            self._note_ignored(session.config, path)
        dropped = self._collected - self._deselected - apart - len(session.items)
        if dropped > 0:
            self._note_dropped(session.config, dropped)
        root = session.config.rootpath
        return [
            Omitted(os.path.relpath(by, root) if os.path.isabs(by) else by, how, machine, number)
            for (by, how, machine), number in sorted(self._omitted.items())
        ]

    def _note_ignored(self, config: pytest.Config, path: str) -> None:
        module = config.pluginmanager.get_plugin(path)
        number = sum(len(getattr(module, name, None) or ()) for name in _IGNORING)
        if number:
            self._note(path, IGNORED, assignment_depends_on_machine(path, _IGNORING), number)

    def _note_dropped(self, config: pytest.Config, number: int) -> None:
        codes = [
            code
            for each in hook_implementations(config, "pytest_collection_modifyitems")
            if is_of_project(each.function) and (code := code_of(each.function)) is not None
        ]
        paths = [code.co_filename for code in codes]
        machine = any(function_depends_on_machine(c.co_filename, c.co_firstlineno) for c in codes)
        self._note(paths[0] if paths else "", DROPPED, machine, number)

    def _note(self, by: str, how: str, machine: bool, number: int = 1) -> None:
        self._omitted[by, how, machine] += number


def _conftests(config: pytest.Config) -> Iterator[str]:
    """Paths of the project's conftests, which are the names of these plugins."""
    for name, _ in config.pluginmanager.list_name_plugin():
        if os.path.basename(name) == "conftest.py" and is_project_file(name):
            yield name
