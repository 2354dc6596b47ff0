"""Which files of a project are looked at: its own, and no link is followed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from ..inputs.project_files import SKIPPED
from ..inputs.tracked_files import tracked_files
from ..inside.regular_file import read_regular

MOST_BYTES = 1 << 20
"""Of one file: a larger one was written by a program."""
_INSTALLED = SKIPPED | {"site-packages", "dist-packages"}


def source_files(folder: Path, apart: Collection[Path]) -> Iterator[str]:
    """Paths below *folder* of the project's own files, but those in the folders *apart*."""
    others = tuple(
        f"{other.relative_to(folder).as_posix()}/"
        for other in apart
        if other != folder and other.is_relative_to(folder)
    )
    for file in tracked_files(folder):
        if (
            file.path.isprintable()
            and not file.path.startswith(others)
            and _INSTALLED.isdisjoint(file.path.split("/"))
        ):
            yield file.path


class ContainedFiles:
    """Reads files of a repository, and none that a link leads to."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._folders: dict[Path, bool] = {}

    def content(self, path: Path) -> bytes | None:
        """The content of *path*; None where it is a link, leads out, or is too large."""
        try:
            if path.is_symlink() or not self._has(path.parent):
                return None
            return read_regular(path, MOST_BYTES)
        except (OSError, ValueError, RuntimeError):  # a loop of links, before Python 3.13
            return None

    def _has(self, folder: Path) -> bool:
        if folder not in self._folders:
            self._folders[folder] = folder.resolve().is_relative_to(self._root)
        return self._folders[folder]
