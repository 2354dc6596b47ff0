"""Where the sessions of a run take place: a container for each cell."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from .. import cache
from ..config.project import Project
from ..errors import EmulationError, InstallError
from ..inside.ran import Ran
from ..mirror.deaths import Ground
from ..mirror.transport import ContainerTransport, Transport
from ..report.matrix_output import printable
from .cells import PlannedCell, Role, planned_cells
from .tool_folders import tool_folders

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ..binary.record import AbiRecord
    from ..config.cell import Cell
    from ..config.changes import Change
    from ..decide.assessment import Assessment
    from ..engine.endpoint import Engine
    from ..environment.build import Environment
    from ..environment.record import InstallRecord
    from ..index.pip_config import PipConfig
    from ..progress import Progress


@dataclass(frozen=True)
class Place:
    """Where a session runs: the way there, what is shown of it, what its fixtures tell."""

    transport: Transport
    header: tuple[str, ...]
    ran: Ran
    where: str
    """For a death's report: machine, core, native or emulated."""
    lacks: str = ""
    """For the report of an illegal instruction: what this core does not have."""
    shm_size: int = 0
    """Bytes of ``/dev/shm``, for the report of a bus error; 0 where they are not known."""
    summary: str = ""
    """What every result has to say of itself, whatever the verbosity; empty for nothing."""
    assessment: Assessment | None = None
    """What the audit found; None where nothing was audited."""
    record: InstallRecord | None = None
    """What is installed there; None where nothing was installed for it."""
    copied: bool = False
    """Whether what tests write into the project does not come to the host."""
    abi: AbiRecord | None = None
    """What was found in the compiled files of that; None where nobody looked."""

    def ground(self, timeout: float) -> Ground:
        """What there is to say of it where a process dies; *timeout* in seconds, 0 for any."""
        return Ground(self.where, self.lacks, timeout, self.shm_size, bool(self.ran.limits))


class NotBuiltError(Exception):
    """The environment of a place could not be built; the audit of it was made all the same."""

    def __init__(self, cause: InstallError, assessment: Assessment) -> None:
        super().__init__(cause.what)
        self.cause = cause
        self.assessment = assessment


OpenPlace = Callable[[PlannedCell], AbstractContextManager[Place]]


@contextmanager
def container_places(
    project: Project, gate: str, pip_config: Future[PipConfig], *, conformance: bool = False
) -> Iterator[OpenPlace]:
    """Containers of one engine, each with the project's environment in it.

    Raises:
        SettingsError: the repository root must not be mounted.

    *gate* is what of the audit fails the run, empty for the default; *pip_config* is the host's;
    *conformance* is whether the conformance suite is to run, whose cases in C are then compiled
    for each cell.
    """
    from .mounts import refuse_root

    refuse_root(project.root, copied=project.settings.copy)
    # What talks to an engine is loaded when one is needed.
    from ..decide.assessment import assess
    from ..engine.endpoint import open_engine
    from ..index.workers import in_background
    from ..report.progress import TerminalProgress

    progress = TerminalProgress(sys.stdout)
    with open_engine() as engine:
        if project.settings.require_native and engine.machine != "aarch64":
            raise EmulationError(
                f"--arm64-require-native: this engine's machine is {engine.machine}",
                why="the tests would be emulated",
                next_step="run on an ARM machine, or leave the option out",
            )
        # Beside the making of the environment: before, it would only keep that waiting.
        audit = in_background(partial(assess, project, policy=gate, config=pip_config.result))
        places = _Containers(engine, project, progress, pip_config, audit)
        yield places.open_with_cases if conformance else places.open


