"""A tree where no set of releases goes together, or none was found in time.

It never searches: each project gets the newest release that the demands on it admit, and a demand
that no such release satisfies is left out and named. It ends after a few passes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from packaging.version import Version

from ..inputs.requirements import SourcedRequirement
from .prefetch import Prefetcher
from .provider import Candidate, Identity, Provider

_PASSES = 12
_MAXIMUM = 5
_NEAREST = "packages without a pin may get other releases"


@dataclass(frozen=True)
class Demand:
    """One demand, and the release that makes it; a service's own demand has no parent."""

    wish: SourcedRequirement
    parent: Candidate | None = None


@dataclass(frozen=True)
class Solution:
    """Releases, and everything that they and the service demand."""

    selected: tuple[Candidate, ...]
    demands: tuple[Demand, ...]
    problems: tuple[str, ...] = ()
    """Why these are not what an installer would select."""
    conflicts: tuple[tuple[Demand, ...], ...] = ()
    """Demands that cannot be met together; all but one of each were left out."""
    contradictions: tuple[str, ...] = ()
    """Those of the problems that no choice of releases solves."""
    searched: bool = False
    """Whether all choices were tried: what is missing is missing in every tree."""


def contradiction(demands: Iterable[Demand]) -> str:
    """*demands* that cannot be met together, as a problem of the matrix."""
    return f"conflicting requirements: {described(demands)}"


def described(demands: Iterable[Demand]) -> str:
    """``A 2.0 asks for X; B 1.0 asks for Y, and so on``, in a stable order."""
    groups: dict[tuple[str, str], list[Demand]] = {}
    for demand in demands:
        parent = demand.parent.name if demand.parent is not None else demand.wish.origin
        groups.setdefault((parent, demand.wish.name), []).append(demand)
    return "; ".join(sorted(map(_described, groups.values())))


def _described(group: Sequence[Demand]) -> str:
    """The demands of one project's releases on another project, by its newest release."""
    newest = max(group, key=lambda d: (_version(d), not d.wish.extra))
    others = len({_version(demand) for demand in group}) - 1
    if not others:
        return f"{newest.wish.origin} asks for {newest.wish}"
    plural = "s" if others > 1 else ""
    return (
        f"{newest.wish.origin} asks for {newest.wish}, and {others} other release{plural} like it"
    )


def _version(demand: Demand) -> Version:
    version = demand.parent.version if demand.parent is not None else None
    return version or Version("0")


def approximate(
    provider: Provider,
    roots: Sequence[SourcedRequirement],
    conflicts: tuple[tuple[Demand, ...], ...] = (),
    problem: str = "",
) -> Solution:
    """The releases that each demand leads to, without looking for others that go together.

    Args:
        provider: knows releases and what they depend on.
        roots: what the service asks for.
        conflicts: demands that are known to contradict each other.
        problem: why there is no better tree, where it is not a conflict.
    """
    demands = _by_name(Demand(wish) for wish in roots)
    selected: dict[Identity, Candidate] = {}
    for _ in range(_PASSES):
        before = dict(selected)
        selected, reached = _walk(provider, roots, demands)
        # A demand that is met no more may have been all that kept a newer release away.
        demands = _by_name(reached)
        if selected == before:
            break
    proven = tuple(map(contradiction, conflicts))
    if not conflicts:
        unmet = (_unmet(group, selected) for group in demands.values())
        conflicts = tuple(group for group in unmet if group)[:_MAXIMUM]
    return Solution(
        tuple(selected.values()),
        tuple(demand for group in demands.values() for demand in group),
        (*([problem] if problem else ()), *map(contradiction, conflicts), _NEAREST),
        conflicts,
        proven,
    )


def _by_name(demands: Iterable[Demand]) -> dict[str, list[Demand]]:
    groups: dict[str, list[Demand]] = {}
    for demand in demands:
        groups.setdefault(demand.wish.name, []).append(demand)
    return groups


def _walk(
    provider: Provider, roots: Iterable[SourcedRequirement], demands: dict[str, list[Demand]]
) -> tuple[dict[Identity, Candidate], list[Demand]]:
    """Releases from *roots* on, chosen by *demands* and by what is met on the way."""
    selected: dict[Identity, Candidate] = {}
    chosen: dict[str, Candidate] = {}
    reached: list[Demand] = []
    pending = deque(Demand(wish) for wish in roots)
    ahead = Prefetcher(provider.candidates)
    while pending:
        demand = pending.popleft()
        reached.append(demand)
        name, extra = demand.wish.identity
        if (name, extra) in selected:
            continue
        if name not in chosen:
            chosen[name] = _choice(provider, name, demands.get(name, [demand]))
        candidate = replace(chosen[name], extra=extra)
        selected[name, extra] = candidate
        needs = provider.demands_of(candidate)
        ahead.explore(needs)
        pending.extend(Demand(need, candidate) for need in needs)
    return selected, reached


def _choice(provider: Provider, name: str, demands: Iterable[Demand]) -> Candidate:
    """The newest usable release of *name* that as many of *demands* as possible admit."""
    if name in provider.candidates.locals:
        return Candidate(name)
    # An extra's demand for its own project says nothing: it follows the choice.
    wishes = [d.wish for d in demands if d.parent is None or d.parent.name != name]
    provider.missing |= {wish.key for wish in wishes}
    unanswered = provider.unanswered(name, "", wishes)
    if unanswered is not None:
        return unanswered
    admitted: list[SourcedRequirement] = []
    # The service's own demands first: what a dependency asks for gives way to them.
    for wish in sorted(wishes, key=lambda w: (not w.direct, not w.pin, w.key)):
        if next(provider.candidates.satisfying(name, [*admitted, wish]), None) is not None:
            admitted.append(wish)
    version = provider.candidates.best(name, admitted)
    return Candidate(name, "", version, "" if version else "it has no release")


def _unmet(demands: Iterable[Demand], selected: dict[Identity, Candidate]) -> tuple[Demand, ...]:
    """Those of *demands* on one project that its release does not satisfy, and one that it does."""
    met: list[Demand] = []
    unmet: list[Demand] = []
    for demand in demands:
        candidate = selected[demand.wish.identity]
        satisfied = candidate.version is None or demand.wish.specifier.contains(
            candidate.version, prereleases=True
        )
        (met if satisfied or demand.wish.url else unmet).append(demand)
    binding = [demand for demand in met if demand.wish.specifier]
    binding.sort(key=lambda d: (d.parent is not None, not d.wish.pin, d.wish.key))
    return (*unmet, *binding[:1]) if unmet else ()
