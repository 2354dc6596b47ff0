"""Services as they are configured: frozen values, every mistake with the line that it is in."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from ..errors import SettingsError
from ..inside.function.record import DEFAULT_TIMEOUT
from ..walking import folders_matching
from ._toml import Table
from .artifact import Artifact, configured_artifact
from .boundary import check_inside, is_there
from .declared_boundary import Boundary, read_boundary
from .lambda_function import checked_handler, checked_timeout
from .project_files import SERVICE_KEYS, ProjectFiles, type_name
from .service_names import REPOSITORY, is_service_name, own_name
from .settings import checked_code, checked_env, checked_install, memory_bytes
from .suggestions import file_suggestion, suggestion
from .system_packages import KEY, SystemPackages, read_system_packages
from .target_choice import own_targets
from .targets import PACKAGES, Target, find_target
from .toml_lines import line_of

TABLE = ("tool", "pytest-arm64")
_Said = TypeVar("_Said")
_Value = TypeVar("_Value")


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
    target: Target | None = None
    """What it is deployed on; None where that is the target of the run."""
    package: str = ""
    """How it is deployed on Lambda, ``image`` or ``zip``; empty where the target says it."""
    test_requirements: tuple[Path, ...] = ()
    tests: tuple[Path, ...] = ()
    memory: int = 0
    """Bytes; 0 where nothing is said."""
    shm_size: int = 0
    """The same of ``/dev/shm``."""
    tmp_size: int = 0
    """The same of ``/tmp`` of a Lambda function."""
    lambda_code: str = ""
    """What tests on a Lambda target get of the project; empty where that is not said."""
    handler: str = ""
    """``module.function`` of its Lambda function; empty where that is not said."""
    lambda_timeout: float = DEFAULT_TIMEOUT  # seconds of one call
    system_packages: SystemPackages | None = None
    """None where nothing is said."""
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
    itself: bool = False
    """Is the project itself: all of it, or what belongs to none of its services."""
    of_folder: bool = False
    """Is called by its folder, whose name may differ between two checkouts."""
    install: str = ""
    """How the project in its folder is installed; empty where that says nothing."""


@dataclass(frozen=True)
class Services:
    """Those of one project, and how each is called: never by an empty name, never two alike."""

    configured: tuple[ServiceConfig, ...]
    """Empty where the project is one itself."""
    itself: ServiceConfig
    """The project as a service; where it configures some, what belongs to none of them."""

    @property
    def declared(self) -> tuple[ServiceConfig, ...]:
        """Those that a report is about: never empty."""
        return self.configured or (self.itself,)

    @property
    def on_one_target(self) -> Services:
        """The same, all of them on the target of the run."""
        return replace(self, configured=tuple(replace(s, target=None) for s in self.configured))

    def named(self, name: str) -> ServiceConfig | None:
        """The service called *name*; None where it is missing.

        ``repository`` is the project itself, unless a service has that name.
        """
        by_name = {service.name: service for service in (*self.configured, self.itself)}
        return by_name.get(name, self.itself if name == REPOSITORY else None)


@dataclass(frozen=True)
class _Source:
    """One table of one file, and where its keys stand."""

    files: ProjectFiles
    table: tuple[str, ...]
    entry: Table = field(default_factory=dict)

    @property
    def manifest(self) -> Path:
        return self.files.manifest

    def place(self, key: str = "") -> str:
        file = self.files.toml.find(self.manifest)
        line = line_of(file.text, self.table, key) if file is not None else 0
        return f"{self.manifest}:{line}" if line else str(self.manifest)

    def error(self, key: str, what: str, **how: str) -> SettingsError:
        return SettingsError(f"{self.place(key)}: [{'.'.join(self.table)}] {what}", **how)


def read_services(files: ProjectFiles) -> tuple[ServiceConfig, ...]:
    """The services that ``[tool.pytest-arm64]`` of *files* configures; none is no error.

    Raises:
        SettingsError: a table says what cannot be used; the message names file and line.
    """
    services = [*_tables(files)]
    services += _folders(files, taken={service.folder for service in services})
    names: set[str] = set()
    for service in services:
        if service.name in names:
            raise SettingsError(f"{service.where}: there are two services {service.name!r}")
        names.add(service.name)
    return tuple(services)


def project_itself(files: ProjectFiles, services: tuple[ServiceConfig, ...] = ()) -> ServiceConfig:
    """The project as one service, with what its own table says of it.

    Where it configures *services*, that is what belongs to none of them. A folder above, up to
    the repository's root, may configure it as one of several; then it has the name, the boundary
    and the cost that it has there.

    Raises:
        SettingsError: a table says what cannot be used.
    """
    for folder in () if services else files.rootpath.parents:
        if folder != files.root and files.root not in folder.parents:
            break
        for service in read_services(files.at(folder)):
            if service.folder == files.rootpath:
                return replace(service, itself=True, target=None)
    keys = SERVICE_KEYS.keys() - {"target"}  # its target is that of the run
    entry = {key: value for key, value in files.table.items() if key in keys}
    name = own_name(files, {service.name for service in services})
    service = _service(name, _Source(files, TABLE, entry), files)
    return replace(service, itself=True, of_folder=name != files.metadata.get("name"))


def services_at(files: ProjectFiles) -> Services:
    """The services of the project of *files*.

    Raises:
        SettingsError: the configuration cannot be used.
    """
    configured = read_services(files)
    return Services(configured, project_itself(files, configured))


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


def _tables(files: ProjectFiles) -> Iterator[ServiceConfig]:
    for name, entry in files.table.get("service", {}).items():
        source = _Source(files, (*TABLE, "service", name), entry)
        if not isinstance(entry, dict):
            raise source.error("", "must be a table")
        if not is_service_name(name):
            raise source.error("", f"{name!r} cannot be the name of a service")
        service = _service(name, source, files)
        if not service.requirements and service.artifact is None:
            raise source.error(
                "",
                "names no requirements and no artifact",
                next_step='requirements = "services/NAME/requirements.txt"',
            )
        yield service


def _folders(files: ProjectFiles, taken: Collection[Path]) -> Iterator[ServiceConfig]:
    root = _Source(files, TABLE)
    rootpath = files.rootpath
    seen = set(taken)
    for pattern in files.table.get("services", []):
        try:
            folders = set(folders_matching(rootpath, pattern))
        except ValueError:
            raise root.error(
                "services", f"services: {pattern!r} is not a pattern of folders"
            ) from None
        if not folders:
            raise root.error(
                "services",
                f"services: {pattern!r} names no folder below {rootpath}"
                f"{file_suggestion(rootpath / pattern.partition('/')[0], rootpath)}",
                next_step="name the folders of the services, or remove the pattern",
            )
        for folder in sorted(folders - seen):
            seen.add(folder)
            check_inside(folder, files.manifest, rootpath, f"{root.place('services')}: services")
            own = files.at(folder)
            entry = {key: value for key, value in own.table.items() if key in SERVICE_KEYS}
            name = folder.relative_to(rootpath).as_posix()
            name = own_name(own) if own is files else name
            yield _service(name, _Source(own, TABLE, entry), files)


def _service(name: str, source: _Source, files: ProjectFiles) -> ServiceConfig:
    """Paths of *source* are relative to the folder of its file; *files* are the project's."""
    entry, base = source.entry, source.files.rootpath
    for key, value in entry.items():
        if key not in SERVICE_KEYS:
            raise source.error(
                key,
                f"has no key {key!r}{suggestion(key, SERVICE_KEYS)}",
                next_step="known keys: " + ", ".join(sorted(SERVICE_KEYS)),
            )
        if not isinstance(value, SERVICE_KEYS[key]) or isinstance(value, bool):
            raise source.error(
                key,
                f"{key} = {value!r} has a wrong type",
                next_step=f"write {key} as {type_name(SERVICE_KEYS[key])}",
            )
        if isinstance(value, list) and not all(isinstance(item, str) for item in value):
            raise source.error(key, f"{key} must be a list of strings")
    requirements = _files(base, source, "requirements")
    named = len(source.table) > len(TABLE)
    folder = requirements[0].parent if named and requirements else base
    own = source.files.at(folder)
    mode = own.table.get("install", "")
    return ServiceConfig(
        name=name,
        folder=folder,
        requirements=requirements,
        artifact=_checked(source, "artifact", lambda text: configured_artifact(text, base), ""),
        target=_target(source, files),
        package=_package(source),
        test_requirements=_files(base, source, "test-requirements"),
        tests=_files(base, source, "tests", folders=True),
        memory=_memory(source, "memory"),
        shm_size=_memory(source, "shm-size"),
        tmp_size=_memory(source, "tmp-size"),
        lambda_code=_code(source),
        handler=_checked(source, "handler", checked_handler, ""),
        lambda_timeout=_checked(source, "lambda-timeout", checked_timeout, DEFAULT_TIMEOUT),
        system_packages=_checked(source, KEY, read_system_packages, {}) if KEY in entry else None,
        env=_env(source),
        network=entry.get("network", ""),
        monthly_cost=_cost(source),
        boundary=read_boundary(entry.get("boundary"), source.error),
        group=entry.get("group", "").strip(),
        where=source.place(),
        named=named,
        install=checked_install(mode, own.manifest) if mode else "",
    )


