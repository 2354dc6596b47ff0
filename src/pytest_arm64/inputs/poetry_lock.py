"""``poetry.lock``: releases with their files' hashes, entered by way of ``pyproject.toml``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from ..errors import SettingsError
from ..index.addresses import git_address
from ..index.simple import File, file_of
from .lock import Lock, Locked, Need, Selection
from .poetry import poetry_requirement, poetry_requirements
from .project import extra_requirements, group_requirements
from .reading import Lines, Reading, requirement, strings, table, tables
from .requirements import LocalProject
from .uv_lock import TEST_GROUPS

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
    text, data = reading.toml.read(path)
    manifest = path.with_name("pyproject.toml")
    if not manifest.is_file():
        raise SettingsError(
            f"{path} has no pyproject.toml beside it",
            why="the lock does not say which of its packages are deployed",
        )
    lines = list(Lines(text).starting("name = "))
    releases: dict[str, list[Locked]] = {}
    for position, entry in enumerate(tables(data.get("package"))):
        line = lines[position] if position < len(lines) else 0
        release = _release(entry, line)
        releases.setdefault(release.name, []).append(release)
    project = _Project(manifest, reading)
    group = next((g for g in TEST_GROUPS if g in project.groups and g not in groups), "")
    return Lock(
        kind=NAME,
        shown=reading.origin(path),
        digest=hashlib.sha256(text.encode()).hexdigest(),
        releases={name: tuple(found) for name, found in releases.items()},
        deploy=Selection(tuple(project.deployed(extras, groups))),
        test=Selection(tuple(project.group(group)) if group else ()),
        requires_python=_python(table(data, "metadata").get("python-versions")),
        renewal="poetry update {name}",
    )


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

    def deployed(self, extras: tuple[str, ...], groups: tuple[str, ...]) -> Iterator[Need]:
        project = table(self._data, "project")
        found = [(text, text) for text in strings(project.get("dependencies"))]
        found += poetry_requirements(self._poetry, "dependencies")
        own = canonicalize_name(str(project.get("name", "")))
        for extra in extras:
            listed = table(self._poetry, "extras")
            if extra in listed:
                found += [(text, text) for text in strings(listed[extra])]
            else:
                found += [(t, t) for t in extra_requirements(project, extra, own, self._where)]
        yield from self._told(found)
        for group in groups:
            if canonicalize_name(group) not in self.groups:
                raise SettingsError(f"{self._where} has no group {group!r}")
            yield from self.group(group)

    def group(self, name: str) -> Iterator[Need]:
        spelled = self.groups[canonicalize_name(name)]
        found = list(poetry_requirements(self._poetry, "group", spelled, "dependencies"))
        if spelled == "dev":
            found += poetry_requirements(self._poetry, "dev-dependencies")
        if spelled in table(self._data, "dependency-groups"):
            found += [(t, t) for t in group_requirements(self._data, spelled, self._where)]
        yield from self._told(found)

    def _told(self, found: list[tuple[str, str]]) -> Iterator[Need]:
        for spelled, told in found:
            wanted = requirement(spelled, self._where)
            yield Need(
                canonicalize_name(wanted.name),
                extras=tuple(sorted(map(canonicalize_name, wanted.extras))),
                marker=str(wanted.marker or ""),
                specifier=wanted.specifier,
                origin=self._reading.origin(self._manifest, self._lines.of(told)),
            )


def _release(entry: Mapping[str, Any], line: int) -> Locked:
    name = canonicalize_name(str(entry.get("name", "")))
    version = str(entry.get("version", ""))
    needs, optional = [], {}
    for dependency, value in table(entry, "dependencies").items():
        for one in value if isinstance(value, list) else [value]:
            need = _need(dependency, one)
            needs.append(need)
            if isinstance(one, dict) and one.get("optional"):
                optional[need.name] = needs.pop()
    return Locked(
        name=name,
        version=version,
        files=tuple(_files(name, entry)),
        needs=tuple(needs),
        extras={
            canonicalize_name(extra): tuple(_of_extra(strings(texts), optional))
            for extra, texts in table(entry, "extras").items()
        },
        requires_python=_python(entry.get("python-versions")),
        local=_local(name, version, entry),
        line=line,
    )


def _need(name: str, value: object) -> Need:
    wanted = requirement(poetry_requirement(name, value), NAME)
    return Need(
        canonicalize_name(wanted.name),
        extras=tuple(sorted(map(canonicalize_name, wanted.extras))),
        marker=str(wanted.marker or ""),
        specifier=wanted.specifier,
    )


def _of_extra(texts: list[str], optional: Mapping[str, Need]) -> Iterator[Need]:
    """An extra names its packages; their markers are with the optional dependencies."""
    for text in texts:
        name = canonicalize_name(text.partition(" ")[0].partition("[")[0].partition(";")[0])
        yield optional.get(name, Need(name))


def _files(name: str, entry: Mapping[str, Any]) -> Iterator[File]:
    for file in tables(entry.get("files")):
        kind, _, digest = str(file.get("hash", "")).partition(":")
        hashes = {"sha256": digest} if kind == "sha256" else {}
        # The lock names no address: only the index knows it.
        found = file_of(name, str(file.get("file", "")), "", {"hashes": hashes})
        if found is not None:
            yield found


def _local(name: str, version: str, entry: Mapping[str, Any]) -> LocalProject | None:
    source = table(entry, "source")
    kind, address = str(source.get("type", "")), str(source.get("url", ""))
    if kind not in ("git", "directory"):
        return None
    detail = f"built from a {'repository' if kind == 'git' else 'folder'}: whether it compiles "
    detail += "something is known after the build"
    uri = address
    if kind == "git":
        commit, folder = source.get("resolved_reference", ""), source.get("subdirectory", "")
        uri = git_address(address, str(commit), str(folder))
    return LocalProject(name, version, address, native=True, uri=uri, detail=detail)


def _python(value: object) -> str:
    return str(poetry_requirement("python", value)).removeprefix("python") if value else ""
