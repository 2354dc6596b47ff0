"""The install plan: exactly which file of each package goes into the environment, in which order.

It is what the audit resolves, for the image that was found rather than the target that was asked.
What the audit cannot decide without running something is said, and left to pip.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from ..audit.auditor import Auditor
from ..audit.candidates import LockCandidates
from ..audit.locked import locked_tree, unlocked
from ..audit.matrix import BLOCKER, BUILD, DEPLOY, TEST
from ..audit.platform import Platform, platform_of
from ..audit.sources import archive_of
from ..config.cell import Cell, ImageFacts
from ..index.fetch import Fetcher, FetchError
from ..index.pip_config import PipConfig
from ..index.repositories import reference_of
from ..inputs.changed import with_changes
from ..inputs.lock import Lock
from ..inputs.manifest import Manifest, Scope
from ..inputs.project import local_project, read_project
from ..inputs.project_indexes import read_project_settings
from ..inputs.reading import Reading
from ..inputs.requirement_file import read_requirement_file
from ..inputs.requirements import (
    LocalProject,
    RequirementSet,
    SourcedRequirement,
    sourced_requirement,
)
from ..inputs.service import with_requirements
from .deciding_lock import lock_of
from .installation_order import installation_order
from .local_projects import ProjectSource, Resolver
from .planned_scope import (
    ImpossibleError,
    InstallPlan,
    LocalPlaces,
    NotPlannableError,
    PlannedPackage,
    ScopePlan,
    planned_package,
    resolved_scope,
)

# Of pip's configuration, what the audit's client does the same way, or what changes no file.
_UNDERSTOOD = frozenset(
    [
        *("index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "proxy"),
        *("constraint", "no-binary", "only-binary", "timeout", "default-timeout", "retries"),
        *("disable-pip-version-check", "no-input", "progress-bar", "no-color", "no-cache-dir"),
        *("exists-action", "no-warn-script-location", "break-system-packages", "no-compile"),
    ]
)

_UNNAMED = "the project's name is only known after a build"
Constraint = tuple[Requirement, SourcedRequirement]


@dataclass(frozen=True)
class PlanRequest:
    """What is to be planned, and for what."""

    manifest: Manifest
    runner: tuple[str, ...]
    """Requirements of the session inside, added to the test scope."""
    config: PipConfig
    cell: Cell
    ran: ImageFacts
    pins: tuple[str, ...] = ()
    """Constraints on both scopes: the versions of another architecture."""
    there: tuple[str, ...] | None = None
    """``name==version`` of what is deployed already, in an artifact."""


def make_plan(
    plan_request: PlanRequest, auditor: Auditor, ask: ProjectSource | None = None
) -> tuple[InstallPlan, Fetcher]:
    """The plan, and the way to fetch its files.

    Args:
        plan_request: what is to be planned.
        auditor: resolves it.
        ask: asks build back ends for what local projects compute; without it, pip has to.

    Raises:
        NotPlannableError: pip has to decide.
        InstallError: neither pip nor anybody else can install it.
        SettingsError: a requirement file cannot be read.
    """
    unknown = sorted(set(plan_request.config.settings) - _UNDERSTOOD)
    if unknown:
        raise NotPlannableError(f"pip's setting {unknown[0]} is pip's own business")
    return _Planning(plan_request, auditor, ask).plan()


class _Planning:
    """Plans both scopes: what the tests need has to go together with what is deployed."""

    def __init__(
        self, plan_request: PlanRequest, auditor: Auditor, ask: ProjectSource | None
    ) -> None:
        self._plan_request = plan_request
        self._auditor = auditor
        self._manifest = plan_request.manifest
        self._platform = platform_of_run(plan_request.cell, plan_request.ran)
        self._resolve = Resolver(auditor, self._platform, ask)
        self._lock = lock_of(self._manifest)
        self._pins = tuple(
            (pin, sourced_requirement(pin, "the other architecture"))
            for pin in map(Requirement, plan_request.pins)
        )
        deploy = _requirement_set(self._manifest.deploy, self._manifest, self._resolve)
        self._deploy = _limited(deploy, self._pins)
        self._test = _requirement_set(
            self._manifest.test, self._manifest, self._resolve, tests=True
        )

    def plan(self) -> tuple[InstallPlan, Fetcher]:
        deployed = self._deployed()
        changed: tuple[str, ...] = ()
        try:
            tests = self._tests(deployed)
        except ImpossibleError as error:
            apart, deployed = deployed, self._together(error)
            tests = self._tests(deployed)
            changed = tuple(_differences(apart, deployed))
        there = {package.name for package in deployed.packages}
        there |= {canonicalize_name(pin.name) for pin in self._there}
        more = [package for package in tests.packages if package.name not in there]
        wanted = self._deploy if self._deploy.requirements else self._test
        deployed_places = {*deployed.editable, *deployed.folders}
        plan = InstallPlan(
            (*deployed.packages, *more),
            {
                DEPLOY: LocalPlaces(tuple(deployed.editable), tuple(deployed.folders)),
                TEST: LocalPlaces(
                    tuple(place for place in tests.editable if place not in deployed_places),
                    tuple(place for place in tests.folders if place not in deployed_places),
                ),
            },
            changed,
        )
        return plan, self._auditor.index(wanted, self._lock).fetcher

    @property
    def _there(self) -> list[Requirement]:
        """What an artifact has."""
        return [Requirement(pin) for pin in self._plan_request.there or ()]

    def _deployed(self) -> ScopePlan:
        if self._plan_request.there is not None:
            return ScopePlan()  # it is deployed, whatever led to it
        if self._lock is not None:
            return _locked(self._auditor, self._lock, self._manifest, self._platform)
        return resolved_scope(self._resolve, self._deploy, DEPLOY)

    def _tests(self, deployed: ScopePlan) -> ScopePlan:
        """What the tests need beside what is *deployed*.

        What nobody has written down gives way: the versions of the session's own requirements,
        and those that a lock has of what it does not deploy.
        """
        pins = [Requirement(f"{p.name}=={p.version}") for p in deployed.packages if p.version]
        pins += self._there
        asked = {w.name: f", by {w.origin}" for _, w in self._deploy.requirements if w.origin}
        limits = tuple(
            (pin, sourced_requirement(pin, f"deployed{asked.get(canonicalize_name(pin.name), '')}"))
            for pin in pins
        )
        test = _limited(self._test, (*limits, *self._pins))
        test = replace(test, locals=(*test.locals, *deployed.repositories))
        tried = {change.name for change in self._manifest.changes}
        held = _of_lock(self._lock) if self._lock is not None else ()
        locked = tuple(pin for pin in held if pin[1].name not in tried)
        runner = self._plan_request.runner
        attempts = [
            _limited(_for_session(test, names), locked) for names in (runner, _names(runner))
        ]
        attempts += [_for_session(test, _names(runner))] if locked else []
        impossible = None
        for attempt in attempts:
            try:
                # With the versions of another architecture, pip may find more.
                return resolved_scope(self._resolve, attempt, TEST, leave_to_pip=bool(self._pins))
            except ImpossibleError as error:
                impossible = impossible or error
        assert impossible is not None
        raise impossible

    def _together(self, error: ImpossibleError) -> ScopePlan:
        """What is deployed, in versions that admit what the tests need.

        Raises:
            ImpossibleError: *error*: there are none, or what is deployed is fixed.
        """
        if self._lock is not None or self._plan_request.there is not None:
            raise error
        both = _for_session(_merged(self._deploy, self._test), _names(self._plan_request.runner))
        tree, _ = self._resolve(both)
        if tree.problems:
            raise error
        pins = [Requirement(f"{n.name}=={n.version}") for n in tree.nodes.values() if n.version]
        limits = tuple((pin, sourced_requirement(pin, "what the tests need")) for pin in pins)
        return resolved_scope(self._resolve, _limited(self._deploy, limits), DEPLOY)


def _limited(requirement_set: RequirementSet, limits: Iterable[Constraint]) -> RequirementSet:
    return replace(requirement_set, constraints=(*requirement_set.constraints, *limits))


def _for_session(requirement_set: RequirementSet, runner: tuple[str, ...]) -> RequirementSet:
    return with_requirements(requirement_set, runner, "the session inside")


def _names(requirements: Iterable[str]) -> tuple[str, ...]:
    return tuple(Requirement(text).name for text in requirements)


def _merged(deploy: RequirementSet, test: RequirementSet) -> RequirementSet:
    """Both as if one file listed them."""
    locals_ = {local.name: local for local in (*test.locals, *deploy.locals)}
    return replace(
        deploy,
        requirements=(*deploy.requirements, *test.requirements),
        constraints=(*deploy.constraints, *test.constraints),
        overrides=(*deploy.overrides, *test.overrides),
        locals=tuple(locals_.values()),
        index=deploy.index or test.index,
        extra_indexes=tuple(dict.fromkeys((*deploy.extra_indexes, *test.extra_indexes))),
        links=tuple(dict.fromkeys((*deploy.links, *test.links))),
        no_index=deploy.no_index or test.no_index,
        prereleases=deploy.prereleases or test.prereleases,
        formats=test.formats.over(deploy.formats),
        gaps=(*deploy.gaps, *test.gaps),
    )


def _differences(apart: ScopePlan, together: ScopePlan) -> Iterator[str]:
    """Where the tests change which versions are deployed."""
    newest = {package.name: package.version for package in apart.packages}
    for package in together.packages:
        version = newest.get(package.name, package.version)
        if version != package.version:
            yield (
                f"{package.name} {package.version} is installed, not {version}, which would be "
                "deployed: the tests do not admit it"
            )


def plan_build(
    plan_request: PlanRequest, auditor: Auditor, requirements: Iterable[Requirement]
) -> list[PlannedPackage]:
    """Everything that a build needs.

    Raises:
        NotPlannableError: some of it cannot be had, or is not certain.
    """
    wanted = tuple((r, sourced_requirement(r, "a build", direct=True)) for r in requirements)
    platform = platform_of_run(plan_request.cell, plan_request.ran)
    resolve = Resolver(auditor, platform)
    manifest = replace(plan_request.manifest, project=None, whole=None, changes=())
    requirement_set = _requirement_set(Scope(), manifest, resolve)
    requirement_set = replace(requirement_set, requirements=wanted)
    packages = resolved_scope(resolve, requirement_set, BUILD).packages
    for package in packages:
        if package.state == BLOCKER:
            raise NotPlannableError(f"{package.name} has neither a wheel nor sources")
    return packages


def platform_of_run(cell: Cell, ran: ImageFacts) -> Platform:
    """Markers and tags of the image that was found.

    Raises:
        NotPlannableError: it has no glibc.
    """
    if not ran.glibc:
        raise NotPlannableError("the image has musl, for which the audit knows no tags")
    platform = platform_of(
        replace(cell.target, python=ran.python.minor, glibc=ran.glibc), cell.architecture
    )
    full = {"python_full_version": ran.python.version, "implementation_version": ran.python.version}
    return replace(platform, markers={**platform.markers, **full})


def _requirement_set(
    scope: Scope, manifest: Manifest, resolve: Resolver, *, tests: bool = False
) -> RequirementSet:
    reading = Reading(manifest.root, os.environ, toml=manifest.toml)
    for path in scope.files:
        read_requirement_file(path, reading)
    if manifest.own is not None:
        project = _own_project(manifest.own, reading, resolve, editable=manifest.whole is None)
        read_project_settings(manifest.own, reading)
        if not tests:
            wanted = Requirement(project.name)
            sourced = sourced_requirement(wanted, "the project", direct=True)
            reading.requirements.append((wanted, sourced))
    texts = scope.requirements
    if manifest.virtual and not tests and scope is manifest.deploy:
        read_project(manifest.root / "pyproject.toml", reading)
        texts = ()
    requirement_set = reading.requirement_set("environment")
    requirement_set = with_requirements(requirement_set, texts, "pyproject.toml")
    return with_changes(requirement_set, manifest.changes)


def _own_project(
    folder: Path, reading: Reading, resolve: Resolver, *, editable: bool
) -> LocalProject:
    """The project itself, in *folder*; its back end is asked where no file has its name."""
    project = local_project(folder, reading, editable=editable)
    if project is None:
        unnamed = LocalProject(
            "", "", folder.name, native=True, editable=editable, uri=folder.as_uri(), doubt=_UNNAMED
        )
        project = resolve.described(unnamed)
        if project.doubt:
            raise NotPlannableError(project.doubt)
        reading.locals[project.name] = project
    return project


def _locked(auditor: Auditor, lock: Lock, manifest: Manifest, platform: Platform) -> ScopePlan:
    tree = locked_tree(lock, lock.deploy, platform)
    for problem in tree.problems:
        raise NotPlannableError(problem)
    index = auditor.index(RequirementSet("", ()), lock)
    candidates = LockCandidates(lock, lambda: index, platform)
    asked = {need.name for need in lock.deploy.needs}
    scope_plan = ScopePlan(
        editable=[manifest.project] if manifest.project is not None else [],
        folders=[manifest.whole] if manifest.whole is not None else [],
    )
    if manifest.changes:
        scope_plan.packages.extend(_changed(auditor, lock, manifest, platform))
    for name in installation_order({n: node.parents for n, node in tree.nodes.items()}):
        local = candidates.locals.get(name)
        if local is None:
            if not manifest.changes:
                scope_plan.packages.append(
                    planned_package(tree, candidates, name, DEPLOY, requested=name in asked)
                )
        elif local.uri != manifest.root.as_uri():
            fetched = _fetched(local, auditor)
            scope_plan.add_local(fetched, DEPLOY, requested=name in asked)
    return scope_plan


def _changed(
    auditor: Auditor, lock: Lock, manifest: Manifest, platform: Platform
) -> Iterator[PlannedPackage]:
    """What *lock* deploys from indexes, with the changes to try; of its releases its own files."""
    wishes = with_changes(unlocked(lock, platform), manifest.changes)
    index = auditor.index(wishes, lock)
    resolved = resolved_scope(
        lambda requirement_set: auditor.resolved(index, requirement_set, platform), wishes, DEPLOY
    )
    for package in resolved.packages:
        release = lock.release(package.name, Version(package.version))
        hashes = {file.sha256 for file in release.files if file.sha256} if release else set()
        yield replace(package, allowed=frozenset(hashes))


def _fetched(local: LocalProject, auditor: Auditor) -> LocalProject:
    """*local* with its sources, where a lock names it by a commit of a repository."""
    reference = reference_of(local.uri)
    if reference is None:
        return local
    try:
        checkout = auditor.repositories.checkout(local.name, reference)
    except FetchError as error:
        raise NotPlannableError(str(error)) from None
    return replace(local, archive=archive_of(local.name, local.version, reference, checkout))


def _of_lock(lock: Lock) -> Iterator[tuple[Requirement, SourcedRequirement]]:
    """The lock's versions as constraints, for what only the tests need."""
    for name, releases in lock.releases.items():
        if len(releases) == 1 and releases[0].version and releases[0].local is None:
            pin = Requirement(f"{name}=={releases[0].version}")
            yield pin, sourced_requirement(pin, lock.shown)
