"""A lock as data, whatever tool wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from ..index.simple import IndexFile
from .requirements import LocalProject

ARTIFACT = "artifact"
"""Kind of a lock that is what was found installed."""


@dataclass(frozen=True)
class LockedRequirement:
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
class LockedRelease:
    """One release in a lock."""

    name: str
    version: str
    files: tuple[IndexFile, ...] = ()
    needs: tuple[LockedRequirement, ...] = ()
    extras: Mapping[str, tuple[LockedRequirement, ...]] = field(default_factory=dict)
    markers: tuple[str, ...] = ()
    """It is selected where one of them holds; always where there is none."""
    requires_python: str = ""
    local: LocalProject | None = None
    """Where it comes from no index: a folder, a repository."""
    line: int = 0


@dataclass(frozen=True)
class Selection:
    """What a scope takes out of a lock."""

    needs: tuple[LockedRequirement, ...] = ()
    variables: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """``extras`` and ``dependency_groups`` with which markers are evaluated (PEP 751)."""
    rest: tuple[LockedRequirement, ...] = ()
    """What is selected as well, even if nothing leads to it."""
    active: frozenset[str] = frozenset()
    """Extras and groups that are selected, as uv writes them in the markers of its forks."""


@dataclass(frozen=True)
class Lock:
    """What a lock file says."""

    kind: str
    """``uv.lock``, ``pylock.toml``, ``poetry.lock`` or ``pdm.lock``."""
    shown: str
    """The file, as origins tell it."""
    releases: Mapping[str, tuple[LockedRelease, ...]]
    deploy: Selection = field(default_factory=Selection)
    test: Selection = field(default_factory=Selection)
    marked: bool = False
    """Whether a release whose marker does not hold is left out; else markers choose forks."""
    requires_python: str = ""
    environments: tuple[str, ...] = ()
    """Markers; the lock is for no environment in which none of them holds. Empty for all."""
    index: str = ""
    """The index that it was made from, empty where it names none or several."""
    digest: str = ""
    """SHA-256 of the file."""
    renewal: str = ""
    """The command that moves one release; ``{name}`` and ``{version}`` stand for it."""
    absent: tuple[tuple[str, LockedRequirement], ...] = ()
    """Of an artifact: a release in it, and what that asks for and is not in it."""

    foreign: tuple[str, ...] = ()
    """Of an artifact: compiled files that aarch64 cannot load, and that no package's tags tell."""

    @cached_property
    def locals(self) -> dict[str, LocalProject]:
        """Releases that come from no index, by name."""
        return {r.name: r.local for rs in self.releases.values() for r in rs if r.local}

    def release(self, name: str, version: Version) -> LockedRelease | None:
        """The release *version* of *name*."""
        for release in self.releases.get(name, ()):
            if version_of(release) == version:
                return release
        return None

    def origin(self, release: LockedRelease) -> str:
        """Where *release* stands."""
        return f"{self.shown}:{release.line}" if release.line else self.shown


def version_of(release: LockedRelease) -> Version | None:
    """The version of *release*, None where it has none or one that is none."""
    try:
        return Version(release.version)
    except ValueError:
        return None


def fork_variable(kind: str, project: str, name: str) -> str:
    """How uv writes the extra or group *name* of *project* in the markers of its forks.

    Source: uv's lock files with ``[tool.uv] conflicts``, uv 0.13, November 2026.
    """
    project = canonicalize_name(project)
    return f"{kind}-{len(project)}-{project}-{canonicalize_name(name)}"
