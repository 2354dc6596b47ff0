"""The resolver's rules: which release is tried next, and what it asks for in turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version
from resolvelib import AbstractProvider

from ..index.addresses import file_path
from ..inputs.requirements import LocalProject, SourcedRequirement, sourced_requirement, with_extras
from .index_candidates import IndexCandidates

if TYPE_CHECKING:
    from resolvelib.structs import RequirementInformation

Identity = tuple[str, str]
# So many times a demand for an unusable release makes the resolver look for older ones that
# demand another; an installer would go on and on.
_PATIENCE = 60
_AHEAD = 12
# What a release asks for that refuses the target's Python: no project can have this name.
_OTHER_PYTHON = "another Python"


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
    missing: SourcedRequirement | None = None
    """The demand that no release satisfies, where that is the reason."""
    final: bool = False
    """Whether every index answered, so that an installer would find no more."""

    def __str__(self) -> str:
        what = f"{self.name}[{self.extra}]" if self.extra else self.name
        return f"{what} {self.version}" if self.version else what


class Provider(AbstractProvider[SourcedRequirement, Candidate, Identity]):
    """Rules of a package installer on the target, except that no release is refused for ever.

    Like an installer, it prefers an older release of what demands a package to a release of
    that package without any usable file. But where only such releases are left, they are
    candidates: a tree with blockers must be complete too.
    """

    def __init__(self, candidates: IndexCandidates) -> None:
        self.candidates = candidates
        self.starved: Counter[str] = Counter()
        """By name: how often there were releases, and none of them usable."""
        self.admitted: set[str] = set()
        """Names whose unusable releases are candidates, because nothing else led to a tree."""
        self.dropped: set[str] = set()
        """Keys of demands that contradict others and limit no version any more."""
        self.missing: set[str] = set()
        """Keys of dependencies' demands that no release satisfies, because no tree is without."""
        self._satisfied: dict[tuple[int, int], tuple[SourcedRequirement, Candidate, bool]] = {}

    def identify(self, requirement_or_candidate: SourcedRequirement | Candidate) -> Identity:
        return (requirement_or_candidate.name, requirement_or_candidate.extra)

    def get_preference(
        self,
        identifier: Identity,
        resolutions: Mapping[Identity, Candidate],  # noqa: ARG002 - resolvelib's signature
        candidates: Mapping[Identity, Iterator[Candidate]],  # noqa: ARG002 - resolvelib's signature
        information: Mapping[
            Identity, Iterator[RequirementInformation[SourcedRequirement, Candidate]]
        ],
        backtrack_causes: Sequence[RequirementInformation[SourcedRequirement, Candidate]],
    ) -> tuple[bool, bool, bool, str, str]:
        wishes = [i.requirement for i in information[identifier]]
        wishes += self.candidates.constraints_on(identifier[0])
        pinned = any(wish.pin for wish in wishes)
        bounded = any(wish.bounded for wish in wishes)
        blamed = any(cause.requirement.identity == identifier for cause in backtrack_causes)
        return (not pinned, not blamed, not bounded, *identifier)

    def narrow_requirement_selection(
        self,
        identifiers: Iterable[Identity],
        resolutions: Mapping[Identity, Candidate],  # noqa: ARG002 - resolvelib's signature
        candidates: Mapping[Identity, Iterator[Candidate]],  # noqa: ARG002 - resolvelib's signature
        information: Mapping[
            Identity, Iterator[RequirementInformation[SourcedRequirement, Candidate]]
        ],
        backtrack_causes: Sequence[  # noqa: ARG002 - resolvelib's signature
            RequirementInformation[SourcedRequirement, Candidate]
        ],
    ) -> Iterable[Identity]:
        # A pin is as good as any other: comparing thousands of them takes the longest in a lock.
        choices = list(identifiers)
        for identifier in choices:
            if any(i.requirement.pin for i in information[identifier]):
                return [identifier]
        return choices

    def find_matches(
        self,
        identifier: Identity,
        requirements: Mapping[Identity, Iterator[SourcedRequirement]],
        incompatibilities: Mapping[Identity, Iterator[Candidate]],
    ) -> Callable[[], Iterator[Candidate]]:
        name, extra = identifier
        wishes = list(requirements[identifier])
        if extra and (name, "") in requirements:
            wishes += requirements[name, ""]
        excluded = {candidate.version for candidate in incompatibilities[identifier]}
        return lambda: self._matches(name, extra, wishes, excluded)

    def is_satisfied_by(self, requirement: SourcedRequirement, candidate: Candidate) -> bool:
        # Asked for every pair in every round; both stay referenced, so that no id comes twice.
        key = (id(requirement), id(candidate))
        answer = self._satisfied.get(key)
        if answer is None:
            answer = (requirement, candidate, self._satisfies(requirement, candidate))
            self._satisfied[key] = answer
        return answer[2]

    def _satisfies(self, requirement: SourcedRequirement, candidate: Candidate) -> bool:
        if candidate.version is None or candidate.name in self.candidates.locals:
            return True
        if requirement.url:
            return self.candidates.is_known(requirement)
        return requirement.specifier.contains(candidate.version, prereleases=True)

    def get_dependencies(self, candidate: Candidate) -> list[SourcedRequirement]:
        """What *candidate* asks for; something that nothing fulfils where it must not be chosen."""
        name, version = candidate.name, candidate.version
        if version is None or name in self.candidates.locals:
            return self.demands_of(candidate)
        refused = (name, version) in self.candidates.refused
        self.candidates.metadata(name, version)
        if not refused and (name, version) in self.candidates.refused:
            # It counts as unusable from now on; the search goes on with an older release.
            return [SourcedRequirement(_OTHER_PYTHON, origin=str(candidate))]
        return self.demands_of(candidate)

    def demands_of(self, candidate: Candidate) -> list[SourcedRequirement]:
        """What *candidate* asks for."""
        name, extra, version = candidate.name, candidate.extra, candidate.version
        if name in self.candidates.locals:
            return self._of_local(self.candidates.locals[name], candidate)
        if version is None:
            return [SourcedRequirement(name, origin=str(candidate))] if extra else []
        wishes = (
            [SourcedRequirement(name, specifier=_exactly(version), origin=str(candidate))]
            if extra
            else []
        )
        for requirement in self.candidates.dependencies(name, version, extra):
            wishes += with_extras(requirement, sourced_requirement(requirement, str(candidate)))
        return [self.relaxed(wish) for wish in wishes] if self.dropped else wishes

    def relaxed(self, wish: SourcedRequirement) -> SourcedRequirement:
        """*wish*, without its limits where it was dropped."""
        return replace(wish, specifier=SpecifierSet()) if wish.key in self.dropped else wish

    def unanswered(
        self, name: str, extra: str, wishes: Sequence[SourcedRequirement]
    ) -> Candidate | None:
        """What stands for *name* where no release of it can be named; None where one can be."""
        candidates = self.candidates
        problem = candidates.unreachable.get(name, "") or self._unread(name, wishes)
        if problem:
            return Candidate(name, extra, None, problem, final=self._is_final(name, wishes))
        # A wrong demand of the service itself is told at its row; one of a dependency makes
        # the resolver look for another release of that dependency first.
        for wish in wishes:
            if (wish.direct or wish.key in self.missing) and candidates.is_missing(wish):
                limits = ", ".join(f"{c} ({c.origin})" for c in candidates.constraints_on(name))
                problem = f"no release satisfies {wish}" + (f" under {limits}" if limits else "")
                unread = candidates.page(name).unread
                if unread:
                    problem += f" on the indexes that could be read ({unread[0]})"
                    return Candidate(name, extra, None, problem)
                return Candidate(name, extra, None, problem, wish, final=True)
        return None

    def _is_final(self, name: str, wishes: Sequence[SourcedRequirement]) -> bool:
        """Whether an installer would find no release of *name* either."""
        elsewhere = name in self.candidates.unreachable or any(wish.url for wish in wishes)
        return not elsewhere and self.candidates.page(name).is_final

    def _unread(self, name: str, wishes: Sequence[SourcedRequirement]) -> str:
        """Why the releases of *name* are not known; empty where they are."""
        address = next((wish.url for wish in wishes if wish.url), "")
        if address.startswith("file:") and not file_path(address).exists():
            return "the path it names does not exist"
        if any(not self.candidates.is_known(wish) for wish in wishes):
            return "a direct reference to sources: their content is only known after a build"
        return self.candidates.page(name).problem

    def _matches(
        self,
        name: str,
        extra: str,
        wishes: Sequence[SourcedRequirement],
        excluded: set[Version | None],
    ) -> Iterator[Candidate]:
        if name == _OTHER_PYTHON:
            return
        candidates = self.candidates
        candidates.index.deadline.check()
        unanswered = (
            Candidate(name, extra)
            if name in candidates.locals
            else self.unanswered(name, extra, wishes)
        )
        if unanswered is not None:
            if None not in excluded:
                yield unanswered
            return
        pinned = any(wish.pin for wish in wishes)
        usable, unusable, rejected = False, [], len(excluded)
        for version in candidates.satisfying(name, wishes):
            if candidates.fit(name, version, pinned=pinned).usable:
                usable = True
                if version in excluded:
                    continue
                if rejected:
                    # One release was no good: the search will go on through its elders.
                    candidates.prefetch_metadata(name, version, _AHEAD)
                yield Candidate(name, extra, version)
                rejected += 1
            elif pinned or any(not file.yanked for file in candidates.files(name, version)):
                unusable.append(version)
        if usable or not unusable:
            return
        if name in self.admitted or self._blocked_by_wish(name, wishes):
            yield from (Candidate(name, extra, v) for v in unusable if v not in excluded)
            return
        self.starved[name] += 1
        if self.starved[name] > _PATIENCE:
            raise StarvedError(name)

    def _blocked_by_wish(self, name: str, wishes: Sequence[SourcedRequirement]) -> bool:
        """Whether what the service itself demands leaves nothing usable of *name*."""
        own = [wish for wish in wishes if wish.direct]
        pinned = any(wish.pin for wish in own)
        fit, satisfying = self.candidates.fit, self.candidates.satisfying
        return bool(own) and not any(
            fit(name, version, pinned=pinned).usable for version in satisfying(name, own)
        )

    def _of_local(self, local: LocalProject, candidate: Candidate) -> list[SourcedRequirement]:
        texts = dict(local.extras).get(candidate.extra, ()) if candidate.extra else local.requires
        wishes = [SourcedRequirement(local.name, origin=str(candidate))] if candidate.extra else []
        for text in texts:
            for called in self.candidates.called_for(Requirement(text)):
                wish = sourced_requirement(called, f"{local.folder}/pyproject.toml")
                wishes += with_extras(called, wish)
        return wishes


def _exactly(version: Version) -> SpecifierSet:
    return SpecifierSet(f"=={version}")
