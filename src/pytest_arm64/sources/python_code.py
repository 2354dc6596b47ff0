"""What the rules find in a Python file; nothing of it is executed."""

from __future__ import annotations

from collections.abc import Sequence

from .budget import StepBudget
from .findings import FileResult, Place, place_at
from .matchers import MATCHERS
from .module import SourceModule
from .rules import Rule


def read_python(source: bytes, rules: Sequence[Rule], budget: StepBudget) -> FileResult:
    """What *rules* find in *source*.

    Raises:
        UnreadableSourceError: it cannot be parsed, or takes too long.
        RecursionError: it is nested too deeply.
    """
    module = SourceModule(source, budget)
    places: dict[tuple[int, str], Place] = {}
    for rule in rules:
        for node in MATCHERS[rule.kind](rule, module):
            first, last = _extent(node)
            budget.spend(1 + last - first)
            if (first, rule.id) not in places:
                places[first, rule.id] = place_at(rule, module.lines, first, last)
    return FileResult(tuple(places[key] for key in sorted(places)))


def _extent(node: object) -> tuple[int, int]:
    """First and last line of an expression, or of a statement's head."""
    first = int(getattr(node, "lineno", 1))
    head = getattr(node, "test", None) or getattr(node, "subject", None) or node
    return first, int(getattr(head, "end_lineno", None) or first)
