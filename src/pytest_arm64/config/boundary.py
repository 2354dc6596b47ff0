"""Where files of a repository may lead on the host: to places inside the repository only.

What they name is read, shown and copied into containers; a pull request must not reach your keys.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from ..errors import SettingsError

_NEXT_STEP = (
    "move it into the repository, or name it yourself: in pip's own configuration (pip config), or "
    "in a requirement file outside the repository with --arm64-requirements"
)


def is_there(path: Path, question: Callable[[Path], bool]) -> bool:
    """The answer to *question*, no for what cannot be a path."""
    try:
        return question(path)
    except (OSError, ValueError):
        return False


def check_inside(place: Path, naming: Path, root: Path, origin: str) -> None:
    """Check that *place* may be named by the file *naming*, which *origin* shows with its line.

    Files outside any repository are the user's own: they may name any place. *root* is a folder of
    the repository, or the repository itself where there is no ``.git``. Links count by where they
    lead.

    Raises:
        SettingsError: *naming* belongs to a repository, and *place* does not.
    """
    top = _repository_of(naming, root)
    if top is None or _resolved(place).is_relative_to(top):
        return
    raise SettingsError(
        f"{origin} names {str(place)[:200]!r}, which is outside the repository {top}",
        why="files of a repository may not have other files of this machine read or copied",
        next_step=_NEXT_STEP,
    )


def _repository_of(file: Path, root: Path) -> Path | None:
    """The repository that *file* belongs to, None for a file outside any."""
    top = _git_root(root) or root
    if file.is_relative_to(os.path.normpath(top)) or _resolved(file).is_relative_to(_resolved(top)):
        return _resolved(top)
    other = _git_root(file.parent)
    return None if other is None else _resolved(other)


def _git_root(folder: Path) -> Path | None:
    for place in (folder, *folder.parents):
        try:
            if (place / ".git").exists():
                return place
        except (OSError, ValueError):
            continue
    return None


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):  # a loop of links, a name that cannot be one
        return Path(os.path.normpath(path))
