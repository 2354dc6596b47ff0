"""The pytest plugin that a worker of pytest-xdist loads: our options, fixtures and watch."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from . import plugin
from .boundary import RECORD, Apart, records_here
from .mapped import mapped_libraries
from .watch import Watch

NAME = __name__
MAPPED = "arm64_mapped"
"""What of a worker's output tells the libraries that it had loaded."""
FORGET = "PYTEST_ARM64_PLUGINS_BEFORE"
"""Variable with what ``PYTEST_PLUGINS`` was before it named this module."""

arm64_measure = plugin.arm64_measure
arm64_target = plugin.arm64_target
pytest_runtest_setup = plugin.pytest_runtest_setup


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    # A test may start a pytest of its own, which knows nothing of us.
    before = os.environ.pop(FORGET, "")
    os.environ["PYTEST_PLUGINS"] = before
    if not before:
        del os.environ["PYTEST_PLUGINS"]
    if not pluginmanager.has_plugin("arm64"):
        plugin.pytest_addoption(parser, pluginmanager)


def pytest_configure(config: pytest.Config) -> None:
    plugin.pytest_configure(config)
    given = getattr(config, "workerinput", {}).get("arm64")
    if given is not None:
        name = config.workerinput["workerid"]  # type: ignore[attr-defined]
        config.pluginmanager.register(_Watched(given, str(name)))
        records = records_here()
        if RECORD in records:
            note = Path(given["notes"], f"{name}.{RECORD}")
            config.pluginmanager.register(Apart(records, partial(_write, note)))


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[MAPPED] = mapped_libraries()


def _write(note: Path, tests: Sequence[Any]) -> None:
    note.write_text(json.dumps(tests), "utf-8")


class _Watched:
    def __init__(self, given: Mapping[str, Any], name: str) -> None:
        self._watch = Watch(given["seconds"])
        self._note = Path(given["notes"], name)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._watch.collected(session.items)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, None, None]:
        reason = self._watch.begin(item.nodeid)
        if reason is not None:
            self._note.write_text(f"{item.nodeid}\0{reason}", "utf-8")
        yield
        self._watch.end()
