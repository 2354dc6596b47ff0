"""What the audit reads of each service: those that are configured, or the repository itself."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..config.artifact import Artifact
from ..config.services import REPOSITORY, ServiceConfig, read_services
from .service import Service, artifact_service, read_service


def configured_services(
    rootpath: Path, environ: Mapping[str, str] = os.environ
) -> Iterator[Service]:
    """Services of ``[tool.pytest-arm64]``: those with a table, and folders that a pattern names.

    Args:
        rootpath: the folder of the ``pyproject.toml``.
        environ: variables for ``${NAME}`` in requirement files.

    Raises:
        SettingsError: a table is wrong, or a service's files cannot be read.
    """
    for service in read_services(rootpath):
        yield wished(service, rootpath, environ)


def wished(
    service: ServiceConfig, rootpath: Path, environ: Mapping[str, str] = os.environ
) -> Service:
    """What the files of *service* ask for.

    Raises:
        SettingsError: one cannot be read.
    """
    if service.artifact is not None:
        return artifact_service(
            service.artifact, environ, name=service.name, root=rootpath, folder=service.folder
        )
    files = service.requirements
    if not service.named:
        return read_service(service.folder, environ, name=service.name, root=rootpath)
    return read_service(
        files[0], environ, name=service.name, root=rootpath, requirements=_plain(files)
    )


def repository_service(
    rootpath: Path,
    requirements: tuple[Path, ...],
    environ: Mapping[str, str] = os.environ,
    artifact: Artifact | None = None,
) -> Service:
    """The repository as the one service that it is where none is configured.

    *artifact* is what is deployed, where it is built already.

    Raises:
        SettingsError: it has no file that says what is deployed, or one that cannot be read.
    """
    if artifact is not None:
        return artifact_service(artifact, environ, name=REPOSITORY, root=rootpath, folder=rootpath)
    return read_service(rootpath, environ, root=rootpath, requirements=requirements)


def _plain(files: tuple[Path, ...]) -> tuple[Path, ...]:
    """Requirement files; a lone lock or project file decides by itself."""
    return () if len(files) == 1 and files[0].suffix in (".toml", ".lock") else files
