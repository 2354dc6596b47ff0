"""The user's cache folder: small JSON records, of which one that cannot be read is absent."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import functools
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

# JSON as a whole; the checksum is that of the record as it is written.
_FRAME = '{{"sha256":"{}","record":{}}}'

LONGEST_WAIT = 900.0
"""Seconds for which another process is waited for."""
LIMIT = 10 * 2**30
"""Bytes to which the folder is cut back when an environment was made."""


def _checksum(content: str) -> str:
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def chosen_folder() -> Path:
    """The user's cache folder for this product, not created, whether it can be written or not."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("pytest-arm64", appauthor=False))


def cache_folder() -> Path:
    """The cache folder of this process, not created.

    Where the user's cannot be written (a read-only home, another user's folder), it is a temporary
    one that goes with the process: nothing is cached then.
    """
    folder = chosen_folder()
    return _temporary_folder() if unwritable(folder) else folder


def unwritable(folder: Path) -> str:
    """Why nothing can be cached in *folder*; empty where it can, or its disk is only full."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    places = [place]
    if place == folder:  # one of its kinds may be root's, after a run with sudo
        with contextlib.suppress(OSError):
            places += [entry for entry in folder.iterdir() if entry.is_dir()]
    for each in places:
        if not each.is_dir():
            return f"{each} is not a folder"
        if not os.access(each, os.R_OK | os.W_OK | os.X_OK):
            return f"{each} cannot be written to"
    return ""


@functools.cache
def _temporary_folder() -> Path:
    folder = tempfile.mkdtemp(prefix="pytest-arm64-cache-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def digest(value: Any) -> str:
    """Hexadecimal SHA-256 of *value* as canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def load(kind: str, key: str) -> dict[str, Any] | None:
    """The record *key* of *kind*, None where it is missing, or not the one that was written."""
    try:
        text = (cache_folder() / kind / f"{key}.json").read_text("utf-8")
        content = text[len(_FRAME.format("0" * 64, "")) - 1 : -1]
        if text != _FRAME.format(_checksum(content), content):
            return None
        value = json.loads(content)
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def store(kind: str, key: str, value: dict[str, Any]) -> None:
    """Keep *value*; written beside and moved into place, so that no reader sees half of it.

    A cache that cannot be written (a read-only home, a full disk) costs time, never the run.
    """
    folder = cache_folder() / kind
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, suffix=".part")
    except OSError:
        return
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            # Not json.dump: it writes token by token.
            content = json.dumps(value)
            stream.write(_FRAME.format(_checksum(content), content))
        temporary.replace(folder / f"{key}.json")
    except OSError:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def alone(
    name: str,
    waiting: Callable[[], AbstractContextManager[object]],
    seconds: float = LONGEST_WAIT,
) -> Iterator[None]:
    """Do what is called *name* in one process at a time.

    Args:
        name: a file's name; other names are done at the same time.
        waiting: entered while another process does it.
        seconds: to wait at most. Then, and where nothing can be cached, it is done at once.
    """
    folder = cache_folder() / "locks"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = (folder / f"{name}.lock").open("wb")
    except OSError:
        yield
        return
    with stream:
        if not _locked(stream):
            end = time.monotonic() + seconds
            with waiting():
                while not _locked(stream) and time.monotonic() < end:
                    time.sleep(0.2)
        yield


def _locked(stream: IO[bytes]) -> bool:
    """Whether this process has the lock of *stream* now; it ends with the process."""
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # a file system without locks: others are not waited for
    return True


@dataclass(frozen=True)
class CachedFile:
    """One file of the cache."""

    path: Path
    kind: str
    size: int
    used: float
    """When it was used last, in seconds since 1970."""


def contents(folder: Path) -> Iterator[CachedFile]:
    """Everything that is kept in *folder*."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            with contextlib.suppress(OSError):  # removed by another run meanwhile
                status = path.lstat()
                kind = path.relative_to(folder).parts[0]
                yield CachedFile(path, kind, status.st_size, status.st_mtime)


def prune(folder: Path, *, limit: int | None = None, days: float | None = None) -> tuple[int, int]:
    """Remove what was not used for *days*, then the least recently used beyond *limit* bytes.

    Returns:
        how many files were removed, and how many bytes.
    """
    files = sorted(contents(folder), key=lambda entry: entry.used)
    oldest = time.time() - days * 86400 if days is not None else float("-inf")
    left = sum(entry.size for entry in files)
    count = size = 0
    for entry in files:
        if entry.used >= oldest and (limit is None or left <= limit):
            continue
        with contextlib.suppress(OSError):
            entry.path.unlink()
            count, size, left = count + 1, size + entry.size, left - entry.size
    for parent, _, _ in os.walk(folder, topdown=False):
        if Path(parent) != folder:
            with contextlib.suppress(OSError):  # not empty
                Path(parent).rmdir()
    return count, size
