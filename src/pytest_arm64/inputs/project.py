"""``pyproject.toml``: dependencies, extras, groups, and other projects that it names by path."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

from packaging.dependency_groups import DependencyGroupResolver
from packaging.errors import ExceptionGroup
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..config.boundary import is_there
from ..config.toml_files import TomlFiles
from ..errors import SettingsError
from ..index.addresses import git_address
from ..walking import folders_matching
from .declared import SETUP_PY, declared_project, read_script
from .poetry import poetry_extra, poetry_paths, poetry_requirements, standardised
from .project_indexes import read_project_settings
from .reading import Lines, Reading, Table, requirement, strings, table
from .requirements import LocalProject, sourced_requirement

# Backends that cannot compile anything without a plugin of their own.
_PURE_BACKENDS = ("hatchling", "flit_core", "poetry.core", "pdm.backend", "uv_build")
_MAXIMUM_LOCALS = 500
TEST_GROUPS = ("test", "tests", "testing", "dev")
"""Groups and extras that are usual for tests; the first that there is counts."""
# What a valid file has; the resolver checks it.
_Groups = Mapping[str, Sequence[str | Mapping[str, str]]]


def read_project(
    manifest: Path,
    reading: Reading,
    *,
    extras: Sequence[str] = (),
    groups: Sequence[str] = (),
) -> None:
    """Add what the project of *manifest* depends on to *reading*.

    Args:
        manifest: a ``pyproject.toml``.
        reading: where it is added.
        extras: extras of the project that are wanted too.
        groups: dependency groups that are wanted too.

    Raises:
        SettingsError: it cannot be read, has no dependencies to read, or no such extra or group.
    """
    file = reading.toml.find(manifest)
    text = file.text if file is not None else ""
    declared = declared_project(manifest.parent, file.data if file is not None else {}, reading)
    data, lines = declared.data, Lines(text)
    computed = set(map(canonicalize_name, declared.computed_extras))
    reading.gaps += (
        f"{SETUP_PY} was not executed; what its extra {extra} requires is unknown"
        for extra in extras
        if canonicalize_name(extra) in computed
    )
    extras = [extra for extra in extras if canonicalize_name(extra) not in computed]
    stated = [*_dependencies(manifest, data, reading, extras, lines)]
    for group in groups:
        texts = group_requirements(data, group, str(manifest))
        stated += [(text, lines.stating(text)) for text in texts]
    _register_sources(manifest.parent, data, reading)
    read_project_settings(manifest.parent, reading)
    for spelled, line in stated:
        origin = declared.origins.get(spelled) or reading.origin(manifest, line)
        wanted = _from_its_source(requirement(spelled, origin), data, manifest.parent, reading)
        reading.check(wanted.url or "", manifest, line)
        reading.requirements.append((wanted, sourced_requirement(wanted, origin, direct=True)))


def _dependencies(
    manifest: Path,
    data: Table,
    reading: Reading,
    extras: Sequence[str],
    lines: Lines,
) -> Iterator[tuple[str, int]]:
    """Each requirement and its line."""
    project = table(data, "project")
    poetry = table(data, "tool", "poetry")
    if not project and "dependencies" in poetry:
        named = [*poetry_requirements(poetry, "dependencies")]
        for extra in extras:
            of_extra = poetry_extra(poetry, extra)
            if of_extra is None:
                raise SettingsError(f"{manifest} has no extra {extra!r}")
            named += of_extra
        yield from ((text, lines.key(name)) for name, text in named)
        return
    if not project:
        raise SettingsError(
            f"{manifest} has no [project] table",
            why="its dependencies are not written where every tool reads them",
            next_step="export them to a requirement file and name that",
        )
    if "dependencies" in strings(project.get("dynamic")):
        script = manifest.with_name(SETUP_PY)
        place = script if not manifest.is_file() and script.is_file() else manifest
        reading.gaps.append(
            f"{reading.origin(place)}: its dependencies are dynamic, and unknown: "
            "no code was executed to find them"
        )
    texts = strings(project.get("dependencies"))
    own = canonicalize_name(str(project.get("name", "")))
    for extra in extras:
        texts += extra_requirements(project, extra, own, str(manifest))
    yield from ((text, lines.stating(text)) for text in texts)


def extra_requirements(
    project: Table, extra: str, own: str, where: str, above: tuple[str, ...] = ()
) -> Iterator[str]:
    """Requirements of *extra*; ``own[other]`` among them stands for those of ``other``.

    Raises:
        SettingsError: the project has no such extra.
    """
    extras = {canonicalize_name(k): v for k, v in table(project, "optional-dependencies").items()}
    name = canonicalize_name(extra)
    if name not in extras:
        raise SettingsError(
            f"{where} has no extra {extra!r}",
            next_step="known extras: " + (", ".join(sorted(extras)) or "none"),
        )
    entries = extras[name]
    for text in entries if isinstance(entries, list) else [entries]:
        if not isinstance(text, str):
            raise SettingsError(f"{where}: the extra {name} has an entry {str(text)[:80]!r}")
        wanted = requirement(text, where)
        if canonicalize_name(wanted.name) != own:
            yield text
            continue
        for other in sorted(wanted.extras):
            # Of an extra that is not there installers tell, and go on.
            if canonicalize_name(other) in extras.keys() - {name, *above}:
                yield from extra_requirements(project, other, own, where, (*above, name))


def group_requirements(data: Table, group: str, where: str) -> Iterator[str]:
    """Requirements of a dependency group (PEP 735), included ones too.

    Raises:
        SettingsError: there is no such group, or it is not a valid one.
    """
    groups = table(data, "dependency-groups")
    names = sorted(map(canonicalize_name, groups))
    if canonicalize_name(group) not in names:
        raise SettingsError(
            f"{where} has no dependency group {group!r}",
            next_step="known groups: " + (", ".join(names) or "none"),
        )
    try:
        resolved = DependencyGroupResolver(cast(_Groups, groups)).resolve(group)
    except (ExceptionGroup, RecursionError) as error:
        raise SettingsError(
            f"{where}: the dependency group {group} is not valid: {_first_reason(error)}"
        ) from None
    yield from map(str, resolved)


def _first_reason(error: Exception) -> str:
    """What the first exception of a group says, in one line."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def local_project(folder: Path, reading: Reading, *, editable: bool = False) -> LocalProject | None:
    """The project in *folder*, added to *reading* with those that it names by path itself.

    None where the folder says no name: nothing of it is run to learn one.
    """
    manifest = folder / "pyproject.toml"
    data = declared_project(folder, standardised(reading.toml.data(manifest)), reading).data
    spelled = table(data, "project").get("name")
    if not isinstance(spelled, str):
        return None
    name = canonicalize_name(spelled)
    local = reading.locals.get(name)
    if local is not None:
        return local
    if len(reading.locals) >= _MAXIMUM_LOCALS:
        raise SettingsError(f"{folder} is one of more than {_MAXIMUM_LOCALS} local projects")
    local = described(
        data,
        str(manifest),
        shown=reading.origin(folder),
        native=may_compile(folder, data),
        uri=folder.as_uri(),
        editable=editable,
    )
    reading.locals[name] = local
    _register_sources(folder, data, reading)
    return local


