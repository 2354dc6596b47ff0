"""Pins that were frozen on x86: what only an x86_64 machine asks for, and the target does not."""

from __future__ import annotations

from collections.abc import Mapping

from packaging.utils import canonicalize_name

from ..inputs.requirements import Node
from .candidates import Candidates
from .platform import Platform


def x86_pins(nodes: Mapping[str, Node], candidates: Candidates, x86: Platform) -> dict[str, str]:
    """By name: the release that asks for it on x86_64, for each package that nothing else needs.

    ``pip freeze`` on x86 writes down what markers select there, without the markers. Such a pin
    stands on the service's own account; what it leads to and nothing else needs goes with it.
    """
    asks = _asked_on_x86_alone(nodes, candidates, x86)
    pins = {name for name in asks if _is_direct(nodes[name])}
    before: set[str] = set()
    while before != pins:
        before = set(pins)
        # What the pins lead to belongs to them, and what something else needs does not.
        pins |= {n for n, node in nodes.items() if node.parents and pins.issuperset(node.parents)}
        pins = {n for n in pins if pins.issuperset(nodes[n].parents)}
    return {name: asks.get(name) or nodes[nodes[name].parents[0]].path[-1] for name in pins}


def _is_direct(node: Node) -> bool:
    return any(wish.direct for wish in node.demands)


def _asked_on_x86_alone(
    nodes: Mapping[str, Node], candidates: Candidates, x86: Platform
) -> dict[str, str]:
    """Packages of the tree that another one asks for where markers are those of *x86* alone."""
    asks: dict[str, str] = {}
    for name, node in nodes.items():
        if node.version is None or name in candidates.locals:
            continue
        for requirement in candidates.metadata(name, node.version).parsed():
            for extra in ("", *node.extras):
                if x86.calls_for(requirement, extra) and not candidates.platform.calls_for(
                    requirement, extra
                ):
                    wanted = canonicalize_name(requirement.name)
                    if wanted in nodes:
                        asks.setdefault(wanted, f"{name} {node.version}")
    return asks
