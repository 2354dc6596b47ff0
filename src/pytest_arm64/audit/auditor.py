"""The audit of services for targets: files in, wheel matrices out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property, partial
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from packaging.requirements import Requirement

from ..advisories.database import Advisories, shipped_advisories
from ..config.targets import Target
from ..index.pip_config import PipConfig, host_pip_config
from ..index.simple import IndexFile
from ..inputs.formats import Formats
from ..inputs.lock import ARTIFACT, Lock
from ..inputs.requirements import (
    LocalProject,
    RequirementSet,
    SourcedRequirement,
    Tree,
    sourced_requirement,
)
from ..inputs.service import Service
from .candidates import ArtifactCandidates, Candidates, LockCandidates
from .causes import LOCK
from .classify import Judge
from .contents import Contents
from .known_packages import Known
from .limits import environment_problem, python_problems
from .locked import holds, holds_any, locked_tree
from .matrix import BLOCKER, BUILD, DEPLOY, SOURCE, STATES, TEST, Row, WheelMatrix, advised
from .platform import Platform, platform_of
from .usable_files import fit
from .weight import weight_findings

# What talks to an index is loaded when one is needed, which a lock may never do.
if TYPE_CHECKING:
    from ..index.fetch import Deadline, Fetcher
    from ..index.index import Index, Sources
    from ..index.metadata import Metadata
    from ..index.repositories import Repositories
    from .index_candidates import IndexCandidates

TIME_LIMIT = 300.0
SEARCH_LIMIT = 30.0
"""Seconds."""


def say_nothing(text: str) -> None:
    """For callers that show no progress."""


class MetadataSource(Protocol):
    """Tells what a source distribution does not say for certain of itself."""

    def __call__(
        self, auditor: Auditor, fetcher: Fetcher, project: str, file: IndexFile
    ) -> Metadata | None: ...


class Auditor(AbstractContextManager["Auditor"]):
    """Makes matrices; a context manager. Services with the same sources share an index."""

    def __init__(
        self,
        environ: Mapping[str, str] = os.environ,
        *,
        offline: bool = False,
        refresh: bool = False,
        contents: bool = True,
        time_limit: float = TIME_LIMIT,
        search_limit: float = SEARCH_LIMIT,
        config: PipConfig | Callable[[], PipConfig] | None = None,
        metadata: MetadataSource | None = None,
        advisories: Advisories | None = None,
        say: Callable[[str], None] = say_nothing,
    ) -> None:
        """Settings that all matrices share.

        Args:
            environ: the host's variables, which pip and the index client read.
            offline: ask no network; pages that were kept do, however old.
            refresh: ask the indexes anew about what was kept.
            advisories: what is known to be wrong with releases; the shipped ones by default.
            contents: look into source distributions for what their builds compile, and into
                wheels for what they hold and unpack to.
            time_limit: seconds for everything; the rest is ``unknown``.
            search_limit: seconds to search each tree after its first conflict; then the nearest.
            config: pip's configuration, or what tells it when needed; this host's by default.
            metadata: reads what a source distribution leaves in doubt, with an engine.
            say: is called with how far a search is.
        """
        self._environ = environ
        self._offline = offline
        self._refresh = refresh
        self.contents = Contents(wanted=contents)
        self._time_limit = time_limit
        self._search_limit = search_limit
        self._given = config
        self._metadata = metadata
        self.advisories = advisories or shipped_advisories()
        self.say = say
        self._indexes: dict[Sources, Index] = {}

    @cached_property
    def _deadline(self) -> Deadline:
        from ..index.fetch import Deadline

        return Deadline(self._time_limit)

    @cached_property
    def _config(self) -> PipConfig:
        if self._given is None:
            return host_pip_config(self._environ)
        return self._given() if callable(self._given) else self._given

    @cached_property
    def repositories(self) -> Repositories:
        """What fetches repositories, within the time that all questions share."""
        from ..index.repositories import Repositories

        return Repositories(
            self._environ, self._deadline, offline=self._offline, refresh=self._refresh
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for index in self._indexes.values():
            index.close()

    def index(self, wishes: RequirementSet, lock: Lock | None = None) -> Index:
        """The index from which *wishes* are fulfilled; a lock may name another."""
        from ..index.index import Index, Sources

        sources = Sources.of_host(
            self._config,
            index=wishes.index or (lock.index if lock is not None else ""),
            extra=wishes.extra_indexes,
            links=wishes.links,
            no_index=wishes.no_index,
            environ=self._environ,
        )
        if sources not in self._indexes:
            self._indexes[sources] = Index(
                sources, self._deadline, offline=self._offline, refresh=self._refresh
            )
        return self._indexes[sources]

    def matrix(self, service: Service, target: Target) -> WheelMatrix:
        """The matrix of *service* on *target*.

        Raises:
            SettingsError: the target or an address cannot be used.
        """
        matrix = advised(_Assessment(self, service, target).matrix(), self.advisories, target)
        return replace(matrix, findings=weight_findings(matrix, target))

    def resolved(
        self, index: Index, wishes: RequirementSet, platform: Platform
    ) -> tuple[Tree, IndexCandidates]:
        """The tree of *wishes* under pip's own configuration."""
        from .resolution import configured_constraints, resolve

        settings = self._config.settings
        base = Formats().without_wheels(settings.get("no-binary", ""))
        base = base.wheels_only(settings.get("only-binary", ""))
        wishes = replace(wishes, formats=wishes.formats.over(base))
        limits = tuple(configured_constraints(self._config, self._environ))
        ask = partial(self._metadata, self, index.fetcher) if self._metadata is not None else None
        return resolve(
            index,
            platform,
            wishes,
            limits,
            ask,
            self._in_repository,
            reader=self.contents.sdists(index),
            search_seconds=self._search_limit,
            say=self.say,
        )

    def _in_repository(
        self, wish: SourcedRequirement, candidates: IndexCandidates
    ) -> LocalProject | None:
        from .sources import repository_project

        return repository_project(wish.name, wish.url, self.repositories, candidates.built_metadata)


