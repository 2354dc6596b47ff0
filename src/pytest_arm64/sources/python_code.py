"""What the rules find in a Python file; nothing of it is executed."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

from .budget import StepBudget
from .findings import Branch, CodePlace, FileResult, place_at
from .matchers import MATCHERS
from .module import SourceModule, taken_arm
from .rules import Rule


def read_python(source: bytes, _: str, rules: Sequence[Rule], budget: StepBudget) -> FileResult:
    """What *rules* find in *source*.

    Raises:
        UnreadableSourceError: it cannot be parsed, or takes too long.
        RecursionError: it is nested too deeply.
    """
    module = SourceModule(source, budget)
    places: dict[tuple[int, str], CodePlace] = {}
    for rule in rules:
        for node in MATCHERS[rule.kind](rule, module):
            first, last = _extent(node)
            budget.spend(1 + last - first)
            if (first, rule.id) not in places:
                places[first, rule.id] = place_at(rule, module.lines, first, last)
    found = tuple(places[key] for key in sorted(places))
    if found:
        found = tuple(_in_statements(found, module.tree))
    return FileResult(found, branches=tuple(_branches(module)))


def _branches(module: SourceModule) -> Iterator[Branch]:
    """Where x86 takes a way that ARM64 does not."""
    for step in module.steps:
        on_arm, on_x86 = taken_arm(step.arms), taken_arm(step.arms, x86=True)
        if on_arm is not None and on_x86 is not None and on_arm is not on_x86 and on_x86.body:
            first, last = step.node.lineno, step.node.end_lineno or step.node.lineno
            yield Branch(first, last, bool(on_arm.body))


def _in_statements(places: Sequence[CodePlace], tree: ast.Module) -> Iterator[CodePlace]:
    """*places*, each with the lines of the smallest statement, or head of one, around it."""
    extents = [extent for node in ast.walk(tree) for extent in _statements(node)]
    for place in places:
        around = [extent for extent in extents if extent[0] <= place.line <= extent[1]]
        begins, ends = min(around, key=lambda e: e[1] - e[0], default=(place.line, place.line))
        yield replace(place, begins=begins, ends=ends)


def _statements(node: ast.AST) -> Iterator[tuple[int, int]]:
    """First and last lines of a simple statement, of the head of another, and of decorators."""
    if isinstance(node, ast.stmt):
        body: list[ast.stmt] = getattr(node, "body", []) or getattr(node, "cases", [])
        last = node.end_lineno or node.lineno
        if body:
            last = max(node.lineno, _first_line(body[0]) - 1)
        yield node.lineno, last
    for decorator in getattr(node, "decorator_list", ()):
        yield decorator.lineno, decorator.end_lineno or decorator.lineno


def _first_line(node: ast.AST) -> int:
    """Of a statement with its decorators, or of a case."""
    nodes = [node, getattr(node, "pattern", None), *getattr(node, "decorator_list", ())]
    return min(int(each.lineno) for each in nodes if hasattr(each, "lineno"))


def _extent(node: object) -> tuple[int, int]:
    """First and last line of an expression, or of a statement's head."""
    first = int(getattr(node, "lineno", 1))
    head = getattr(node, "test", None) or getattr(node, "subject", None) or node
    return first, int(getattr(head, "end_lineno", None) or first)
