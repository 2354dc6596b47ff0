"""The releases of a project as pages have them: ordered at once, looked into when asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from packaging.version import Version

from .simple import FileRow, IndexFile, Listing, file_from_row

_LONGEST = 255
VersionKey = tuple[
    int,
    tuple[int, ...],
    tuple[int, str, int],
    int,
    tuple[int, int],
    tuple[tuple[int, int, str], ...],
]
"""Epoch, release, pre-release, post-release, development release, local label."""
_SIMPLE = re.compile(r"\d+(?:\.\d+)*\Z")
_FINAL: tuple[tuple[int, str, int], int, tuple[int, int], tuple[()]] = (
    (1, "", 0),
    -1,
    (1, 0),
    (),
)


class Releases(Mapping[Version, tuple[IndexFile, ...]]):
    """Files by release, the newest release first.

    A page can list thousands of releases, of which a tree needs one: versions and files become
    objects only when they are reached.
    """

    def __init__(self, project: str, listings: Iterable[Listing] = ()) -> None:
        self._project = project
        self._listing = merged(listings)
        groups: dict[VersionKey, list[str]] = {}
        for text in self._listing:
            key = order(text)
            if key is not None:
                groups.setdefault(key, []).append(text)
        self._groups = dict(sorted(groups.items(), reverse=True))
        self._versions: dict[VersionKey, Version] = {}
        self._files: dict[Version, tuple[IndexFile, ...]] = {}

    def __iter__(self) -> Iterator[Version]:
        return map(self._version, self._groups)

    def __reversed__(self) -> Iterator[Version]:
        return map(self._version, reversed(self._groups))

    def __len__(self) -> int:
        return len(self._groups)

    def __getitem__(self, version: Version) -> tuple[IndexFile, ...]:
        if version not in self._files:
            key = order(str(version))
            if key is None:
                raise KeyError(version)
            spellings = self._groups[key]
            rows = (row for text in spellings for row in self._listing[text])
            files = (file_from_row(self._project, row) for row in rows)
            self._files[version] = tuple(file for file in files if file is not None)
        return self._files[version]

    def like(self, version: Version) -> list[Version]:
        """Releases that are *version*, whatever their local label."""
        wanted = (order(version.public) or ())[:-1]
        return [self._version(key) for key in self._groups if key[:-1] == wanted]

    def _version(self, key: VersionKey) -> Version:
        if key not in self._versions:
            self._versions[key] = Version(self._groups[key][0])
        return self._versions[key]


def merged(listings: Iterable[Listing]) -> Listing:
    """One listing of several; of files with one name, a local one, else the first."""
    filled = [listing for listing in listings if listing]
    if len(filled) == 1:
        return filled[0]
    by_name: dict[str, tuple[str, FileRow]] = {}
    for listing in filled:
        for version, rows in listing.items():
            for row in rows:
                name = str(row[0])
                listed = by_name.setdefault(name, (version, row))
                if _is_local(row) and not _is_local(listed[1]):
                    by_name[name] = (version, row)
    result: dict[str, list[FileRow]] = {}
    for version, row in by_name.values():
        result.setdefault(version, []).append(row)
    return result


def _is_local(row: FileRow) -> bool:
    return str(row[1]).startswith("file:")


@lru_cache(maxsize=50_000)
def order(text: str) -> VersionKey | None:
    """What orders versions as PEP 440 does, and equals for equal ones; None for what is none.

    Most versions are plain numbers, for which this takes a fifth of what ``Version`` does.
    """
    if len(text) > _LONGEST:
        return None
    if _SIMPLE.match(text):
        return (0, _stripped(tuple(map(int, text.split(".")))), *_FINAL)
    try:
        version = Version(text)
    except ValueError:
        return None
    if version.pre is not None:
        pre: tuple[int, str, int] = (0, *version.pre)
    else:
        pre = (1 if version.post is not None or version.dev is None else -1, "", 0)
    local = tuple(
        (1, int(part), "") if part.isdigit() else (0, 0, part)
        for part in (version.local or "").split(".")
        if part
    )
    dev = (1, 0) if version.dev is None else (0, version.dev)
    post = -1 if version.post is None else version.post
    return (version.epoch, _stripped(version.release), pre, post, dev, local)


def _stripped(release: tuple[int, ...]) -> tuple[int, ...]:
    end = len(release)
    while end > 1 and release[end - 1] == 0:
        end -= 1
    return release[:end]
