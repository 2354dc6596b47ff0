"""``poetry.lock``: releases with their files' hashes, entered by way of ``pyproject.toml``."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from .poetry import poetry_extra, poetry_requirement, poetry_requirements
from .project import extra_requirements, group_requirements
from .reading import Lines, Reading, Table, requirement, strings, table, tables
from .requirements import LocalProject

NAME = "poetry.lock"


def read_poetry_lock(
    path: Path,
    reading: Reading,
    *,
    extras: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
) -> Lock:
    """The lock at *path*, with the ``pyproject.toml`` beside it, which says what is wanted.

    Raises:
        SettingsError: one of the two cannot be read, or there is no such extra or group.
    """
    file = reading.toml.read(path)
    manifest = path.with_name("pyproject.toml")
    if not manifest.is_file():
        raise SettingsError(
            f"{path} has no pyproject.toml next to it",
            why="the lock does not say which of its packages are deployed",
            next_step="copy pyproject.toml next to it, or: poetry export -o requirements.txt",
        )
    entries = tables(file.data.get("package"))
    releases = read_releases(
        path, reading, entries, lambda entry, line: _release(entry, path, reading, line)
    )
    index, more = _indexes(entries)
    reading.extra_indexes += more
    project = _Project(manifest, reading)
    group = test_group(project.groups, groups)
    return Lock(
        kind=NAME,
        shown=reading.origin(path),
        digest=file.digest,
        releases=by_name(releases),
        deploy=Selection(tuple(project.deployed(extras, groups))),
        test=Selection(tuple(project.group(group)) if group else ()),
        requires_python=_python(table(file.data, "metadata").get("python-versions")),
        index=index,
        renewal="poetry update {name}",
    )


def _indexes(packages: Sequence[Table]) -> tuple[str, tuple[str, ...]]:
    """The index of all *packages*, or else those that some of them come from."""
    sources = [table(package, "source") for package in packages]
    urls = [str(s["url"]) for s in sources if s.get("type") == "legacy" and "url" in s]
    listed = tuple(dict.fromkeys(urls))
    remote = [s for s in sources if not s or s.get("type") == "legacy"]
    return (listed[0], ()) if len(listed) == 1 and len(remote) == len(urls) else ("", listed)


class _Project:
    """What the project beside the lock asks for, in Poetry's tables or in the standard ones."""

    def __init__(self, manifest: Path, reading: Reading) -> None:
        text, self._data = reading.toml.read(manifest)
        self._where = str(manifest)
        self._lines = Lines(text)
        self._reading, self._manifest = reading, manifest
        self._poetry = table(self._data, "tool", "poetry")
        self.groups = {
            canonicalize_name(name): name
            for name in (*table(self._poetry, "group"), *table(self._data, "dependency-groups"))
        }
        if "dev-dependencies" in self._poetry:
            self.groups.setdefault(canonicalize_name("dev"), "dev")

    def deployed(
        self, extras: tuple[str, ...], groups: tuple[str, ...]
    ) -> Iterator[LockedRequirement]:
        project = table(self._data, "project")
        stated = self._standard(strings(project.get("dependencies")))
        stated += self._by_key(poetry_requirements(self._poetry, "dependencies"))
        own = canonicalize_name(str(project.get("name", "")))
        for extra in extras:
            named = poetry_extra(self._poetry, extra)
            if named is not None:
                stated += self._by_key(named)
            else:
                stated += self._standard(extra_requirements(project, extra, own, self._where))
        yield from self._roots(stated)
        for group in groups:
            if canonicalize_name(group) not in self.groups:
                raise SettingsError(f"{self._where} has no group {group!r}")
            yield from self.group(group)

    def group(self, name: str) -> Iterator[LockedRequirement]:
        spelled = self.groups[canonicalize_name(name)]
        named = [*poetry_requirements(self._poetry, "group", spelled, "dependencies")]
        if spelled == "dev":
            named += poetry_requirements(self._poetry, "dev-dependencies")
        stated = self._by_key(named)
        if spelled in table(self._data, "dependency-groups"):
            stated += self._standard(group_requirements(self._data, spelled, self._where))
        yield from self._roots(stated)

    def _standard(self, texts: Iterable[str]) -> list[tuple[str, int]]:
        return [(text, self._lines.stating(text)) for text in texts]

    def _by_key(self, named: Iterable[tuple[str, str]]) -> list[tuple[str, int]]:
        return [(text, self._lines.key(name)) for name, text in named]

    def _roots(self, stated: Iterable[tuple[str, int]]) -> Iterator[LockedRequirement]:
        """Requirements with the lines on which they are stated."""
        for text, line in stated:
            origin = self._reading.origin(self._manifest, line)
            yield locked_requirement(requirement(text, self._where), origin)


def _release(entry: Table, path: Path, reading: Reading, line: int) -> LockedRelease:
    name = canonicalize_name(str(entry.get("name", "")))
    version = str(entry.get("version", ""))
    needs: list[LockedRequirement] = []
    optional: dict[str, list[LockedRequirement]] = {}
    for dependency, value in table(entry, "dependencies").items():
        for row in value if isinstance(value, list) else [value]:
            need = locked_requirement(requirement(poetry_requirement(dependency, row), NAME))
            extra_only = isinstance(row, dict) and row.get("optional")
            (optional.setdefault(need.name, []) if extra_only else needs).append(need)
    return LockedRelease(
        name=name,
        version=version,
        files=tuple(_files(name, entry, path)),
        needs=tuple(needs),
        extras={
            canonicalize_name(extra): tuple(_of_extra(strings(texts), optional))
            for extra, texts in table(entry, "extras").items()
        },
        requires_python=_python(entry.get("python-versions")),
        local=_local(name, version, entry, path, reading),
        line=line,
    )


def _of_extra(
    texts: list[str], optional: Mapping[str, list[LockedRequirement]]
) -> Iterator[LockedRequirement]:
    """An extra names its packages; their markers are with the optional dependencies.

    What is not among those, Poetry left out: the project's Python versions exclude it.
    """
    for text in texts:
        name = canonicalize_name(re.split(r"[^A-Za-z0-9._-]", text, maxsplit=1)[0])
        yield from optional.get(name, ())


def _files(name: str, entry: Table, path: Path) -> Iterator[IndexFile]:
    source = table(entry, "source")
    # Of an index the lock names no addresses: only the index knows them.
    url = str(source.get("url", "")) if source.get("type") in ("file", "url") else ""
    if url and source.get("type") == "file":
        url = Path(os.path.normpath(path.parent / url)).as_uri()
    for file in tables(entry.get("files")):
        entry_of_index = {"hashes": hash_table(file.get("hash"))}
        index_file = file_of(name, str(file.get("file", "")), url, entry_of_index)
        if index_file is not None:
            yield index_file


def _local(
    name: str, version: str, entry: Table, path: Path, reading: Reading
) -> LocalProject | None:
    source = table(entry, "source")
    kind, address = str(source.get("type", "")), str(source.get("url", ""))
    if kind == "directory":
        editable = entry.get("develop") is True
        return project_in_folder(name, version, path.parent / address, reading, editable=editable)
    if kind != "git":
        return None
    commit, subdirectory = source.get("resolved_reference", ""), source.get("subdirectory", "")
    uri = git_address(address, str(commit), str(subdirectory))
    return project_in_repository(name, version, address, uri)


def _python(value: object) -> str:
    return str(poetry_requirement("python", value)).removeprefix("python") if value else ""
