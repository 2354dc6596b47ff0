"""Temporary folders of this process; those that a killed one has left are removed by the next."""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "pytest-arm64-"
LOCK = "lock"
"""Held by the process that the folder belongs to: the kernel lets go of it however that ends."""
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextmanager
def temporary_folder(parent: str | None = None) -> Iterator[Path]:
    """An empty folder for this user alone, removed at the end; *parent* is not the usual one.

    Raises:
        OSError: it cannot be created.
    """
    place = tempfile.gettempdir() if parent is None else parent
    _prune_once(place)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    try:
        # It has its name only when it is held: none without that name is judged.
        with (folder / "unheld").open("xb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            (folder / "unheld").rename(folder / LOCK)
            content = folder / "content"
            content.mkdir(0o700)
            yield content
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@functools.cache
def _prune_once(place: str) -> None:
    prune(Path(place))


def prune(place: Path) -> int:
    """Remove folders of ours in *place* whose process is gone; how many."""
    removed = 0
    with suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX) and _is_left(Path(entry.path)):
                shutil.rmtree(entry.path, ignore_errors=True)
                removed += 1
    return removed


def _is_left(folder: Path) -> bool:
    """Whether *folder* is this user's, was created here, and nobody holds it."""
    try:
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            return False
        descriptor = os.open(folder / LOCK, _READ)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(descriptor)
    except OSError:
        return False
    return True
