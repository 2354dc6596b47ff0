"""The files of a project, without version control, caches and environments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..walking import walk_folders

# Folders that are never part of a copy of the project.
SKIPPED = frozenset(
    [
        "__pycache__",
        ".git",
        ".hg",
        ".svn",
        ".tox",
        ".nox",
        ".venv",
        "venv",
        "node_modules",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".hypothesis",
        ".eggs",
    ]
)


def walk(folder: Path) -> Iterator[Path]:
    """*folder* and all below it that belongs to a copy, parents first."""
    yield folder
    for parent, folders, files in walk_folders(folder):
        folders[:] = [
            f for f in folders if f not in SKIPPED and not Path(parent, f, "pyvenv.cfg").exists()
        ]
        yield from (Path(parent, name) for name in sorted((*folders, *files)))
