"""A service's files as wishes: requirement files, ``pyproject.toml``, or a project's folder."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from .._toml import TOMLDecodeError, loads
from ..environment.manifests import numbered_lines
from ..errors import SettingsError
from .simple import SDIST_ENDINGS
from .wishes import LocalProject, Wish, Wishes, wish_of

_MAXIMUM_FILES = 500
_OPTION = re.compile(r"(--?[A-Za-z][A-Za-z-]*)(?:\s*=\s*|\s+|$)(.*)\Z")
_HASH = re.compile(r"\s--hash[=\s]\s*(\w+):([0-9a-fA-F]+)")
_PER_REQUIREMENT = re.compile(r"\s--(?:config-settings?|global-option|install-option)\b.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_SHORT = {
    "-r": "--requirement",
    "-c": "--constraint",
    "-e": "--editable",
    "-i": "--index-url",
    "-f": "--find-links",
    "--pypi-url": "--index-url",
}
# They change nothing about which files fit, or are pip's own business.
_SILENT = {"--require-hashes", "--use-feature", "--prefer-binary", "--trusted-host"}
# Backends that cannot compile anything without a plugin of their own.
_PURE_BACKENDS = ("hatchling", "flit_core", "poetry.core", "pdm.backend", "uv_build")


@dataclass
class _Reading:
    root: Path
    environ: Mapping[str, str]
    requirements: list[tuple[Requirement, Wish]] = field(default_factory=list)
    constraints: list[tuple[Requirement, Wish]] = field(default_factory=list)
    locals: dict[str, LocalProject] = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)
    index: str = ""
    extra_indexes: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    no_index: bool = False
    prereleases: bool = False
    seen: set[tuple[Path, bool]] = field(default_factory=set)

    def origin(self, path: Path, line: int = 0) -> str:
        relative = os.path.relpath(path, self.root).replace(os.sep, "/")
        return f"{relative}:{line}" if line else relative


def read_wishes(path: Path, environ: Mapping[str, str] = os.environ) -> Wishes:
    """What the service at *path* asks for.

    Args:
        path: a requirement file, a ``pyproject.toml``, or a project's folder.
        environ: variables for ``${NAME}`` in requirement files.

    Raises:
        SettingsError: there is nothing to read, or it cannot be read.
    """
    path = Path(os.path.normpath(Path.cwd() / path))
    root = path if path.is_dir() else path.parent
    reading = _Reading(root, environ)
    if path.is_dir():
        _folder(path, reading)
    elif path.name == "pyproject.toml":
        _pyproject(path, reading)
    elif path.is_file():
        _requirement_file(path, reading, constraint=False)
    else:
        raise SettingsError(
            f"{path} does not exist",
            next_step="give a requirement file, a pyproject.toml, or a project's folder",
        )
    return Wishes(
        service=path.name if path.is_dir() else f"{path.parent.name}/{path.name}",
        requirements=tuple(reading.requirements),
        constraints=tuple(reading.constraints),
        locals=tuple(reading.locals.values()),
        index=reading.index,
        extra_indexes=tuple(reading.extra_indexes),
        links=tuple(reading.links),
        no_index=reading.no_index,
        prereleases=reading.prereleases,
        gaps=tuple(reading.gaps),
    )


def _folder(folder: Path, reading: _Reading) -> None:
    """The files that an environment of the project would be made from."""
    configured = []
    manifest = folder / "pyproject.toml"
    data = _toml(manifest) if manifest.is_file() else {}
    table = data.get("tool", {}).get("pytest-arm64", {})
    named = table.get("requirements", []) if isinstance(table, dict) else []
    for name in [named] if isinstance(named, str) else named:
        configured.append(folder / str(name))
    if not configured and (folder / "requirements.txt").is_file():
        configured = [folder / "requirements.txt"]
    for path in configured:
        _requirement_file(path, reading, constraint=False)
    if "project" in data or (manifest.is_file() and not configured):
        _pyproject(manifest, reading)
    elif (folder / "setup.py").is_file():
        reading.gaps.append("setup.py may name dependencies: it is a program, and is not run")
    elif not configured:
        raise SettingsError(
            f"{folder} has neither a requirements.txt nor a pyproject.toml",
            next_step="name the file that lists what is deployed: pytest-arm64 audit FILE",
        )


def _pyproject(manifest: Path, reading: _Reading) -> None:
    data = _toml(manifest)
    project = data.get("project")
    if not isinstance(project, dict):
        raise SettingsError(
            f"{manifest} has no [project] table",
            why="its dependencies are not written where every tool reads them",
            next_step="export them to a requirement file and name that",
        )
    if "dependencies" in project.get("dynamic", []):
        reading.gaps.append(
            f"{reading.origin(manifest)}: its dependencies are dynamic, and not run"
        )
    for text in _strings(project.get("dependencies", [])):
        _requirement(text, manifest, 0, reading, constraint=False)


def _requirement_file(path: Path, reading: _Reading, *, constraint: bool) -> None:
    path = Path(os.path.normpath(path))
    if (path, constraint) in reading.seen:
        return
    reading.seen.add((path, constraint))
    if len(reading.seen) > _MAXIMUM_FILES:
        raise SettingsError(f"{path} is one of more than {_MAXIMUM_FILES} requirement files")
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(
            f"the requirement file {str(path)!r} cannot be read: {reason}"
        ) from None
    for number, raw in numbered_lines(content):
        line = _VARIABLE.sub(lambda m: reading.environ.get(m[1], m[0]), raw)
        option = _OPTION.match(line)
        if option:
            _option(option[1], option[2].strip(), path, number, reading, constraint=constraint)
        else:
            _requirement(line, path, number, reading, constraint=constraint)


def _option(
    name: str, value: str, path: Path, number: int, reading: _Reading, *, constraint: bool
) -> None:
    name = _SHORT.get(name, name)
    if name in ("--requirement", "--constraint"):
        if "://" in value:
            reading.gaps.append(
                f"{reading.origin(path, number)}: {name} names an address: not read"
            )
        else:
            nested = constraint or name == "--constraint"
            _requirement_file(path.parent / value, reading, constraint=nested)
    elif name == "--editable":
        _requirement(value, path, number, reading, constraint=constraint)
    elif name == "--index-url":
        reading.index = value
    elif name == "--extra-index-url":
        reading.extra_indexes.append(value)
    elif name == "--find-links":
        local = "://" not in value
        reading.links.append(str(path.parent / value) if local else value)
    elif name == "--no-index":
        reading.no_index = True
    elif name == "--pre":
        reading.prereleases = True
    elif name not in _SILENT:
        reading.gaps.append(f"{reading.origin(path, number)}: the option {name} is not understood")


def _requirement(
    line: str, path: Path, number: int, reading: _Reading, *, constraint: bool
) -> None:
    origin = reading.origin(path, number)
    hashes = frozenset(m[2].lower() for m in _HASH.finditer(line) if m[1] == "sha256")
    text = _PER_REQUIREMENT.sub("", _HASH.sub("", line)).strip()
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        requirement = _reference(text, path.parent, reading, error, origin)
    wish = wish_of(requirement, origin, hashes=hashes, direct=True)
    (reading.constraints if constraint else reading.requirements).append((requirement, wish))


def _reference(
    text: str, base: Path, reading: _Reading, error: Exception, origin: str
) -> Requirement:
    """A path or an address as a requirement; a folder's project is read from its own file."""
    body, _, marker = text.partition(" ;")
    body = body.strip()
    address, extras = body, ""
    found = re.match(r"(.*)\[([^\[\]]*)\]\Z", body)
    if found and "#" not in body:
        address, extras = found[1], f"[{found[2]}]"
    marker = f" ; {marker.strip()}" if marker else ""
    local = address.removeprefix("file://") if "://" not in address[7:] else address
    folder = Path(os.path.normpath(base / local)) if "://" not in local else None
    if folder is not None and _there(folder, Path.is_dir):
        project = _local_project(folder, reading)
        if project is not None:
            reading.locals[project.name] = project
            return _parsed(f"{project.name}{extras}{marker}", text, origin)
    egg = re.search(r"[#&]egg=([A-Za-z0-9._-]+)", address)
    looks = (
        "://" in address
        or address.startswith((".", "/"))
        or (folder and _there(folder, Path.exists))
    )
    if not looks:
        raise SettingsError(
            f"{origin}: {text[:200]!r} is not a requirement", why=str(error).splitlines()[0][:200]
        )
    name = egg[1] if egg else _name_in(address)
    place = folder.as_uri() if folder else address
    return _parsed(f"{name}{extras} @ {place}{marker}", text, origin)


