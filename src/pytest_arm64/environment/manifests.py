"""What a project asks to have installed: deployed and test scopes, from its own files."""

from __future__ import annotations

import codecs
import hashlib
import os.path
import re
import shlex
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._toml import TOMLDecodeError, loads
from ..errors import SettingsError
from ..settings import Settings
from .tree import walk

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
_INCLUDE = re.compile(r"^(?:-(?P<short>[rc])\s*|--(?P<long>requirement|constraint)[\s=]\s*)(.+)$")
_EDITABLE = re.compile(r"^(?:-e\s*|--editable[\s=]\s*)(.+)$")
_DIRECT = re.compile(r"^[\w.-]+\s*(?:\[[^\]]*\])?\s*@\s*(\S+)")
_SCHEME = re.compile(r"^[A-Za-z][\w+.-]*:")
_COMMENT = re.compile(r"(^|\s+)#.*$")
_CODING = re.compile(rb"^#.*?coding[:=]\s*([-\w.]+)")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LINKS = re.compile(r"^(?:-f|--find-links)(?:\s+|=)(\S.*)$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_MAXIMUM_FILES = 500
_COMPILING_BACKENDS = ("mesonpy", "scikit_build_core", "maturin", "py_build_cmake")
_EXTENSIONS = re.compile(
    r"\b(ext_modules|cffi_modules|rust_extensions|cythonize|mypycify|CMakeExtension)\b"
)


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
    whole: Path | None = None
    """Folder of the project itself where a wheel is built of it, from a copy."""

    @property
    def own(self) -> Path | None:
        """Folder of the project itself, however it is installed."""
        return self.project or self.whole

    @property
    def copied(self) -> tuple[Path, ...]:
        """What is installed as a wheel, not as its own files: folders to build, and wheels."""
        named = (path for path, editable in _local_projects(self.documents) if not editable)
        return tuple(dict.fromkeys((*([self.whole] if self.whole else []), *named)))

    def fingerprint(self) -> dict[str, Any]:
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
                str(folder): _project_fingerprint(folder, whole=folder in copied)
                for folder in folders
            },
        }

    def variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Variables of *environ* that requirement files name as ``${NAME}``; pip expands them."""
        text = b"\n".join(self.documents.values()).decode("utf-8", "replace")
        names = set(_VARIABLE.findall(text))
        return {name: environ[name] for name in sorted(names) if name in environ}

    def _relative(self, path: Path) -> str:
        return os.path.relpath(path, self.root)


def read_manifest(settings: Settings, rootpath: Path) -> Manifest:
    """The project's own files, read; nothing of the project is executed.

    Raises:
        SettingsError: a requirement file that is named does not exist, or they include each
            other without end.
    """
    pyproject = _pyproject(rootpath)
    artifact = settings.artifact is not None
    mode = "none" if artifact else install_mode(settings, rootpath, pyproject)
    files = () if artifact else settings.requirements
    if not files and not artifact and (rootpath / "requirements.txt").is_file():
        files = (rootpath / "requirements.txt",)
    deploy = Scope(files=files)
    test = test_scope(settings.test_requirements, rootpath, pyproject, files)
    documents: dict[Path, bytes] = {}
    for path in (*deploy.files, *test.files):
        _read_documents(path, documents)
    local = tuple(dict.fromkeys(folder for folder, _ in _local_projects(documents)))
    project = rootpath if mode == "editable" else None
    if mode == "wheel":
        local = tuple(dict.fromkeys((*local, rootpath)))
    return Manifest(
        deploy=deploy,
        test=test,
        project=project,
        local=tuple(folder for folder in local if folder != project),
        whole=rootpath if mode == "wheel" else None,
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


def install_mode(settings: Settings, rootpath: Path, pyproject: Mapping[str, Any]) -> str:
    """How the project itself is installed: ``editable``, ``wheel`` or ``none``.

    Compiled code cannot be used out of the source: it is built where compilers are.
    """
    if settings.install == "none" or not _installable(rootpath, pyproject):
        return "none"
    if settings.install == "auto":
        return "wheel" if _compiled(rootpath, pyproject) else "editable"
    return settings.install


def _compiled(rootpath: Path, pyproject: Mapping[str, Any]) -> bool:
    """Whether the project says that it has compiled code, as far as its files tell unexecuted."""
    backend = str(_table(pyproject, "build-system").get("build-backend", ""))
    if backend.partition(".")[0] in _COMPILING_BACKENDS:
        return True
    setuptools = _table(_table(pyproject, "tool"), "setuptools")
    if "ext-modules" in setuptools:
        return True
    try:
        script = (rootpath / "setup.py").read_text("utf-8", "replace")
    except OSError:
        return False
    return _EXTENSIONS.search(script) is not None


def _installable(rootpath: Path, pyproject: Mapping[str, Any]) -> bool:
    if "project" in pyproject or "build-system" in pyproject:
        return True
    return (rootpath / "setup.py").is_file()


def test_scope(
    configured: tuple[Path, ...],
    rootpath: Path,
    pyproject: Mapping[str, Any],
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
            return Scope(requirements=tuple(_group(groups, name, ())))
    project = _table(pyproject, "project")
    extras = _lists(project, "optional-dependencies")
    for name in TEST_GROUPS:
        if name in extras:
            own = _normal_name(str(project.get("name", "")))
            return Scope(requirements=tuple(_extra(extras, name, own, ())))
    return Scope()


def _table(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key, {})
    if not isinstance(value, dict):
        raise SettingsError(f"pyproject.toml: {key} must be a table, not {value!r}")
    return value


def _lists(parent: Mapping[str, Any], key: str) -> dict[str, list[Any]]:
    """The table *key* of lists, by normalised name."""
    found = {}
    for name, value in _table(parent, key).items():
        if not isinstance(value, list):
            raise SettingsError(f"pyproject.toml: {key}: {name} must be a list, not {value!r}")
        found[_normal_name(name)] = value
    return found


def _group(groups: Mapping[str, list[Any]], name: str, parents: tuple[str, ...]) -> Iterator[str]:
    if name in parents:
        raise SettingsError("dependency-groups include each other: " + " → ".join([*parents, name]))
    if name not in groups:
        raise SettingsError(f"dependency-groups: {parents[-1]} includes {name}, which is not there")
    for entry in groups[name]:
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict) and isinstance(entry.get("include-group"), str):
            yield from _group(groups, _normal_name(entry["include-group"]), (*parents, name))
        else:
            raise SettingsError(f"dependency-groups: {name} has an entry {entry!r}")


def _extra(
    extras: Mapping[str, list[Any]], name: str, own: str, parents: tuple[str, ...]
) -> Iterator[str]:
    """Requirements of an extra; ``own[other]`` among them stands for those of ``other``."""
    from packaging.requirements import InvalidRequirement, Requirement

    for entry in extras.get(name, ()):
        try:
            requirement = Requirement(entry)
        except (InvalidRequirement, TypeError):
            raise SettingsError(
                f"pyproject.toml: optional-dependencies: {name} has an entry {entry!r}"
            ) from None
        if _normal_name(requirement.name) != own:
            yield entry
            continue
        for other in sorted(map(_normal_name, requirement.extras)):
            if other not in (name, *parents):
                yield from _extra(extras, other, own, (*parents, name))


def _normal_name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


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
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise SettingsError(
                f"the requirement file {current} cannot be read: {reason}"
            ) from None
        pending.extend(included for included, _ in _includes(current, documents[current]))


def _includes(path: Path, content: bytes) -> Iterator[tuple[Path, bool]]:
    """Files that *path* includes, and whether each holds constraints only."""
    for line in _lines(content):
        found = _INCLUDE.match(line)
        name = _first_word(found[3]) if found else ""
        if found and name and not _SCHEME.match(name):
            constraint = "c" in (found["short"], (found["long"] or "")[:1])
            yield _normal(path.parent / name), constraint


def _first_word(text: str) -> str:
    """The first word as a shell would see it, as pip reads options."""
    try:
        return (shlex.split(text) or [""])[0]
    except ValueError:
        return text.split(maxsplit=1)[0]


def _local_projects(documents: Mapping[Path, bytes]) -> Iterator[tuple[Path, bool]]:
    """Projects and distributions named by path, and whether each is editable.

    As for pip, a path begins with a dot, or has a separator and is there; after ``-e``, any
    folder that is there is one.
    """
    for path, content in documents.items():
        for line in _lines(content):
            found = _EDITABLE.match(line)
            name = _named_path(_first_word(found[1]) if found else line)
            if not name:
                continue
            place = _normal(path.parent / name)
            dotted = name.partition("/")[0] in (".", "..")
            if dotted or ((found or "/" in name) and place.exists()):
                yield place, found is not None


def _named_path(text: str) -> str:
    """The path that a requirement consists of or refers to, empty where it is none."""
    direct = _DIRECT.match(text)
    if direct or text.startswith("file:"):
        try:
            url = urllib.parse.urlsplit(direct[1] if direct else text.split(maxsplit=1)[0])
        except ValueError:
            return ""
        name = urllib.parse.unquote(url.path) if url.scheme == "file" else ""
    else:
        name = re.split(r"[\[;#\s]", text, maxsplit=1)[0]
    return "" if _SCHEME.match(name) or name.startswith("-") or "\0" in name else name


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
    """Logical lines as pip has them, each with the number of its first physical one.

    Joined where they end in a backslash, without comments.
    """
    pending, first = "", 0
    for number, line in enumerate([*_decoded(content).splitlines(), ""], 1):
        first = first if pending else number
        if line.endswith("\\") and not _COMMENT.match(line):
            pending += line.strip("\\")
            continue
        # A comment ends what was continued, and is one even where it follows without a space.
        joined = pending + (" " if _COMMENT.match(line) else "") + line
        pending = ""
        stripped = _COMMENT.sub("", joined).strip()
        if stripped:
            yield first, stripped


def _decoded(content: bytes) -> str:
    """Text of a requirement file by its byte order mark, its coding comment, or as UTF-8."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace")
    for line in content.split(b"\n")[:2]:
        found = _CODING.match(line)
        if found:
            try:
                return content.decode(found[1].decode("ascii"), "replace")
            except (LookupError, ValueError):
                break
    return content.decode("utf-8", "replace")