def audit(asked: Iterable[tuple[Service, Target]], auditor: Auditor) -> Iterator[WheelMatrix]:
    """A matrix for each service that is *asked* for, on its target.

    Raises:
        SettingsError: a target or an address cannot be used.
    """
    pairs = list(asked)
    for _, target in pairs:
        platform_of(target)
    for service, target in pairs:
        yield auditor.matrix(service, target)


class _Assessment:
    """One service on one target: its three scopes in turn."""

    def __init__(self, auditor: Auditor, service: Service, target: Target) -> None:
        self._auditor = auditor
        self._service = service
        self._target = target
        self._arm, self._x86 = platform_of(target), platform_of(target, "amd64")
        self._known = Known.of(target, auditor.advisories)
        self._notes: list[str] = list(service.notes)
        self._wheels = auditor.contents.wheels(lambda: self._index)
        self._archives: dict[str, IndexFile] = {}
        """Sources of deployed projects that come out of a repository, by name."""

    @cached_property
    def _index(self) -> Index:
        return self._auditor.index(self._service.deploy, self._service.lock)

    def matrix(self) -> WheelMatrix:
        deployed, problems = self._deployed()
        contents = self._auditor.contents
        deployed = contents.described(deployed, lambda: self._index)
        tests = contents.described(self._tests(deployed), lambda: self._index)
        builds = tuple(self._builds(deployed))
        lock_for_x86 = [row for row in deployed if row.cause == LOCK]
        if lock_for_x86 and self._service.lock is not None:
            self._notes.append(
                f"{self._service.lock.shown} was made for another platform: of "
                f"{len(lock_for_x86)} packages it lists no file for {self._arm.machine}, "
                "though there is one"
            )
        unread = tuple(self._unread(deployed))
        self._notes += self._wheels.notes() if self._wheels is not None else ()
        return WheelMatrix(
            service=self._service.name,
            target=self._target.name,
            packages=(*deployed, *tests, *builds),
            problems=(*self._limits(), *self._service.deploy.gaps, *problems, *unread),
            index_age=self._index_age(),
            notes=tuple(self._notes),
            manifest=self._service.manifest,
            unread_wheels=tuple(self._wheels.unread) if self._wheels is not None else (),
        )

    def _unread(self, deployed: Sequence[Row]) -> Iterator[str]:
        """Where an index could not be read: what that leaves open. Each has a note."""
        if "_index" not in self.__dict__:
            return
        for address, reason in self._index.unread.items():
            self._notes.append(
                f"{address} could not be read ({reason}); files of the other indexes were used"
            )
        for row in deployed:
            if row.state in (SOURCE, BLOCKER) and self._index.unread_of(row.name):
                reason = self._index.unread_of(row.name)[0]
                yield f"{row.name}: an index that may have a wheel could not be read ({reason})"

    def _limits(self) -> Iterator[str]:
        """What the project says against this target."""
        yield from python_problems(self._service, self._target)
        if not holds_any(self._service.environments, self._arm):
            yield environment_problem("pyproject.toml", self._arm)

    def _index_age(self) -> float:
        """Seconds; 0 where no index was asked."""
        asked = "_index" in self.__dict__
        return max(0.0, time.time() - self._index.oldest) if asked else 0.0

    def _deployed(self) -> tuple[tuple[Row, ...], tuple[str, ...]]:
        lock = self._service.lock
        if lock is not None:
            tree = locked_tree(lock, lock.deploy, self._arm)
            return self._locked_rows(lock, tree, DEPLOY), tree.problems
        tree, candidates = self._auditor.resolved(self._index, self._service.deploy, self._arm)
        self._archives = {
            local.name: local.archive for local in candidates.locals.values() if local.archive
        }
        return self._judge(candidates, DEPLOY).rows(tree), tree.problems

    def _tests(self, deployed: tuple[Row, ...]) -> tuple[Row, ...]:
        """What the tests need besides, with the deployed versions as constraints."""
        lock, wishes = self._service.lock, self._service.test
        there = {row.name for row in deployed}
        if lock is not None and lock.test.needs:
            tree = locked_tree(lock, lock.test, self._arm)
            rows = self._locked_rows(lock, tree, TEST)
        elif wishes is not None and wishes.requirements:
            limits = tuple(map(_pinned, filter(_is_released, deployed)))
            wishes = replace(wishes, constraints=(*wishes.constraints, *limits))
            tree, candidates = self._auditor.resolved(self._index, wishes, self._arm)
            rows = self._judge(candidates, TEST).rows(tree)
            self._notes += [f"of the tests: {gap}" for gap in wishes.gaps]
        else:
            return ()
        self._notes += [f"of the tests: {problem}" for problem in tree.problems]
        return tuple(row for row in rows if row.name not in there)

    def _builds(self, deployed: tuple[Row, ...]) -> Iterator[Row]:
        """What the source distributions that are deployed need to be built."""
        built = [row for row in deployed if row.state == SOURCE or row.from_source]
        if not built:
            return
        from .builds import BuildsError, build_requirements

        needed_by_name: dict[str, Row] = {}
        for row in built:
            file = self._archives.get(row.name) or (row.archive if row.version else None)
            if file is None:
                continue
            try:
                wanted = build_requirements(self._index, row.name, file)
            except BuildsError as error:
                self._notes.append(f"what builds {row.name} {row.version} is not known: {error}")
                continue
            origin = f"build of {row.name} {row.version}".rstrip()
            wishes = RequirementSet(
                "", tuple((r, sourced_requirement(r, origin, direct=True)) for r in wanted)
            )
            tree, candidates = self._auditor.resolved(self._index, wishes, self._arm)
            self._notes += [f"{origin}: {problem}" for problem in tree.problems]
            for needed in self._judge(candidates, BUILD).rows(tree):
                other = needed_by_name.setdefault(needed.name, needed)
                if STATES.index(needed.state) < STATES.index(other.state):
                    needed_by_name[needed.name] = needed
        yield from sorted(needed_by_name.values(), key=lambda r: (STATES.index(r.state), r.name))

    def _locked_rows(self, lock: Lock, tree: Tree, scope: str) -> tuple[Row, ...]:
        if lock.kind == ARTIFACT:
            return self._artifact_rows(lock, tree)
        candidates = LockCandidates(lock, lambda: self._index, self._arm)
        judge = self._judge(candidates, scope)
        return replace(judge, lock=lock.shown, renewal=lock.renewal).rows(tree)

    def _artifact_rows(self, lock: Lock, tree: Tree) -> tuple[Row, ...]:
        """What is installed in an artifact, and what there is instead of what cannot be used."""
        candidates = ArtifactCandidates(lock, lambda: self._index, self._arm)
        foreign = [
            locked.name
            for (locked,) in lock.releases.values()
            if not fit(locked.files, self._arm, yanked=True).usable
        ]
        if foreign:
            self._notes.append(
                f"{lock.shown} holds {len(foreign)} packages for another machine or Python "
                f"({', '.join(foreign[:3])}{', …' if foreign[3:] else ''}): it has to be built "
                "again; their rows tell what the index has"
            )
        for who, need in lock.absent:
            if not holds(need.marker, self._arm):
                continue
            name = need.name
            where = (
                f"provided by the image of {self._target.name}"
                if name in self._target.provides
                else "not in it"
            )
            self._notes.append(f"{who} asks for {name}, which is {where}")
        return Judge(candidates, self._arm, self._x86, self._known, DEPLOY).rows(tree)

    def _judge(self, candidates: Candidates, scope: str) -> Judge:
        wheels = self._wheels if scope != BUILD else None
        return Judge(candidates, self._arm, self._x86, self._known, scope, wheels=wheels)


def _is_released(row: Row) -> bool:
    return bool(row.version) and not row.editable and not row.url.startswith("git+")


def _pinned(row: Row) -> tuple[Requirement, SourcedRequirement]:
    requirement = Requirement(f"{row.name}=={row.version}")
    return requirement, sourced_requirement(requirement, f"deployed {row.name} {row.version}")