def _parsed(requirement: str, text: str, origin: str) -> Requirement:
    try:
        return Requirement(requirement)
    except InvalidRequirement as error:
        raise SettingsError(
            f"{origin}: {text[:200]!r} is not a requirement", why=str(error).splitlines()[0][:200]
        ) from None


def _there(path: Path, question: Callable[[Path], bool]) -> bool:
    """The answer to *question*, no for what cannot be a path."""
    try:
        return question(path)
    except (OSError, ValueError):
        return False


def _name_in(address: str) -> str:
    """The project's name as far as the last part of a path or an address tells it."""
    last = re.split(r"[?#]", address)[0].rstrip("/").rpartition("/")[2].partition("@")[0]
    if last.endswith(".whl"):
        last = last.partition("-")[0]
    for ending in (*SDIST_ENDINGS, ".git"):
        if last.endswith(ending):
            last = re.sub(r"-\d.*$", "", last[: -len(ending)])
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", last).strip("-._")
    return name or "unnamed-reference"


def _local_project(folder: Path, reading: _Reading) -> LocalProject | None:
    manifest = folder / "pyproject.toml"
    data = _toml(manifest) if manifest.is_file() else {}
    project = data.get("project")
    if not isinstance(project, dict) or not isinstance(project.get("name"), str):
        return None
    optional = project.get("optional-dependencies", {})
    backend = str(data.get("build-system", {}).get("build-backend", "setuptools"))
    setuptools = backend.startswith("setuptools") and not (folder / "setup.py").exists()
    dynamic = "dependencies" in project.get("dynamic", [])
    return LocalProject(
        name=canonicalize_name(project["name"]),
        version=str(project.get("version", "")),
        folder=reading.origin(folder),
        native=not (backend.startswith(_PURE_BACKENDS) or setuptools),
        requires=tuple(_valid(project.get("dependencies", []), manifest)),
        extras=tuple(
            (canonicalize_name(str(extra)), tuple(_valid(texts, manifest)))
            for extra, texts in (optional.items() if isinstance(optional, dict) else ())
        ),
        doubt="its dependencies are dynamic: they are known after a build" if dynamic else "",
    )


def _valid(value: object, manifest: Path) -> Iterator[str]:
    for text in _strings(value):
        try:
            Requirement(text)
        except InvalidRequirement as error:
            raise SettingsError(f"{manifest}: {text!r} is not a requirement: {error}") from None
        yield text


def _strings(value: object) -> list[str]:
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []


def _toml(path: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
    return data
