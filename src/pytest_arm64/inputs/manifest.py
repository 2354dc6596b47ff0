"""What a project asks to have installed: deployed and test scopes, from its own files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..config.changes import Change
from ..config.settings import Settings
from ..config.toml_files import MAXIMUM_BYTES, TomlFiles
from ..errors import SettingsError
from ..index.addresses import file_path
from ..inside.regular_file import read_regular
from . import pdm_lock, pipfile_lock, poetry_lock, pylock, uv_lock
from .poetry import poetry_group
from .project import TEST_GROUPS, extra_requirements, group_requirements, read_project
from .project_files import walk
from .project_kind import EDITABLE, NOT_INSTALLED, WHEEL, install_mode
from .reading import Reading, Table, table
from .requirement_files import (
    RequirementFile,
    constrained_names,
    link_folders,
    local_projects,
    names_of,
    read_files,
    refuse_broken,
    requested_names,
    variables,
)

TEST_FILES = (
    "requirements-test.txt",
    "requirements-tests.txt",
    "requirements_test.txt",
    "requirements_tests.txt",
    "test-requirements.txt",
    "test_requirements.txt",
    "requirements/test.txt",
    "requirements/tests.txt",
    "tests/requirements.txt",
    "test/requirements.txt",
    "requirements-dev.txt",
    "requirements_dev.txt",
    "dev-requirements.txt",
    "dev_requirements.txt",
    "requirements/dev.txt",
)
LOCKS = (uv_lock.NAME, pylock.NAME, poetry_lock.NAME, pdm_lock.NAME)
"""The first of them that a folder has decides what is deployed, unless a requirement file does."""
_FILE = "pyproject.toml"
_PROJECT_FILES = (_FILE, "setup.cfg", "setup.py", "PKG-INFO", "MANIFEST.in")


@dataclass(frozen=True)
class Scope:
    """What one scope requires, as a package installer takes it."""

    files: tuple[Path, ...] = ()
    """Requirement files."""
    requirements: tuple[str, ...] = ()
    """PEP 508 requirements."""

    @property
    def empty(self) -> bool:
        return not self.files and not self.requirements


@dataclass(frozen=True)
class Manifest:
    """Everything that decides what an environment contains, as far as the project says it."""

    deploy: Scope
    test: Scope
    project: Path | None
    """Folder of the project itself where it is installable."""
    local: tuple[Path, ...]
    """Folders of other projects that requirement files name by path."""
    links: tuple[Path, ...]
    """Folders of distributions that requirement files name (``--find-links``)."""
    files: Mapping[Path, RequirementFile]
    """Every requirement and constraint file involved, by its path."""
    root: Path
    virtual: bool = False
    """Whether the project's dependencies are deployed without the project."""
    whole: Path | None = None
    """Folder of the project itself where a wheel is built of it, from a copy."""
    changes: tuple[Change, ...] = ()
    """What is tried instead of what the files say."""
    pyproject: Table = field(default_factory=dict)
    """What the ``pyproject.toml`` at *root* says."""
    toml: TomlFiles = field(default_factory=TomlFiles, compare=False, repr=False)
    """The TOML files of the run."""

    @property
    def own(self) -> Path | None:
        """Folder of the project itself, however it is installed."""
        return self.project or self.whole

    @property
    def documents(self) -> dict[Path, bytes]:
        """The content of every requirement and constraint file involved."""
        return {path: file.content for path, file in self.files.items()}

    @property
    def copied(self) -> tuple[Path, ...]:
        """What is installed as a wheel, not as its own files: folders to build, and wheels."""
        named = (path for path, editable in local_projects(self.files) if not editable)
        return tuple(dict.fromkeys((*([self.whole] if self.whole else []), *named)))

    def fingerprint(self) -> dict[str, object]:
        """What two environments must share to be the same, ready for JSON.

        Files count by content and by where they lie to each other, so that two checkouts share
        an environment; projects count by path, because that is what their installation holds.
        """
        folders = [*([self.project] if self.project else []), *self.local]
        copied = self.copied
        return {
            "deploy": [*map(self._relative, self.deploy.files), *self.deploy.requirements],
            "test": [*map(self._relative, self.test.files), *self.test.requirements],
            "documents": {
                self._relative(path): hashlib.sha256(content).hexdigest()
                for path, content in sorted(self.documents.items())
            },
            "projects": {
                str(folder): _project_fingerprint(folder, self.toml, whole=folder in copied)
                for folder in folders
            },
            **({"changes": list(map(str, self.changes))} if self.changes else {}),
        }

    def variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Variables of *environ* that requirement files name as ``${NAME}``; pip expands them."""
        return variables(self.files, environ)

    def requested(self, scope: Scope) -> set[str]:
        """Normalised names that *scope* asks for directly; a constraint asks for nothing."""
        return names_of(scope.requirements) | requested_names(scope.files, self.files)

    def constrained(self) -> set[str]:
        """Normalised names that any requirement file mentions, asked for or only constrained."""
        return constrained_names(self.files)

    def _relative(self, path: Path) -> str:
        return os.path.relpath(path, self.root)


def read_manifest(
    settings: Settings,
    rootpath: Path,
    toml: TomlFiles | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Manifest:
    """The project's own files, read; nothing of the project is executed.

    *toml* holds the TOML files of the run; without them they are read again. *environ* has the
    variables for ``${NAME}`` in requirement files.

    Raises:
        SettingsError: a requirement file that is named does not exist, or they include each
            other without end, or a line of one is nothing that an installer accepts.
    """
    toml = toml or TomlFiles()
    pyproject = toml.data(rootpath / _FILE)
    artifact = settings.artifact is not None
    mode = NOT_INSTALLED if artifact else install_mode(settings, rootpath, pyproject, toml)
    files = () if artifact else settings.requirements
    if not files and not artifact:
        files = default_files(rootpath)
    virtual = mode == NOT_INSTALLED and not artifact and _lists_dependencies(pyproject, files)
    needs = _dependencies(rootpath, environ, toml) if virtual else _Dependencies()
    deploy = Scope(files=files, requirements=needs.requirements)
    test = test_scope(settings.test_requirements, rootpath, pyproject, files)
    read = read_files((*deploy.files, *test.files), environ, rootpath)
    refuse_broken(read, rootpath)
    local = [*(folder for folder, _ in local_projects(read)), *needs.folders]
    project = rootpath if mode == EDITABLE else None
    if mode == WHEEL:
        local.append(rootpath)
    return Manifest(
        deploy=deploy,
        test=test,
        project=project,
        local=tuple(folder for folder in dict.fromkeys(local) if folder != project),
        whole=rootpath if mode == WHEEL else None,
        changes=settings.changes,
        virtual=virtual,
        links=tuple(dict.fromkeys(link_folders(read))),
        files=read,
        root=rootpath,
        pyproject=pyproject,
        toml=toml,
    )


@dataclass(frozen=True)
class _Dependencies:
    requirements: tuple[str, ...] = ()
    folders: tuple[Path, ...] = ()
    """Of local projects among them."""


def _lists_dependencies(pyproject: Table, files: tuple[Path, ...]) -> bool:
    """Whether dependencies of the project count: Poetry's do without requirement *files* only."""
    poetry = "dependencies" in table(pyproject, "tool", "poetry")
    return "project" in pyproject or (poetry and not files)


