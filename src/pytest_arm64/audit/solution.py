"""What a search ends with: releases, what they demand, and what could not be met."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..inputs.requirements import Wish
from .provider import Candidate


@dataclass(frozen=True)
class Demand:
    """One demand, and the release that makes it; a service's own demand has no parent."""

    wish: Wish
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


def described(demands: Iterable[Demand]) -> str:
    """``A asks for X; B asks for Y``, in an order that does not depend on the search."""
    texts = {f"{demand.wish.origin} asks for {demand.wish}" for demand in demands}
    return "; ".join(sorted(texts))
