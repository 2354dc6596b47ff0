"""``pylock.toml`` (PEP 751): each release with a marker that says where it belongs."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from ..errors import SettingsError
from ..index.addresses import git_address
from ..index.simple import File, file_of
from .lock import Lock, Locked, Need, Selection
from .project import may_compile
from .reading import Lines, Reading, strings, table, tables
from .requirements import LocalProject
from .uv_lock import TEST_GROUPS

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
    text, data = reading.toml.read(path)
    if str(data.get("lock-version", "")).partition(".")[0] != "1":
        raise SettingsError(
            f"{path} has lock-version {data.get('lock-version')!r}",
            why="only version 1 is understood",
        )
    known_extras = tuple(map(canonicalize_name, strings(data.get("extras"))))
    known_groups = tuple(map(canonicalize_name, strings(data.get("dependency-groups"))))
    for kind, wanted, known in (
        ("extra", extras, known_extras),
        ("group", groups, known_groups),
    ):
        for name in wanted:
            if canonicalize_name(name) not in known:
                raise SettingsError(f"{path} has no {kind} {name!r}")
    default = map(canonicalize_name, strings(data.get("default-groups")))
    chosen_groups = frozenset([*map(canonicalize_name, groups), *default])
    lines = list(Lines(text).starting("name = "))
    releases: dict[str, list[Locked]] = {}
    for position, entry in enumerate(tables(data.get("packages"))):
        line = lines[position] if position < len(lines) else 0
        release = _release(entry, path, reading, line)
        releases.setdefault(release.name, []).append(release)
    group = next((g for g in TEST_GROUPS if g in known_groups and g not in chosen_groups), "")
    indexes = {str(e["index"]) for e in tables(data.get("packages")) if "index" in e}
    lock = Lock(
        kind=NAME,
        shown=reading.origin(path),
        digest=hashlib.sha256(text.encode()).hexdigest(),
        releases={name: tuple(found) for name, found in releases.items()},
        requires_python=str(data.get("requires-python", "")),
        index=indexes.pop() if len(indexes) == 1 else "",
        marked=True,
        renewal="make the lock again with {name}=={version}",
    )
    roots = tuple(_roots(lock))
    variables = {
        "extras": frozenset(map(canonicalize_name, extras)),
        "dependency_groups": chosen_groups,
    }
    test = {**variables, "dependency_groups": chosen_groups | {group}}
    return replace(
        lock,
        deploy=Selection(roots, variables),
        test=Selection(roots, test) if group else Selection(),
    )


def _roots(lock: Lock) -> Iterator[Need]:
    """Every release is asked for by the lock itself; its marker decides."""
    depended = {n.name for found in lock.releases.values() for r in found for n in r.needs}
    # Roots first, so that the ways to the others lead over them.
    for name in sorted(lock.releases, key=lambda name: (name in depended, name)):
        for release in lock.releases[name]:
            yield Need(name, release.version, origin=lock.origin(release))


def _release(entry: Mapping[str, Any], path: Path, reading: Reading, line: int) -> Locked:
    name = canonicalize_name(str(entry.get("name", "")))
    version = str(entry.get("version", ""))
    marker = str(entry.get("marker", ""))
    return Locked(
        name=name,
        version=version,
        files=tuple(_files(name, entry, path)),
        needs=tuple(
            Need(canonicalize_name(str(need.get("name", ""))), str(need.get("version", "")))
            for need in tables(entry.get("dependencies"))
        ),
        markers=(marker,) if marker else (),
        requires_python=str(entry.get("requires-python", "")),
        local=_local(name, version, entry, path, reading),
        line=line,
    )


def _files(name: str, entry: Mapping[str, Any], path: Path) -> Iterator[File]:
    archive = table(entry, "archive")
    for file in [*tables(entry.get("wheels")), *tables([entry.get("sdist")]), archive]:
        url = str(file.get("url", ""))
        if not url and isinstance(file.get("path"), str):
            url = Path(os.path.normpath(path.parent / str(file["path"]))).as_uri()
        spelled = str(file.get("name") or re.split(r"[?#]", url)[0].rpartition("/")[2])
        found = file_of(
            name,
            spelled.replace("%2B", "+"),
            url,
            {"hashes": table(file, "hashes"), "size": file.get("size")},
        )
        if found is not None:
            yield found


def _local(
    name: str, version: str, entry: Mapping[str, Any], path: Path, reading: Reading
) -> LocalProject | None:
    directory, vcs = table(entry, "directory"), table(entry, "vcs")
    if isinstance(directory.get("path"), str):
        folder = Path(os.path.normpath(path.parent / directory["path"]))
        manifest = folder / "pyproject.toml"
        data = reading.toml.data(manifest)
        return LocalProject(
            name,
            version,
            reading.origin(folder),
            native=may_compile(folder, data),
            editable=bool(directory.get("editable")),
            uri=folder.as_uri(),
        )
    if not vcs:
        return None
    address = str(vcs.get("url") or vcs.get("path") or "")
    detail = "built from a repository: whether it compiles something is known after the build"
    commit, subdirectory = str(vcs.get("commit-id", "")), str(vcs.get("subdirectory", ""))
    uri = f"{vcs.get('type', 'git')}+{address}"
    if uri.startswith("git+"):
        uri = git_address(address, commit, subdirectory)
    return LocalProject(name, version, address, native=True, uri=uri, detail=detail)
