"""Tests that are marked ``x86_boundary``, and all others: which of them a session has."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import cast

import pytest

from .bound_stdlib import originals
from .boundary import RECORD, reason_to_stay
from .frames import BoundaryTest, BoundaryTests


class Apart:
    """Takes the marked tests out of a session, or all others.

    *tell* gets the marked ones.
    A mark that does not say why stays where it is, and fails.
    """

    def __init__(
        self, records: Mapping[str, object], tell: Callable[[BoundaryTests], None]
    ) -> None:
        self._files = cast("Sequence[str] | None", records[RECORD])
        self._tell = tell
        self.left_out = 0
        """How many tests were taken out."""

    def pytest_ignore_collect(self, collection_path: Path, config: pytest.Config) -> bool | None:
        """A file without a marked test need not be importable on x86."""
        if self._files is None or collection_path.is_dir():
            return None
        files = {os.path.normpath(config.rootpath / file) for file in self._files}
        return None if os.path.normpath(collection_path) in files else True

    # Around what pytest's cache selects, which knows nothing of this.
    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, items: list[pytest.Item]
    ) -> Generator[None, None, None]:
        marked = {item: reason for item in items for reason in [reason_to_stay(item)] if reason}
        yield
        before = len(items)
        mine = [item for item in items if item in marked]
        if self._files is None:
            items[:] = [item for item in items if item not in marked]
            if marked:
                selected = [BoundaryTest(i.nodeid, i.location, marked[i]) for i in mine]
                self._tell(BoundaryTests(selected, [item.nodeid for item in marked]))
        else:
            items[:] = mine
        self.left_out = before - len(items)


def records_here() -> Mapping[str, object]:
    """The records of the session of which this process is a part."""
    with originals.open(os.environ["PYTEST_ARM64_TASK"], encoding="utf-8") as stream:
        records: Mapping[str, object] = originals.json_loads(stream.read())["records"]
    return records
