"""The pytest plugin that a worker of pytest-xdist loads: our options, fixtures and watch."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Generator, Mapping
from functools import partial
from typing import TypedDict, cast

import pytest

from . import plugin
from .bound_stdlib import originals
from .boundary import RECORD
from .boundary_selection import Apart, records_here
from .executed_lines import executed_lines, note_executed_lines
from .finished import leave_out
from .frames import NEWER_CODE, BoundaryTests
from .mapped import mapped_libraries
from .omissions import note_omissions, omitted
from .watch import Watch

NAME = __name__
INPUT = "arm64"
"""What of a worker's input is for this plugin."""
MAPPED = "arm64_mapped"
"""What of a worker's output tells the libraries that it had loaded."""
OMITTED = "arm64_omitted"
"""The same of what code of the project left out of its session."""
REACHED = "arm64_reached"
"""The same of what its test files reach, where the host asked."""
EXECUTED = "arm64_executed"
"""The same of the statements that it executed, where the host asked."""
FORGET = "PYTEST_ARM64_PLUGINS_BEFORE"
"""Variable with what ``PYTEST_PLUGINS`` was before it named this module."""
_APART = "arm64-apart"

arm64_measure = plugin.arm64_measure
arm64_target = plugin.arm64_target
pytest_runtest_setup = plugin.pytest_runtest_setup


class WorkerInput(TypedDict):
    """What a worker gets of the session's task."""

    seconds: float
    """How long a test may take, 0 for any."""
    notes: str
    """Folder for what the controller reads."""
    finished: dict[str, int]
    """Node ids that other processes of the run have finished, with counts."""


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    # A test may start a pytest of its own, which knows nothing of us.
    before = os.environ.pop(FORGET, "")
    os.environ["PYTEST_PLUGINS"] = before
    if not before:
        del os.environ["PYTEST_PLUGINS"]
    note_omissions(pluginmanager)
    note_executed_lines(pluginmanager, records_here())
    if not pluginmanager.has_plugin("arm64"):
        plugin.pytest_addoption(parser, pluginmanager)


def pytest_configure(config: pytest.Config) -> None:
    plugin.pytest_configure(config)
    given = getattr(config, "workerinput", {}).get(INPUT)
    if given is not None:
        name = str(config.workerinput["workerid"])  # type: ignore[attr-defined]  # xdist's
        config.pluginmanager.register(_Watched(given, name))
        config.pluginmanager.register(_Rest(given["finished"]))
        records = records_here()
        if RECORD in records:
            note = os.path.join(given["notes"], f"{name}.{RECORD}")
            config.pluginmanager.register(Apart(records, partial(_write, note)), _APART)


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        apart = cast("Apart | None", session.config.pluginmanager.getplugin(_APART))
        output[MAPPED] = mapped_libraries()
        output[OMITTED] = [tuple(each) for each in omitted(session, apart)]
        manager = session.config.pluginmanager
        output[EXECUTED] = [tuple(each) for each in executed_lines(manager)]
        records = records_here()
        if NEWER_CODE in records:
            from .reach import reached_by_files

            output[REACHED] = reached_by_files(session, records)


def _write(note: str, tests: BoundaryTests) -> None:
    with originals.open(note, "w", encoding="utf-8") as stream:
        stream.write(json.dumps(tests))


class _Rest:
    """Runs the tests that others have not finished."""

    def __init__(self, finished: Mapping[str, int]) -> None:
        self._finished = Counter(finished)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        leave_out(items, self._finished)


class _Watched:
    def __init__(self, given: WorkerInput, name: str) -> None:
        self._watch = Watch(given["seconds"])
        self._note = os.path.join(given["notes"], name)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._watch.collected(session.items)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, None, None]:
        reason = self._watch.begin(item.nodeid)
        if reason is not None:
            with originals.open(self._note, "w", encoding="utf-8") as stream:
                stream.write(f"{item.nodeid}\0{reason}")
        yield
        self._watch.end()
