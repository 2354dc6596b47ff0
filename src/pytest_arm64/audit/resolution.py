"""Resolution: from wishes to the complete tree of selected releases."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from packaging.requirements import Requirement
from resolvelib import BaseReporter, ResolutionImpossible, ResolutionTooDeep, Resolver
from resolvelib.resolvers import Result

from ..index.fetch import FetchError
from ..index.index import Index
from ..index.metadata import Metadata, parse_requirement
from ..index.simple import File
from ..inputs.requirements import LocalProject, Node, Wish, Wishes, wish_of, wishes_of
from .platform import Platform
from .prefetch import Scout
from .provider import Candidate, Identity, Provider, StarvedError
from .tree import Tree

_MAXIMUM_ROUNDS = 50_000
_MAXIMUM_CONFLICTS = 10


def resolve(
    index: Index,
    platform: Platform,
    wishes: Wishes,
    limits: Iterable[tuple[Requirement, Wish]] = (),
    ask: Callable[[str, File], Metadata | None] | None = None,
    repository: Callable[[Wish, Provider], LocalProject | None] | None = None,
) -> tuple[Tree, Provider]:
    """The tree of *wishes* on *platform*, and the provider that knows its files.

    Args:
        index: where releases come from.
        platform: what they are for.
        wishes: what is asked for.
        limits: further constraints, as pip's configuration names them.
        ask: tells what a source distribution does not say for certain of itself.
        repository: the project in a repository, where a wish names one; it may raise FetchError.
    """
    provider = Provider(
        index,
        platform,
        locals_=wishes.locals,
        prereleases=wishes.prereleases,
        formats=wishes.formats,
        ask=ask,
    )
    roots = [
        wish
        for requirement, base in wishes.requirements
        if provider.applies(requirement)
        for wish in wishes_of(requirement, base)
    ]
    provider.restrict(
        constraints=[w for r, w in (*wishes.constraints, *limits) if provider.applies(r)],
        hashes=_hashes(roots),
        references=[wish for wish in roots if wish.url],
    )
    if repository is not None:
        _adopt(provider, roots, repository)
    Scout(provider).explore(roots)
    problems: dict[str, None] = {}
    while True:
        try:
            result = _resolved(provider, [provider.relaxed(wish) for wish in roots])
            break
        except ResolutionImpossible as error:
            problems[_conflict(error.causes)] = None
            culprits = _culprits(error.causes, provider)
            if not culprits or len(problems) > _MAXIMUM_CONFLICTS:
                return Tree(problems=tuple(problems)), provider
            # What contradicts is told; what the rest looks like without it is worth knowing.
            provider.dropped |= culprits
        except ResolutionTooDeep:
            text = "the demands could not be brought together: too many tries"
            return Tree(problems=(*problems, text)), provider
        except FetchError as error:
            return Tree(problems=(*problems, str(error))), provider
    demands: dict[str, dict[str, Wish]] = {}
    parents: dict[str, list[str]] = {}
    for (name, _), criterion in result.criteria.items():
        for information in criterion.information:
            parent = information.parent
            if parent is not None and parent.name == name:
                continue
            wish = information.requirement
            demands.setdefault(name, {})[f"{wish.origin} {wish}"] = wish
            if parent is not None:
                parents.setdefault(name, []).append(parent.name)
    selected = {candidate.name: candidate for candidate in result.mapping.values()}
    paths = _paths(roots, selected, parents)
    nodes = {
        name: Node(
            name,
            candidate.version,
            candidate.problem,
            (*demands.get(name, {}).values(), *provider.constraints_on(name)),
            paths.get(name, ()),
            tuple(sorted(set(parents.get(name, ())))),
        )
        for name, candidate in sorted(selected.items())
    }
    return Tree(nodes, tuple(problems)), provider


def _adopt(
    provider: Provider,
    roots: Iterable[Wish],
    repository: Callable[[Wish, Provider], LocalProject | None],
) -> None:
    """Make the projects in repositories, and those that they name in turn, known to *provider*."""
    adopted: dict[str, str] = {}
    pending = deque(roots)
    pending += (wish for local in provider.locals.values() for wish in _named_by(local, provider))
    while pending:
        wish = pending.popleft()
        if wish.url and adopted.get(wish.name, wish.url) != wish.url:
            del provider.locals[wish.name]
            provider.unreachable[wish.name] = "different addresses are asked for"
        if provider.is_known(wish) or wish.name in provider.unreachable:
            continue
        try:
            found = repository(wish, provider)
        except FetchError as error:
            provider.unreachable[wish.name] = str(error)
            continue
        if found is not None:
            provider.locals[found.name] = found
            adopted[found.name] = wish.url
            pending += _named_by(found, provider)


def _named_by(local: LocalProject, provider: Provider) -> Iterator[Wish]:
    texts = [*local.requires, *(text for _, extra in local.extras for text in extra)]
    for requirement in map(parse_requirement, texts):
        if requirement is not None and requirement.url and provider.applies(requirement):
            yield wish_of(requirement, local.folder)


def _resolved(provider: Provider, roots: list[Wish]) -> Result[Wish, Candidate, Identity]:
    """What an installer would select; where it would fail for want of a file, what it lacks too."""
    while True:
        resolver: Resolver[Wish, Candidate, Identity] = Resolver(provider, BaseReporter())
        try:
            return resolver.resolve(roots, max_rounds=_MAXIMUM_ROUNDS)
        except StarvedError as error:
            provider.admitted.add(error.name)
        except ResolutionImpossible as error:
            blamed = {cause.requirement.name for cause in error.causes}
            starved = set(provider.starved) - provider.admitted
            if not starved:
                raise
            provider.admitted |= (starved & blamed) or starved
        provider.starved.clear()


def _paths(
    roots: Iterable[Wish],
    selected: Mapping[str, Candidate],
    parents: Mapping[str, Iterable[str]],
) -> dict[str, tuple[str, ...]]:
    """The shortest way to each selected release."""
    children: dict[str, list[str]] = {}
    for name, above in parents.items():
        for parent in above:
            children.setdefault(parent, []).append(name)
    paths: dict[str, tuple[str, ...]] = {}
    pending: deque[tuple[str, tuple[str, ...]]] = deque((w.name, (w.origin,)) for w in roots)
    while pending:
        name, above = pending.popleft()
        if name in paths or name not in selected:
            continue
        candidate = selected[name]
        label = f"{name} {candidate.version}" if candidate.version else name
        paths[name] = (*above, label)
        pending.extend((child, paths[name]) for child in sorted(set(children.get(name, ()))))
    return paths


def _hashes(roots: Iterable[Wish]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for wish in roots:
        if wish.hashes:
            found[wish.name] = found.get(wish.name, frozenset()) | wish.hashes
    return found


def _culprits(causes: Iterable[Any], provider: Provider) -> set[str]:
    """The demands to leave out: of dependencies before the service's own, and never all of them."""
    wishes = [cause.requirement for cause in causes]
    wishes = [wish for wish in wishes if wish.specifier and wish.key not in provider.dropped]
    others = [wish for wish in wishes if not wish.direct]
    if others and len(others) < len(wishes):
        return {wish.key for wish in others}
    return {wish.key for wish in sorted(wishes, key=lambda wish: wish.key)[1:]} or {
        wish.key for wish in wishes
    }


def _conflict(causes: Iterable[object]) -> str:
    sides = []
    for cause in causes:
        wish: Wish = cause.requirement  # type: ignore[attr-defined]
        sides.append(f"{wish.origin} asks for {wish}")
    return "the demands contradict each other: " + "; ".join(dict.fromkeys(sorted(sides)))
