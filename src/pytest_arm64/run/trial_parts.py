"""What ``--arm64-try`` tries in which part of a run; refused before anything is built."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import pytest

from ..advisories.database import project_advisories
from ..audit.auditor import Auditor
from ..config.changes import Change
from ..config.project import Project
from ..config.services import ServiceConfig
from ..decide.tryable import Trials, proposed_changes, untouched
from ..errors import NothingToReadError, SettingsError
from ..index.pip_config import PipConfig
from ..inputs.configured import configured_service, project_service
from ..inputs.service import Service
from ..inside.options import TRY
from ..progress import Progress
from ..report.progress import TerminalProgress
from .asked_early import pip_config
from .cells import planned_cells
from .parts import RunPart


@dataclass(frozen=True)
class TriedParts:
    """The parts of a run, each with the changes that concern it."""

    parts: tuple[RunPart, ...]
    lines: tuple[str, ...] = ()
    """What is not tried, and why."""


def parts_to_try(config: pytest.Config, project: Project, parts: Sequence[RunPart]) -> TriedParts:
    """Those of *parts* that the changes of this run concern.

    Raises:
        SettingsError: a change cannot be resolved, or none concerns any part.
    """
    progress = TerminalProgress(sys.stdout)
    return tried_parts(parts, project, pip_config(config).result, progress)


def tried_parts(
    parts: Sequence[RunPart],
    project: Project,
    config: Callable[[], PipConfig],
    progress: Progress,
) -> TriedParts:
    """Those of *parts* that the changes concern, each with its own; what nothing asks for is said.

    Raises:
        SettingsError: a change cannot be resolved, or none concerns any part.
    """
    settings = project.settings
    with (
        progress.step("resolve the changes") as step,
        Auditor(
            offline=settings.offline,
            refresh=settings.refresh,
            config=config,
            advisories=project_advisories(project.files),
            say=step.update,
        ) as auditor,
    ):
        chosen = list(_chosen(parts, project, auditor))
    tried = [part for part, _ in chosen if part.settings.changes]
    lines = [f"not tried: {part.name}: {line}" for part, line in chosen if line]
    used = {change.name for part in tried for change in part.settings.changes}
    for change in settings.changes:
        if change.name not in used:
            names = ", ".join(part.name for part in parts)
            raise SettingsError(
                f"{TRY} {change}: nothing that is deployed by {names} asks for {change.name}",
                next_step="pytest-arm64 audit --all lists what is deployed",
            )
    if not tried:
        raise SettingsError(
            f"{TRY} fixes: the audit proposes no change that can be tried",
            next_step="pytest-arm64 audit shows what it proposes, and why",
        )
    return TriedParts(tuple(tried), tuple(lines))


def _chosen(
    parts: Sequence[RunPart], project: Project, auditor: Auditor
) -> Iterator[tuple[RunPart, str]]:
    """Each part with the changes that concern it, and why it has none."""
    for part in parts:
        if part.service.boundary is not None and not part.service.itself:
            yield _with(part, ()), "it is declared to stay on x86"
            continue
        service = _service(part.service, project)
        if service is None:
            yield _with(part, ()), "no file lists what is deployed"
            continue
        yield _for_service(part, service, auditor)


def _for_service(part: RunPart, service: Service, auditor: Auditor) -> tuple[RunPart, str]:
    target = part.settings.target
    trials = Trials(auditor, target)
    given = part.settings.changes
    idle = untouched(service, given, trials.names(service) if given else ())
    changes = {change.name: change for change in given if change not in idle}
    if part.settings.try_fixes:
        for change in proposed_changes(auditor.matrix(service, target)):
            changes.setdefault(change.name, change)
    if not changes:
        return _with(part, ()), "no change concerns it"
    objection = trials.objection(service, tuple(changes.values()))
    if objection:
        shown = ", ".join(map(str, changes.values()))
        raise SettingsError(
            f"{TRY} {shown}: {part.name} cannot be resolved with it",
            why=objection,
            next_step="try another release, or add what has to change with it: another --arm64-try",
        )
    return _with(part, tuple(changes.values())), ""


def _with(part: RunPart, changes: tuple[Change, ...]) -> RunPart:
    settings = replace(part.settings, changes=changes)
    return replace(part, settings=settings, cells=planned_cells(settings, part.service))


def _service(service: ServiceConfig, project: Project) -> Service | None:
    """What the files of *service* ask for; None where none says it."""
    try:
        if service.itself or not project.files.configures_services:
            requirements = project.settings.requirements
            return project_service(service, project.files, requirements, os.environ)
        return configured_service(service, project.files, os.environ)
    except NothingToReadError:
        return None
