"""The services that a command line names by paths, or those that are configured."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..config.artifact import ZIP, read_artifact_name
from ..config.project_files import ProjectFiles
from ..config.services import Services
from ..config.targets import Target, as_package
from ..config.toml_files import TomlFiles
from ..errors import Arm64Error, SettingsError
from . import pdm_lock, poetry_lock, uv_lock
from .configured import configured_service
from .reading import Table, table
from .service import Service, artifact_service, read_service


@dataclass(frozen=True)
class Naming:
    """What a command line says about the services to read."""

    files: ProjectFiles
    declared: Services
    environ: Mapping[str, str]
    paths: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    @property
    def first_folder(self) -> Path:
        """The folder of the first path; this one where none is named."""
        place = absolute((self.paths or (".",))[0])
        return place if place.is_dir() else place.parent


@dataclass(frozen=True)
class Named:
    """What could be read, and what could not."""

    services: Sequence[Service]
    folders: Mapping[str, Path]
    """Of projects, by the name of their service."""
    unread: Sequence[Arm64Error]


def named_services(naming: Naming) -> Named:
    """What the services ask for. Of several, one that cannot be read does not end it.

    Raises:
        Arm64Error: none of them can be read.
    """
    readers: list[tuple[Callable[[], Service], Path | None]]
    if naming.declared.configured and not naming.paths:
        readers = [
            (partial(configured_service, service, naming.files, naming.environ), service.folder)
            for service in naming.declared.configured
        ]
    else:
        readers = [
            (partial(_service, path, naming, naming.files.toml), _folder(path))
            for path in naming.paths or (".",)
        ]
    services: list[Service] = []
    folders: dict[str, Path] = {}
    unread: list[Arm64Error] = []
    for read, folder in readers:
        try:
            service = read()
            service.check_lists_something()
        except Arm64Error as error:
            unread.append(error)
            continue
        services.append(service)
        if folder is not None:
            folders[service.name] = folder
    if not services:
        raise unread[0]
    return Named(services, folders, unread)


def with_targets(
    named: Named, naming: Naming, targets: Sequence[Target], *, chosen: bool
) -> list[tuple[Service, Target]]:
    """Each service with what it is deployed on.

    Args:
        named: the services.
        naming: what they were named by.
        targets: those of the command line or of the project.
        chosen: whether the user has chosen them for all services.
    """
    configured = () if naming.paths else naming.declared.configured
    by_name = {service.name: service for service in configured}
    asked = []
    for service in named.services:
        says = by_name.get(service.name)
        own = says.target if says is not None and not chosen else None
        package = says.package if says is not None else ""
        for target in targets if own is None else (own,):
            asked.append((service, as_package(target, package)))
    return asked


def earlier_service(path: str, now: Service, naming: Naming) -> Service:
    """The service *now* as it was when its file was what *path* is.

    A lock is read in the place of the one that there is now, because what its project asks for
    stands beside it.

    Raises:
        SettingsError: *path* is missing, or is no earlier state of the same kind of file.
    """
    if now.lock is None:
        earlier = _service(path, naming, naming.files.toml)
    else:
        place = Path(os.path.normpath(naming.files.rootpath / now.lock.shown))
        toml = TomlFiles()
        toml.stand_in(place, absolute(path))
        file = toml.find(place)
        if file is None:
            raise SettingsError(f"{path} does not exist", next_step=_PRINTED.format(place.name))
        if not _is_kind(place.name, file.data):
            raise SettingsError(
                f"{path} is not an earlier {place.name}", next_step=_PRINTED.format(place.name)
            )
        try:
            earlier = _service((naming.paths or (".",))[0], naming, toml)
        except SettingsError as error:
            raise SettingsError(
                f"{path} cannot be read as an earlier {place.name}: {error.what}",
                next_step=_PRINTED.format(place.name),
            ) from None
    if (earlier.lock is None) != (now.lock is None):
        raise SettingsError(
            f"{path} and {now.manifest} are of different kinds",
            why="a lock can only be compared with a lock",
            next_step="name two files of the same kind",
        )
    return earlier


def _is_kind(name: str, data: Table) -> bool:
    """Whether *data* are those of a lock called *name*: the kinds are alike enough to be mixed."""
    if name == uv_lock.NAME:
        return "version" in data and "metadata" not in data
    if name == poetry_lock.NAME:
        return "lock-version" in table(data, "metadata")
    if name == pdm_lock.NAME:
        return "lock_version" in table(data, "metadata")
    return True  # its reader checks everything


_PRINTED = "git show main:{0} > main.lock, then --against main.lock"


def _service(path: str, naming: Naming, toml: TomlFiles) -> Service:
    here = naming.files.rootpath
    artifact = read_artifact_name(path, here)
    if artifact is None and path.endswith(".zip"):
        artifact = read_artifact_name(f"{ZIP}:{path}", here)
    if artifact is not None:
        return artifact_service(artifact, naming.environ, name=path, root=here, toml=toml)
    return read_service(
        Path(path),
        naming.environ,
        name=naming.declared.itself.name if absolute(path) == here else "",
        root=here,
        extras=naming.extras,
        groups=naming.groups,
        toml=toml,
    )


def absolute(path: str) -> Path:
    """*path* from this folder, without links being followed."""
    return Path(os.path.normpath(Path.cwd() / path))


def _folder(path: str) -> Path | None:
    """The folder of a project or of its file; None for an artifact."""
    place = absolute(path)
    if place.suffix == ".zip" or not place.exists():
        return None
    return place if place.is_dir() else place.parent
