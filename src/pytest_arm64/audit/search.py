"""The search for releases that go together: bounded, and with an answer where there are none."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from resolvelib import BaseReporter, ResolutionImpossible, ResolutionTooDeep, Resolver

from ..index.fetch import FetchError
from ..inputs.requirements import SourcedRequirement
from .provider import Candidate, Identity, Provider, StarvedError
from .unsolved_tree import Demand, Solution, approximate, contradiction, described

if TYPE_CHECKING:
    from resolvelib.resolvers import Criterion, Result
    from resolvelib.structs import RequirementInformation

_MAXIMUM_ROUNDS = 50_000
_MAXIMUM_CONFLICTS = 10
# For the rest of a tree in which two demands contradict each other: it cannot be installed anyway.
_SECONDS_FOR_THE_REST = 5.0


class SearchTimeError(Exception):
    """The time for the search is over."""


class SearchBudget:
    """Seconds for a search, counted from its first conflict: the straight way is no search."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end: float | None = None

    def begin(self) -> None:
        """Start counting, unless that has begun."""
        if self._end is None:
            self._end = time.monotonic() + self.seconds

    def shorten(self, seconds: float) -> None:
        """Leave *seconds* at most from now on."""
        self.begin()
        end = time.monotonic() + seconds
        self._end = end if self._end is None else min(self._end, end)

    def check(self) -> None:
        """Raises SearchTimeError: it is used up."""
        if self._end is not None and time.monotonic() > self._end:
            raise SearchTimeError


class _Watch(BaseReporter[SourcedRequirement, Candidate, Identity]):
    """Ends a search whose time is over, says how far it is, and counts what conflicts."""

    def __init__(self, budget: SearchBudget, say: Callable[[str], None]) -> None:
        self._budget = budget
        self._say = say
        self.conflicts: Counter[tuple[Demand, ...]] = Counter()

    def starting_round(self, index: int) -> None:
        self._budget.check()
        if index % 20 == 0:
            tries = f", {self.conflicts.total()} conflicts" if self.conflicts else ""
            self._say(f"round {index}{tries}")

    def adding_requirement(self, requirement: SourcedRequirement, parent: Candidate | None) -> None:  # noqa: ARG002 - resolvelib's signature
        self._budget.check()

    def resolving_conflicts(
        self, causes: Collection[RequirementInformation[SourcedRequirement, Candidate]]
    ) -> None:
        self._budget.begin()
        self.conflicts[_demands_of(causes)] += 1

    def rejecting_candidate(
        self,
        criterion: Criterion[SourcedRequirement, Candidate],  # noqa: ARG002 - resolvelib's signature
        candidate: Candidate,  # noqa: ARG002 - resolvelib's signature
    ) -> None:
        self._budget.begin()


class Search:
    """One search; what contradicts is said, and what the rest looks like without it as well."""

    def __init__(
        self,
        provider: Provider,
        roots: Sequence[SourcedRequirement],
        budget: SearchBudget,
        say: Callable[[str], None],
    ) -> None:
        self._provider = provider
        self._roots = roots
        self._budget = budget
        self._watch = _Watch(budget, say)

    def run(self) -> Solution | None:
        """What an installer would select; None where there is no such set of releases."""
        try:
            return _solution(self._resolved())
        except (ResolutionImpossible, ResolutionTooDeep, SearchTimeError, FetchError):
            return None

    def best_effort(self) -> Solution:
        """What an installer would select, or the nearest to it that there is."""
        conflicts: list[tuple[Demand, ...]] = []
        while len(conflicts) <= _MAXIMUM_CONFLICTS:
            try:
                result = self._resolved()
            except ResolutionImpossible as error:
                demands = _demands_of(error.causes)
                if self._leave_open(demands):
                    continue
                conflicts.append(demands)
                self._budget.shorten(_SECONDS_FOR_THE_REST)
                culprits = _culprits(demands, self._provider)
                if not culprits:
                    break
                self._provider.dropped |= culprits
            except (ResolutionTooDeep, SearchTimeError):
                return self._approximated(conflicts, "" if conflicts else self._out_of_time())
            except FetchError as error:
                return self._approximated(conflicts, str(error))
            else:
                return _solution(result, conflicts)
        return self._approximated(conflicts)

    def _leave_open(self, demands: Iterable[Demand]) -> bool:
        """Take demands that no release satisfies for granted, so that the search can go on."""
        candidates = self._provider.candidates
        missing = {demand.wish.key for demand in demands if candidates.is_missing(demand.wish)}
        if missing <= self._provider.missing:
            return False
        self._provider.missing |= missing
        return True

    def _out_of_time(self) -> str:
        often = self._watch.conflicts.most_common(1)
        conflict = f"; most frequent conflicts: {described(often[0][0])}" if often else ""
        return (
            "no compatible set of releases was found within "
            f"{self._budget.seconds:g} s (longer: --search-time){conflict}"
        )

    def _approximated(self, conflicts: Sequence[tuple[Demand, ...]], problem: str = "") -> Solution:
        return approximate(self._provider, self._roots, tuple(conflicts), problem)

    def _resolved(self) -> Result[SourcedRequirement, Candidate, Identity]:
        """What an installer would select, files that are wanting included.

        Raises:
            ResolutionImpossible: demands contradict each other.
            SearchTimeError, ResolutionTooDeep: it takes too long.
            FetchError: the time for everything is over.
        """
        provider = self._provider
        while True:
            resolver: Resolver[SourcedRequirement, Candidate, Identity] = Resolver(
                provider, self._watch
            )
            refused = len(provider.candidates.refused)
            try:
                roots = [provider.relaxed(wish) for wish in self._roots]
                return resolver.resolve(roots, max_rounds=_MAXIMUM_ROUNDS)
            except StarvedError as error:
                provider.admitted.add(error.name)
            except ResolutionImpossible as error:
                blamed = {cause.requirement.name for cause in error.causes}
                starved = set(provider.starved) - provider.admitted
                if not starved and refused == len(provider.candidates.refused):
                    raise
                provider.admitted |= (starved & blamed) or starved
            provider.starved.clear()


def _solution(
    result: Result[SourcedRequirement, Candidate, Identity],
    conflicts: Iterable[tuple[Demand, ...]] = (),
) -> Solution:
    conflicts = tuple(conflicts)
    return Solution(
        tuple(result.mapping.values()),
        tuple(
            Demand(information.requirement, information.parent)
            for criterion in result.criteria.values()
            for information in criterion.information
        ),
        tuple(map(contradiction, conflicts)),
        conflicts,
        tuple(map(contradiction, conflicts)),
        searched=True,
    )


def _demands_of(
    causes: Iterable[RequirementInformation[SourcedRequirement, Candidate]],
) -> tuple[Demand, ...]:
    return tuple(Demand(cause.requirement, cause.parent) for cause in causes)


def _culprits(demands: Iterable[Demand], provider: Provider) -> set[str]:
    """The demands to leave out: of dependencies before the service's own, and never all of them."""
    wishes = [demand.wish for demand in demands]
    wishes = [wish for wish in wishes if wish.specifier and wish.key not in provider.dropped]
    others = [wish for wish in wishes if not wish.direct]
    if others and len(others) < len(wishes):
        return {wish.key for wish in others}
    return {wish.key for wish in sorted(wishes, key=lambda wish: wish.key)[1:]} or {
        wish.key for wish in wishes
    }
