"""The project of one run: read once, frozen, and handed down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from .option_values import Given
from .project_files import ProjectFiles, read_project_files
from .services import ServiceConfig, Services, services_at
from .settings import Settings, load_settings
from .target_choice import target_of_all
from .targets import as_package


@dataclass(frozen=True)
class Project:
    """What the files, the options and the variables say together."""

    files: ProjectFiles
    settings: Settings
    services: Services
    given: Given
    """The options, which count before what a service says of itself."""

    @property
    def root(self) -> Path:
        """The repository's folder: what is mounted, and where the baseline lies."""
        return self.files.root

    @property
    def rootpath(self) -> Path:
        """The project's folder: pytest's rootdir."""
        return self.files.rootpath

    @property
    def itself(self) -> ServiceConfig:
        """The project as a service."""
        return self.services.itself

    @cached_property  # asked for each test
    def has_several_targets(self) -> bool:
        """Whether not all of its services are deployed on the same one."""
        declared = self.services.declared
        return len({self.settings_of(service).target.name for service in declared}) > 1

    def settings_of(self, service: ServiceConfig) -> Settings:
        """The settings of the run with what *service* says of itself."""
        settings = self._on_its_target(service)
        if service.itself:
            return settings
        files = service.requirements
        alone = len(files) == 1 and files[0].suffix in (".toml", ".lock")
        return replace(
            settings,
            artifact=service.artifact,
            requirements=() if alone else files,
            test_requirements=service.test_requirements or settings.test_requirements,
            install=service.install or settings.install,
            system_packages=settings.system_packages
            if service.system_packages is None
            else service.system_packages,
            env=(*settings.env, *service.env),
            network=service.network or settings.network,
            memory=settings.memory if self.given.memory else service.memory or settings.memory,
            shm_size=settings.shm_size
            if self.given.shm_size
            else service.shm_size or settings.shm_size,
            tmp_size=service.tmp_size or settings.tmp_size,
            lambda_code=service.lambda_code or settings.lambda_code,
        )

    def _on_its_target(self, service: ServiceConfig) -> Settings:
        settings = self.settings
        target = as_package(service.target or settings.target, service.package)
        # The image of the table belongs to the target of the table.
        others = service.target is not None and settings.image == self.files.table.get("image")
        return replace(
            settings,
            target=target,
            image="" if others else settings.image,
            cores_by_code=settings.cores_by_code if settings.cores_named else not target.package,
        )


def load_project(given: Given, environ: Mapping[str, str], *, rootpath: Path, cwd: Path) -> Project:
    """Read and check everything that is said of the project at *rootpath*.

    Args:
        given: the options of the run.
        environ: the host's environment variables.
        rootpath: pytest's rootdir; its ``pyproject.toml`` is read.
        cwd: what paths given as options are relative to.

    Raises:
        SettingsError: something cannot be used; the message names the place.
    """
    files = read_project_files(rootpath)
    settings = load_settings(given, environ, files=files, cwd=cwd)
    services = services_at(files)
    if target_of_all(given.target, environ):
        services = services.on_one_target
    return Project(files, settings, services, given)