def _dependencies(rootpath: Path, environ: Mapping[str, str], toml: TomlFiles) -> _Dependencies:
    """What a project that is not installed itself depends on."""
    reading = Reading(rootpath, environ, toml=toml)
    read_project(rootpath / _FILE, reading)
    locals_ = reading.locals
    return _Dependencies(
        tuple(
            _at(requirement, locals_[sourced.name].uri)
            if sourced.name in locals_
            else str(requirement)
            for requirement, sourced in reading.requirements
        ),
        tuple(file_path(local.uri) for local in locals_.values()),
    )


def _at(requirement: Requirement, uri: str) -> str:
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    marker = f" ; {requirement.marker}" if requirement.marker else ""
    return f"{requirement.name}{extras} @ {uri}{marker}"


def default_files(folder: Path) -> tuple[Path, ...]:
    """The requirement file that a *folder* is deployed by where none is named; none beside a lock.

    A ``Pipfile.lock`` is read as one.
    """
    if (folder / "requirements.txt").is_file():
        return (folder / "requirements.txt",)
    pipfile = folder / pipfile_lock.NAME
    locked = any((folder / name).is_file() for name in LOCKS)
    return (pipfile,) if pipfile.is_file() and not locked else ()


def test_scope(
    configured: tuple[Path, ...],
    rootpath: Path,
    pyproject: Table,
    deployed: tuple[Path, ...],
) -> Scope:
    """The first that exists: *configured* files, usual file names, a group, an extra.

    Raises:
        SettingsError: the group or extra is not what it should be.
    """
    if configured:
        return Scope(files=configured)
    for name in TEST_FILES:
        path = rootpath / name
        if path.is_file() and path not in deployed:
            return Scope(files=(path,))
    groups = _lists(pyproject, "dependency-groups")
    for name in TEST_GROUPS:
        if name in groups:
            return Scope(requirements=tuple(group_requirements(pyproject, name, _FILE)))
    poetry = _table(_table(pyproject, "tool"), "poetry")
    for name in TEST_GROUPS:
        of_poetry = tuple(poetry_group(poetry, name))
        if of_poetry:
            return Scope(requirements=of_poetry)
    project = _table(pyproject, "project")
    extras = _lists(project, "optional-dependencies")
    for name in TEST_GROUPS:
        if name in extras:
            own = canonicalize_name(str(project.get("name", "")))
            return Scope(requirements=tuple(extra_requirements(project, name, own, _FILE)))
    return Scope(requirements=pipfile_lock.develop_requirements(rootpath / pipfile_lock.NAME))


