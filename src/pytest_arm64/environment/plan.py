"""The install plan: exactly which file of each package goes into the environment, in which order.

It is what the audit resolves, for the image that was found rather than the target that was asked.
What the audit cannot decide without running something is said, and left to pip.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from ..audit.auditor import Auditor
from ..audit.candidates import Candidates, LockCandidates
from ..audit.classify import state_of
from ..audit.index_candidates import IndexCandidates
from ..audit.locked import locked_tree
from ..audit.matrix import BLOCKER, BUILD, DEPLOY, SOURCE, TEST
from ..audit.platform import Platform, platform_of
from ..audit.sources import archive_of
from ..config.cell import Cell, ImageFacts
from ..errors import InstallError
from ..index.addresses import file_path
from ..index.fetch import Fetcher, FetchError
from ..index.pip_config import PipConfig
from ..index.repositories import reference_of
from ..index.simple import IndexFile
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
    Tree,
    sourced_requirement,
)
from ..inputs.service import with_requirements
from .deciding_lock import lock_of
from .installation_order import installation_order

# Of pip's configuration, what the audit's client does the same way, or what changes no file.
_UNDERSTOOD = frozenset(
    [
        *("index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "proxy"),
        *("constraint", "no-binary", "only-binary", "timeout", "default-timeout", "retries"),
        *("disable-pip-version-check", "no-input", "progress-bar", "no-color", "no-cache-dir"),
        *("exists-action", "no-warn-script-location", "break-system-packages", "no-compile"),
    ]
)


class NotPlannableError(Exception):
    """The audit cannot decide this environment; the text says what stands in the way."""


@dataclass(frozen=True)
class PlannedPackage:
    """One package of the plan."""

    name: str
    version: str
    scope: str
    state: str
    """pure, wheel, source or blocker."""
    file: str = ""
    url: str = ""
    """Where the file is, complete; shown without credentials only."""
    sha256: str = ""
    allowed: frozenset[str] = frozenset()
    """SHA-256 values, one of which it must have; empty where the requirements name none."""
    requested: bool = False


@dataclass(frozen=True)
class InstallPlan:
    """Packages in the order in which they are unpacked: where two share a path, the later wins."""

    packages: tuple[PlannedPackage, ...]
    editable: tuple[Path, ...] = ()
    """Local projects that stay where they are; their dependencies are among the packages."""
    folders: tuple[Path, ...] = ()
    """Local projects that are built and copied."""

    def of_state(self, state: str) -> tuple[PlannedPackage, ...]:
        return tuple(package for package in self.packages if package.state == state)


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


def make_plan(plan_request: PlanRequest, auditor: Auditor) -> tuple[InstallPlan, Fetcher]:
    """The plan, and the way to fetch its files.

    Raises:
        NotPlannableError: pip has to decide.
        InstallError: neither pip nor anybody else can install it.
        SettingsError: a requirement file cannot be read.
    """
    unknown = sorted(set(plan_request.config.settings) - _UNDERSTOOD)
    if unknown:
        raise NotPlannableError(f"pip's setting {unknown[0]} is pip's own business")
    platform = platform_of_run(plan_request.cell, plan_request.ran)
    deploy = _requirement_set(plan_request.manifest.deploy, plan_request.manifest)
    given = [Requirement(pin) for pin in plan_request.pins]
    elsewhere = tuple((pin, sourced_requirement(pin, "the other architecture")) for pin in given)
    deploy = replace(deploy, constraints=(*deploy.constraints, *elsewhere))
    lock = lock_of(plan_request.manifest)
    deployed = _ScopePlan()
    if plan_request.there is not None:
        pass  # it is deployed, whatever led to it
    elif lock is not None:
        deployed = _locked(auditor, lock, plan_request.manifest, platform)
        elsewhere = (*elsewhere, *_of_lock(lock))
    else:
        deployed = _resolved(auditor, deploy, platform, DEPLOY)
    test = _requirement_set(plan_request.manifest.test, plan_request.manifest, tests=True)
    test = with_requirements(test, plan_request.runner, "the session inside")
    test = replace(test, locals=(*test.locals, *deployed.repositories))
    pins = [Requirement(f"{p.name}=={p.version}") for p in deployed.packages if p.version]
    pins += [Requirement(pin) for pin in plan_request.there or ()]
    asked = {w.name: f", by {w.origin}" for _, w in deploy.requirements if w.origin}
    limits = tuple(
        (pin, sourced_requirement(pin, f"deployed{asked.get(canonicalize_name(pin.name), '')}"))
        for pin in pins
    )
    test = replace(test, constraints=(*test.constraints, *limits, *elsewhere))
    # The versions of a lock or of another architecture are wishes: pip may do without them.
    tests = _resolved(auditor, test, platform, TEST, leave_to_pip=bool(elsewhere))
    there = {canonicalize_name(pin.name) for pin in pins} | {p.name for p in deployed.packages}
    more = [package for package in tests.packages if package.name not in there]
    if {*tests.editable, *tests.folders} - {*deployed.editable, *deployed.folders}:
        raise NotPlannableError("a local project is only wanted by the tests")
    index = auditor.index(deploy if deploy.requirements else test, lock)
    packages = (*deployed.packages, *more)
    return InstallPlan(packages, tuple(deployed.editable), tuple(deployed.folders)), index.fetcher


@dataclass(frozen=True)
class _ScopePlan:
    """What one scope installs, in order."""

    packages: list[PlannedPackage] = field(default_factory=list)
    editable: list[Path] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    repositories: list[LocalProject] = field(default_factory=list)
    """Those of the packages that come out of a repository."""

    def add_local(self, local: LocalProject, scope: str, *, requested: bool) -> None:
        """Raises NotPlannableError: it is not known well enough, or not fetched."""
        if local.doubt:
            raise NotPlannableError(f"{local.name}: {local.doubt}")
        file = local.archive
        if file is not None:
            self.repositories.append(local)
            self.packages.append(
                PlannedPackage(
                    local.name,
                    local.version,
                    scope,
                    SOURCE,
                    file.name,
                    file.url,
                    file.sha256,
                    requested=requested,
                )
            )
        elif not local.uri.startswith("file:"):
            raise NotPlannableError("a repository is among the requirements")
        elif local.editable:
            self.editable.append(file_path(local.uri))
        else:
            self.folders.append(file_path(local.uri))


def plan_build(
    plan_request: PlanRequest, auditor: Auditor, requirements: Iterable[Requirement]
) -> list[PlannedPackage]:
    """Everything that a build needs.

    Raises:
        NotPlannableError: some of it cannot be had, or is not certain.
    """
    wanted = tuple((r, sourced_requirement(r, "a build", direct=True)) for r in requirements)
    requirement_set = _requirement_set(Scope(), replace(plan_request.manifest, project=None))
    requirement_set = replace(requirement_set, requirements=wanted)
    platform = platform_of_run(plan_request.cell, plan_request.ran)
    packages = _resolved(auditor, requirement_set, platform, BUILD).packages
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


def _requirement_set(scope: Scope, manifest: Manifest, *, tests: bool = False) -> RequirementSet:
    reading = Reading(manifest.root, os.environ, toml=manifest.toml)
    for path in scope.files:
        read_requirement_file(path, reading)
    if manifest.own is not None:
        project = local_project(manifest.own, reading, editable=manifest.whole is None)
        read_project_settings(manifest.own, reading)
        if project is None:
            raise NotPlannableError("the project's metadata are known after a build")
        if not tests:
            wanted = Requirement(project.name)
            sourced = sourced_requirement(wanted, "the project", direct=True)
            reading.requirements.append((wanted, sourced))
    texts = scope.requirements
    if manifest.virtual and not tests and scope is manifest.deploy:
        read_project(manifest.root / "pyproject.toml", reading)
        texts = ()
    requirement_set = reading.requirement_set("environment")
    return with_requirements(requirement_set, texts, "pyproject.toml")


def _resolved(
    auditor: Auditor,
    requirement_set: RequirementSet,
    platform: Platform,
    scope: str,
    *,
    leave_to_pip: bool = False,
) -> _ScopePlan:
    if not requirement_set.requirements:
        return _ScopePlan()
    tree, candidates = auditor.resolved(auditor.index(requirement_set), requirement_set, platform)
    if not requirement_set.gaps and not leave_to_pip:
        _refuse_impossible(tree, candidates, scope)
    for problem in (*requirement_set.gaps, *tree.problems):
        raise NotPlannableError(problem)
    hashed = {sourced.name for _, sourced in requirement_set.requirements if sourced.hashes}
    if hashed and hashed != set(tree.nodes):
        raise NotPlannableError("some packages have hashes, and some have not")
    asked = {sourced.name for _, sourced in requirement_set.requirements}
    scope_plan = _ScopePlan()
    for name in installation_order({n: node.parents for n, node in tree.nodes.items()}):
        local = candidates.locals.get(name)
        if local is not None:
            scope_plan.add_local(local, scope, requested=name in asked)
            continue
        allowed = candidates.hashes.get(name, frozenset())
        planned = _planned(tree, candidates, name, scope, requested=name in asked)
        scope_plan.packages.append(replace(planned, allowed=allowed))
    return scope_plan


def _refuse_impossible(tree: Tree, candidates: IndexCandidates, scope: str) -> None:
    """Raises InstallError: pip would search for minutes, and find nothing either."""
    doubtful = any(
        node.version is not None and candidates.metadata(node.name, node.version).doubt
        for node in tree.nodes.values()
    )
    reasons = [*tree.without_release, *(() if doubtful else tree.contradictions)]
    if reasons:
        whose = "what the tests need" if scope == TEST else "what is deployed"
        raise InstallError(
            f"{whose} cannot be installed: {reasons[0]}",
            why="; ".join(reasons[1:3]),
            next_step="change one of these requirements: pytest-arm64 audit shows the whole tree",
        )


def _locked(auditor: Auditor, lock: Lock, manifest: Manifest, platform: Platform) -> _ScopePlan:
    tree = locked_tree(lock, lock.deploy, platform)
    for problem in tree.problems:
        raise NotPlannableError(problem)
    index = auditor.index(RequirementSet("", ()), lock)
    candidates = LockCandidates(lock, lambda: index, platform)
    asked = {need.name for need in lock.deploy.needs}
    scope_plan = _ScopePlan(
        editable=[manifest.project] if manifest.project is not None else [],
        folders=[manifest.whole] if manifest.whole is not None else [],
    )
    for name in installation_order({n: node.parents for n, node in tree.nodes.items()}):
        local = candidates.locals.get(name)
        if local is None:
            scope_plan.packages.append(
                _planned(tree, candidates, name, DEPLOY, requested=name in asked)
            )
        elif local.uri != manifest.root.as_uri():
            fetched = _fetched(local, auditor)
            scope_plan.add_local(fetched, DEPLOY, requested=name in asked)
    return scope_plan


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


def _planned(
    tree: Tree, candidates: Candidates, name: str, scope: str, *, requested: bool
) -> PlannedPackage:
    node = tree.nodes[name]
    if node.version is None:
        raise NotPlannableError(f"{name}: {node.problem}")
    doubt = candidates.metadata(name, node.version).doubt
    if doubt:
        raise NotPlannableError(f"{name} {node.version}: {doubt}")
    usable = candidates.fit(name, node.version, pinned=any(w.pin for w in node.demands))
    state = state_of(usable)
    if state == BLOCKER:
        return PlannedPackage(name, str(node.version), scope, BLOCKER, requested=requested)
    file: IndexFile | None = usable.sdist if state == SOURCE else usable.wheel
    assert file is not None
    if file.other_hash:
        raise NotPlannableError(f"{file.name} has no sha256 hash, and pip checks the other kinds")
    url = file.url or _address(candidates, name, node.version, file)
    version = str(node.version)
    return PlannedPackage(
        name, version, scope, state, file.name, url, file.sha256, requested=requested
    )


def _address(candidates: Candidates, name: str, version: Version, file: IndexFile) -> str:
    """Where the index has *file*, of which a lock tells the name and the hash alone."""
    for candidate in candidates.releases(name).get(version, ()):
        if candidate.name == file.name and candidate.url:
            return candidate.url
    raise NotPlannableError(f"the index does not have {file.name}, which the lock names")
