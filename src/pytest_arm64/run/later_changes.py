"""Lists after a run what tests changed that other programs run later, such as a ``conftest.py``."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib import resources
from itertools import islice
from pathlib import Path

import pytest

from ..config._toml import loads
from ..config.project_files import repository_root
from ..inputs.project_files import SKIPPED
from ..report.matrix_output import printable
from ..walking import walk_folders

MOST_ENTRIES = 200_000
_SHOWN = 8
_Entry = tuple[int, int, int]
"""Inode, kind and mode, and time of the last change, which no program can set; of a folder 0."""


def later_changes(config: pytest.Config) -> LaterChanges:
    """The plugin that does so for the repository of *config*."""
    return LaterChanges(repository_root(config.rootpath))


class LaterChanges:
    """Registered where tests can write to the repository at *root*."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._before: Mapping[str, _Entry] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        self._before = entries_that_run(self._root)

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        changes = list(changed(self._before, entries_that_run(self._root)))
        if not changes:
            return
        more = f" and {len(changes) - _SHOWN} more" if len(changes) > _SHOWN else ""
        listed = printable(", ".join(changes[:_SHOWN]))
        terminalreporter.line(
            f"arm64: the tests changed what other programs run: {listed}{more}; "
            "look at it before you run anything of this folder",
            yellow=True,
        )


def changed(before: Mapping[str, _Entry], after: Mapping[str, _Entry]) -> Iterator[str]:
    """Names of what is not as it was, with what became of it."""
    for name in sorted({*before, *after}):
        if name not in before:
            yield f"{name} (new)"
        elif name not in after:
            yield f"{name} (removed)"
        elif before[name] != after[name]:
            yield name


def entries_that_run(root: Path) -> dict[str, _Entry]:
    """What below *root* other programs run, or take their orders from."""
    found: dict[str, _Entry] = {}
    for path in islice(_that_run(root), MOST_ENTRIES):
        with suppress(OSError):
            status = path.lstat()
            since = 0 if stat.S_ISDIR(status.st_mode) else status.st_ctime_ns
            found[path.relative_to(root).as_posix()] = (status.st_ino, status.st_mode, since)
    return found


def _that_run(root: Path) -> Iterator[Path]:
    protected = {name for names in _table("protected.toml").values() for name in names}
    yield from (root / name for name in protected)
    table = _table("later.toml")
    names, endings = frozenset(table["names"]), tuple(table["endings"])
    for count, (parent, folders, files) in enumerate(walk_folders(root)):
        if count > MOST_ENTRIES:
            return
        yield from (Path(parent, name) for name in folders if name == ".git")
        folders[:] = [name for name in folders if name not in SKIPPED]
        for name in files:
            if name in names or name == ".git" or name.endswith(endings):
                yield Path(parent, name)


def _table(name: str) -> Mapping[str, list[str]]:
    text = resources.files("pytest_arm64.resources").joinpath(name).read_text("utf-8")
    return loads(text)
