"""What a service asks for, read from its own files; nothing of it is executed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from ..index.simple import IndexFile
from .formats import Formats


@dataclass(frozen=True)
class SourcedRequirement:
    """One demand on one identity: a project, or one extra of it."""

    name: str
    extra: str = ""
    specifier: SpecifierSet = field(default_factory=SpecifierSet)
    origin: str = ""
    """Where it is said: ``requirements.txt:3``, or the release that demands it."""
    url: str = ""
    """A direct reference: no index decides what is installed."""
    hashes: frozenset[str] = frozenset()
    direct: bool = False
    """Said by the service itself, not by one of its dependencies."""

    @property
    def key(self) -> str:
        """What tells it from other demands."""
        return f"{self.origin} {self}"

    @property
    def identity(self) -> tuple[str, str]:
        return (self.name, self.extra)

    @cached_property
    def pin(self) -> bool:
        """Whether exactly one version satisfies it."""
        return any(
            s.operator == "===" or (s.operator == "==" and not s.version.endswith(".*"))
            for s in self.specifier
        )

    @cached_property
    def exact(self) -> Version | None:
        """The version that it pins, but for local labels; None where it pins none."""
        for specifier in self.specifier:
            if specifier.operator == "==" and not specifier.version.endswith(".*"):
                return Version(specifier.version)
        return None

    @cached_property
    def bounded(self) -> bool:
        """Whether it keeps newer versions out."""
        return any(s.operator in ("<", "<=", "==", "===", "~=") for s in self.specifier)

    def __str__(self) -> str:
        what = f"{self.name}[{self.extra}]" if self.extra else self.name
        return f"{what}{self.specifier}" if not self.url else f"{what} @ …"


@dataclass(frozen=True)
class Node:
    """One selected release and what holds it."""

    name: str
    version: Version | None
    problem: str = ""
    demands: tuple[SourcedRequirement, ...] = ()
    """Everything that limits its version, constraints included."""
    path: tuple[str, ...] = ()
    """From the place that asks for it, over releases, to itself."""
    parents: tuple[str, ...] = ()
    missing: SourcedRequirement | None = None
    """The demand that no release satisfies, where that is why there is no version."""
    extras: tuple[str, ...] = ()
    """Those of its extras that are asked for."""
    final: bool = False
    """Whether every index answered, so that an installer would find no version either."""

    @property
    def direct(self) -> bool:
        """Whether the service itself asks for it."""
        return any(wish.direct for wish in self.demands)


@dataclass(frozen=True)
class Tree:
    """What would be installed."""

    nodes: Mapping[str, Node] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    """Why there is no tree."""
    contradictions: tuple[str, ...] = ()
    """Those of the problems that no choice of releases solves."""

    @property
    def without_release(self) -> tuple[str, ...]:
        """What the service itself asks for and no index has.

        Of a dependency that says nothing: an older release of what asks for it may do without.
        """
        return tuple(
            _said(node)
            for node in self.nodes.values()
            if node.version is None and node.final and node.direct
        )


def _said(node: Node) -> str:
    """The problem of *node*, with the project's name and who asks for it."""
    asks = sorted({f"{w.origin} asks for {w}" for w in node.demands if w.direct and w.origin})
    name = "" if node.name in node.problem else f"{node.name}: "
    return "; ".join([f"{name}{node.problem}", *asks])


@dataclass(frozen=True)
class LocalProject:
    """A project that is named by its folder."""

    name: str
    version: str
    folder: str
    native: bool
    """Whether its build may compile something."""
    requires: tuple[str, ...] = ()
    extras: tuple[tuple[str, tuple[str, ...]], ...] = ()
    doubt: str = ""
    editable: bool = False
    uri: str = ""
    """Its folder as a ``file://`` address, or the repository that it comes from."""
    detail: str = "a local project whose build may compile something"
    """Why it is built from source, where it is."""
    archive: IndexFile | None = None
    """Its sources as a source distribution, where they come from a repository."""


@dataclass(frozen=True)
class RequirementSet:
    """Everything that a service's files say about its dependencies."""

    service: str
    requirements: tuple[tuple[Requirement, SourcedRequirement], ...]
    """Each as it is written, and as it counts where its marker holds."""
    constraints: tuple[tuple[Requirement, SourcedRequirement], ...] = ()
    overrides: tuple[Requirement, ...] = ()
    """What replaces each demand on the same project, as uv's ``override-dependencies``."""
    locals: tuple[LocalProject, ...] = ()
    index: str = ""
    extra_indexes: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    no_index: bool = False
    prereleases: bool = False
    formats: Formats = field(default_factory=Formats)
    gaps: tuple[str, ...] = ()
    """What the files leave open, so that the tree may be incomplete."""
    tried: bool = False
    """Whether changes were made to them that the files do not have."""

    def fingerprint(self) -> dict[str, object]:
        """What two must share to lead to the same tree, ready for JSON."""
        listed = {
            key: [[str(r), sourced.origin, sorted(sourced.hashes)] for r, sourced in pairs]
            for key, pairs in (
                ("requirements", self.requirements),
                ("constraints", self.constraints),
            )
        }
        formats = [sorted(self.formats.no_binary), sorted(self.formats.only_binary)]
        sources = [self.index, *self.extra_indexes, *self.links, self.no_index, self.prereleases]
        return {
            **listed,
            "overrides": [str(override) for override in self.overrides],
            "locals": [repr(local) for local in self.locals],
            "formats": formats,
            "sources": sources,
            "gaps": list(self.gaps),
        }


def with_extras(requirement: Requirement, base: SourcedRequirement) -> Iterator[SourcedRequirement]:
    """*base* itself and one for each extra of *requirement*."""
    yield base
    for extra in sorted(requirement.extras):
        yield SourcedRequirement(
            base.name,
            canonicalize_name(extra),
            base.specifier,
            base.origin,
            base.url,
            base.hashes,
            base.direct,
        )


def sourced_requirement(
    requirement: Requirement,
    origin: str,
    *,
    hashes: frozenset[str] = frozenset(),
    direct: bool = False,
) -> SourcedRequirement:
    """*requirement*, stated at *origin*, without its extras."""
    return SourcedRequirement(
        canonicalize_name(requirement.name),
        "",
        requirement.specifier,
        origin,
        requirement.url or "",
        hashes,
        direct,
    )
