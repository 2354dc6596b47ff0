"""``pdm.lock``: releases with their files' hashes, each with the groups that it belongs to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from packaging.utils import canonicalize_name

from ..errors import SettingsError
from ..index.addresses import git_address
from ..index.simple import IndexFile, file_of
from .lock import (
    Lock,
    LockedRelease,
    LockedRequirement,
    Selection,
    check_places,
    hash_table,
    note_weak_hashes,
)
from .project import may_compile
from .reading import Lines, Reading, Table, requirement, strings, table, tables
from .requirements import LocalProject
from .uv_lock import TEST_GROUPS

NAME = "pdm.lock"
_DEFAULT = "default"
"""The group of what the project itself depends on."""


def read_pdm_lock(
    path: Path,
    reading: Reading,
    *,
    extras: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
) -> Lock:
    """The lock at *path*, for *extras* and *groups* besides what the project depends on.

    Raises:
        SettingsError: it cannot be read, has no such group, or does not say which group a
            package belongs to.
    """
    text, data = reading.toml.read(path)
    metadata, entries = table(data, "metadata"), tables(data.get("package"))
    known = set(map(canonicalize_name, strings(metadata.get("groups"))))
    for name in (*extras, *groups):
        if canonicalize_name(name) not in known:
            raise SettingsError(f"{path} has no group {name!r}")
    if not all(strings(entry.get("groups")) for entry in entries):
        raise SettingsError(
            f"{path} does not say which group each package belongs to",
            why="only locks with the strategy inherit_metadata do",
            next_step="pdm lock --strategy inherit_metadata",
        )
    lines = list(Lines(text).starting("name = "))
    releases: dict[str, list[LockedRelease]] = {}
    members: list[tuple[LockedRequirement, frozenset[str]]] = []
    for position, entry in enumerate(entries):
        line = lines[position] if position < len(lines) else 0
        release = _release(entry, path, reading, line)
        _add(releases.setdefault(release.name, []), release)
        members.append(_member(entry, release, reading.origin(path, line)))
    note_weak_hashes(releases, reading.origin(path), reading.gaps)
    check_places(releases, path, reading)
    chosen = frozenset({_DEFAULT, *map(canonicalize_name, (*extras, *groups))})
    tests = frozenset(next(([g] for g in TEST_GROUPS if g in known - chosen), []))
    return Lock(
        kind=NAME,
        shown=reading.origin(path),
        digest=hashlib.sha256(text.encode()).hexdigest(),
        releases={name: tuple(listed) for name, listed in releases.items()},
        deploy=Selection(tuple(need for need, of in members if of & chosen)),
        test=Selection(tuple(need for need, of in members if of & tests)),
        requires_python=_python(metadata),
        marked=True,
        renewal="pdm update {name}",
    )


def _member(
    entry: Table, release: LockedRelease, origin: str
) -> tuple[LockedRequirement, frozenset[str]]:
    """One package as a demand of the lock itself, and its groups."""
    extras = tuple(map(canonicalize_name, strings(entry.get("extras"))))
    marker = str(entry.get("marker", ""))
    need = LockedRequirement(release.name, release.version, extras, marker, origin=origin)
    return need, frozenset(map(canonicalize_name, strings(entry.get("groups"))))


def _add(listed: list[LockedRelease], release: LockedRelease) -> None:
    """Add *release*; one with extras is an entry of its own for the same release."""
    for position, other in enumerate(listed):
        if other.version == release.version:
            markers = (
                (*other.markers, *release.markers) if other.markers and release.markers else ()
            )
            listed[position] = replace(
                other,
                files=other.files or release.files,
                needs=tuple(dict.fromkeys((*other.needs, *release.needs))),
                markers=markers,
            )
            return
    listed.append(release)


def _release(entry: Table, path: Path, reading: Reading, line: int) -> LockedRelease:
    name = canonicalize_name(str(entry.get("name", "")))
    version = str(entry.get("version", ""))
    marker = str(entry.get("marker", ""))
    needs = (_need(text) for text in strings(entry.get("dependencies")))
    return LockedRelease(
        name=name,
        version=version,
        files=tuple(_files(name, entry)),
        needs=tuple(need for need in needs if need.name != name),
        markers=(marker,) if marker else (),
        requires_python=str(entry.get("requires_python", "")),
        local=_local(name, version, entry, path, reading),
        line=line,
    )


def _need(text: str) -> LockedRequirement:
    wanted = requirement(text, NAME)
    return LockedRequirement(
        canonicalize_name(wanted.name),
        extras=tuple(sorted(map(canonicalize_name, wanted.extras))),
        marker=str(wanted.marker or ""),
        specifier=wanted.specifier,
    )


def _files(name: str, entry: Table) -> Iterator[IndexFile]:
    """Its files: with their names, or with the addresses that the strategy static_urls writes."""
    for file in tables(entry.get("files")):
        url = str(file.get("url") or entry.get("url") or "")
        file_name = str(file.get("file") or url.partition("#")[0].rpartition("/")[2])
        index_file = file_of(name, file_name, url, {"hashes": hash_table(file.get("hash"))})
        if index_file is not None:
            yield index_file


def _local(
    name: str, version: str, entry: Table, path: Path, reading: Reading
) -> LocalProject | None:
    place = entry.get("path")
    if isinstance(place, str):
        folder = Path(path.parent / place).resolve()
        return LocalProject(
            name,
            version,
            reading.origin(folder),
            native=may_compile(folder, reading.toml.data(folder / "pyproject.toml")),
            editable=entry.get("editable") is True,
            uri=folder.as_uri(),
        )
    address = entry.get("git")
    if not isinstance(address, str):
        return None
    detail = "built from a repository: whether it compiles code is only known after the build"
    commit, subdirectory = str(entry.get("revision", "")), str(entry.get("subdirectory", ""))
    uri = git_address(address, commit, subdirectory)
    return LocalProject(name, version, address, native=True, uri=uri, detail=detail)


def _python(metadata: Table) -> str:
    """The Pythons that the lock is for, where it is for one set of them."""
    targets = {str(entry.get("requires_python", "")) for entry in tables(metadata.get("targets"))}
    return targets.pop() if len(targets) == 1 else ""