def _table(parent: Table, key: str) -> Table:
    value = parent.get(key, {})
    if not isinstance(value, dict):
        raise SettingsError(f"pyproject.toml: {key} must be a table, not {value!r}")
    return value


def _lists(parent: Table, key: str) -> dict[str, list[Any]]:
    """The table *key* of lists, by normalised name."""
    lists: dict[str, list[Any]] = {}
    for name, value in _table(parent, key).items():
        if not isinstance(value, list):
            raise SettingsError(f"pyproject.toml: {key}: {name} must be a list, not {value!r}")
        lists[canonicalize_name(name)] = value
    return lists


def _is_project(folder: Path) -> bool:
    return folder.is_file() or any((folder / name).is_file() for name in _PROJECT_FILES)


def _project_fingerprint(folder: Path, toml: TomlFiles, *, whole: bool) -> dict[str, str]:
    """Metadata files by hash, and the names of top-level packages, which installers look for.

    Where the *whole* project is copied by its installation, or *folder* is a distribution's
    file, everything counts.
    """
    if whole and not _is_project(folder):
        return {}  # an installer refuses it; it may be the root of the file system
    if whole or folder.is_file():
        return {
            path.relative_to(folder).as_posix(): hashlib.sha256(
                read_regular(path, MAXIMUM_BYTES)
            ).hexdigest()
            for path in walk(folder)
            if path.is_file()
        }
    fingerprint = {}
    for name in _PROJECT_FILES:
        path = folder / name
        if path.is_file():
            content = toml.read(path).text.encode() if name == _FILE else read_regular(path)
            fingerprint[name] = hashlib.sha256(content).hexdigest()
    for parent in (folder, folder / "src"):
        if parent.is_dir():
            names = sorted(p.parent.name for p in parent.glob("*/__init__.py"))
            fingerprint[f"{parent.relative_to(folder).as_posix()}/"] = " ".join(names)
    return fingerprint


def project_dependencies(manifest: Manifest) -> set[str]:
    """Normalised names that the project itself depends on, where it says so."""
    dependencies = _table(manifest.pyproject, "project").get("dependencies", [])
    return names_of(map(str, dependencies)) if isinstance(dependencies, list) else set()