def _normal(path: Path) -> Path:
    return Path(os.path.normpath(path))


def _project_fingerprint(folder: Path, *, whole: bool) -> dict[str, str]:
    """Metadata files by hash, and the names of top-level packages, which installers look for.

    Where the *whole* project is copied by its installation, or *folder* is a distribution's
    file, everything counts.
    """
    if whole or folder.is_file():
        return {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in walk(folder)
            if path.is_file()
        }
    found = {}
    for name in _PROJECT_FILES:
        path = folder / name
        if path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    for parent in (folder, folder / "src"):
        if parent.is_dir():
            names = sorted(p.parent.name for p in parent.glob("*/__init__.py"))
            found[f"{parent.relative_to(folder).as_posix()}/"] = " ".join(names)
    return found


def requirement_names(scope: Scope, documents: Mapping[Path, bytes]) -> set[str]:
    """Normalised names that *scope* asks for directly, included files and all.

    A constraint asks for nothing.
    """
    reachable: dict[Path, bytes] = {}
    pending = list(scope.files)
    while pending:
        path = pending.pop()
        if path not in reachable:
            reachable[path] = documents.get(path, b"")
            pending += [
                name for name, constraint in _includes(path, reachable[path]) if not constraint
            ]
    return _names([*scope.requirements, *_all_lines(reachable)])


def constrained_names(documents: Mapping[Path, bytes]) -> set[str]:
    """Normalised names that any of *documents* mentions, asked for or only constrained."""
    return _names(_all_lines(documents))


def project_dependencies(folder: Path) -> set[str]:
    """Normalised names that the project in *folder* itself depends on, where it says so."""
    dependencies = _table(_pyproject(folder), "project").get("dependencies", [])
    return _names(map(str, dependencies)) if isinstance(dependencies, list) else set()


def _all_lines(documents: Mapping[Path, bytes]) -> Iterator[str]:
    for content in documents.values():
        yield from _lines(content)


def _names(lines: Iterable[str]) -> set[str]:
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    names: set[str] = set()
    for line in lines:
        try:
            requirement = Requirement(re.split(r"\s--[a-z]", line)[0])
        except InvalidRequirement:
            continue
        names.add(canonicalize_name(requirement.name))
    return names
