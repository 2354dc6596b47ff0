"""What an install plan consists of: of each scope the packages, their files and their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from packaging.version import Version

from ..audit.candidates import Candidates
from ..audit.classify import state_of
from ..audit.index_candidates import IndexCandidates
from ..audit.matrix import BLOCKER, SOURCE, TEST
from ..errors import InstallError
from ..index.addresses import file_path
from ..index.simple import IndexFile
from ..inputs.requirements import LocalProject, RequirementSet, Tree
from .installation_order import installation_order

Resolve = Callable[[RequirementSet], tuple[Tree, IndexCandidates]]


class NotPlannableError(Exception):
    """The audit cannot decide this environment; the text says what stands in the way."""


class ImpossibleError(InstallError):
    """Requirements contradict each other, or name what no index has: pip would not succeed."""


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
class LocalPlaces:
    """Folders of local projects."""

    editable: tuple[Path, ...] = ()
    """Those that stay where they are."""
    folders: tuple[Path, ...] = ()
    """Those that are built and copied."""

    def __bool__(self) -> bool:
        return bool(self.editable or self.folders)


@dataclass(frozen=True)
class InstallPlan:
    """Packages in the order in which they are unpacked: where two share a path, the later wins."""

    packages: tuple[PlannedPackage, ...]
    projects: Mapping[str, LocalPlaces] = field(default_factory=dict)
    """By scope: local projects; their dependencies are among the packages."""
    changed: tuple[str, ...] = ()
    """Where the tests change which versions are deployed, in words."""

    def of_state(self, state: str) -> tuple[PlannedPackage, ...]:
        return tuple(package for package in self.packages if package.state == state)

    @property
    def editable(self) -> tuple[Path, ...]:
        """Local projects of both scopes that stay where they are."""
        return tuple(place for places in self.projects.values() for place in places.editable)

    @property
    def folders(self) -> tuple[Path, ...]:
        """Local projects of both scopes that are built and copied."""
        return tuple(place for places in self.projects.values() for place in places.folders)


@dataclass(frozen=True)
class ScopePlan:
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


def resolved_scope(
    resolve: Resolve, requirement_set: RequirementSet, scope: str, *, leave_to_pip: bool = False
) -> ScopePlan:
    """What *scope* installs of *requirement_set*; with *leave_to_pip*, pip may do the impossible.

    Raises:
        NotPlannableError: pip has to decide.
        ImpossibleError: pip would search for minutes, and find nothing either.
    """
    if not requirement_set.requirements:
        return ScopePlan()
    tree, candidates = resolve(requirement_set)
    if not requirement_set.gaps and not leave_to_pip:
        _refuse_impossible(tree, candidates, scope)
    for problem in (*requirement_set.gaps, *tree.problems):
        raise NotPlannableError(problem)
    hashed = {sourced.name for _, sourced in requirement_set.requirements if sourced.hashes}
    # A release that is tried has none, nor has what only it asks for.
    if hashed and hashed != set(tree.nodes) and not requirement_set.tried:
        raise NotPlannableError("some packages have hashes, and some have not")
    asked = {sourced.name for _, sourced in requirement_set.requirements}
    scope_plan = ScopePlan()
    for name in installation_order({n: node.parents for n, node in tree.nodes.items()}):
        local = candidates.locals.get(name)
        if local is not None:
            scope_plan.add_local(local, scope, requested=name in asked)
            continue
        allowed = candidates.hashes.get(name, frozenset())
        planned = planned_package(tree, candidates, name, scope, requested=name in asked)
        scope_plan.packages.append(replace(planned, allowed=allowed))
    return scope_plan


def _refuse_impossible(tree: Tree, candidates: IndexCandidates, scope: str) -> None:
    doubtful = any(
        node.version is not None and candidates.metadata(node.name, node.version).doubt
        for node in tree.nodes.values()
    )
    reasons = [*tree.without_release, *(() if doubtful else tree.contradictions)]
    if reasons:
        whose = "what the tests need" if scope == TEST else "what is deployed"
        raise ImpossibleError(
            f"{whose} cannot be installed: {reasons[0]}",
            why="; ".join(reasons[1:3]),
            next_step="change one of these requirements: pytest-arm64 audit shows the whole tree",
        )


def planned_package(
    tree: Tree, candidates: Candidates, name: str, scope: str, *, requested: bool
) -> PlannedPackage:
    """The package *name* of *tree*.

    Raises:
        NotPlannableError: pip has to decide which file it is.
    """
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
