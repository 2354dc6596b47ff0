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

        None where they are computed. Extras that are computed by themselves are left out.
        """
        if any(self.is_set(name) for name in _PLUGINS):
            return None
        needed, extras = _strings(self.of("install_requires")), self.of("extras_require")
        if needed is None or isinstance(extras, _Computed):
            return None
        stated = [("", text) for text in needed]
        for key, value in extras.items() if isinstance(extras, dict) else ():
            texts = _strings(value)
            extra, _, marker = key.partition(":")
            if texts is None and not extra.strip():
                return None
            try:
                stated += [(extra.strip(), with_marker(t, marker.strip())) for t in texts or ()]
            except (ValueError, RecursionError):
                return None
        return tuple(stated)

    @property
    def computed_extras(self) -> frozenset[str]:
        """The extras whose requirements are not written down, as far as their names are."""
        extras = self.of("extras_require")
        return frozenset(
            key.partition(":")[0].strip()
            for key, value in (extras.items() if isinstance(extras, dict) else ())
            if _strings(value) is None
        )

    @cached_property
    def _call(self) -> ast.Call | None:
        """The only call of ``setup``; None where there are several, or it is missing."""
        calls = [
            node
            for node in (ast.walk(self._tree) if self._tree is not None else ())
            if isinstance(node, ast.Call) and self._is_setup(node.func)
        ]
        return calls[0] if len(calls) == 1 else None

    def _is_setup(self, function: ast.expr) -> bool:
        """Whether *function* is setuptools', under the name that it is imported by."""
        if isinstance(function, ast.Attribute):
            return function.attr == "setup"
        return isinstance(function, ast.Name) and function.id in self._setup_names

    @cached_property
    def _setup_names(self) -> frozenset[str]:
        nodes = list(ast.walk(self._tree)) if self._tree is not None else []
        imported = {
            alias.asname or alias.name
            for node in nodes
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if alias.name == "setup"
        }
        own = any(isinstance(node, ast.FunctionDef) and node.name == "setup" for node in nodes)
        return frozenset(imported or (() if own else {"setup"}))

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
            elif isinstance(node, (ast.Attribute, ast.Subscript)) and _set_key(node) is None:
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

    @cached_property
    def _set_keys(self) -> Mapping[str, set[str]]:
        """The keys that statements set in tables, by the name of the table."""
        keys: dict[str, set[str]] = {}
        for node in ast.walk(self._tree) if self._tree is not None else ():
            pair = _set_key(node)
            if pair is not None:
                keys.setdefault(pair[0], set()).add(pair[1])
        return keys

    def _literal(self, node: ast.expr, depth: int = 0) -> Value:
        if depth > _MAXIMUM_DEPTH:
            return COMPUTED
        if isinstance(node, ast.Constant):
            value = node.value
            return (
                value if isinstance(value, (str, bool, int, float)) or value is None else COMPUTED
            )
        if isinstance(node, ast.Name):
            return self._named(node.id, depth)
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            return [value for element in node.elts for value in self._elements(element, depth)]
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

    def _named(self, name: str, depth: int) -> Value:
        """The value of the name *name*, of which what is set by keys is not known."""
        bound = self._constants.get(name)
        value = self._literal(bound, depth + 1) if bound is not None else COMPUTED
        if name not in self._set_keys:
            return value
        if not isinstance(value, dict):
            return COMPUTED
        return {**value, **dict.fromkeys(self._set_keys[name], COMPUTED)}

    def _elements(self, node: ast.expr, depth: int) -> list[Value]:
        """What *node* adds to a list: one value, or those of a list after an asterisk."""
        if not isinstance(node, ast.Starred):
            return [self._literal(node, depth + 1)]
        values = self._literal(node.value, depth + 1)
        return values if isinstance(values, list) else [COMPUTED]

    def _table(
        self, keys: Sequence[ast.expr | None], values: Sequence[ast.expr], depth: int
    ) -> Value:
        table: dict[str, Value] = {}
        for key, value in zip(keys, values, strict=True):
            name = self._literal(key, depth + 1) if key is not None else COMPUTED
            literal = self._literal(value, depth + 1)
            if key is None and isinstance(literal, dict):
                table |= literal
            elif isinstance(name, str):
                table[name] = literal
            else:
                return COMPUTED
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
    place = node.value
    while isinstance(place, (ast.Attribute, ast.Subscript)):
        place = place.value
    return place.id if changing and isinstance(place, ast.Name) else ""


def _set_key(node: ast.AST) -> tuple[str, str] | None:
    """The name of a table and the key that *node* sets in it: ``name["key"] = …``."""
    if not isinstance(node, ast.Subscript) or isinstance(node.ctx, ast.Load):
        return None
    table, key = node.value, node.slice
    if isinstance(table, ast.Name) and isinstance(key, ast.Constant) and isinstance(key.value, str):
        return table.id, key.value
    return None


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
