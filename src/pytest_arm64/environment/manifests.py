"""What a project asks to have installed: deployed and test scopes, from its own files."""

from __future__ import annotations

import hashlib
import os.path
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._toml import TOMLDecodeError, loads
from ..errors import SettingsError
from ..settings import Settings

TEST_FILES = (
    "requirements-test.txt",
    "requirements-tests.txt",
    "test-requirements.txt",
    "requirements/test.txt",
    "requirements/tests.txt",
    "requirements-dev.txt",
    "dev-requirements.txt",
)
TEST_GROUPS = ("test", "tests", "testing", "dev")
_PROJECT_FILES = ("pyproject.toml", "setup.cfg", "setup.py", "PKG-INFO", "MANIFEST.in")
_INCLUDE = re.compile(r"^(?:-r|--requirement|-c|--constraint)(?:\s+|=)(\S+)")
_LOCAL = re.compile(r"^(?:(?:-e|--editable)(?:\s+|=))?(\.{1,2}(?:/[^\s\[;]*)?)(?=[\s\[;]|$)")
_LINKS = re.compile(r"^(?:-f|--find-links)(?:\s+|=)(\S.*)$")
_MAXIMUM_FILES = 500


@dataclass(frozen=True)
class Scope:
    """One scope's wishes, as a package installer takes them."""

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
    documents: Mapping[Path, bytes]
    """Every requirement and constraint file involved, with its content."""
    root: Path

    def fingerprint(self) -> dict[str, Any]:
        """What two environments must share to be the same, ready for JSON.

        Files count by content and by where they lie to each other, so that two checkouts share
        an environment; projects count by path, because that is what their installation holds.
        """
        folders = [*([self.project] if self.project else []), *self.local]
        return {
            "deploy": [*map(self._relative, self.deploy.files), *self.deploy.requirements],
            "test": [*map(self._relative, self.test.files), *self.test.requirements],
            "documents": {
                self._relative(path): hashlib.sha256(content).hexdigest()
                for path, content in sorted(self.documents.items())
            },
            "projects": {str(folder): _project_fingerprint(folder) for folder in folders},
        }

    def _relative(self, path: Path) -> str:
        return os.path.relpath(path, self.root)


def read_manifest(settings: Settings, rootpath: Path) -> Manifest:
    """The project's own files, read; nothing of the project is executed.

    Raises:
        SettingsError: a requirement file that is named does not exist, or they include each
            other without end.
    """
    pyproject = _pyproject(rootpath)
    installable = settings.install == "editable" and _installable(rootpath, pyproject)
    files = settings.requirements
    if not files and (rootpath / "requirements.txt").is_file():
        files = (rootpath / "requirements.txt",)
    deploy = Scope(files=files)
    test = _test_scope(settings, rootpath, pyproject, files)
    documents: dict[Path, bytes] = {}
    for path in (*deploy.files, *test.files):
        _read_documents(path, documents)
    local = tuple(dict.fromkeys(_local_projects(documents)))
    project = rootpath if installable else None
    return Manifest(
        deploy=deploy,
        test=test,
        project=project,
        local=tuple(folder for folder in local if folder != project),
        links=tuple(dict.fromkeys(_link_folders(documents))),
        documents=documents,
        root=rootpath,
    )


def _pyproject(rootpath: Path) -> dict[str, Any]:
    try:
        return loads((rootpath / "pyproject.toml").read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, TOMLDecodeError) as error:
        raise SettingsError(f"{rootpath / 'pyproject.toml'} cannot be read: {error}") from None


def _installable(rootpath: Path, pyproject: Mapping[str, Any]) -> bool:
    if "project" in pyproject or "build-system" in pyproject:
        return True
    return (rootpath / "setup.py").is_file()


