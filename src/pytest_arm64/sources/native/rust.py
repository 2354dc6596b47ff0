"""Rust code that is compiled on every machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..budget import StepBudget
from ..rules import Rule
from .syntax import SyntaxTree

if TYPE_CHECKING:
    from tree_sitter import Node

_CONDITION = re.compile(r"#!?\[\s*(cfg\b|target_feature\b|cfg_attr\b)")


def rust_places(rule: Rule, source: bytes, budget: StepBudget) -> Iterator[tuple[int, int]]:
    """What the rule's query captures where no attribute around it is a condition.

    Raises:
        UnreadableSourceError: it takes too long.
    """
    tree = SyntaxTree(source, "rust", budget)
    for match in tree.matches(rule.query):
        place = match["place"]
        if rule.has_text(tree.text(match["text"])) and not _is_conditional(place, tree, budget):
            yield int(place.start_point[0]) + 1, int(place.end_point[0]) + 1


def _is_conditional(place: Node, tree: SyntaxTree, budget: StepBudget) -> bool:
    node: Node | None = place
    while node is not None:
        before = node.prev_named_sibling
        while before is not None and before.type in ("attribute_item", "line_comment"):
            budget.spend()
            if _CONDITION.match(tree.text(before)):
                return True
            before = before.prev_named_sibling
        node = node.parent
        budget.spend()
        if node is not None and node.type in ("source_file", "block", "declaration_list"):
            inner = (child for child in node.children if child.type == "inner_attribute_item")
            if any(_CONDITION.match(tree.text(child)) for child in inner):
                return True
    return False
