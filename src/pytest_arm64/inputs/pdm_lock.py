"""``pdm.lock``: releases with their files' hashes, each with the groups that it belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from packaging.utils import canonicalize_name

from ..errors import SettingsError
from ..index.addresses import git_address
from ..index.simple import IndexFile, file_of
from .lock import Lock, LockedRelease, LockedRequirement, Selection
from .lock_entries import (
    by_name,
    hash_table,
    locked_requirement,
    project_in_folder,
    project_in_repository,
    read_releases,
    test_group,
)
from .reading import Reading, Table, requirement, strings, table, tables
from .requirements import LocalProject

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
    file = reading.toml.read(path)
    metadata, entries = table(file.data, "metadata"), tables(file.data.get("package"))
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
    releases = read_releases(
        path, reading, entries, lambda entry, line: _release(entry, path, reading, line)
    )
    members = [
        _member(entry, reading.origin(path, release.line))
        for entry, release in zip(entries, releases, strict=True)
    ]
    chosen = frozenset({_DEFAULT, *map(canonicalize_name, (*extras, *groups))})
    tests = frozenset({test_group(known, chosen)})
    return Lock(
        kind=NAME,
        shown=reading.origin(path),
        digest=file.digest,
        releases={name: _joined(listed) for name, listed in by_name(releases).items()},
        deploy=Selection(tuple(need for need, of in members if of & chosen)),
        test=Selection(tuple(need for need, of in members if of & tests)),
        requires_python=_python(metadata),
        marked=True,
        renewal="pdm update {name}",
    )


def _member(entry: Table, origin: str) -> tuple[LockedRequirement, frozenset[str]]:
    """One package as a demand of the lock itself, and its groups."""
    need = LockedRequirement(
        canonicalize_name(str(entry.get("name", ""))),
        str(entry.get("version", "")),
        tuple(map(canonicalize_name, strings(entry.get("extras")))),
        str(entry.get("marker", "")),
        origin=origin,
    )
    return need, frozenset(map(canonicalize_name, strings(entry.get("groups"))))


def _joined(entries: Iterable[LockedRelease]) -> tuple[LockedRelease, ...]:
    """Each release once: one with extras is an entry of its own for the same release."""
    releases: dict[str, LockedRelease] = {}
    for entry in entries:
        other = releases.setdefault(entry.version, entry)
        always = not (other.markers and entry.markers)
        releases[entry.version] = replace(
            other,
            files=other.files or entry.files,
            needs=tuple(dict.fromkeys((*other.needs, *entry.needs))),
            markers=() if always else tuple(dict.fromkeys((*other.markers, *entry.markers))),
        )
    return tuple(releases.values())


def _release(entry: Table, path: Path, reading: Reading, line: int) -> LockedRelease:
    name = canonicalize_name(str(entry.get("name", "")))
    version = str(entry.get("version", ""))
    marker = str(entry.get("marker", ""))
    texts = strings(entry.get("dependencies"))
    needs = (locked_requirement(requirement(text, NAME)) for text in texts)
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
    place, address = entry.get("path"), entry.get("git")
    if isinstance(place, str):
        editable = entry.get("editable") is True
        return project_in_folder(name, version, path.parent / place, reading, editable=editable)
    if not isinstance(address, str):
        return None
    commit, subdirectory = str(entry.get("revision", "")), str(entry.get("subdirectory", ""))
    uri = git_address(address, commit, subdirectory)
    return project_in_repository(name, version, address, uri)


def _python(metadata: Table) -> str:
    """The Pythons that the lock is for, where it is for one set of them."""
    targets = {str(entry.get("requires_python", "")) for entry in tables(metadata.get("targets"))}
    return targets.pop() if len(targets) == 1 else ""
