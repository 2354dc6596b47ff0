"""The audit as a part of ``pytest --arm64``: matrices of the run's services, kept between runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from packaging.utils import canonicalize_name

from ..advisories.database import project_advisories
from ..audit.matrix import DEPLOY, PURE, SOURCE, WheelMatrix
from ..audit.matrix_cache import kept_matrices
from ..config.cell import ImageFacts
from ..config.project import Project
from ..config.targets import Target
from ..environment.record import InstallRecord
from ..errors import NothingToReadError, SettingsError
from ..index.pip_config import PipConfig, host_pip_config
from ..inputs.configured import configured_service, project_service
from ..inputs.service import Service
from .allowances import Allowance, read_accepted_defects, read_allowances, unused
from .baseline import Baseline, grave_defects, read_baseline
from .package_verdicts import ALL, GRAVITY, NEW, REPORT, PackageVerdict, verdicts

_NO_CONFIG = PipConfig({}, {}, ())
MACHINE = "aarch64"
_CONFIGURED = ("service", "services", "allow-source", "allow-advisory")


@dataclass(frozen=True)
class Assessment:
    """What the audit of a run found, and by what it is judged."""

    matrices: tuple[WheelMatrix, ...]
    policy: str = REPORT
    baseline: Baseline | None = None
    allowances: tuple[Allowance, ...] = ()
    bounded: frozenset[str] = frozenset()
    """Services that are declared to stay on x86: what they deploy may have no wheel."""
    observed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By service and name: the state in which a package was installed on the very target that
    was asked."""
    today: date = field(default_factory=date.today)
    problem: str = ""
    """Why there is no matrix although there is something to audit."""
    accepted_defects: tuple[Allowance, ...] = ()
    """Advisories that the team has accepted."""

    def installed(
        self, service: str, target: Target, ran: ImageFacts, record: InstallRecord
    ) -> Assessment:
        """With what was really installed for *service*, where that was on what was asked for.

        An installation with another Python, for x86 or on a stand-in says nothing about the
        target, but for one thing: a wheel for any machine that was built there is one here as well.
        The only service needs no name.
        """
        names = [matrix.service for matrix in self.matrices]
        name = names[0] if len(names) == 1 and not service else service
        if name not in names or ran.machine != MACHINE:
            return self
        deployed = [p for p in record.packages if p.scope == DEPLOY]
        states: dict[str, str] = {canonicalize_name(p.name): p.state for p in deployed}
        if ran.differences(target):
            versions = {canonicalize_name(p.name): p.version for p in deployed}
            states = {
                row.name: PURE
                for matrix in self.matrices
                if matrix.service == name
                for row in matrix.deployed
                if row.state == SOURCE
                and states.get(row.name) == PURE
                and versions[canonicalize_name(row.name)] == row.version
            }
        for matrix in self.matrices:
            if matrix.service == name:
                for row in matrix.deployed:
                    if row.installs_in_vain:
                        states.pop(row.name, None)
        return replace(self, observed={**self.observed, name: states})

    def verdicts(self) -> Iterator[PackageVerdict]:
        """The verdicts on all services."""
        for matrix in self.matrices:
            yield from verdicts(
                matrix,
                self.policy,
                baseline=self.baseline,
                allowances=self.allowances,
                bounded=matrix.service in self.bounded,
                observed=self.observed.get(matrix.service),
                today=self.today,
            )

    def tolerated(self, service: str) -> frozenset[str]:
        """Packages of *service* that are not green and fail nothing."""
        return frozenset(
            one.row.name
            for one in self.verdicts()
            if one.service == service and GRAVITY[one.state] and not one.failed
        )

    def reminders(self) -> Iterator[str]:
        """What is to be told of allowances: those that end soon, and those that nothing needs."""
        for allowance in (*self.allowances, *self.accepted_defects):
            if allowance.expires_soon(self.today):
                yield f"soon over: {allowance.told(self.today)}"
        used = [
            (matrix.service, row.name)
            for matrix in self.matrices
            for row in matrix.deployed
            if self.observed.get(matrix.service, {}).get(row.name, row.state) == SOURCE
        ]
        if all(matrix.complete for matrix in self.matrices):
            defects = [(m.service, d.id) for m in self.matrices for _, _, d in grave_defects(m)]
            idle = unused(self.allowances, used), unused(self.accepted_defects, defects)
            for allowance in (*idle[0], *idle[1]):
                yield f"not needed any more: {allowance.told(self.today)}"


def assess(
    project: Project,
    *,
    policy: str = "",
    environ: Mapping[str, str] = os.environ,
    config: Callable[[], PipConfig] = host_pip_config,
) -> Assessment:
    """The matrices of the services of *project*; none where no file lists what is deployed.

    Args:
        project: the project of the run, as it was read.
        policy: ``report``, ``new`` or ``all``; by default ``new`` where there is a baseline,
            ``all`` where services or allowances are configured, else ``report``.
        environ: the host's variables.
        config: tells pip's configuration.

    Raises:
        SettingsError: a file, a table, the baseline or pip's configuration cannot be read.
    """
    table, settings = project.files.table, project.settings
    baseline = read_baseline(project.root, project.services)
    chosen = _policy(policy, baseline, table)
    try:
        asked = list(_services(project, environ))
        matrices = kept_matrices(
            asked,
            environ,
            config() if asked else _NO_CONFIG,
            offline=settings.offline,
            refresh=settings.refresh,
            advisories=project_advisories(project.files),
        )
    except SettingsError as error:
        if chosen != REPORT:
            raise
        return Assessment((), problem=error.what)
    bounded = frozenset(s.name for s in project.services.declared if s.boundary is not None)
    allowances = read_allowances(table, project.services)
    accepted = read_accepted_defects(table, project.services)
    return Assessment(
        tuple(matrices), chosen, baseline, allowances, bounded, accepted_defects=accepted
    )


def _policy(asked: str, baseline: Baseline | None, table: Mapping[str, Any]) -> str:
    if asked:
        if asked == NEW and baseline is None:
            raise SettingsError(
                "--arm64-gate new: there is no arm64-baseline.json",
                next_step="pytest-arm64 audit --write-baseline",
            )
        return asked
    if baseline is not None:
        return NEW
    configured = any(key in table for key in _CONFIGURED)
    return ALL if configured else REPORT


def _services(project: Project, environ: Mapping[str, str]) -> Iterator[tuple[Service, Target]]:
    """What is audited, each with its target."""
    if project.files.configures_services:
        for configured in project.services.configured:
            target = project.settings_of(configured).target
            yield configured_service(configured, project.files, environ), target
        return
    settings = project.settings_of(project.itself)
    try:
        service = project_service(
            project.itself, project.files, settings.requirements, environ, settings.artifact
        )
    except NothingToReadError:
        return
    yield service, settings.target