class _Containers:
    def __init__(
        self,
        engine: Engine,
        project: Project,
        progress: Progress,
        pip_config: Future[PipConfig],
        audit: Future[Assessment],
    ) -> None:
        self._engine = engine
        self._project = project
        self._progress = progress
        self._pip_config = pip_config
        self._audit = audit
        self._environments: dict[tuple[str, Cell, tuple[Change, ...]], Environment] = {}

    @contextmanager
    def open(self, planned: PlannedCell) -> Iterator[Place]:
        from ..engine.emulation import lacking
        from ..report.header import header_lines, limits_lines, summary_line
        from .cell_container import cell_container, cell_environment
        from .coverage import kept_outside_of_the_copy
        from .lambda_container import function_environment, limits_in_words
        from .preflight import ownership_lines, preflight_lines

        cell, engine = planned.cell, self._engine
        settings = self._project.settings_of(planned.service)
        try:
            environment = self._environment(planned)
        except InstallError as error:
            raise NotBuiltError(error, self._audit.result()) from error
        environment = replace(environment, abi=self._with_repository(environment, planned))
        variables = {
            **function_environment(settings, planned.service),
            **cell_environment(engine, cell, environment, settings, os.environ),
        }
        if environment.built_from:
            variables["PYTEST_ARM64_SOURCE"] = json.dumps(list(map(str, environment.built_from)))
        ran = environment.ran
        mirrored = planned.role is Role.MIRRORED
        limits = limits_in_words(settings, engine, emulated=ran.emulated)
        with cell_container(
            engine,
            cell,
            environment,
            settings,
            copied=settings.copied or not mirrored,
            writable=tuple(tool_folders(self._project.rootpath)) if settings.read_only else (),
        ) as (container, mounted):
            local = mounted and not settings.read_only
            if not local:
                variables = {**kept_outside_of_the_copy(), **variables}
            yield Place(
                transport=ContainerTransport(
                    container, variables, (environment.user.uid, environment.user.gid)
                ),
                header=(
                    *header_lines(cell, environment, mounted=mounted),
                    *limits_lines(limits),
                    *_clock(engine),
                    *_cache(),
                    *preflight_lines(settings.root, cell.architecture),
                    *(ownership_lines(settings.root, os.getuid()) if mounted else ()),
                ),
                ran=replace(ran.ran(cell.target), limits=limits),
                where=f"{ran.machine}, {'emulated' if ran.emulated else 'native'}, {ran.core}",
                lacks=lacking(cell.core) if ran.emulated and cell.architecture == "arm64" else "",
                shm_size=0 if limits else settings.shm_size,
                summary=summary_line(cell, ran),
                assessment=self._assessment(environment, planned) if mirrored else None,
                copied=not local,
                record=environment.record,
                abi=environment.abi,
            )

    @contextmanager
    def open_with_cases(self, planned: PlannedCell) -> Iterator[Place]:
        from ..environment.native_cases import LIBRARY, native_cases

        offline = self._project.settings.offline
        library = native_cases(self._engine, planned.cell, self._progress, offline=offline)
        with self.open(planned) as place:
            place.transport.give({LIBRARY: library})
            yield place

    def _with_repository(self, environment: Environment, planned: PlannedCell) -> AbiRecord:
        """What was found in compiled files, those of the repository's own included.

        Where x86 runs first, nothing is grave that is the same there.
        """
        from ..binary.pages import Pages
        from ..binary.repository import with_repository
        from ..binary.same_on_x86 import without_common
        from ..inputs.tracked_files import tracked_files

        if planned.cell.architecture != "arm64" or planned.role is not Role.MIRRORED:
            return environment.abi
        folder = planned.service.folder
        pages = Pages(planned.cell.target.facts.page_size)
        abi = environment.abi
        for (service, cell, _), other in self._environments.items():
            if service == planned.service.name and cell.architecture == "amd64":
                abi = without_common(abi, other.abi)
        return with_repository(abi, folder, tracked_files(folder), pages)

    def _assessment(self, environment: Environment, planned: PlannedCell) -> Assessment:
        assessment = self._audit.result()
        if planned.changes:  # what is tried says nothing of what is deployed
            return assessment
        return assessment.installed(
            planned.service.name, planned.cell.target, environment.ran, environment.record
        )

    def _environment(self, planned: PlannedCell) -> Environment:
        """The cell's environment; x86 has the versions of ARM64, as locked its own."""
        from ..environment.build import make_environment

        service = planned.service
        key = (service.name, planned.cell, planned.changes)
        settings = replace(self._project.settings_of(service), changes=planned.changes)
        if key not in self._environments:
            like = None
            as_locked = planned.role is Role.REFERENCE and bool(self._project.given.changes)
            if planned.role in (Role.REFERENCE, Role.CHANGED) and not as_locked:
                like = self._environment(planned_cells(settings, service)[-1]).record
            self._environments[key] = make_environment(
                self._engine,
                planned.cell,
                settings,
                service.folder,
                self._progress,
                self._pip_config.result(),
                like=like,
                toml=self._project.files.toml,
            )
        return self._environments[key]


def _clock(engine: Engine) -> list[str]:
    from ..engine.clock import clock_error

    error = clock_error(engine.clock_ahead)
    return [f"arm64: {error.what}: {error.why}"] if error is not None else []


def _cache() -> list[str]:
    reason = cache.unwritable(cache.chosen_folder())
    return [f"arm64: nothing is cached: {printable(reason)}"] if reason else []
