"""What the readers of locks share: releases with their lines, and projects that no index has."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import chain, repeat
from pathlib import Path
from typing import TypeVar

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..index.simple import STRONG_HASHES
from .lock import LockedRelease, LockedRequirement
from .project import TEST_GROUPS, may_compile
from .reading import Lines, Reading
from .requirements import LocalProject

_Entry = TypeVar("_Entry")


def read_releases(
    path: Path,
    reading: Reading,
    entries: Sequence[_Entry],
    read: Callable[[_Entry, int], LockedRelease],
) -> list[LockedRelease]:
    """What *read* makes of each of the *entries* of the lock at *path* and its line.

    The line is 0 where it is unknown. Hashes of kinds that no installer checks are added to the
    gaps of *reading*.

    Raises:
        SettingsError: a file or a project of a release is outside the repository.
    """
    lines = chain(Lines(reading.toml.read(path).text).starting("name = "), repeat(0))
    releases = [read(entry, line) for entry, line in zip(entries, lines, strict=False)]
    _note_weak_hashes(releases, reading, path)
    for release in releases:
        for file in release.files:
            reading.check(file.url, path, release.line)
        if release.local is not None:
            reading.check(release.local.uri, path, release.line)
    return releases


def _note_weak_hashes(releases: Iterable[LockedRelease], reading: Reading, path: Path) -> None:
    hashes = {file.other_hash for release in releases for file in release.files if file.other_hash}
    kinds = {text.partition(":")[0] for text in hashes} - set(STRONG_HASHES)
    reading.gaps += [
        f"{reading.origin(path)}: its {kind} hashes are not checked" for kind in sorted(kinds)
    ]


def by_name(releases: Iterable[LockedRelease]) -> dict[str, tuple[LockedRelease, ...]]:
    """*releases* by their names, in their order."""
    named: dict[str, list[LockedRelease]] = {}
    for release in releases:
        named.setdefault(release.name, []).append(release)
    return {name: tuple(listed) for name, listed in named.items()}


def hash_table(text: object) -> dict[str, str]:
    """``sha256:…`` as an index page has it."""
    kind, colon, digest = str(text).partition(":")
    return {kind: digest} if colon else {}


def locked_requirement(wanted: Requirement, origin: str = "") -> LockedRequirement:
    """*wanted* as a demand on a release of the lock."""
    return LockedRequirement(
        canonicalize_name(wanted.name),
        extras=tuple(sorted(map(canonicalize_name, wanted.extras))),
        marker=str(wanted.marker or ""),
        specifier=wanted.specifier,
        origin=origin,
    )


def project_in_folder(
    name: str,
    version: str,
    folder: Path,
    reading: Reading,
    *,
    editable: bool = False,
    installed: bool = True,
) -> LocalProject:
    """A project that a lock names by its *folder*; one that is not *installed* builds nothing."""
    folder = Path(os.path.normpath(folder))
    data = reading.toml.data(folder / "pyproject.toml")
    return LocalProject(
        name,
        version,
        reading.origin(folder),
        native=installed and may_compile(folder, data),
        editable=editable,
        uri=folder.as_uri(),
    )


def project_in_repository(name: str, version: str, address: str, uri: str) -> LocalProject:
    """A project at *address*; *uri* is that as pip spells it."""
    detail = "built from a repository: whether it compiles code is only known after the build"
    return LocalProject(name, version, address, native=True, uri=uri, detail=detail)


def test_group(groups: Collection[str], deployed: Collection[str]) -> str:
    """The first of *groups* that is usual for tests and is not *deployed*; empty without one."""
    return next((g for g in TEST_GROUPS if g in groups and g not in deployed), "")
