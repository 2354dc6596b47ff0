"""Services as they are configured: frozen values, every mistake with the line that it is in."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ..errors import SettingsError
from .artifact import Artifact, configured_artifact
from .settings import checked_env, memory_bytes, read_pyproject
from .targets import suggestion
from .toml_lines import line_of

REPOSITORY = "repository"
"""What the one service of an unconfigured repository is called."""
TABLE = ("tool", "pytest-arm64")
_KEYS: dict[str, type | tuple[type, ...]] = {
    "artifact": str,
    "requirements": (str, list),
    "test-requirements": (str, list),
    "tests": (str, list),
    "memory": str,
    "env": list,
    "network": str,
    "monthly-cost": (int, float),
    "boundary": dict,
    "group": str,
}
_BOUNDARY_KEYS = ("reason", "migratable-when", "review", "packages")


@dataclass(frozen=True)
class Boundary:
    """What is declared to stay on x86: why, what would change that, and when to look again."""

    reason: str
    migratable_when: str
    review: date | None = None
    packages: tuple[str, ...] = ()
    """Packages that no other service may use; those without an ARM64 wheel are added to them."""


@dataclass(frozen=True)
class ServiceConfig:
    """One service; paths are absolute."""

    name: str
    folder: Path
    """Its code, where it has a folder of its own; else that of its first requirement file."""
    requirements: tuple[Path, ...] = ()
    """Empty where the folder's own files decide."""
    artifact: Artifact | None = None
    """What is deployed, where it is built already; then no other file says it."""
    test_requirements: tuple[Path, ...] = ()
    tests: tuple[Path, ...] = ()
    memory: int = 0
    """Bytes; 0 where nothing is said."""
    env: tuple[str, ...] = ()
    network: str = ""
    monthly_cost: float | None = None
    """US dollars; None where nobody said."""
    boundary: Boundary | None = None
    group: str = ""
    """What it is a part of, where the headline does not count it among the services."""
    where: str = ""
    """``pyproject.toml:12``"""
    named: bool = False
    """Has a table of its own, rather than a folder that a pattern names."""


@dataclass(frozen=True)
class _Source:
    """One table of one file, and where its keys stand."""

    manifest: Path
    table: tuple[str, ...]
    entry: Mapping[str, Any] = field(default_factory=dict)

    def place(self, key: str = "") -> str:
        try:
            line = line_of(self.manifest.read_text("utf-8"), self.table, key)
        except (OSError, UnicodeDecodeError):
            line = 0
        return f"{self.manifest}:{line}" if line else str(self.manifest)

    def error(self, key: str, what: str, **how: str) -> SettingsError:
        return SettingsError(f"{self.place(key)}: [{'.'.join(self.table)}] {what}", **how)


def read_services(rootpath: Path) -> tuple[ServiceConfig, ...]:
    """The services that ``[tool.pytest-arm64]`` of *rootpath* configures; none is no error.

    Raises:
        SettingsError: a table says what cannot be used; the message names file and line.
    """
    manifest = rootpath / "pyproject.toml"
    table, _ = read_pyproject(manifest)
    found = [*_tables(rootpath, manifest, table)]
    taken = {service.folder for service in found}
    found += _folders(rootpath, manifest, table, taken)
    seen: set[str] = set()
    for service in found:
        if service.name in seen:
            raise SettingsError(f"{service.where}: there are two services {service.name!r}")
        seen.add(service.name)
    return tuple(found)


def repository_config(rootpath: Path) -> ServiceConfig:
    """The repository as one service, with what its own table says of it.

    Raises:
        SettingsError: that table says what cannot be used.
    """
    manifest = rootpath / "pyproject.toml"
    table, _ = read_pyproject(manifest)
    entry = {key: value for key, value in table.items() if key in _KEYS}
    return _service(REPOSITORY, rootpath, _Source(manifest, TABLE, entry))


def services_at(rootpath: Path, root: Path) -> tuple[ServiceConfig, ...]:
    """The services that are configured at *rootpath*, or the one that *rootpath* is.

    A folder above, up to the repository's *root*, may configure it as one of several; then it
    has the name, the boundary and the cost that it has there.

    Raises:
        SettingsError: the configuration cannot be used.
    """
    found = read_services(rootpath)
    if found:
        return found
    for folder in rootpath.parents:
        if folder != root and root not in folder.parents:
            break
        for service in read_services(folder):
            if service.folder == rootpath:
                return (service,)
    return (repository_config(rootpath),)


def prefixes(service: ServiceConfig) -> tuple[Path, ...]:
    """Files and folders whose tests are those of *service*."""
    return service.tests or (service.folder,)


def service_of(services: tuple[ServiceConfig, ...], path: Path) -> ServiceConfig | None:
    """The service with the longest ``tests`` prefix of *path*; None for the repository's own."""
    best: ServiceConfig | None = None
    length = -1
    for service in services:
        for prefix in prefixes(service):
            if (path == prefix or prefix in path.parents) and len(prefix.parts) > length:
                best, length = service, len(prefix.parts)
    return best


