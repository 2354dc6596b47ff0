"""What every way to run tests elsewhere begins and ends with."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ..config.project import Project, load_project
from ..config.services import ServiceConfig
from ..config.trust import refuse_untrusted
from ..decide.package_verdicts import REPORT
from ..errors import SettingsError
from ..inputs.manifest import read_manifest
from ..inside.frames import TerminalLook
from ..inside.ran import Ran
from ..mirror.deaths import SecondTry
from ..mirror.mirror import HostMirror
from ..mirror.pytest_internals import terminal_look, terminal_reporter
from ..mirror.session import MirroredSession
from ..mirror.task import NO_TERMINAL, End, Task
from ..report.matrix_output import printable
from .arguments import (
    call_services_by_name,
    inner_arguments,
    positional,
    refuse_what_cannot_work,
)
from .asked_early import pip_config
from .cells import PlannedCell
from .parts import RunPart
from .place import OpenPlace, Place, container_places
from .usage import given_options

SUITE = ("pytest_arm64.conformance", "pytest_arm64/conformance")
"""What the arguments name where the conformance suite is to run."""


PROJECT = pytest.StashKey[Project]()
_WIDENED = pytest.StashKey[tuple[str, ...]]()


def project_of(config: pytest.Config) -> Project:
    """The project of this run, read at the first call and never again.

    Raises:
        SettingsError: a file or an option says what cannot be used, or a file what needs trust.
    """
    if PROJECT not in config.stash:
        given = given_options(config, os.environ)
        project = load_project(
            given,
            os.environ,
            rootpath=config.rootpath,
            cwd=Path(config.invocation_params.dir),
        )
        image = given.image or os.environ.get("PYTEST_ARM64_IMAGE", "")
        config.stash[_WIDENED] = (
            *refuse_untrusted(
                project.files, project.services, os.environ, target=given.target, image=image
            ),
            *(f"widened: {entry}" for entry in project.files.user.widened(os.environ)),
        )
        config.stash[PROJECT] = project
    return config.stash[PROJECT]


def widened_lines(config: pytest.Config) -> list[str]:
    """For the header: what the project's files widen in this run, and who has allowed it."""
    return [f"arm64: {printable(line)}" for line in config.stash[_WIDENED]]


def prepare(config: pytest.Config) -> tuple[Project, Task]:
    """The project, and the task of a session inside but for the facts of its place.

    Raises:
        SettingsError: something in it cannot be used.
    """
    refuse_what_cannot_work(config.option)
    project = project_of(config)
    call_services_by_name(config.option, project)
    task = Task(
        args=inner_arguments(config.invocation_params.args),
        cwd=str(config.invocation_params.dir),
        module=Path(sys.argv[0]).name == "__main__.py",
        ran=Ran(),
        terminal=_terminal(config),
        timeout=project.settings.timeout,
    )
    return project, task


def session_in(
    place: Place,
    task: Task,
    session: pytest.Session,
    mirror: HostMirror,
    repeat: Callable[[Sequence[str], End], SecondTry | None] = lambda _nodeids, _end: None,
) -> MirroredSession:
    """A session at *place*, which *mirror* shows; *repeat* as for ``MirroredSession``."""
    return MirroredSession(
        session,
        place.transport,
        lambda finished, failed: replace(
            task, finished=finished, failed=failed, nonce=uuid.uuid4().hex
        ),
        place.ground(task.timeout),
        mirror,
        repeat,
    )


def show_provenance(
    reporter: pytest.TerminalReporter, places: Sequence[Place], problems: Sequence[str]
) -> None:
    """Below the results: where they come from, and why they must not be believed."""
    for line in dict.fromkeys(place.summary for place in places if place.summary):
        reporter.line(line)
    if problems:
        reporter.section("arm64: incomplete run", red=True, bold=True)
        for problem in problems:
            reporter.line(problem, red=True)


def _terminal(config: pytest.Config) -> TerminalLook:
    reporter = terminal_reporter(config)
    return NO_TERMINAL if reporter is None else terminal_look(reporter)


def _refuse_broken_files(project: Project, services: Sequence[ServiceConfig]) -> None:
    """Read what the environments of *services* are built from, before an engine is asked.

    Raises:
        SettingsError: no environment can be built, because of lines that no installer accepts; of
            several services, each of the others still runs.
    """
    errors = []
    for service in services:
        try:
            read_manifest(project.settings_of(service), service.folder, project.files.toml)
        except SettingsError as error:
            errors.append(error)
    if errors and len(errors) == len(services):
        raise errors[0]


@contextmanager
def places(
    config: pytest.Config, project: Project, parts: Sequence[RunPart] = ()
) -> Iterator[OpenPlace]:
    """Places of a plugin's, or containers, for *parts*; without parts, for the project itself.

    Raises:
        SettingsError: nothing can be built there, because of lines that no installer accepts.
    """
    _refuse_broken_files(project, [part.service for part in parts] or [project.itself])

    @contextmanager
    def provided(planned: PlannedCell) -> Iterator[Place]:
        opened = config.hook.pytest_arm64_place(
            config=config, settings=project.settings, planned=planned
        )
        with opened as place:
            yield place

    if config.hook.pytest_arm64_place.get_hookimpls():
        yield provided
    else:
        # What is tried is judged; what is deployed only shown.
        gate = config.option.arm64_gate or (REPORT if config.option.arm64_try else "")
        conformance = any(
            name in argument for argument in positional(config.option) for name in SUITE
        )
        with container_places(project, gate, pip_config(config), conformance=conformance) as opened:
            yield opened