def _test_scope(
    settings: Settings, rootpath: Path, pyproject: Mapping[str, Any], deployed: tuple[Path, ...]
) -> Scope:
    """The first that exists: configured files, usual file names, a group, an extra."""
    if settings.test_requirements:
        return Scope(files=settings.test_requirements)
    for name in TEST_FILES:
        path = rootpath / name
        if path.is_file() and path not in deployed:
            return Scope(files=(path,))
    groups = pyproject.get("dependency-groups", {})
    for name in TEST_GROUPS:
        if name in groups:
            return Scope(requirements=tuple(_group(groups, name, ())))
    extras = pyproject.get("project", {}).get("optional-dependencies", {})
    for name in TEST_GROUPS:
        if name in extras:
            return Scope(requirements=tuple(map(str, extras[name])))
    return Scope()


def _group(groups: Mapping[str, Any], name: str, parents: tuple[str, ...]) -> Iterator[str]:
    if name in parents:
        raise SettingsError("dependency-groups include each other: " + " → ".join([*parents, name]))
    for entry in groups.get(name, []):
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict) and "include-group" in entry:
            yield from _group(groups, str(entry["include-group"]), (*parents, name))


def _read_documents(path: Path, documents: dict[Path, bytes]) -> None:
    pending = [path]
    while pending:
        current = pending.pop()
        if current in documents:
            continue
        if len(documents) >= _MAXIMUM_FILES:
            raise SettingsError(f"{path} leads to more than {_MAXIMUM_FILES} requirement files")
        try:
            documents[current] = current.read_bytes()
        except OSError as error:
            raise SettingsError(
                f"the requirement file {current} cannot be read: {error.strerror}"
            ) from None
        for line in _lines(documents[current]):
            found = _INCLUDE.match(line)
            if found and "://" not in found[1]:
                pending.append(_normal(current.parent / found[1]))


def _local_projects(documents: Mapping[Path, bytes]) -> Iterator[Path]:
    for path, content in documents.items():
        for line in _lines(content):
            found = _LOCAL.match(line)
            if found:
                yield _normal(path.parent / found[1])


def _link_folders(documents: Mapping[Path, bytes]) -> Iterator[Path]:
    for path, content in documents.items():
        for line in _lines(content):
            found = _LINKS.match(line)
            if found:
                folder = _normal(path.parent / found[1].strip().removeprefix("file://"))
                if folder.is_dir():
                    yield folder


def _lines(content: bytes) -> Iterator[str]:
    return (line for _, line in numbered_lines(content))


def numbered_lines(content: bytes) -> Iterator[tuple[int, str]]:
    """Logical lines of a requirement file with the number of their first physical one."""
    parts: list[str] = []
    first = 0
    for number, line in enumerate(content.decode("utf-8-sig", "replace").splitlines(), 1):
        first = first if parts else number
        continued = line.endswith("\\") and not re.match(r"\s*#", line)
        parts.append(line[:-1] if continued else line)
        if not continued:
            stripped = re.sub(r"(^|\s)#.*$", "", " ".join(parts)).strip()
            parts = []
            if stripped:
                yield first, stripped
    rest = " ".join(parts).strip()
    if rest:
        yield first, rest


def _normal(path: Path) -> Path:
    return Path(os.path.normpath(path))


def _project_fingerprint(folder: Path) -> dict[str, str]:
    """Metadata files by hash, and the names of top-level packages, which installers look for."""
    found = {}
    for name in _PROJECT_FILES:
        path = folder / name
        if path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    for parent in (folder, folder / "src"):
        if parent.is_dir():
            names = sorted(p.parent.name for p in parent.glob("*/__init__.py"))
            found[f"{parent.name}/"] = " ".join(names)
    return found


def requirement_names(scope: Scope, documents: Mapping[Path, bytes]) -> set[str]:
    """Normalised names that *scope* asks for directly, included files and all."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    lines = list(scope.requirements)
    reachable: dict[Path, bytes] = {}
    for path in scope.files:
        _read_documents(path, reachable)
    for path in reachable:
        lines.extend(_lines(documents.get(path, b"")))
    names = set()
    for line in lines:
        try:
            requirement = Requirement(re.split(r"\s--hash=", line)[0])
        except InvalidRequirement:
            continue
        names.add(canonicalize_name(requirement.name))
    return names
