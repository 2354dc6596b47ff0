"""What a target selects of a lock."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache, partial

from packaging.markers import Marker
from packaging.requirements import Requirement

from ..inputs.lock import (
    Lock,
    LockedRelease,
    LockedRequirement,
    Selection,
    fork_variable,
    version_of,
)
from ..inputs.requirements import (
    Node,
    RequirementSet,
    SourcedRequirement,
    Tree,
    sourced_requirement,
)
from ..inside.counted import counted
from .limits import admits_minor, environment_problem, targets_for
from .platform import Platform


def locked_tree(lock: Lock, selection: Selection, platform: Platform) -> Tree:
    """What *platform* gets of *lock* by *selection*."""
    walk = _Walk(lock, selection, platform, selection.active)
    while True:
        walk.follow(selection.needs)
        walk.follow(selection.rest)
        if walk.active <= walk.assumed:
            break
        # An extra that was met on the way chooses forks that were passed before it.
        walk = _Walk(lock, selection, platform, walk.active)
    minor = ".".join(map(str, platform.python))
    if lock.requires_python and not admits_minor(lock.requires_python, minor):
        text = f"{lock.shown} is for Python {lock.requires_python}, the target has {minor}"
        walk.problems[f"{text}; {targets_for(lock.requires_python)}"] = None
    if not holds_any(lock.environments, platform):
        walk.problems[environment_problem(lock.shown, platform)] = None
    if lock.foreign and platform.markers["platform_machine"] == "aarch64":
        count = len(lock.foreign)
        files = counted(count, "compiled file")
        walk.problems[
            f"{lock.shown} holds {files} for another machine ({lock.foreign[0]}); "
            f"pytest-arm64 abi {lock.shown} lists them"
        ] = None
    return Tree(walk.nodes(), tuple(walk.problems))


def unlocked(lock: Lock, platform: Platform) -> RequirementSet:
    """What *lock* deploys on *platform*, pinned, as requirements that a change can be made to.

    The service's own demands stay demands, so that what only a release that goes away needs goes
    with it. Local projects are left out: they are installed as they are.
    """
    tree = locked_tree(lock, lock.deploy, platform)
    extras: dict[str, set[str]] = {}
    origins: dict[str, str] = {}
    for need in _own_needs(lock, tree, platform):
        extras.setdefault(need.name, set()).update(need.extras)
        origins.setdefault(need.name, need.origin or lock.shown)
    requirements, constraints = [], []
    for name, node in tree.nodes.items():
        if name in lock.locals or node.version is None:
            continue
        pin = Requirement(f"{name}=={node.version}")
        pin.extras |= extras.get(name, set())
        if name in origins:
            requirements.append((pin, sourced_requirement(pin, origins[name], direct=True)))
        else:
            constraints.append((pin, sourced_requirement(pin, lock.shown)))
    return RequirementSet(lock.shown, tuple(requirements), tuple(constraints))


def _own_needs(lock: Lock, tree: Tree, platform: Platform) -> Iterator[LockedRequirement]:
    """What the service and its local projects ask for on *platform*."""
    for need in (*lock.deploy.needs, *lock.deploy.rest):
        if need.name in tree.nodes and holds(need.marker, platform, active=lock.deploy.active):
            yield need
    for name in tree.nodes.keys() & lock.locals.keys():
        for release in lock.releases[name]:
            for need in (*release.needs, *(n for needs in release.extras.values() for n in needs)):
                if need.name in tree.nodes:
                    yield need


def holds_any(markers: Iterable[str], platform: Platform) -> bool:
    """Whether one of *markers* holds on *platform*, or there are none."""
    listed = tuple(markers)
    return not listed or any(holds(marker, platform) for marker in listed)


def holds(
    marker: str,
    platform: Platform,
    extra: str = "",
    variables: Mapping[str, frozenset[str]] | None = None,
    active: frozenset[str] = frozenset(),
) -> bool:
    """Whether *marker* holds on *platform*; what cannot be judged counts as yes.

    Args:
        marker: as a lock spells it; an empty one holds.
        platform: the target.
        extra: the extra whose demands are looked at.
        variables: ``extras`` and ``dependency_groups`` of a ``pylock.toml``.
        active: extras and groups that choose between the forks of a ``uv.lock``.
    """
    parsed = _parsed(_FORK.sub(partial(_truth, active), marker) if "extra" in marker else marker)
    if parsed is None:
        return True
    environment: dict[str, str | frozenset[str]] = {
        **platform.markers,
        "extra": extra,
        **(variables or {}),
    }
    try:
        return parsed.evaluate(environment, context="lock_file" if variables else "metadata")
    except (ValueError, KeyError):
        return True


def _truth(active: frozenset[str], term: re.Match[str]) -> str:
    """A term on a fork's variable as one that says the same on Linux: there are several at once."""
    holds = (term["name"] in active) == (term["operator"] == "==")
    return "os_name == 'posix'" if holds else "os_name != 'posix'"


