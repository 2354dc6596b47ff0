"""The resolver's view of the index: candidates for one target, and what each depends on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version
from resolvelib import AbstractProvider

from ..index.addresses import file_path
from ..index.index import Index, Page, page_of_reference
from ..index.metadata import Metadata, MetadataError
from ..index.releases import Releases
from ..index.simple import SDIST, WHEEL, File
from ..inputs.formats import Formats
from ..inputs.requirements import LocalProject, Node, Wish, wish_of, wishes_of
from .built_metadata import kept_built_metadata
from .fit import Fit, fit
from .platform import Platform

Identity = tuple[str, str]
# So many times a demand for an unusable release makes the resolver look for older ones that
# demand another; an installer would go on and on.
_PATIENCE = 60
_ANY_FORMAT = Formats()


class StarvedError(Exception):
    """Release after release demands *name* in versions that have no usable file."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True)
class Candidate:
    """A release, or one extra of it; without a version where nothing can be said."""

    name: str
    extra: str = ""
    version: Version | None = None
    problem: str = ""
    """Why there is no version: the row is ``unknown``, with this as the reason."""

    def __str__(self) -> str:
        what = f"{self.name}[{self.extra}]" if self.extra else self.name
        return f"{what} {self.version}" if self.version else what


class Provider(AbstractProvider[Wish, Candidate, Identity]):
    """Rules of a package installer on the target, except that no release is refused for ever.

    Like an installer, it prefers an older release of what demands a package to a release of
    that package without any usable file. But where only such releases are left, they are
    candidates: a tree with blockers must be complete too.
    """

    def __init__(
        self,
        index: Index,
        platform: Platform,
        *,
        locals_: Iterable[LocalProject] = (),
        prereleases: bool = False,
        formats: Formats = _ANY_FORMAT,
        ask: Callable[[str, File], Metadata | None] | None = None,
    ) -> None:
        self.index = index
        self.platform = platform
        self.locals = {local.name: local for local in locals_}
        self.unreachable: dict[str, str] = {}
        """By name: why the repository that it is named by cannot be had."""
        self.hashes: Mapping[str, frozenset[str]] = {}
        """By name: the files to which a lock restricts it."""
        self.starved: Counter[str] = Counter()
        """By name: how often there were releases, and none of them usable."""
        self.admitted: set[str] = set()
        """Names whose unusable releases are candidates, because nothing else led to a tree."""
        self.dropped: set[str] = set()
        """Keys of demands that contradict others and limit no version any more."""
        self._prereleases = prereleases
        self._formats = formats
        self._ask = ask
        self._direct: dict[str, Page] = {}
        self._constraints: dict[str, list[Wish]] = {}
        self._fits: dict[tuple[str, Version, bool], Fit] = {}
        self._metadata: dict[tuple[str, Version], Metadata] = {}
        self._satisfied: dict[tuple[int, int], tuple[Wish, Candidate, bool]] = {}

    def restrict(
        self,
        *,
        constraints: Iterable[Wish],
        hashes: Mapping[str, frozenset[str]],
        references: Iterable[Wish] = (),
    ) -> None:
        """Limit versions and files; to be said before anything is asked.

        Args:
            constraints: what constraint files say.
            hashes: by name, the files to which a lock restricts it.
            references: demands that name a file by its address.
        """
        self.hashes = hashes
        for wish in references:
            with suppress(ValueError):
                address = self.index.fetcher.access.learn(wish.url)
                page = page_of_reference(wish.name, address)
                if page is not None:
                    self._direct[wish.name] = page
        for wish in constraints:
            self._constraints.setdefault(wish.name, []).append(wish)

    def is_known(self, wish: Wish) -> bool:
        """Whether the files that *wish* names by an address, if it does, are known."""
        return not wish.url or wish.name in self.locals or wish.name in self._direct

    def constraints_on(self, name: str) -> Sequence[Wish]:
        """What constraint files say about *name*."""
        return self._constraints.get(name, ())

    def identify(self, requirement_or_candidate: Wish | Candidate) -> Identity:
        return (requirement_or_candidate.name, requirement_or_candidate.extra)

    def get_preference(
        self,
        identifier: Identity,
        resolutions: Mapping[Identity, Candidate],  # noqa: ARG002
        candidates: Mapping[Identity, Iterator[Candidate]],  # noqa: ARG002
        information: Mapping[Identity, Iterator[Any]],
        backtrack_causes: Sequence[Any],
    ) -> tuple[bool, bool, bool, str, str]:
        wishes = [i.requirement for i in information[identifier]]
        wishes += self._constraints.get(identifier[0], ())
        pinned = any(wish.pin for wish in wishes)
        bounded = any(wish.bounded for wish in wishes)
        blamed = any(cause.requirement.identity == identifier for cause in backtrack_causes)
        return (not pinned, not blamed, not bounded, *identifier)

    def narrow_requirement_selection(
        self,
        identifiers: Iterable[Identity],
        resolutions: Mapping[Identity, Candidate],  # noqa: ARG002
        candidates: Mapping[Identity, Iterator[Candidate]],  # noqa: ARG002
        information: Mapping[Identity, Iterator[Any]],
        backtrack_causes: Sequence[Any],  # noqa: ARG002
    ) -> Iterable[Identity]:
        # A pin is as good as any other: comparing thousands of them takes the longest in a lock.
        found = list(identifiers)
        for identifier in found:
            if any(i.requirement.pin for i in information[identifier]):
                return [identifier]
        return found

    def find_matches(
        self,
        identifier: Identity,
        requirements: Mapping[Identity, Iterator[Wish]],
        incompatibilities: Mapping[Identity, Iterator[Candidate]],
    ) -> Callable[[], Iterator[Candidate]]:
        name, extra = identifier
        wishes = list(requirements[identifier])
        if extra and (name, "") in requirements:
            wishes += requirements[name, ""]
        excluded = {candidate.version for candidate in incompatibilities[identifier]}
        return lambda: self._matches(name, extra, wishes, excluded)

    def is_satisfied_by(self, requirement: Wish, candidate: Candidate) -> bool:
        # Asked for every pair in every round; both stay referenced, so that no id comes twice.
        key = (id(requirement), id(candidate))
        known = self._satisfied.get(key)
        if known is None:
            known = (requirement, candidate, self._satisfies(requirement, candidate))
            self._satisfied[key] = known
        return known[2]

    def _satisfies(self, requirement: Wish, candidate: Candidate) -> bool:
        if candidate.version is None or candidate.name in self.locals:
            return True
        if requirement.url:
            return candidate.name in self._direct
        return requirement.specifier.contains(candidate.version, prereleases=True)

    def get_dependencies(self, candidate: Candidate) -> list[Wish]:
        name, extra, version = candidate.name, candidate.extra, candidate.version
        if name in self.locals:
            return self._of_local(self.locals[name], candidate)
        if version is None:
            return [Wish(name, origin=str(candidate))] if extra else []
        found = [Wish(name, specifier=_exactly(version), origin=str(candidate))] if extra else []
        for requirement in self.metadata(name, version).parsed():
            if self.applies(requirement, extra):
                found += wishes_of(requirement, wish_of(requirement, str(candidate)))
        return [self.relaxed(wish) for wish in found] if self.dropped else found

    def relaxed(self, wish: Wish) -> Wish:
        """*wish*, without its limits where it was dropped."""
        return replace(wish, specifier=SpecifierSet()) if wish.key in self.dropped else wish

    def applies(self, requirement: Requirement, extra: str = "") -> bool:
        """Whether the target's markers call for *requirement*; what cannot be judged counts."""
        if requirement.marker is None:
            return not extra
        try:
            return requirement.marker.evaluate({**self.platform.markers, "extra": extra})
        except (UndefinedComparison, UndefinedEnvironmentName, InvalidVersion):
            return True

    def page(self, name: str) -> Page:
        """Everything that there is of *name*: the file that was named, or what the indexes have."""
        return self._direct.get(name) or self.index.page(name)

    def files(self, name: str, version: Version) -> tuple[File, ...]:
        return self.page(name).releases.get(version, ())

    def releases(self, name: str) -> Releases:
        return self.page(name).releases

    def asked(self, name: str) -> bool:  # noqa: ARG002
        return True

    def demands(self, node: Node) -> tuple[Wish, ...]:
        return node.demands

    def excluded(self, name: str) -> str:
        return self._formats.excluded(name)

    def fit(self, name: str, version: Version, *, pinned: bool = True) -> Fit:
        """The files of a release that the target can use."""
        key = (name, version, pinned)
        if key not in self._fits:
            files = self._formats.admitted(name, self.files(name, version))
            hashes = self.hashes.get(name, frozenset())
            self._fits[key] = fit(files, self.platform, yanked=pinned, hashes=hashes)
        return self._fits[key]

    def metadata(self, name: str, version: Version) -> Metadata:
        """Dependencies of a release, from whatever file tells them."""
        if (name, version) not in self._metadata:
            files = list(self.sources_of_metadata(name, version))
            reason = "it has no file that could tell its dependencies"
            found = Metadata(doubt=reason)
            for file in files[:4]:
                try:
                    found = self.index.metadata(name, file)
                    if found.doubt and file == self.fit(name, version).sdist:
                        found = self.built_metadata(name, file) or found
                    break
                except MetadataError as error:
                    found = Metadata(doubt=str(error))
            self._metadata[name, version] = found
        return self._metadata[name, version]

    def built_metadata(self, name: str, file: File) -> Metadata | None:
        """What a build tells of *file*; without an engine what an earlier one has told."""
        if self._ask is not None:
            return self._ask(name, file)
        python = ".".join(map(str, self.platform.python))
        return kept_built_metadata(file, self.platform.machine, python)

    def sources_of_metadata(self, name: str, version: Version) -> Iterator[File]:
        """Files of a release in the order in which they are asked for its dependencies."""
        usable = self.fit(name, version)
        if usable.wheel is not None:
            yield usable.wheel
        files = self.files(name, version)
        wheels = [f for f in files if f.kind == WHEEL and f != usable.wheel]
        # Dependencies of another Python may differ: prefer the wheels of this one.
        python = f"cp{self.platform.python[0]}{self.platform.python[1]}-"
        wheels.sort(key=lambda f: (python not in f.name, "linux" not in f.name, f.size, f.name))
        yield from wheels[:2]
        yield from sorted((f for f in files if f.kind == SDIST), key=lambda f: f != usable.sdist)

    def satisfying(self, name: str, wishes: Sequence[Wish]) -> Iterator[Version]:
        """Versions of *name* that *wishes* and constraints admit, the newest first.

        Pre-releases count where one of them is named, or where there is nothing else.
        """
        specifiers = [w.specifier for w in (*wishes, *self.constraints_on(name))]
        pre = self._prereleases or any(specifier.prereleases for specifier in specifiers)
        later, found = [], False
        for version in self._candidates(name, (*wishes, *self.constraints_on(name))):
            if all(s.contains(version, prereleases=True) for s in specifiers):
                if version.is_prerelease and not pre:
                    later.append(version)
                else:
                    found = True
                    yield version
        if not found:
            yield from later

    def _candidates(self, name: str, wishes: Iterable[Wish]) -> Iterable[Version]:
        """The versions to look at: of thousands, a pin needs one."""
        releases = self.releases(name)
        exact = next((version for wish in wishes if (version := wish.exact) is not None), None)
        return releases if exact is None else releases.like(exact)

    def best(self, name: str, wishes: Sequence[Wish]) -> Version | None:
        """The version that would be tried first."""
        pinned = any(wish.pin for wish in wishes)
        first = None
        for version in self.satisfying(name, wishes):
            first = first or version
            if self.fit(name, version, pinned=pinned).usable:
                return version
        return first

    def _matches(
        self, name: str, extra: str, wishes: Sequence[Wish], excluded: set[Version | None]
    ) -> Iterator[Candidate]:
        self.index.clock.check()
        if name in self.locals:
            if None not in excluded:
                yield Candidate(name, extra, None)
            return
        problem = self._problem(name, wishes)
        if problem:
            if None not in excluded:
                yield Candidate(name, extra, None, problem)
            return
        pinned = any(wish.pin for wish in wishes)
        usable, unusable = False, []
        for version in self.satisfying(name, wishes):
            if self.fit(name, version, pinned=pinned).usable:
                usable = True
                if version not in excluded:
                    yield Candidate(name, extra, version)
            elif self._wanted_at_all(name, version, pinned=pinned):
                unusable.append(version)
        if usable or not unusable:
            return
        if name in self.admitted or self._blocked_by_wish(name, wishes):
            yield from (Candidate(name, extra, v) for v in unusable if v not in excluded)
            return
        self.starved[name] += 1
        if self.starved[name] > _PATIENCE:
            raise StarvedError(name)

    def _blocked_by_wish(self, name: str, wishes: Sequence[Wish]) -> bool:
        """Whether what the service itself demands leaves nothing usable of *name*."""
        own = [wish for wish in wishes if wish.direct]
        pinned = any(wish.pin for wish in own)
        return bool(own) and not any(
            self.fit(name, version, pinned=pinned).usable for version in self.satisfying(name, own)
        )

    def _problem(self, name: str, wishes: Sequence[Wish]) -> str:
        """Why nothing can be said of *name*; empty where the index can be asked."""
        if name in self.unreachable:
            return self.unreachable[name]
        named = next((wish.url for wish in wishes if wish.url), "")
        if named.startswith("file:") and not file_path(named).exists():
            return "what it names by its path is not there"
        if named and name not in self._direct:
            return "a direct reference to sources: what they hold is known after a build"
        page = self.page(name)
        if page.problem:
            return page.problem
        # A wrong demand of the service itself is told at its row; one of a dependency makes
        # the resolver look for another release of that dependency.
        for wish in wishes:
            if wish.direct and next(self.satisfying(name, [wish]), None) is None:
                limits = ", ".join(str(c) for c in self.constraints_on(name))
                return f"no release satisfies {wish}" + (f" under {limits}" if limits else "")
        return ""

    def _wanted_at_all(self, name: str, version: Version, *, pinned: bool) -> bool:
        files = self.files(name, version)
        return pinned or any(not file.yanked for file in files)

    def _of_local(self, local: LocalProject, candidate: Candidate) -> list[Wish]:
        texts = dict(local.extras).get(candidate.extra, ()) if candidate.extra else local.requires
        found = [Wish(local.name, origin=str(candidate))] if candidate.extra else []
        for text in texts:
            requirement = Requirement(text)
            if self.applies(requirement):
                found += wishes_of(
                    requirement, wish_of(requirement, f"{local.folder}/pyproject.toml")
                )
        return found


def _exactly(version: Version) -> SpecifierSet:
    return SpecifierSet(f"=={version}")
