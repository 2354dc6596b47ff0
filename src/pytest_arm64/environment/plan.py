"""The install plan: exactly which file of each package goes into the environment, in which order.

It is what the audit resolves, for the image that was found rather than the target that was asked.
What the audit cannot decide without running something is said, and left to pip.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from ..audit.addresses import file_path
from ..audit.classify import state_of
from ..audit.environment import Platform, platform_of
from ..audit.fetch import Fetcher
from ..audit.inputs.project import local_project
from ..audit.inputs.reading import Reading
from ..audit.inputs.requirement_file import read_requirement_file
from ..audit.inputs.service import read_service, with_requirements
from ..audit.locks import Lock, locked_tree
from ..audit.matrix import BLOCKER, BUILD, DEPLOY, SOURCE, TEST
from ..audit.run import Auditor
from ..audit.shelf import LockShelf, Shelf
from ..audit.simple import File
from ..audit.tree import Tree
from ..audit.wishes import Wish, Wishes, wish_of
from ..cell import Cell, Ran
from ..errors import SettingsError
from .manifests import Manifest, Scope
from .pipconfig import PipConfig

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
class Planned:
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

    packages: tuple[Planned, ...]
    editable: tuple[Path, ...] = ()
    """Local projects that stay where they are; their dependencies are among the packages."""
    folders: tuple[Path, ...] = ()
    """Local projects that are built and copied."""

    def of_state(self, state: str) -> tuple[Planned, ...]:
        return tuple(package for package in self.packages if package.state == state)


@dataclass(frozen=True)
class Question:
    """What is to be planned, and for what."""

    manifest: Manifest
    runner: tuple[str, ...]
    """Requirements of the session inside, added to the test scope."""
    config: PipConfig
    cell: Cell
    ran: Ran
    pins: tuple[str, ...] = ()
    """Constraints on both scopes: the versions of another architecture."""
    there: tuple[str, ...] | None = None
    """``name==version`` of what is deployed already, in an artifact."""


def make_plan(question: Question, auditor: Auditor) -> tuple[InstallPlan, Fetcher]:
    """The plan, and the way to fetch its files.

    Raises:
        NotPlannableError: pip has to decide.
        SettingsError: a requirement file cannot be read.
    """
    unknown = sorted(set(question.config.settings) - _UNDERSTOOD)
    if unknown:
        raise NotPlannableError(f"pip's setting {unknown[0]} is pip's own business")
    platform = platform_of_run(question.cell, question.ran)
    deploy = _wishes(question.manifest.deploy, question.manifest)
    given = [Requirement(pin) for pin in question.pins]
    elsewhere = tuple((pin, wish_of(pin, "the other architecture")) for pin in given)
    deploy = replace(deploy, constraints=(*deploy.constraints, *elsewhere))
    lock = lock_of(question.manifest)
    deployed: list[Planned] = []
    editable: tuple[Path, ...] = ()
    folders: tuple[Path, ...] = ()
    if question.there is not None:
        pass  # it is deployed, whatever led to it
    elif lock is not None:
        deployed, editable, folders = _locked(auditor, lock, question.manifest, platform)
        elsewhere = (*elsewhere, *_of_lock(lock))
    else:
        deployed, editable, folders = _resolved(auditor, deploy, platform, DEPLOY)
    test = _wishes(question.manifest.test, question.manifest, tests=True)
    test = with_requirements(test, question.runner, "the session inside")
    pins = [Requirement(f"{p.name}=={p.version}") for p in deployed if p.version]
    pins += [Requirement(pin) for pin in question.there or ()]
    limits = tuple((pin, wish_of(pin, "what is deployed")) for pin in pins)
    test = replace(test, constraints=(*test.constraints, *limits, *elsewhere))
    tests, more_editable, more_folders = _resolved(auditor, test, platform, TEST)
    there = {canonicalize_name(pin.name) for pin in pins}
    tests = [package for package in tests if package.name not in there]
    if (set(more_editable) | set(more_folders)) - {*editable, *folders}:
        raise NotPlannableError("a local project is only wanted by the tests")
    index = auditor.index(deploy if deploy.requirements else test, lock)
    return InstallPlan((*deployed, *tests), editable, folders), index.fetcher


def lock_of(manifest: Manifest) -> Lock | None:
    """The lock that decides what is deployed; None where requirement files do, or nothing does."""
    if manifest.deploy.files:
        return None
    try:
        return read_service(manifest.root, os.environ, root=manifest.root).lock
    except SettingsError:
        return None  # nothing says what is deployed, or the project's own file will be told of


def plan_build(
    question: Question, auditor: Auditor, requirements: Iterable[Requirement]
) -> list[Planned]:
    """Wheels of everything that a build needs.

    Raises:
        NotPlannableError: some of it is no wheel, or not certain.
    """
    wanted = tuple((r, wish_of(r, "a build", direct=True)) for r in requirements)
    wishes = _wishes(Scope(), replace(question.manifest, project=None))
    wishes = replace(wishes, requirements=wanted)
    platform = platform_of_run(question.cell, question.ran)
    packages, _, _ = _resolved(auditor, wishes, platform, BUILD)
    for package in packages:
        if package.state in (SOURCE, BLOCKER):
            raise NotPlannableError(f"{package.name} has no wheel")
    return packages


def platform_of_run(cell: Cell, ran: Ran) -> Platform:
    """Markers and tags of the image that was found.

    Raises:
        NotPlannableError: it has no glibc.
    """
    if not ran.glibc:
        raise NotPlannableError("the image has musl, for which the audit knows no tags")
    found = platform_of(
        replace(cell.target, python=ran.python.minor, glibc=ran.glibc), cell.architecture
    )
    full = {"python_full_version": ran.python.version, "implementation_version": ran.python.version}
    return replace(found, markers={**found.markers, **full})


def _wishes(scope: Scope, manifest: Manifest, *, tests: bool = False) -> Wishes:
    reading = Reading(manifest.root, os.environ)
    for path in scope.files:
        read_requirement_file(path, reading)
    if manifest.own is not None:
        project = local_project(manifest.own, reading, editable=manifest.whole is None)
        if project is None:
            raise NotPlannableError("the project's metadata are known after a build")
        if not tests:
            wanted = Requirement(project.name)
            wish = wish_of(wanted, "the project", direct=True)
            reading.requirements.append((wanted, wish))
    found = reading.wishes("environment")
    return with_requirements(found, scope.requirements, "pyproject.toml")


def _resolved(
    auditor: Auditor, wishes: Wishes, platform: Platform, scope: str
) -> tuple[list[Planned], tuple[Path, ...], tuple[Path, ...]]:
    """Packages of one scope in order, and the local projects among them."""
    if not wishes.requirements:
        return [], (), ()
    tree, provider = auditor.resolved(auditor.index(wishes), wishes, platform)
    for problem in (*wishes.gaps, *tree.problems):
        raise NotPlannableError(problem)
    if any(wish.url for _, wish in wishes.requirements):
        raise NotPlannableError("a direct reference is among the requirements")
    hashed = {wish.name for _, wish in wishes.requirements if wish.hashes}
    if hashed and hashed != set(tree.nodes):
        raise NotPlannableError("some packages have hashes, and some have not")
    asked = {wish.name for _, wish in wishes.requirements}
    packages: list[Planned] = []
    editable: list[Path] = []
    folders: list[Path] = []
    for name in installation_order({n: node.parents for n, node in tree.nodes.items()}):
        local = provider.locals.get(name)
        if local is None:
            allowed = provider.hashes.get(name, frozenset())
            planned = _planned(tree, provider, name, scope, requested=name in asked)
            packages.append(replace(planned, allowed=allowed))
        elif local.doubt:
            raise NotPlannableError(f"{name}: {local.doubt}")
        else:
            (editable if local.editable else folders).append(_folder(local.uri))
    return packages, tuple(editable), tuple(folders)


def _locked(
    auditor: Auditor, lock: Lock, manifest: Manifest, platform: Platform
) -> tuple[list[Planned], tuple[Path, ...], tuple[Path, ...]]:
    """As ``_resolved``, where a lock has decided."""
    tree = locked_tree(lock, lock.deploy, platform)
    for problem in tree.problems:
        raise NotPlannableError(problem)
    index = auditor.index(Wishes("", ()), lock)
    shelf = LockShelf(lock, lambda: index, platform)
    asked = {need.name for need in lock.deploy.needs}
    packages: list[Planned] = []
    editable: list[Path] = [manifest.project] if manifest.project is not None else []
    folders: list[Path] = [manifest.whole] if manifest.whole is not None else []
    for name in installation_order({n: node.parents for n, node in tree.nodes.items()}):
        local = shelf.locals.get(name)
        if local is None:
            packages.append(_planned(tree, shelf, name, DEPLOY, requested=name in asked))
            continue
        folder = _folder(local.uri)
        if folder != manifest.root:
            (editable if local.editable else folders).append(folder)
    return packages, tuple(editable), tuple(folders)


def _of_lock(lock: Lock) -> Iterator[tuple[Requirement, Wish]]:
    """The lock's versions as constraints, for what only the tests need."""
    for name, releases in lock.releases.items():
        if len(releases) == 1 and releases[0].version and releases[0].local is None:
            pin = Requirement(f"{name}=={releases[0].version}")
            yield pin, wish_of(pin, lock.shown)


