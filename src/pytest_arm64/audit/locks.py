"""A lock as data, whatever tool wrote it, and what of it a target selects."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from packaging.markers import (
    InvalidMarker,
    Marker,
    UndefinedComparison,
    UndefinedEnvironmentName,
)
from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from .environment import Platform
from .fit import admits
from .simple import File
from .tree import Tree
from .wishes import LocalProject, Node, Wish

ARTIFACT = "artifact"
"""Kind of a lock that is what was found installed."""


@dataclass(frozen=True)
class Need:
    """One demand of a release, or of the service itself, on another release."""

    name: str
    version: str = ""
    """Where the lock holds several releases of *name*: which."""
    extras: tuple[str, ...] = ()
    marker: str = ""
    specifier: SpecifierSet = field(default_factory=SpecifierSet)
    """What was asked for before the lock decided, as far as the lock tells it."""
    origin: str = ""
    """For demands of the service itself: where it is said."""


@dataclass(frozen=True)
class Locked:
    """One release in a lock."""

    name: str
    version: str
    files: tuple[File, ...] = ()
    needs: tuple[Need, ...] = ()
    extras: Mapping[str, tuple[Need, ...]] = field(default_factory=dict)
    markers: tuple[str, ...] = ()
    """It is selected where one of them holds; always where there is none."""
    requires_python: str = ""
    local: LocalProject | None = None
    """Where it comes from no index: a folder, a repository."""
    line: int = 0


@dataclass(frozen=True)
class Selection:
    """What a scope takes out of a lock."""

    needs: tuple[Need, ...] = ()
    variables: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """``extras`` and ``dependency_groups`` with which markers are evaluated (PEP 751)."""
    rest: tuple[Need, ...] = ()
    """What is selected as well, even if nothing leads to it."""


@dataclass(frozen=True)
class Lock:
    """What a lock file says."""

    kind: str
    """``uv.lock``, ``pylock.toml`` or ``poetry.lock``."""
    shown: str
    """The file, as origins tell it."""
    releases: Mapping[str, tuple[Locked, ...]]
    deploy: Selection = field(default_factory=Selection)
    test: Selection = field(default_factory=Selection)
    marked: bool = False
    """Whether a release whose marker does not hold is left out; else markers choose forks."""
    requires_python: str = ""
    index: str = ""
    """The index that it was made from, empty where it names none or several."""
    digest: str = ""
    """SHA-256 of the file."""
    renewal: str = ""
    """The command that moves one release; ``{name}`` and ``{version}`` stand for it."""
    absent: tuple[tuple[str, Need], ...] = ()
    """Of an artifact: a release in it, and what that asks for and is not in it."""

    @cached_property
    def locals(self) -> dict[str, LocalProject]:
        """Releases that come from no index, by name."""
        return {r.name: r.local for rs in self.releases.values() for r in rs if r.local}

    def release(self, name: str, version: Version) -> Locked | None:
        """The release *version* of *name*."""
        for found in self.releases.get(name, ()):
            if version_of(found) == version:
                return found
        return None

    def origin(self, release: Locked) -> str:
        """Where *release* stands."""
        return f"{self.shown}:{release.line}" if release.line else self.shown


def locked_tree(lock: Lock, selection: Selection, platform: Platform) -> Tree:
    """What *platform* gets of *lock* by *selection*."""
    walk = _Walk(lock, selection, platform)
    walk.follow(selection.needs)
    walk.follow(selection.rest)
    if lock.requires_python and not admits(lock.requires_python, platform.python_version):
        minor = ".".join(map(str, platform.python))
        text = f"{lock.shown} is for Python {lock.requires_python}, the target has {minor}"
        walk.problems[text] = None
    return Tree(walk.nodes(), tuple(walk.problems))


def holds(
    marker: str,
    platform: Platform,
    extra: str = "",
    variables: Mapping[str, frozenset[str]] | None = None,
) -> bool:
    """Whether *marker* holds on *platform*; what cannot be judged counts as yes.

    Args:
        marker: as a lock spells it; an empty one holds.
        platform: the target.
        extra: the extra whose demands are looked at.
        variables: ``extras`` and ``dependency_groups`` of a ``pylock.toml``.
    """
    parsed = _parsed(marker)
    if parsed is None:
        return True
    environment: dict[str, Any] = {**platform.markers, "extra": extra, **(variables or {})}
    try:
        return parsed.evaluate(environment, context="lock_file" if variables else "metadata")
    except (UndefinedComparison, UndefinedEnvironmentName, InvalidVersion, KeyError):
        return True


@lru_cache(maxsize=20_000)
def _parsed(marker: str) -> Marker | None:
    try:
        return Marker(marker) if marker else None
    except (InvalidMarker, RecursionError):
        return None


def version_of(release: Locked) -> Version | None:
    """The version of *release*, None where it has none or one that is none."""
    try:
        return Version(release.version)
    except InvalidVersion:
        return None


class _Walk:
    """Follows needs through a lock, each release and each extra of it once."""

    def __init__(self, lock: Lock, selection: Selection, platform: Platform) -> None:
        self._lock = lock
        self._variables = selection.variables
        self._platform = platform
        self._seen: set[tuple[str, str, str]] = set()
        self._selected: dict[str, Locked] = {}
        self._paths: dict[str, tuple[str, ...]] = {}
        self._parents: dict[str, dict[str, None]] = {}
        self._demands: dict[str, list[Wish]] = {}
        self._missing: dict[str, str] = {}
        self.problems: dict[str, None] = {}

    def follow(self, needs: Iterable[Need]) -> None:
        seen = self._seen
        pending: deque[tuple[Need, Locked | None]] = deque((need, None) for need in needs)
        while pending:
            need, parent = pending.popleft()
            release = self._choose(need, parent)
            if release is None:
                continue
            for extra in ("", *need.extras):
                if (release.name, release.version, extra) not in seen:
                    seen.add((release.name, release.version, extra))
                    pending.extend((n, release) for n in self._needs(release, extra))

    def _needs(self, release: Locked, extra: str) -> Iterator[Need]:
        needs = release.extras.get(extra, ()) if extra else release.needs
        return (need for need in needs if holds(need.marker, self._platform, extra))

    def _choose(self, need: Need, parent: Locked | None) -> Locked | None:
        if parent is None and not holds(need.marker, self._platform):
            return None
        known = self._lock.releases.get(need.name, ())
        fitting = [r for r in known if not need.version or r.version == need.version]
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

    def _selects(self, release: Locked) -> bool:
        return not release.markers or any(
            holds(marker, self._platform, variables=self._variables) for marker in release.markers
        )

    def _note(self, need: Need, label: str, parent: Locked | None, origin: str) -> None:
        above = self._paths[parent.name] if parent is not None else (origin,)
        self._paths.setdefault(need.name, (*above, label))
        demands = self._demands.setdefault(need.name, [])
        if parent is not None:
            self._parents.setdefault(need.name, {})[parent.name] = None
            origin = f"{parent.name} {parent.version}".strip()
        if need.specifier:
            demands.append(
                Wish(need.name, "", need.specifier, origin=origin, direct=parent is None)
            )

    def nodes(self) -> dict[str, Node]:
        found = {}
        for name in sorted({*self._selected, *self._missing}):
            release = self._selected.get(name)
            version = version_of(release) if release is not None else None
            local = release is not None and release.local is not None
            problem = self._missing.get(name, "") if release is None else ""
            if version is None and not local:
                problem = problem or f"{self._lock.shown} names no version of it"
            found[name] = Node(
                name,
                version,
                problem,
                tuple(self._demands.get(name, ())),
                self._paths.get(name, ()),
                tuple(sorted(self._parents.get(name, ()))),
            )
        return found
