"""The arguments of ``setup()`` in a script, as far as they are written down and not computed."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


class _Computed:
    """The type of the one value that stands for all that are not written down."""


COMPUTED: Final = _Computed()
Literal = str | bool | float | None | list["Value"] | dict[str, "Value"]
Value = Literal | _Computed
_MAXIMUM_DEPTH = 40
_CHANGING = frozenset(
    ["append", "extend", "insert", "remove", "pop", "update", "setdefault", "clear", "sort"]
)
# Functions that leave what they are called with as it is.
_READING = frozenset(["print", "len", "sorted", "list", "tuple", "set", "dict", "str", "open"])
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# Arguments that make plug-ins of setuptools compute the others.
_PLUGINS = ("pbr", "d2to1", "use_pyscaffold")


class Values:
    """What one script hands to ``setup``."""

    def __init__(self, tree: ast.Module | None) -> None:
        self._tree = tree

    @property
    def called(self) -> bool:
        """Whether ``setup`` is called in one place."""
        return self._call is not None

    def of(self, name: str) -> Value:
        """The value of the argument *name*: None where it is missing, or COMPUTED."""
        return self._arguments.get(name, COMPUTED if self._open else None)

    def is_set(self, name: str) -> bool:
        """Whether the argument *name* is there and not empty."""
        return bool(self._arguments.get(name))

    def words(self, name: str) -> Iterator[str]:
        """The projects that the strings of the argument *name* begin with, normalised."""
        for text in _strings(self._arguments.get(name)) or ():
            match = _NAME.match(text.strip())
            if match is not None:
                yield canonicalize_name(match[0])

    def requirements(self) -> tuple[tuple[str, str], ...] | None:
        """Each of ``install_requires`` and ``extras_require``, after its extra, empty for none.

        None where they are computed.
        """
        if any(self.is_set(name) for name in _PLUGINS):
            return None
        needed, extras = _strings(self.of("install_requires")), self.of("extras_require")
        if needed is None or isinstance(extras, _Computed):
            return None
        stated = [("", text) for text in needed]
        for key, value in extras.items() if isinstance(extras, dict) else ():
            texts = _strings(value)
            if texts is None:
                return None
            extra, _, marker = key.partition(":")
            try:
                stated += [(extra.strip(), with_marker(text, marker.strip())) for text in texts]
            except (ValueError, RecursionError):
                return None
        return tuple(stated)

    @cached_property
    def _call(self) -> ast.Call | None:
        """The only call of ``setup``; None where there are several, or it is missing."""
        calls = [
            node
            for node in (ast.walk(self._tree) if self._tree is not None else ())
            if isinstance(node, ast.Call) and _called(node.func) == "setup"
        ]
        return calls[0] if len(calls) == 1 else None

    @property
    def _open(self) -> bool:
        """Whether there may be arguments that are not written down."""
        call = self._call
        return (
            call is None
            or bool(call.args)
            or any(
                keyword.arg is None and not isinstance(self._literal(keyword.value), dict)
                for keyword in call.keywords
            )
        )

    @cached_property
    def _arguments(self) -> Mapping[str, Value]:
        arguments: dict[str, Value] = {}
        for keyword in self._call.keywords if self._call is not None else ():
            value = self._literal(keyword.value)
            if keyword.arg is not None:
                arguments[keyword.arg] = value
            elif isinstance(value, dict):
                arguments |= value
        return arguments

    @cached_property
    def _constants(self) -> Mapping[str, ast.expr]:
        """The values of names that are bound once in the whole script, and never changed."""
        bound: dict[str, ast.expr] = {}
        often: Counter[str] = Counter()
        for node in ast.walk(self._tree) if self._tree is not None else ():
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                often[node.id] += 1
            elif isinstance(node, (ast.Attribute, ast.Subscript)):
                often[_changed(node)] += 2
            elif isinstance(node, ast.arg):
                often[node.arg] += 2
            elif isinstance(node, ast.Call) and _called(node.func) not in _READING:
                often.update(arg.id for arg in node.args if isinstance(arg, ast.Name))
        for statement in self._tree.body if self._tree is not None else ():
            if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                target = statement.targets[0]
                if isinstance(target, ast.Name) and often[target.id] == 1:
                    bound[target.id] = statement.value
        return bound

    def _literal(self, node: ast.expr, depth: int = 0) -> Value:
        if depth > _MAXIMUM_DEPTH:
            return COMPUTED
        if isinstance(node, ast.Constant):
            value = node.value
            return (
                value if isinstance(value, (str, bool, int, float)) or value is None else COMPUTED
            )
        if isinstance(node, ast.Name):
            bound = self._constants.get(node.id)
            return self._literal(bound, depth + 1) if bound is not None else COMPUTED
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            return [self._literal(element, depth + 1) for element in node.elts]
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = self._literal(node.left, depth + 1), self._literal(node.right, depth + 1)
            both = isinstance(left, list) and isinstance(right, list)
            return [*left, *right] if both else COMPUTED  # type: ignore[misc]  # both are lists
        if isinstance(node, ast.Dict):
            return self._table(node.keys, node.values, depth)
        if isinstance(node, ast.Call) and _called(node.func) == "dict" and not node.args:
            keys = [ast.Constant(k.arg) if k.arg else None for k in node.keywords]
            return self._table(keys, [k.value for k in node.keywords], depth)
        return COMPUTED

    def _table(
        self, keys: Sequence[ast.expr | None], values: Sequence[ast.expr], depth: int
    ) -> Value:
        table: dict[str, Value] = {}
        for key, value in zip(keys, values, strict=True):
            name = self._literal(key, depth + 1) if key is not None else COMPUTED
            if not isinstance(name, str):
                return COMPUTED
            table[name] = self._literal(value, depth + 1)
        return table


def _called(function: ast.expr) -> str:
    """The last word of what is called."""
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _changed(node: ast.Attribute | ast.Subscript) -> str:
    """The name whose value *node* may change in its place; empty where it changes none."""
    changing = (
        node.attr in _CHANGING
        if isinstance(node, ast.Attribute)
        else not isinstance(node.ctx, ast.Load)
    )
    return node.value.id if changing and isinstance(node.value, ast.Name) else ""


def _strings(value: Value) -> list[str] | None:
    """*value* as requirements, a line or an element each; None where one is computed."""
    if value is None:
        return []
    lines = value.splitlines() if isinstance(value, str) else value
    if not isinstance(lines, list):
        return None
    texts = []
    for line in lines:
        if not isinstance(line, str):
            return None
        texts.append(re.sub(r"(^|\s)#.*", "", line).strip())
    return [text for text in texts if text]


def with_marker(text: str, marker: str) -> str:
    """The requirement *text*, called for only where *marker* holds as well.

    Raises:
        InvalidRequirement: one of them is not valid.
    """
    if not marker:
        return text
    wanted = Requirement(text)
    both = f"({wanted.marker}) and ({marker})" if wanted.marker is not None else marker
    wanted.marker = None
    address = " " if wanted.url else ""
    return str(Requirement(f"{wanted}{address}; {both}"))
