"""What a search ends with: releases, what they demand, and what could not be met."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from packaging.version import Version

from ..inputs.requirements import SourcedRequirement
from .provider import Candidate


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


def contradiction(demands: Iterable[Demand]) -> str:
    """*demands* that cannot be met together, as a problem of the matrix."""
    return f"the demands contradict each other: {described(demands)}"


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
