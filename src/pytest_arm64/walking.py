"""Walks folders, however deep: ``os.walk`` before Python 3.12, and ``rglob``, recurse."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def walk_folders(root: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """As ``os.walk``: each folder with the names of its folders and of everything else in it.

    A folder whose name is taken out of its list is left out. Links are not followed, and what
    cannot be listed is empty.
    """
    pending = [str(root)]
    while pending:
        parent = pending.pop()
        folders: list[str] = []
        files: list[str] = []
        links: set[str] = set()
        try:
            with os.scandir(parent) as entries:
                for entry in entries:
                    (folders if _is_folder(entry) else files).append(entry.name)
                    if entry.is_symlink():
                        links.add(entry.name)
        except OSError:
            continue
        yield parent, folders, files
        inside = [f"{parent}{os.sep}{name}" for name in folders if name not in links]
        pending += reversed(inside)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def paths_below(root: Path) -> Iterator[Path]:
    """Everything below *root*, as ``rglob`` has it."""
    for parent, folders, files in walk_folders(root):
        yield from (Path(parent, name) for name in (*folders, *files))


def folders_matching(root: Path, pattern: str) -> list[Path]:
    """The folders that *pattern*, relative to *root*, names.

    Raises:
        ValueError: it is not a pattern; pathlib has several errors for that.
    """
    try:
        return [path for path in root.glob(pattern) if path.is_dir()]
    except (ValueError, NotImplementedError, OSError, IndexError) as error:
        raise ValueError(str(error)) from None
