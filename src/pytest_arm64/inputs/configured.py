"""What the audit reads of each service: those that are configured, or the repository itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ..config.artifact import Artifact
from ..config.project_files import ProjectFiles
from ..config.services import ServiceConfig
from .service import Service, artifact_service, locked_by_workspace, read_service


def configured_service(
    service: ServiceConfig, files: ProjectFiles, environ: Mapping[str, str] = os.environ
) -> Service:
    """What the files of *service* of the project ask for.

    Raises:
        SettingsError: one cannot be read.
    """
    name, root, toml = service.name, files.rootpath, files.toml
    if service.artifact is not None:
        folder = service.folder
        return artifact_service(
            service.artifact, environ, name=name, root=root, folder=folder, toml=toml
        )
    listed = service.requirements
    if not service.named or (len(listed) == 1 and locked_by_workspace(listed[0], toml)):
        return read_service(service.folder, environ, name=name, root=root, toml=toml)
    return read_service(
        listed[0], environ, name=name, root=root, requirements=_plain(listed), toml=toml
    )


def project_service(
    itself: ServiceConfig,
    files: ProjectFiles,
    requirements: tuple[Path, ...],
    environ: Mapping[str, str] = os.environ,
    artifact: Artifact | None = None,
) -> Service:
    """The project as the one service that it is where none is configured.

    *artifact* is what is deployed, where it is built already.

    Raises:
        SettingsError: it has no file that says what is deployed, or one that cannot be read.
    """
    root = files.rootpath
    if artifact is not None:
        return artifact_service(
            artifact, environ, name=itself.name, root=root, folder=root, toml=files.toml
        )
    return read_service(
        root, environ, name=itself.name, root=root, requirements=requirements, toml=files.toml
    )


def _plain(files: tuple[Path, ...]) -> tuple[Path, ...]:
    """Requirement files; a lone lock or project file decides by itself."""
    return () if len(files) == 1 and files[0].suffix in (".toml", ".lock") else files