def _tables(rootpath: Path, manifest: Path, table: Mapping[str, Any]) -> Iterator[ServiceConfig]:
    for name, entry in table.get("service", {}).items():
        source = _Source(manifest, (*TABLE, "service", name), entry)
        if not isinstance(entry, dict):
            raise source.error("", "must be a table")
        if not name.strip() or "::" in name:
            raise source.error("", f"{name!r} cannot be the name of a service")
        service = _service(name, rootpath, source)
        if not service.requirements and service.artifact is None:
            raise source.error(
                "",
                "names no requirements and no artifact",
                next_step='requirements = "services/NAME/requirements.txt"',
            )
        yield service


def _folders(
    rootpath: Path, manifest: Path, table: Mapping[str, Any], taken: set[Path]
) -> Iterator[ServiceConfig]:
    root = _Source(manifest, TABLE)
    seen = set(taken)
    for pattern in table.get("services", []):
        try:
            found = {path for path in rootpath.glob(pattern) if path.is_dir()}
        except (ValueError, NotImplementedError, OSError, IndexError):
            raise root.error(
                "services", f"services: {pattern!r} is no pattern of folders"
            ) from None
        if not found:
            raise root.error("services", f"services: {pattern!r} names no folder below {rootpath}")
        for folder in sorted(found - seen):
            seen.add(folder)
            own = folder / "pyproject.toml"
            own_table, _ = read_pyproject(own)
            entry = {key: value for key, value in own_table.items() if key in _KEYS}
            name = folder.relative_to(rootpath).as_posix() if folder != rootpath else REPOSITORY
            yield _service(name, folder, _Source(own, TABLE, entry))


def _service(name: str, base: Path, source: _Source) -> ServiceConfig:
    """Paths of *source* are relative to *base*."""
    entry = source.entry
    for key, value in entry.items():
        if key not in _KEYS:
            raise source.error(
                key,
                f"has no key {key!r}{suggestion(key, _KEYS)}",
                next_step="known keys: " + ", ".join(sorted(_KEYS)),
            )
        if not isinstance(value, _KEYS[key]) or isinstance(value, bool):
            raise source.error(key, f"{key} = {value!r} has a wrong type")
        if isinstance(value, list) and not all(isinstance(item, str) for item in value):
            raise source.error(key, f"{key} must be a list of strings")
    requirements = _files(base, source, "requirements")
    named = len(source.table) > len(TABLE)
    folder = requirements[0].parent if named and requirements else base
    return ServiceConfig(
        name=name,
        folder=folder,
        requirements=requirements,
        artifact=_artifact(base, source),
        test_requirements=_files(base, source, "test-requirements"),
        tests=_files(base, source, "tests", folders=True),
        memory=_memory(source),
        env=_env(source),
        network=entry.get("network", ""),
        monthly_cost=_cost(source),
        boundary=_boundary(source),
        group=entry.get("group", "").strip(),
        where=source.place(),
        named=named,
    )


def _files(base: Path, source: _Source, key: str, *, folders: bool = False) -> tuple[Path, ...]:
    value = source.entry.get(key, [])
    listed = [value] if isinstance(value, str) else value
    paths = tuple(Path(os.path.normpath(base / name)) for name in listed)
    for path in paths:
        if not (path.is_file() or (folders and path.is_dir())):
            kind = "file or folder" if folders else "file"
            raise source.error(key, f"{key}: {path} is no {kind}")
    return paths


def _artifact(base: Path, source: _Source) -> Artifact | None:
    try:
        return configured_artifact(source.entry.get("artifact", ""), base)
    except SettingsError as error:
        raise source.error("artifact", error.what, next_step=error.next_step) from None


def _memory(source: _Source) -> int:
    try:
        return memory_bytes(source.entry.get("memory", ""), source.manifest)
    except SettingsError as error:
        what = error.what.partition(": ")[2]
        raise source.error("memory", what, next_step=error.next_step) from None


def _env(source: _Source) -> tuple[str, ...]:
    try:
        return tuple(checked_env(source.entry.get("env", []), source.manifest))
    except SettingsError as error:
        raise source.error("env", error.what.rpartition(": ")[2]) from None


def _cost(source: _Source) -> float | None:
    value = source.entry.get("monthly-cost")
    if value is None:
        return None
    if not (math.isfinite(value) and value >= 0):
        raise source.error("monthly-cost", f"monthly-cost = {value} is no amount of US dollars")
    return float(value)


def _boundary(source: _Source) -> Boundary | None:
    entry = source.entry.get("boundary")
    if entry is None:
        return None
    for key in entry:
        if key not in _BOUNDARY_KEYS:
            raise source.error(
                "boundary", f"boundary has no key {key!r}{suggestion(key, _BOUNDARY_KEYS)}"
            )
    for key in ("reason", "migratable-when"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise source.error(
                "boundary",
                f"boundary needs a {key}",
                why="what stays on x86 without a reason stays there for ever",
                next_step='boundary = { reason = "…", migratable-when = "…", review = 2027-03-01 }',
            )
    review = entry.get("review")
    if isinstance(review, datetime) or not (review is None or isinstance(review, date)):
        raise source.error(
            "boundary", "boundary: review must be a date", next_step="review = 2027-03-01"
        )
    packages = entry.get("packages", [])
    if not isinstance(packages, list) or not all(isinstance(name, str) for name in packages):
        raise source.error("boundary", "boundary: packages must be a list of names")
    return Boundary(
        entry["reason"].strip(),
        entry["migratable-when"].strip(),
        review,
        tuple(re.sub(r"[-_.]+", "-", name).lower() for name in packages),
    )
