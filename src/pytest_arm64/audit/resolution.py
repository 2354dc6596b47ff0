"""Resolution: from requirements to the complete tree of selected releases."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from packaging.requirements import Requirement

from ..contents.sdists import SdistReader
from ..index.fetch import FetchError
from ..index.index import Index
from ..index.metadata import Metadata, parse_requirement
from ..index.pip_config import PipConfig
from ..index.simple import IndexFile
from ..inputs.references import pep508
from ..inputs.requirement_lines import RequirementLine, parse_lines
from ..inputs.requirements import (
    LocalProject,
    Node,
    RequirementSet,
    SourcedRequirement,
    Tree,
    sourced_requirement,
    with_extras,
)
from .index_candidates import IndexCandidates
from .platform import Platform
from .prefetch import Prefetcher
from .provider import Candidate, Provider
from .search import Search, SearchBudget
from .unsolved_tree import Solution


def resolve(
    index: Index,
    platform: Platform,
    wishes: RequirementSet,
    limits: Iterable[tuple[Requirement, SourcedRequirement]] = (),
    ask: Callable[[str, IndexFile], Metadata | None] | None = None,
    repository: Callable[[SourcedRequirement, IndexCandidates], LocalProject | None] | None = None,
    *,
    reader: SdistReader | None = None,
    search_seconds: float,
    say: Callable[[str], None],
) -> tuple[Tree, IndexCandidates]:
    """The tree of *wishes* on *platform*, and the candidates that it was chosen from.

    There is always a tree. Where demands contradict each other, or no set of releases that go
    together is found in time, it is the nearest to one, and its problems say so.

    Args:
        index: where releases come from.
        platform: what they are for.
        wishes: what is asked for.
        limits: further constraints, as pip's configuration names them.
        ask: tells what a source distribution does not say for certain of itself.
        repository: the project in a repository, where a wish names one; it may raise FetchError.
        reader: reads what source distributions hold; without it they are not looked into.
        search_seconds: for the search, once the straight way has led to a conflict.
        say: is called with how far the search is.
    """
    candidates = IndexCandidates(
        index,
        platform,
        locals_=wishes.locals,
        prereleases=wishes.prereleases,
        formats=wishes.formats,
        ask=ask,
        overrides=wishes.overrides,
        reader=reader,
    )
    roots = [
        wish
        for requirement, base in wishes.requirements
        for called in candidates.called_for(requirement)
        for wish in with_extras(
            called, base if called is requirement else _overridden(base, called)
        )
    ]
    candidates.restrict(
        constraints=[w for r, w in (*wishes.constraints, *limits) if candidates.applies(r)],
        hashes=_hashes(roots),
        references=[wish for wish in roots if wish.url],
    )
    if repository is not None:
        _adopt(candidates, roots, repository)
    Prefetcher(candidates).explore(roots)
    search = Search(Provider(candidates), roots, SearchBudget(search_seconds), say)
    return _tree(search.best_effort(), roots, candidates), candidates


def _overridden(wish: SourcedRequirement, override: Requirement) -> SourcedRequirement:
    """*wish* with what *override* says in its place."""
    return sourced_requirement(override, wish.origin, hashes=wish.hashes, direct=True)


def _tree(
    solution: Solution, roots: Sequence[SourcedRequirement], candidates: IndexCandidates
) -> Tree:
    demands: dict[str, dict[str, SourcedRequirement]] = {}
    parents: dict[str, list[str]] = {}
    for demand in solution.demands:
        wish, parent = demand.wish, demand.parent
        if parent is not None and parent.name == wish.name:
            continue
        demands.setdefault(wish.name, {})[wish.key] = wish
        if parent is not None:
            parents.setdefault(wish.name, []).append(parent.name)
    selected = {candidate.name: candidate for candidate in solution.selected}
    extras: dict[str, list[str]] = {}
    for candidate in solution.selected:
        if candidate.extra:
            extras.setdefault(candidate.name, []).append(candidate.extra)
    paths = _paths(roots, selected, parents)
    nodes = {
        name: Node(
            name,
            candidate.version,
            candidate.problem,
            (*demands.get(name, {}).values(), *candidates.constraints_on(name)),
            paths.get(name, ()),
            tuple(sorted(set(parents.get(name, ())))),
            candidate.missing,
            tuple(sorted(extras.get(name, ()))),
            candidate.final,
        )
        for name, candidate in sorted(selected.items())
    }
    missing = (node for node in nodes.values() if node.missing is not None and not node.direct)
    unmet = [f"{n.problem}, which {n.missing.origin} asks for" for n in missing if n.missing]
    contradictions = (*solution.contradictions, *(unmet if solution.searched else ()))
    return Tree(nodes, solution.problems, contradictions)


def _adopt(
    candidates: IndexCandidates,
    roots: Iterable[SourcedRequirement],
    repository: Callable[[SourcedRequirement, IndexCandidates], LocalProject | None],
) -> None:
    """Add projects in repositories, and those that they name in turn, to *candidates*."""
    adopted: dict[str, str] = {}
    pending = deque(roots)
    pending += (
        wish for local in candidates.locals.values() for wish in _named_by(local, candidates)
    )
    while pending:
        wish = pending.popleft()
        if wish.url and adopted.get(wish.name, wish.url) != wish.url:
            del candidates.locals[wish.name]
            candidates.unreachable[wish.name] = "different URLs are requested"
        if candidates.is_known(wish) or wish.name in candidates.unreachable:
            continue
        try:
            project = repository(wish, candidates)
        except FetchError as error:
            candidates.unreachable[wish.name] = str(error)
            continue
        if project is not None:
            candidates.locals[project.name] = project
            adopted[project.name] = wish.url
            pending += _named_by(project, candidates)


def _named_by(local: LocalProject, candidates: IndexCandidates) -> Iterator[SourcedRequirement]:
    texts = [*local.requires, *(text for _, extra in local.extras for text in extra)]
    for requirement in map(parse_requirement, texts):
        if requirement is not None and requirement.url and candidates.applies(requirement):
            yield sourced_requirement(requirement, local.folder)


def _paths(
    roots: Iterable[SourcedRequirement],
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


def _hashes(roots: Iterable[SourcedRequirement]) -> dict[str, frozenset[str]]:
    hashes: dict[str, frozenset[str]] = {}
    for wish in roots:
        if wish.hashes:
            hashes[wish.name] = hashes.get(wish.name, frozenset()) | wish.hashes
    return hashes


def configured_constraints(
    config: PipConfig, environ: Mapping[str, str]
) -> Iterator[tuple[Requirement, SourcedRequirement]]:
    """Constraint files that pip's own configuration names."""
    for path, content in config.constraints.items():
        for line in parse_lines(content, environ):
            requirement = pep508(line.text) if isinstance(line, RequirementLine) else None
            if requirement is not None:
                yield (
                    requirement,
                    sourced_requirement(requirement, f"{path.name}:{line.number}", direct=True),
                )
