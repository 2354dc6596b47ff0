"""Scores that stand for decisions: which side of a threshold they are on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

from .lazily import Array, Value
from .policy import Policy
from .values import Node, Stored, restored
from .verdict import DifferingElement, GoldenVerdict, Leaf


def with_decision(leaf: Leaf, pairs: list[tuple[Value, Value]], policy: Policy) -> Leaf:
    """*leaf*, with what became of the decisions that the scores in *pairs* stand for."""
    threshold = policy.decision
    if threshold is None:
        return leaf
    flips = [(x, y) for x, y in pairs if (x >= threshold) != (y >= threshold)]
    if not flips:
        return leaf
    margin = min(abs(x - threshold) for x, _ in flips)
    what = (
        f"{len(flips)} of {len(pairs)} scores are on the other side of {threshold}; "
        f"the smallest margin in the golden is {margin:.3g}"
    )
    samples = tuple(DifferingElement("", repr(x), repr(y)) for x, y in flips[:3])
    return replace(leaf, verdict=GoldenVerdict.DECISION, ok=False, what=what, samples=samples)


def sides_of(value: Stored, threshold: float) -> list[str]:
    """Which sides of *threshold* the numbers in *value* are on: ``below``, ``at or above``."""
    lowest, highest = math.inf, -math.inf
    for low, high in _ranges(value.tree, value.blobs):
        lowest, highest = min(lowest, low), max(highest, high)
    sides = ["below"] if lowest < threshold else []
    return [*sides, "at or above"] if highest >= threshold else sides


def _ranges(tree: Node, blobs: Mapping[str, Array]) -> Iterator[tuple[float, float]]:
    if tree["k"] in ("int", "float"):
        number = restored(tree, blobs)
        yield number, number
    elif tree["k"] in ("array", "scalar"):
        array = blobs[tree["blob"]]
        if array.size and array.dtype.kind in "iuf":
            yield float(array.min()), float(array.max())
    elif isinstance(tree.get("v"), list):
        for item in tree["v"]:
            for node in item if isinstance(item, list) else (item,):
                if isinstance(node, dict):
                    yield from _ranges(node, blobs)
