"""``pylock.toml`` (PEP 751): each release with a marker that says where it belongs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from ..errors import SettingsError
from ..index.addresses import git_address
from ..index.simple import IndexFile, file_of
from .lock import Lock, LockedRelease, LockedRequirement, Selection
from .lock_entries import (
    by_name,
    project_in_folder,
    project_in_repository,
    read_releases,
    test_group,
)
from .reading import Reading, Table
from .requirements import LocalProject

# Only a repository that has such a lock pays for its reader.
if TYPE_CHECKING:
    from typing import TypeAlias

    from packaging import pylock

    _Archive: TypeAlias = pylock.PackageArchive | pylock.PackageSdist | pylock.PackageWheel

NAME = "pylock.toml"


def read_pylock(
    path: Path,
    reading: Reading,
    *,
    extras: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
) -> Lock:
    """The lock at *path*, for *extras* and *groups* besides its default groups.

    Raises:
        SettingsError: it cannot be read, or has no such extra or group.
    """
    file = reading.toml.read(path)
    document = _parsed(path, file.data)
    chosen_groups = _chosen(path, document, extras, groups)
    releases = read_releases(
        path,
        reading,
        document.packages,
        lambda package, line: _release(package, path, reading, line),
    )
    known_groups = set(map(canonicalize_name, document.dependency_groups or ()))
    group = test_group(known_groups, chosen_groups)
    indexes = {package.index for package in document.packages if package.index}
    lock = Lock(
        kind=NAME,
        shown=reading.origin(path),
        digest=file.digest,
        releases=by_name(releases),
        requires_python=str(document.requires_python or ""),
        environments=tuple(map(str, document.environments or ())),
        index=indexes.pop() if len(indexes) == 1 else "",
        marked=True,
        renewal="lock again with {name}=={version}",
    )
    roots = tuple(_roots(lock))
    variables = {
        "extras": frozenset(map(str, map(canonicalize_name, extras))),
        "dependency_groups": chosen_groups,
    }
    test = {**variables, "dependency_groups": chosen_groups | {group}}
    return replace(
        lock,
        deploy=Selection(roots, variables),
        test=Selection(roots, test) if group else Selection(),
    )


def _parsed(path: Path, data: Table) -> pylock.Pylock:
    from packaging import pylock

    try:
        return pylock.Pylock.from_dict(data)
    except pylock.PylockUnsupportedVersionError:
        raise SettingsError(
            f"{path} has lock-version {data.get('lock-version')!r}",
            why="only version 1 is supported",
        ) from None
    except (pylock.PylockValidationError, RecursionError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise SettingsError(
            f"{path} is not a valid pylock.toml",
            why=why,
            next_step="create it again: pip lock, uv export or pdm export",
        ) from None


def _chosen(
    path: Path, document: pylock.Pylock, extras: Sequence[str], groups: Sequence[str]
) -> frozenset[str]:
    """The groups that are deployed: *groups* and the lock's default ones."""
    for kind, wanted, declared in (
        ("extra", extras, document.extras),
        ("group", groups, document.dependency_groups),
    ):
        names = set(map(canonicalize_name, declared or ()))
        for name in wanted:
            if canonicalize_name(name) not in names:
                raise SettingsError(f"{path} has no {kind} {name!r}")
    return frozenset(map(canonicalize_name, (*groups, *(document.default_groups or ()))))


def _roots(lock: Lock) -> Iterator[LockedRequirement]:
    """Every release is asked for by the lock itself; its marker decides."""
    depended = {n.name for listed in lock.releases.values() for r in listed for n in r.needs}
    # Roots first, so that the ways to the others lead over them.
    for name in sorted(lock.releases, key=lambda name: (name in depended, name)):
        for release in lock.releases[name]:
            yield LockedRequirement(name, release.version, origin=lock.origin(release))


def _release(package: pylock.Package, path: Path, reading: Reading, line: int) -> LockedRelease:
    version = str(package.version or "")
    return LockedRelease(
        name=package.name,
        version=version,
        files=tuple(_files(package, path)),
        needs=tuple(_needs(package)),
        markers=(str(package.marker),) if package.marker else (),
        requires_python=str(package.requires_python or ""),
        local=_local(package, version, path, reading),
        line=line,
    )


def _needs(package: pylock.Package) -> Iterator[LockedRequirement]:
    for entry in package.dependencies or ():
        name, version = entry.get("name"), entry.get("version", "")
        if isinstance(name, str):
            yield LockedRequirement(canonicalize_name(name), str(version))


def _files(package: pylock.Package, path: Path) -> Iterator[IndexFile]:
    from packaging.pylock import PackageArchive

    archives: list[_Archive] = [*(package.wheels or ())]
    archives += [archive for archive in (package.sdist, package.archive) if archive is not None]
    for archive in archives:
        url = archive.url or ""
        if not url and archive.path:
            url = Path(os.path.normpath(path.parent / archive.path)).as_uri()
        name = url.partition("#")[0].partition("?")[0].rpartition("/")[2]
        if not isinstance(archive, PackageArchive):
            name = archive.filename
        entry = {"hashes": dict(archive.hashes), "size": archive.size}
        index_file = file_of(package.name, name.replace("%2B", "+"), url, entry)
        if index_file is not None:
            yield index_file


def _local(
    package: pylock.Package, version: str, path: Path, reading: Reading
) -> LocalProject | None:
    directory, vcs = package.directory, package.vcs
    if directory is not None:
        folder, editable = path.parent / directory.path, bool(directory.editable)
        return project_in_folder(package.name, version, folder, reading, editable=editable)
    if vcs is None:
        return None
    address = vcs.url or vcs.path or ""
    uri = f"{vcs.type}+{address}"
    if vcs.type == "git":
        uri = git_address(address, vcs.commit_id, vcs.subdirectory or "")
    return project_in_repository(package.name, version, address, uri)
