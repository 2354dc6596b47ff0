"""``uv.lock``: every release of a workspace for every platform, with files and their hashes."""

from __future__ import annotations

import os
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from ..errors import SettingsError
from ..index.addresses import git_address
from ..index.simple import IndexFile, file_of
from .lock import Lock, LockedRelease, LockedRequirement, Selection, fork_variable
from .lock_entries import (
    by_name,
    hash_table,
    project_in_folder,
    project_in_repository,
    read_releases,
    test_group,
)
from .reading import Lines, Reading, Table, strings, table, tables
from .requirements import LocalProject

NAME = "uv.lock"
_FORMATS = (1,)


def read_uv_lock(
    path: Path,
    reading: Reading,
    *,
    folder: Path,
    extras: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
) -> Lock:
    """The lock at *path*, seen from the member of its workspace that lies in *folder*.

    Args:
        path: the lock.
        reading: how files are told, and where gaps are noted.
        folder: a member's folder; all members are deployed where no member lies there.
        extras: extras of the member that are deployed too.
        groups: groups of the member that are deployed too.

    Raises:
        SettingsError: it cannot be read, or has no such extra or group.
    """
    file = reading.toml.read(path)
    data = file.data
    if data.get("version") not in _FORMATS:
        raise SettingsError(
            f"{path} has format {data.get('version')!r}",
            why="only format 1 is understood",
            next_step="export it: uv export --format pylock.toml -o pylock.toml",
        )
    entries = tables(data.get("package"))
    releases = read_releases(
        path, reading, entries, lambda entry, line: _release(entry, path, reading, line)
    )
    raw: dict[str, Table] = {}
    for release, entry in zip(releases, entries, strict=True):
        raw.setdefault(release.name, entry)
    registries = (table(entry, "source").get("registry") for entry in entries)
    indexes = {registry for registry in registries if isinstance(registry, str)}
    members = [n for n, e in raw.items() if _member_folder(e, path) is not None]
    here = [n for n in members if _member_folder(raw[n], path) == folder] or members
    if not here:
        raise SettingsError(f"{path} has no project of its own", next_step="uv lock")
    deploy: list[LockedRequirement] = []
    test: list[LockedRequirement] = []
    active: set[str] = set()
    testing: set[str] = set()
    for name in here:
        deploy += _roots(raw[name], path, reading, extras, groups, alone=here == [name])
        test += _test_roots(raw[name], path, reading, groups)
        active |= {fork_variable("extra", name, extra) for extra in extras}
        active |= {fork_variable("group", name, group) for group in groups}
        tests = test_group(table(raw[name], "dev-dependencies"), groups)
        testing |= {fork_variable("group", name, tests)} if tests else set()
    _refuse_conflicts(data, active, path)
    index = indexes.pop() if len(indexes) == 1 else ""
    return Lock(
        kind=NAME,
        shown=reading.origin(path),
        digest=file.digest,
        releases=by_name(releases),
        deploy=Selection(tuple(deploy), active=frozenset(active)),
        test=Selection(tuple(test), active=frozenset(active | testing)),
        requires_python=str(data.get("requires-python", "")),
        environments=tuple(strings(data.get("supported-markers"))),
        index=index if "://" in index else "",
        renewal="uv lock --upgrade-package {name}=={version}",
    )


def _member_folder(entry: Table, path: Path) -> Path | None:
    """The folder of a workspace's member; projects from elsewhere have none."""
    source = table(entry, "source")
    place = source.get("editable") or source.get("virtual")
    return Path(os.path.normpath(path.parent / place)) if isinstance(place, str) else None


def _roots(
    entry: Table,
    path: Path,
    reading: Reading,
    extras: tuple[str, ...],
    groups: tuple[str, ...],
    *,
    alone: bool,
) -> Iterator[LockedRequirement]:
    """What the member itself demands, each with its line in the member's own file."""
    for extra in extras if alone else ():
        if extra not in table(entry, "optional-dependencies"):
            raise SettingsError(f"{path}: {entry.get('name')} has no extra {extra!r}")
    for group in groups if alone else ():
        if group not in table(entry, "dev-dependencies"):
            raise SettingsError(f"{path}: {entry.get('name')} has no group {group!r}")
    needs = list(_needs(entry.get("dependencies")))
    for extra in extras:
        needs += _needs(table(entry, "optional-dependencies").get(extra))
    for group in groups:
        needs += _needs(table(entry, "dev-dependencies").get(group))
    asked = _asked(table(entry, "metadata").get("requires-dist"))
    yield from _with_origins(needs, asked, entry, path, reading)


