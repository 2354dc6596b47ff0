"""A service's files: which of them says what is deployed, and which what its tests need."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..config.artifact import Artifact
from ..config.project_files import read_project_files
from ..config.service_names import own_name
from ..config.suggestions import file_suggestion
from ..config.toml_files import TomlFiles
from ..errors import EmptyListError, SettingsError
from . import pdm_lock, pipfile_lock, poetry_lock, pylock, uv_lock
from .base_images import musl_notes
from .declared import (
    SETUP_CFG,
    SETUP_PY,
    describes_project,
    read_script,
    read_setup_cfg,
)
from .limits import PythonLimit, python_limits, uv_environments
from .lock import Lock
from .manifest import LOCKS, default_files, test_scope
from .project import read_project, workspace_root
from .reading import Reading, requirement, strings, table
from .requirement_file import read_requirement_file
from .requirements import RequirementSet, sourced_requirement
from .unsupported import nothing_to_read, refuse_unsupported, unread_locks


@dataclass(frozen=True)
class Service:
    """What one service asks for."""

    name: str
    deploy: RequirementSet
    lock: Lock | None = None
    """Decides what is deployed, where there is one."""
    test: RequirementSet | None = None
    """What the tests need besides; None where nothing says it, or the lock does."""
    manifest: str = ""
    """The file that says what is deployed."""
    notes: tuple[str, ...] = ()
    pythons: tuple[PythonLimit, ...] = ()
    """What its files say about Python versions."""
    environments: tuple[str, ...] = ()
    """Markers, one of which has to hold where it is locked; empty for all environments."""
    nothing: str = ""
    """Why there is nothing to audit; empty where a file says what is deployed, be it nothing."""

    def check_lists_something(self) -> None:
        """Raises EmptyListError: there is nothing to audit."""
        if self.nothing:
            raise EmptyListError(
                f"{self.nothing}: nothing to audit",
                next_step="name the file that lists what is deployed: pytest-arm64 audit FILE",
            )

    def fingerprint(self) -> dict[str, object]:
        """What two services must share to have the same matrix, ready for JSON."""
        return {
            "name": self.name,
            "deploy": self.deploy.fingerprint(),
            "test": self.test.fingerprint() if self.test is not None else None,
            "lock": [self.lock.shown, self.lock.digest, repr(self.lock.deploy)]
            if self.lock is not None
            else None,
            "manifest": self.manifest,
            "notes": list(self.notes),
            "limits": [repr(self.pythons), list(self.environments)],
        }


def read_service(
    path: Path,
    environ: Mapping[str, str] = os.environ,
    *,
    name: str = "",
    root: Path | None = None,
    requirements: tuple[Path, ...] = (),
    extras: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
    toml: TomlFiles | None = None,
) -> Service:
    """What the service at *path* asks for.

    Args:
        path: a requirement file, a lock, a ``pyproject.toml``, or a project's folder.
        environ: variables for ``${NAME}`` in requirement files.
        name: what it is called; its path by default.
        root: the repository, to which names and origins are relative; *path* by default.
        requirements: the requirement files that are deployed, instead of what a folder has.
        extras: extras of the project that are deployed too.
        groups: dependency groups that are deployed too.
        toml: the TOML files of the run; without them they are read again.

    Raises:
        SettingsError: there is nothing to read, or it cannot be read.
    """
    path = Path(os.path.normpath(Path.cwd() / path))
    folder = path if path.is_dir() else path.parent
    reading = Reading(root or folder, environ, toml=toml or TomlFiles())
    choice = _Choice(reading, extras, groups)
    name = name or _name(path, root, reading.toml)
    if requirements:
        for file in requirements:
            read_requirement_file(file, reading)
        manifest = requirements[0]
    elif path.is_dir():
        manifest = choice.folder(path)
    else:
        choice.file(path)
        manifest = path
    deployed = reading.requirement_set(name)
    test = None
    if path.is_dir() and not (choice.lock is not None and choice.lock.test.needs):
        test = _test_requirements(path, reading, name)
    choice.notes += musl_notes(folder, reading)
    listed = choice.declared or choice.lock or deployed.requirements or deployed.gaps
    own = not requirements and (path.is_dir() or path.suffix in (".toml", ".lock"))
    return Service(
        name,
        deployed,
        choice.lock,
        test,
        reading.origin(manifest),
        tuple(choice.notes),
        tuple(python_limits(folder, reading)) if own else (),
        uv_environments(folder, reading) if own and choice.lock is None else (),
        "" if listed else f"{reading.origin(manifest)} lists no packages",
    )


def artifact_service(
    artifact: Artifact,
    environ: Mapping[str, str] = os.environ,
    *,
    name: str = "",
    root: Path | None = None,
    folder: Path | None = None,
    toml: TomlFiles | None = None,
) -> Service:
    """A service that is deployed as *artifact*; its tests, in *folder*, may need more.

    Raises:
        SettingsError: the files of the tests cannot be read.
        ArtifactError, EngineError, ImageError: the artifact cannot be read.
    """
    from .artifact import read_artifact

    lock, notes = read_artifact(artifact)
    reading = Reading(root or folder or Path.cwd(), environ, toml=toml or TomlFiles())
    name = name or artifact.shown
    test = _test_requirements(folder, reading, name) if folder is not None else None
    deployed = reading.requirement_set(name)
    nothing = "" if lock.releases else f"{artifact.shown} has no metadata of packages (*.dist-info)"
    return Service(name, deployed, lock, test, artifact.shown, notes, nothing=nothing)


def with_requirements(
    requirements: RequirementSet | None, texts: tuple[str, ...], origin: str
) -> RequirementSet:
    """*requirements* and further ones, stated at *origin*.

    Raises:
        SettingsError: one of *texts* is no requirement.
    """
    parsed = [requirement(text, origin) for text in texts]
    more = tuple((wanted, sourced_requirement(wanted, origin, direct=True)) for wanted in parsed)
    base = requirements or RequirementSet("", ())
    return replace(base, requirements=(*base.requirements, *more))


class _Choice:
    """Finds the file that decides."""

    def __init__(self, reading: Reading, extras: tuple[str, ...], groups: tuple[str, ...]) -> None:
        self._reading = reading
        self._extras = extras
        self._groups = groups
        self.lock: Lock | None = None
        self.notes: list[str] = []
        self.declared = False
        """Whether a project's own file says what it depends on, be it nothing."""

    def file(self, path: Path) -> None:
        """A file by its name; what is no other kind is a requirement file."""
        if not path.is_file():
            raise SettingsError(
                f"{path} does not exist{file_suggestion(path)}",
                next_step="give a requirement file, a lock, a pyproject.toml, "
                "or a project's folder",
            )
        name = path.name
        if name == "pyproject.toml":
            self.declared = True
            read_project(path, self._reading, extras=self._extras, groups=self._groups)
        elif name == uv_lock.NAME:
            self._uv(path, path.parent)
        elif name == poetry_lock.NAME:
            self.lock = poetry_lock.read_poetry_lock(
                path, self._reading, extras=self._extras, groups=self._groups
            )
        elif name == pdm_lock.NAME:
            self.lock = pdm_lock.read_pdm_lock(
                path, self._reading, extras=self._extras, groups=self._groups
            )
        elif name == pylock.NAME or (name.startswith("pylock.") and name.endswith(".toml")):
            self.lock = pylock.read_pylock(
                path, self._reading, extras=self._extras, groups=self._groups
            )
        elif self._extras or self._groups:
            refuse_unsupported(path)
            raise SettingsError(f"{path} is a requirement file: it has no extras and no groups")
        else:
            if name != pipfile_lock.NAME:
                refuse_unsupported(path)
            read_requirement_file(path, self._reading)

    def _uv(self, path: Path, folder: Path) -> None:
        self.lock = uv_lock.read_uv_lock(
            path, self._reading, folder=folder, extras=self._extras, groups=self._groups
        )

    def folder(self, folder: Path) -> Path:
        """The files that an environment of the project would be made from; the first is given."""
        manifest = folder / "pyproject.toml"
        data = self._reading.toml.data(manifest)
        configured = [
            folder / name
            for name in strings(table(data, "tool", "pytest-arm64").get("requirements"))
        ]
        configured = configured or list(default_files(folder))
        self.notes += unread_locks(folder)
        pipfile = folder / pipfile_lock.NAME
        if pipfile.is_file() and pipfile not in configured:
            shown = self._reading.origin(pipfile)
            self.notes.append(f"{shown} was not read: the versions that it locks may be others")
        lock = _lock_of(folder, self._reading.toml)
        if lock is not None and not configured:
            if lock.name == uv_lock.NAME:
                self._uv(lock, folder)
            else:
                self.file(lock)
            return lock
        if lock is not None:
            self.notes.append(
                f"{self._reading.origin(configured[0])} was read, "
                f"{self._reading.origin(lock)} was not"
            )
        for path in configured:
            self._reading.check(Path(os.path.normpath(path)).as_uri(), manifest)
            read_requirement_file(path, self._reading)
        stated = "project" in data
        cfg = read_setup_cfg(folder) if not configured and not stated else None
        described = not stated and describes_project(cfg, read_script(folder))
        self.declared = stated or (bool(data) and not configured) or described
        if self.declared:
            read_project(manifest, self._reading, extras=self._extras, groups=self._groups)
        elif (folder / SETUP_PY).is_file():
            self._reading.gaps.append(
                f"{SETUP_PY} was not executed; dependencies declared there are unknown"
            )
        elif not configured:
            names = ("requirements.txt", "pyproject.toml", *LOCKS, pipfile_lock.NAME)
            raise nothing_to_read(folder, names)
        if described and not data:
            manifest = folder / (SETUP_CFG if cfg is not None else SETUP_PY)
        return configured[0] if configured else manifest