def _files(base: Path, source: _Source, key: str, *, folders: bool = False) -> tuple[Path, ...]:
    value = source.entry.get(key, [])
    listed = [value] if isinstance(value, str) else value
    paths = tuple(Path(os.path.normpath(base / name)) for name in listed)
    for path in paths:
        if not (is_there(path, Path.is_file) or (folders and is_there(path, Path.is_dir))):
            kind = "file or folder" if folders else "file"
            raise source.error(
                key,
                f"{key}: {path} is not a {kind}{file_suggestion(path, source.files.root)}",
                next_step=f"create it, or name another {kind} of the repository",
            )
        check_inside(path, source.manifest, source.files.rootpath, f"{source.place(key)}: {key}")
    return paths


def _target(source: _Source, files: ProjectFiles) -> Target | None:
    """Its file may declare it, or that of the project."""
    name = source.entry.get("target", "")
    try:
        own = {**own_targets(files), **own_targets(source.files)}
        return find_target(name, own) if name else None
    except SettingsError as error:
        raise source.error("target", error.what, next_step=error.next_step) from None


def _package(source: _Source) -> str:
    package = source.entry.get("package", "")
    if package not in ("", *PACKAGES):
        raise source.error("package", f"package = {package!r} must be 'image' or 'zip'")
    return str(package)


def _code(source: _Source) -> str:
    code = source.entry.get("lambda-code", "")
    return checked_code(code, source.place("lambda-code")) if code else ""


def _checked(source: _Source, key: str, check: Callable[[_Said], _Value], default: _Said) -> _Value:
    """What *check* makes of what *source* says of *key*, of *default* where it says nothing."""
    try:
        return check(source.entry.get(key, default))
    except SettingsError as error:
        what = error.what.removeprefix(f"{source.manifest}: ")
        raise source.error(key, what, why=error.why, next_step=error.next_step) from None


def _memory(source: _Source, key: str) -> int:
    return _checked(source, key, lambda text: memory_bytes(text, source.manifest, key), "")


def _env(source: _Source) -> tuple[str, ...]:
    return tuple(_checked(source, "env", lambda listed: checked_env(listed, source.manifest), ()))


def _cost(source: _Source) -> float | None:
    value = source.entry.get("monthly-cost")
    if value is None:
        return None
    if not (math.isfinite(value) and value >= 0):
        raise source.error(
            "monthly-cost",
            f"monthly-cost = {value} is not an amount of US dollars",
            next_step="monthly-cost = 180.0",
        )
    return float(value)
