"""The tree of selected releases, whatever selected them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..inputs.requirements import Node


@dataclass(frozen=True)
class Tree:
    """What would be installed."""

    nodes: Mapping[str, Node] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    """Why there is no tree."""