def described(
    data: Table,
    where: str,
    *,
    shown: str,
    native: bool,
    uri: str,
    editable: bool = False,
) -> LocalProject:
    """The project whose ``pyproject.toml``, at *where*, says *data*; its name is there.

    Raises:
        SettingsError: what it asks for is no requirement.
    """
    project = table(data, "project")
    dynamic = "dependencies" in strings(project.get("dynamic"))
    return LocalProject(
        name=canonicalize_name(str(project.get("name", ""))),
        version=str(project.get("version", "")),
        folder=shown,
        native=native,
        requires=tuple(_checked(project.get("dependencies"), data, where)),
        extras=tuple(
            (canonicalize_name(str(extra)), tuple(_checked(texts, data, where)))
            for extra, texts in table(project, "optional-dependencies").items()
        ),
        doubt="its dependencies are dynamic: they are known after a build" if dynamic else "",
        editable=editable,
        uri=uri,
    )


def may_compile(folder: Path, data: Table) -> bool:
    """Whether the build of the project in *folder* may compile something."""
    script = read_script(folder)
    plain = script is None or (
        script.describes_project and not script.compiles and not script.unclear
    )
    return build_may_compile(data, has_setup=not plain)


def build_may_compile(data: Table, *, has_setup: bool) -> bool:
    """Whether a build may compile something; *has_setup*: whether a ``setup.py`` may."""
    backend = str(table(data, "build-system").get("build-backend", "setuptools"))
    plain_setuptools = backend.startswith("setuptools") and not has_setup
    extensions = table(data, "tool", "setuptools").get("ext-modules")
    return bool(extensions) or not (backend.startswith(_PURE_BACKENDS) or plain_setuptools)


def _checked(value: object, data: Table, where: str) -> Iterator[str]:
    for text in strings(value):
        yield str(_from_its_source(requirement(text, where), data))


