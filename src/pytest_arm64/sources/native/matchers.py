"""What the rules can look for in C and C++: a matcher for each kind of rule."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from ..budget import StepBudget
from ..rules import Rule
from .preprocessor import NO, SURELY, PreprocessedFile
from .syntax import SyntaxTree

if TYPE_CHECKING:
    from tree_sitter import Node

Lines = tuple[int, int]
"""First and last line of a place, from 1."""


class NativeFile:
    """A C or C++ file, preprocessed; it is parsed when a rule needs that."""

    def __init__(self, source: bytes, language: str, budget: StepBudget) -> None:
        """Raises UnreadableSourceError."""
        self.preprocessed = PreprocessedFile(source, budget)
        self.budget = budget
        self.code = self.preprocessed.for_arm()
        """What ARM64 may see of it."""
        self._language = language
        self._tree: SyntaxTree | None = None

    @property
    def tree(self) -> SyntaxTree:
        if self._tree is None:
            self._tree = SyntaxTree(self.code, self._language, self.budget)
        return self._tree

    def sees(self, line: int, *, surely: bool) -> bool:
        """Whether ARM64 sees *line*, from 1."""
        reach = self.preprocessed.on_arm
        return line <= len(reach) and reach[line - 1] >= (SURELY if surely else NO + 1)


Matcher = Callable[[Rule, NativeFile], Iterator[Lines]]


def _lines(node: Node) -> Lines:
    return int(node.start_point[0]) + 1, int(node.end_point[0]) + 1


def _directives(rule: Rule, file: NativeFile) -> Iterator[Lines]:
    """``#include``, ``#define`` or ``#error`` with a text of the rule, which ARM64 sees."""
    only_here = file.preprocessed.on_x86
    for directive in file.preprocessed.directives:
        if (
            directive.kind == rule.directive
            and rule.has_text(directive.text)
            and file.sees(directive.line, surely=rule.surely)
            and not (rule.directive == "error" and only_here[directive.line - 1] == SURELY)
        ):
            yield directive.line, directive.line


def _queried(rule: Rule, file: NativeFile) -> Iterator[Lines]:
    """What the rule's query captures as ``@place``, with a text of the rule as ``@text``."""
    functions: set[Lines | None] = set()
    for match in file.tree.matches(rule.query):
        first, last = _lines(match["place"])
        function = file.tree.function(match["place"])
        if (
            file.sees(first, surely=rule.surely)
            and rule.has_text(file.tree.text(match["text"]))
            and not (rule.inside and function is None)
            and not (rule.once and function in functions)
        ):
            functions.add(function)
            yield first, last


_VARIABLES = """
[
  (declaration type: (_) @type
    declarator: [(identifier) @name (init_declarator declarator: (identifier) @name)])
  (parameter_declaration type: (_) @type declarator: (identifier) @name)
] @declaration
"""
_FIELDS = "(field_declaration type: (_) @type declarator: (field_identifier) @name)"
_USES = """
(binary_expression left: (_) @left right: (_) @right) @place
(assignment_expression left: (_) @left right: (_) @right) @place
(init_declarator declarator: (identifier) @left value: (_) @right) @place
"""
_NEGATIVE = re.compile(r"\(?\s*-\s*[1-9]\d{0,2}\s*\)?|EOF")
_NAMED = re.compile(r"(\w+)|\(\s*(\w+)\s*=(?!=).*\)", re.DOTALL)
_LONGEST = 1000


def _plain_chars(_: Rule, file: NativeFile) -> Iterator[Lines]:
    """Where a plain ``char`` is to be negative, which it never is on ARM64."""
    variables, fields = _char_variables(file), _char_fields(file)
    for match in file.tree.matches(_USES):
        place, left = match["place"], match["left"]
        if left.type == "field_expression":
            field = left.child_by_field_name("field")
            plain = field is not None and file.tree.text(field) in fields
        else:
            name = _NAMED.fullmatch(file.tree.text(left)[:_LONGEST])
            plain = name is not None and file.tree.function(left) in variables.get(
                name[1] or name[2], ()
            )
        first, last = _lines(place)
        signed = plain and _is_signed_use(place, file, file.tree.text(match["right"]))
        if signed and file.sees(first, surely=False):
            yield first, last


def _is_signed_use(place: Node, file: NativeFile, right: str) -> bool:
    """Whether *place*, of which *right* is the right side, only makes sense for a signed type."""
    if place.type != "binary_expression":
        return _NEGATIVE.fullmatch(right) is not None
    operator = place.child_by_field_name("operator")
    sign = file.tree.text(operator) if operator is not None else ""
    if sign in ("==", "!="):
        return _NEGATIVE.fullmatch(right) is not None
    if sign in ("<", ">="):
        return right == "0" or _NEGATIVE.fullmatch(right) is not None
    if sign in (">", "<="):
        return _NEGATIVE.fullmatch(right) is not None
    return sign == "+" and right == "128"


def _char_variables(file: NativeFile) -> Mapping[str, set[Lines]]:
    """Variables of type ``char``, each with the functions that have one of that name.

    A function that has one of another type as well is left out.
    """
    variables: defaultdict[str, set[Lines]] = defaultdict(set)
    others: set[tuple[str, Lines | None]] = set()
    for match in file.tree.matches(_VARIABLES):
        name, function = file.tree.text(match["name"]), file.tree.function(match["declaration"])
        if file.tree.text(match["type"]) != "char":
            others.add((name, function))
        elif function is not None:
            variables[name].add(function)
    return {name: {f for f in fs if (name, f) not in others} for name, fs in variables.items()}


def _char_fields(file: NativeFile) -> set[str]:
    """Fields that are ``char`` wherever the file declares one of that name."""
    types: defaultdict[str, set[str]] = defaultdict(set)
    for match in file.tree.matches(_FIELDS):
        types[file.tree.text(match["name"])].add(file.tree.text(match["type"]))
    return {name for name, declared in types.items() if declared == {"char"}}


MATCHERS: Mapping[str, Matcher] = {
    "directive": _directives,
    "query": _queried,
    "plain-char": _plain_chars,
}
