"""Syntax trees by tree-sitter, within limits; it is loaded when it is used."""

from __future__ import annotations

import importlib
import re
import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

from ..budget import StepBudget, UnreadableSourceError

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Query

_SECONDS = 5.0
"""For one file."""
MOST_BYTES = 1 << 18
"""Of one file: parser and queries may need the square of hostile input's length."""
_CHUNK = 1 << 16
_MATCHES = 10_000
_BRACKETS = re.compile(rb"[(\[{]+|[)\]}]+")
_RUN = re.compile(rb"(?:[*&!~+\-<]\s*){200}")
_MOST_NESTED = 250
_DEEPEST = 50
"""Functions around a function, or before it in the same class."""


@cache
def has_grammar(language: str) -> bool:
    """Whether the packages that parse *language* are installed, in versions that fit."""
    try:
        return _grammar(language) is not None
    except (ImportError, AttributeError, ValueError, TypeError):
        return False


@cache
def _grammar(language: str) -> Language:
    import tree_sitter

    if not hasattr(tree_sitter, "QueryCursor"):
        raise ImportError("tree-sitter before 0.25")
    return tree_sitter.Language(importlib.import_module(f"tree_sitter_{language}").language())


@cache
def _query(language: str, text: str) -> Query:
    from tree_sitter import Query

    query: Query = Query(_grammar(language), text)
    return query


def _refuse_deep(source: bytes) -> None:
    """Refuse what is nested so deeply that a query would take the square of its length."""
    if len(source) > MOST_BYTES or _RUN.search(source):
        raise UnreadableSourceError("too large, or nested too deeply")
    depth = 0
    for match in _BRACKETS.finditer(source):
        size = len(match[0])
        depth = depth + size if match[0][:1] in b"([{" else max(depth - size, 0)
        if depth > _MOST_NESTED:
            raise UnreadableSourceError("nested too deeply")


class SyntaxTree:
    """One parsed file."""

    def __init__(self, source: bytes, language: str, budget: StepBudget) -> None:
        """Raises UnreadableSourceError where it takes too long."""
        from tree_sitter import Parser

        _refuse_deep(source)

        self._source = source
        self._language = language
        self._budget = budget
        self._end = time.monotonic() + _SECONDS
        try:
            self._tree = Parser(_grammar(language)).parse(
                lambda offset, _: source[offset : offset + _CHUNK],
                progress_callback=self._too_late,
            )
        except ValueError:
            raise UnreadableSourceError("it takes too long to parse") from None
        self._spans: list[tuple[int, int]] | None = None

    def _too_late(self, *_: object) -> bool:
        return time.monotonic() >= self._end

    def matches(self, query: str) -> Iterator[Mapping[str, Node]]:
        """The nodes that *query* captures, by name, for each match.

        Raises:
            UnreadableSourceError: there are too many.
        """
        from tree_sitter import QueryCursor

        # No callback stops it: tree-sitter 0.26.1 dies of one. The limit of matches does.
        cursor = QueryCursor(_query(self._language, query), match_limit=_MATCHES)
        for _, captures in cursor.matches(self._tree.root_node):
            self._budget.spend()
            yield {name: nodes[0] for name, nodes in captures.items()}
        if cursor.did_exceed_match_limit or self._too_late():
            raise UnreadableSourceError("too much to judge")

    def text(self, node: Node) -> str:
        """The source of *node*: tree-sitter itself has none of what it was read by a function."""
        return self._source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def function(self, node: Node) -> tuple[int, int] | None:
        """Where the innermost function around *node* begins and ends, in bytes; None outside."""
        if self._spans is None:
            functions = (match["f"] for match in self.matches("(function_definition) @f"))
            self._spans = sorted((f.start_byte, f.end_byte) for f in functions)
        place = bisect_right(self._spans, (node.start_byte, 1 << 62))
        for first, last in reversed(self._spans[max(place - _DEEPEST, 0) : place]):
            if last >= node.end_byte:
                return first, last
        return None