def _from_its_source(
    wanted: Requirement,
    data: Table,
    folder: Path | None = None,
    reading: Reading | None = None,
) -> Requirement:
    """*wanted* as a direct reference where ``[tool.uv.sources]`` or a path makes it one.

    *folder* is where paths begin; what *reading* has as a local project is not replaced.
    """
    source = _uv_source(wanted.name, data)
    address = source.get("git") or source.get("url")
    if folder is not None and reading is not None and address is None:
        local = canonicalize_name(wanted.name) in reading.locals
        place = None if local else _path_source(wanted.name, data, folder)
        address = place.as_uri() if place is not None else None
    if not isinstance(address, str) or wanted.url:
        return wanted
    if "git" in source:
        revision = next((source[k] for k in ("rev", "tag", "branch") if k in source), "")
        address = git_address(address, str(revision), str(source.get("subdirectory", "")))
    extras = f"[{','.join(sorted(wanted.extras))}]" if wanted.extras else ""
    marker = f" ; {wanted.marker}" if wanted.marker else ""
    return requirement(f"{wanted.name}{extras} @ {address}{marker}", "[tool.uv.sources]")


def _uv_source(name: str, data: Table) -> Table:
    for spelled, source in table(data, "tool", "uv", "sources").items():
        if canonicalize_name(spelled) == canonicalize_name(name) and isinstance(source, dict):
            return source
    return {}


def _path_source(name: str, data: Table, folder: Path) -> Path | None:
    """The path of *name* by ``[tool.uv.sources]`` or Poetry's tables, where something is there."""
    paths = {key: path for key, path, _ in poetry_paths(table(data, "tool", "poetry"))}
    for key, source in table(data, "tool", "uv", "sources").items():
        if isinstance(source, dict) and isinstance(source.get("path"), str):
            paths[key] = source["path"]
    for key, path in paths.items():
        place = Path(os.path.normpath(folder / path))
        if canonicalize_name(key) == canonicalize_name(name) and is_there(place, Path.exists):
            return place
    return None


def _register_sources(folder: Path, data: Table, reading: Reading) -> None:
    """Projects that uv's sources or Poetry's tables name by path, and members of the workspace."""
    for _, path, editable in poetry_paths(table(data, "tool", "poetry")):
        place = Path(os.path.normpath(folder / path))
        if is_there(place, Path.is_dir):
            reading.check(place.as_uri(), folder / "pyproject.toml")
            local_project(place, reading, editable=editable)
    _register_uv_sources(folder, data, reading)


def _register_uv_sources(folder: Path, data: Table, reading: Reading) -> None:
    members: dict[str, Path] | None = None
    for name, source in table(data, "tool", "uv", "sources").items():
        if not isinstance(source, dict):
            continue
        place = None
        if isinstance(source.get("path"), str):
            place = Path(os.path.normpath(folder / source["path"]))
        elif source.get("workspace"):
            members = workspace_members(folder, reading.toml) if members is None else members
            place = members.get(canonicalize_name(name))
        if place is not None and is_there(place, Path.is_dir):
            reading.check(place.as_uri(), folder / "pyproject.toml")
            editable = bool(source.get("editable") or source.get("workspace"))
            local_project(place, reading, editable=editable)


def workspace_root(folder: Path, toml: TomlFiles) -> Path | None:
    """The nearest folder at or above *folder* that declares a uv workspace."""
    for place in (folder, *folder.parents):
        if "workspace" in table(toml.data(place / "pyproject.toml"), "tool", "uv"):
            return place
    return None


def workspace_members(folder: Path, toml: TomlFiles) -> dict[str, Path]:
    """Folders of the members of the workspace that *folder* belongs to, by project name."""
    root = workspace_root(folder, toml)
    if root is None:
        return {}
    workspace = table(toml.data(root / "pyproject.toml"), "tool", "uv", "workspace")
    excluded = {p for pattern in strings(workspace.get("exclude")) for p in _glob(root, pattern)}
    places = [p for pattern in strings(workspace.get("members")) for p in _glob(root, pattern)]
    folders: dict[str, Path] = {}
    for place in [root, *sorted(set(places) - excluded)][:_MAXIMUM_LOCALS]:
        name = table(toml.data(place / "pyproject.toml"), "project").get("name")
        if isinstance(name, str):
            folders.setdefault(canonicalize_name(name), place)
    return folders


def _glob(root: Path, pattern: str) -> list[Path]:
    try:
        return folders_matching(root, pattern)
    except ValueError:
        raise SettingsError(f"{root}: {pattern!r} is not a pattern of workspace members") from None