@lru_cache(maxsize=20_000)
def _parsed(marker: str) -> Marker | None:
    try:
        return Marker(marker) if marker else None
    except (ValueError, RecursionError):
        return None


_FORK = re.compile(
    r"extra\s*(?P<operator>==|!=)\s*(?P<quote>['\"])(?P<name>(?:extra|group|project)-\d+-[^'\"]*)(?P=quote)"
)


class _Walk:
    """Follows needs through a lock, each release and each extra of it once."""

    def __init__(
        self, lock: Lock, selection: Selection, platform: Platform, assumed: frozenset[str]
    ) -> None:
        self._lock = lock
        self._variables = selection.variables
        self._platform = platform
        self.assumed = assumed
        self.active = assumed
        """Extras and groups that choose forks: those that were assumed, and those that were met."""
        self._seen: set[tuple[str, str, str]] = set()
        self._selected: dict[str, LockedRelease] = {}
        self._paths: dict[str, tuple[str, ...]] = {}
        self._parents: dict[str, dict[str, None]] = {}
        self._demands: dict[str, list[SourcedRequirement]] = {}
        self._missing: dict[str, str] = {}
        self.problems: dict[str, None] = {}

    def follow(self, needs: Iterable[LockedRequirement]) -> None:
        seen = self._seen
        pending: deque[tuple[LockedRequirement, LockedRelease | None]] = deque(
            (need, None) for need in needs
        )
        while pending:
            need, parent = pending.popleft()
            release = self._choose(need, parent)
            if release is None:
                continue
            self.active |= {fork_variable("extra", need.name, extra) for extra in need.extras}
            for extra in ("", *need.extras):
                if (release.name, release.version, extra) not in seen:
                    seen.add((release.name, release.version, extra))
                    pending.extend((n, release) for n in self._needs(release, extra))

    def _needs(self, release: LockedRelease, extra: str) -> Iterator[LockedRequirement]:
        needs = release.extras.get(extra, ()) if extra else release.needs
        return (need for need in needs if self._holds(need.marker, extra))

    def _choose(
        self, need: LockedRequirement, parent: LockedRelease | None
    ) -> LockedRelease | None:
        if parent is None and not self._holds(need.marker):
            return None
        releases = self._lock.releases.get(need.name, ())
        fitting = [r for r in releases if not need.version or r.version == need.version]
        chosen = [r for r in fitting if self._selects(r)]
        if self._lock.marked and fitting and not chosen:
            return None
        fitting = chosen or fitting
        origin = need.origin
        if not fitting:
            self._missing.setdefault(need.name, f"{self._lock.shown} has no release of it")
            self._note(need, need.name, parent, origin)
            return None
        release = fitting[0]
        other = self._selected.setdefault(need.name, release)
        if other.version != release.version:
            self.problems[
                f"{self._lock.shown} selects {need.name} {other.version} and {release.version} "
                "at the same time"
            ] = None
            return None
        self._note(need, f"{release.name} {release.version}".strip(), parent, origin)
        return release

    def _selects(self, release: LockedRelease) -> bool:
        return not release.markers or any(
            holds(marker, self._platform, variables=self._variables, active=self.assumed)
            for marker in release.markers
        )

    def _holds(self, marker: str, extra: str = "") -> bool:
        return holds(marker, self._platform, extra, active=self.assumed)

    def _note(
        self, need: LockedRequirement, label: str, parent: LockedRelease | None, origin: str
    ) -> None:
        above = self._paths[parent.name] if parent is not None else (origin,)
        self._paths.setdefault(need.name, (*above, label))
        demands = self._demands.setdefault(need.name, [])
        if parent is not None:
            self._parents.setdefault(need.name, {})[parent.name] = None
            origin = f"{parent.name} {parent.version}".strip()
        if need.specifier:
            demands.append(
                SourcedRequirement(
                    need.name, "", need.specifier, origin=origin, direct=parent is None
                )
            )

    def nodes(self) -> dict[str, Node]:
        nodes = {}
        for name in sorted({*self._selected, *self._missing}):
            release = self._selected.get(name)
            version = version_of(release) if release is not None else None
            local = release is not None and release.local is not None
            problem = self._missing.get(name, "") if release is None else ""
            if version is None and not local:
                problem = problem or f"{self._lock.shown} names no version of it"
            nodes[name] = Node(
                name,
                version,
                problem,
                tuple(self._demands.get(name, ())),
                self._paths.get(name, ()),
                tuple(sorted(self._parents.get(name, ()))),
            )
        return nodes
