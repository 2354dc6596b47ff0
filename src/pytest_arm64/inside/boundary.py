"""The marker ``x86_boundary``: tests of what stays on x86 run on x86 only."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

MARKER = (
    "x86_boundary(reason, migratable_when): tests what is meant to stay on x86; it runs in a "
    "linux/amd64 cell, and never on ARM64"
)
PREFIX = "x86 boundary: "
"""How the reason of such a skip begins."""
RECORD = "boundary"
"""What of a session's records tells which tests it has: null for those that are not marked, or
the files in which the marked ones lie, for these alone."""


def keep_off_arm(item: pytest.Item, machine: str) -> None:
    """Skip *item* on an ARM64 *machine* if it is marked; a mark must say why, wherever it runs."""
    for mark in item.iter_markers("x86_boundary"):
        told = _told(mark)
        if not told:
            pytest.fail(
                "x86_boundary needs a reason and migratable_when: what stays on x86 without them "
                "stays there for ever",
                pytrace=False,
            )
        if machine == "aarch64":
            pytest.skip(told)


class Apart:
    """Takes the marked tests out of a session, or all others.

    *tell* gets the marked ones that are selected, and the node ids of all of them.
    A mark that does not say why stays where it is, and fails.
    """

    def __init__(self, records: Mapping[str, Any], tell: Callable[[Sequence[Any]], None]) -> None:
        self._files: Sequence[str] | None = records[RECORD]
        self._tell = tell
        self.left_out = 0
        """How many tests were taken out."""

    def pytest_ignore_collect(self, collection_path: Path, config: pytest.Config) -> bool | None:
        """A file without a marked test need not be importable on x86."""
        if self._files is None or collection_path.is_dir():
            return None
        known = {os.path.normpath(config.rootpath / file) for file in self._files}
        return None if os.path.normpath(collection_path) in known else True

    # Around what pytest's cache selects, which knows nothing of this.
    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, items: list[pytest.Item]
    ) -> Generator[None, None, None]:
        marked = {item: reason for item in items for reason in [_reason(item)] if reason}
        yield
        before = len(items)
        mine = [item for item in items if item in marked]
        if self._files is None:
            items[:] = [item for item in items if item not in marked]
            if marked:
                tests = [[item.nodeid, list(item.location), marked[item]] for item in mine]
                self._tell([tests, [item.nodeid for item in marked]])
        else:
            items[:] = mine
        self.left_out = before - len(items)


def records_here() -> Mapping[str, Any]:
    """The records of the session of which this process is a part."""
    with open(os.environ["PYTEST_ARM64_TASK"], encoding="utf-8") as stream:
        found: Mapping[str, Any] = json.load(stream)["records"]
    return found


def _reason(item: pytest.Item) -> str:
    """Why *item* stays on x86; empty where it does not, or a mark does not say it."""
    told = [_told(mark) for mark in item.iter_markers("x86_boundary")]
    return told[0] if told and all(told) else ""


def _told(mark: pytest.Mark) -> str:
    reason, when = _said(mark, 0, "reason"), _said(mark, 1, "migratable_when")
    return f"{PREFIX}{reason}; migratable when {when}" if reason and when else ""


def _said(mark: pytest.Mark, position: int, name: str) -> str:
    value: Any = mark.kwargs.get(name)
    if value is None and len(mark.args) > position:
        value = mark.args[position]
    return value.strip() if isinstance(value, str) else ""