def _test_roots(
    entry: Table, path: Path, reading: Reading, deployed: tuple[str, ...]
) -> Iterator[LockedRequirement]:
    """What the first group that is usual for tests demands."""
    groups = table(entry, "dev-dependencies")
    group = test_group(groups, deployed)
    asked = _asked(table(entry, "metadata", "requires-dev").get(group))
    yield from _with_origins(list(_needs(groups.get(group))), asked, entry, path, reading)


def _refuse_conflicts(data: Table, active: set[str], path: Path) -> None:
    """Raise SettingsError where two of *active* exclude each other (``[tool.uv] conflicts``)."""
    conflicts = data.get("conflicts")
    for group in conflicts if isinstance(conflicts, list) else ():
        chosen = [
            f"{kind} {entry[kind]!r}"
            for entry in tables(group)
            for kind in ("extra", "group")
            if isinstance(entry.get(kind), str)
            and fork_variable(kind, str(entry.get("package", "")), str(entry[kind])) in active
        ]
        if len(chosen) > 1:
            raise SettingsError(
                f"{path}: {' and '.join(chosen)} exclude each other",
                why="[tool.uv] conflicts declares that they cannot be installed together",
                next_step="audit one of them at a time: --extra NAME or --group NAME",
            )


def _with_origins(
    needs: list[LockedRequirement],
    asked: Mapping[str, SpecifierSet],
    entry: Table,
    path: Path,
    reading: Reading,
) -> Iterator[LockedRequirement]:
    folder = _member_folder(entry, path) or path.parent
    manifest = folder / "pyproject.toml"
    file = reading.toml.find(manifest)
    text = file.text if file is not None else ""
    lines = Lines(text)
    for need in needs:
        origin = reading.origin(manifest if text else path, lines.naming(need.name))
        specifier = asked.get(need.name, SpecifierSet())
        yield LockedRequirement(
            need.name, need.version, need.extras, need.marker, specifier, origin
        )


def _asked(value: object) -> dict[str, SpecifierSet]:
    specifiers: dict[str, SpecifierSet] = {}
    for entry in tables(value):
        try:
            wanted = Requirement(f"x{entry.get('specifier', '')}")
        except ValueError:
            continue
        specifiers[canonicalize_name(str(entry.get("name", "")))] = wanted.specifier
    return specifiers


def _release(entry: Table, path: Path, reading: Reading, line: int) -> LockedRelease:
    name = canonicalize_name(str(entry.get("name", "")))
    version = str(entry.get("version", ""))
    return LockedRelease(
        name=name,
        version=version,
        files=tuple(_files(name, entry, path)),
        needs=tuple(_needs(entry.get("dependencies"))),
        extras={
            canonicalize_name(extra): tuple(_needs(needs))
            for extra, needs in table(entry, "optional-dependencies").items()
        },
        markers=tuple(strings(entry.get("resolution-markers"))),
        local=_local(name, version, entry, path, reading),
        line=line,
    )


def _files(name: str, entry: Table, path: Path) -> Iterator[IndexFile]:
    source = table(entry, "source")
    base = str(source.get("registry", ""))
    listed = [*tables(entry.get("wheels")), *tables([entry.get("sdist")])]
    for file in listed:
        url = str(file.get("url") or source.get("url") or "")
        local = file.get("path") or file.get("filename") or source.get("path")
        if not url and isinstance(local, str):
            parent = path.parent / base if base and "://" not in base else path.parent
            url = Path(os.path.normpath(parent / local)).as_uri()
        file_name = re.split(r"[?#]", url)[0].rpartition("/")[2].replace("%2B", "+")
        listing = {"hashes": hash_table(file.get("hash")), "size": file.get("size")}
        index_file = file_of(name, file_name, url, listing)
        if index_file is not None:
            yield index_file


def _local(
    name: str, version: str, entry: Table, path: Path, reading: Reading
) -> LocalProject | None:
    source = table(entry, "source")
    for kind in ("editable", "virtual", "directory"):
        place = source.get(kind)
        if isinstance(place, str):
            return project_in_folder(
                *(name, version, path.parent / place, reading),
                editable=kind == "editable",
                installed=kind != "virtual",
            )
    address = source.get("git")
    if not isinstance(address, str):
        return None
    return project_in_repository(name, version, address, _uri(address))


def _uri(address: str) -> str:
    """``URL?rev=asked&subdirectory=folder#commit`` as pip spells it."""
    place, _, commit = address.partition("#")
    url, _, query = place.partition("?")
    options = urllib.parse.parse_qs(query)
    return git_address(url, commit, options.get("subdirectory", [""])[0])


def _needs(value: object) -> Iterator[LockedRequirement]:
    for entry in tables(value):
        yield LockedRequirement(
            canonicalize_name(str(entry.get("name", ""))),
            str(entry.get("version", "")),
            tuple(map(canonicalize_name, strings(entry.get("extra")))),
            str(entry.get("marker", "")),
        )