def _folder(uri: str) -> Path:
    if not uri.startswith("file:"):
        raise NotPlannableError("a repository is among the requirements")
    return file_path(uri)


def _planned(tree: Tree, shelf: Shelf, name: str, scope: str, *, requested: bool) -> Planned:
    node = tree.nodes[name]
    if node.version is None:
        raise NotPlannableError(f"{name}: {node.problem}")
    doubt = shelf.metadata(name, node.version).doubt
    if doubt:
        raise NotPlannableError(f"{name} {node.version}: {doubt}")
    usable = shelf.fit(name, node.version, pinned=any(w.pin for w in node.demands))
    state = state_of(usable)
    if state == BLOCKER:
        return Planned(name, str(node.version), scope, BLOCKER, requested=requested)
    file: File | None = usable.sdist if state == SOURCE else usable.wheel
    assert file is not None
    url = file.url or _address(shelf, name, node.version, file)
    version = str(node.version)
    return Planned(name, version, scope, state, file.name, url, file.sha256, requested=requested)


def _address(shelf: Shelf, name: str, version: Version, file: File) -> str:
    """Where the index has *file*, of which a lock tells the name and the hash alone."""
    for found in shelf.releases(name).get(version, ()):
        if found.name == file.name and found.url:
            return found.url
    raise NotPlannableError(f"the index does not have {file.name}, which the lock names")


def installation_order(parents: Mapping[str, Iterable[str]]) -> list[str]:
    """Names in the order in which pip installs them: what depends on nothing that is left first.

    Of equals, the last by name comes first. *parents* are by name those that depend on it.
    """
    waiting: dict[str, set[str]] = {name: set() for name in parents}
    for name, above in parents.items():
        for parent in above:
            waiting[parent].add(name)
    found: list[str] = []
    while waiting:
        # In a cycle nobody is free: then all that are left.
        free = [name for name, on in waiting.items() if not on] or list(waiting)
        found += sorted(free, reverse=True)
        for name in free:
            del waiting[name]
        for on in waiting.values():
            on.difference_update(free)
    return found
