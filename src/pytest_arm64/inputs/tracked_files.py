"""The files of a repository that git tracks, read from its index: no git is started.

A repository may name programs in its configuration that git would run.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ..inside.regular_file import read_regular, read_regular_text
from .project_files import walk

_MAXIMUM_INDEX = 64 * 2**20
_MAXIMUM_FILES = 200_000
_MAXIMUM_PATHS = 64 * 2**20
"""Bytes of all paths: in version 4, an entry of one byte may repeat a path of megabytes."""
_FIXED = struct.Struct(">40x20sH")
"""Of an entry: times and numbers of the file, of which ``_MODE`` is one; object id; flags."""
_MODE = struct.Struct(">24xI")
_EXTENDED = 0x4000
_REGULAR = 0o100000


class TrackedFile(NamedTuple):
    """A regular file, by its path below the repository."""

    path: str
    executable: bool


class _IndexError(Exception):
    """The index is not of a format that is known here."""


def tracked_files(root: Path) -> Iterator[TrackedFile]:
    """Regular files below *root* that git tracks, each once.

    Where *root* is in no repository, or its index cannot be read, all files but those of caches
    and environments.
    """
    try:
        top, index = _index_of(root)
        data = read_regular(index, _MAXIMUM_INDEX)
        entries = list(_entries(data))
    except (OSError, ValueError, struct.error, _IndexError):
        yield from _all_files(root)
        return
    for path, mode in entries:
        place = top / os.fsdecode(path)
        if stat.S_IFMT(mode) == _REGULAR and place.is_relative_to(root) and ".." not in place.parts:
            yield TrackedFile(place.relative_to(root).as_posix(), bool(mode & 0o100))


def _index_of(root: Path) -> tuple[Path, Path]:
    """The top folder of the repository that *root* is in, and its index."""
    for top in (root, *root.parents):
        git = top / ".git"
        if git.is_dir():
            return top, git / "index"
        if git.is_file():  # of a worktree or a submodule
            kind, _, folder = read_regular_text(git, most=4096).strip().partition(": ")
            if kind == "gitdir":
                return top, top / folder / "index"
    raise _IndexError("no repository")


def _entries(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Path and mode of each entry; source: git's documentation, "index-format", 2 to 4."""
    signature, version, count = struct.unpack_from(">4sII", data)
    if signature != b"DIRC" or version not in (2, 3, 4) or count > _MAXIMUM_FILES:
        raise _IndexError("unknown format")
    place, path, total = 12, b"", 0
    for _ in range(count):
        (mode,) = _MODE.unpack_from(data, place)
        _, flags = _FIXED.unpack_from(data, place)
        name = place + _FIXED.size + (2 if flags & _EXTENDED else 0)
        kept = len(path)
        if version == 4:
            cut, name = _number(data, name)
            kept -= cut
        end = data.index(b"\0", name)
        path = (path[:kept] if version == 4 else b"") + data[name:end]
        place = end + 1 if version == 4 else place + (end - place + 8) // 8 * 8
        total += len(path)
        if total > _MAXIMUM_PATHS:
            raise _IndexError("paths that are too long")
        yield path, mode


def _number(data: bytes, place: int) -> tuple[int, int]:
    """A number of variable length, as pack files have it, and where it ends."""
    value = data[place] & 0x7F
    while data[place] & 0x80:
        place += 1
        value = ((value + 1) << 7) | (data[place] & 0x7F)
        if value > _MAXIMUM_INDEX:
            raise _IndexError("a number without an end")
    return value, place + 1


def _all_files(root: Path) -> Iterator[TrackedFile]:
    for number, path in enumerate(walk(root)):
        mode = path.lstat().st_mode if number < _MAXIMUM_FILES else 0
        if stat.S_ISREG(mode):
            yield TrackedFile(path.relative_to(root).as_posix(), bool(mode & 0o100))