def _lock_of(folder: Path, toml: TomlFiles) -> Path | None:
    """The lock that decides for *folder*: its own, or that of its workspace."""
    own = next((folder / name for name in LOCKS if (folder / name).is_file()), None)
    if own is not None:
        return own
    workspace = workspace_root(folder, toml)
    shared = workspace / uv_lock.NAME if workspace is not None else None
    return shared if shared is not None and shared.is_file() else None


def locked_by_workspace(manifest: Path, toml: TomlFiles) -> bool:
    """Whether *manifest* is the ``pyproject.toml`` of a member whose workspace has a lock."""
    folder = manifest.parent
    if manifest.name != "pyproject.toml" or default_files(folder):
        return False
    lock = _lock_of(folder, toml)
    return lock is not None and lock.parent != folder


def _test_requirements(folder: Path, reading: Reading, name: str) -> RequirementSet | None:
    """What the tests of the project in *folder* need besides what is deployed."""
    manifest = folder / "pyproject.toml"
    data = reading.toml.data(manifest)
    listed = strings(table(data, "tool", "pytest-arm64").get("test-requirements"))
    deployed = tuple(path for path, constraint in reading.seen if not constraint)
    files = tuple(Path(os.path.normpath(folder / file)) for file in listed)
    for file in files:
        reading.check(file.as_uri(), manifest)
    scope = test_scope(files, folder, data, deployed)
    if scope.empty:
        return None
    tests = Reading(reading.root, reading.environ, toml=reading.toml)
    tests.locals |= reading.locals
    for file in scope.files:
        read_requirement_file(file, tests)
    requirements = tests.requirement_set(name)
    return with_requirements(requirements, scope.requirements, tests.origin(manifest))


def _name(path: Path, root: Path | None, toml: TomlFiles) -> str:
    if root is None or not path.is_relative_to(root):
        return path.name if path.is_dir() else f"{path.parent.name}/{path.name}"
    if path == root:
        return own_name(read_project_files(root, toml))
    return path.relative_to(root).as_posix()
