"""The names of a module: what each scope binds, and which expression a name stands for."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar

Function = (ast.FunctionDef, ast.AsyncFunctionDef)
_Nested = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_CHANGING = (
    *("update", "setdefault", "pop", "popitem", "clear"),
    *("append", "extend", "insert", "add", "remove", "discard"),
)


class NameScope:
    """A module, class or function, with the names that it binds."""

    def __init__(
        self,
        node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef,
        parent: NameScope | None = None,
    ) -> None:
        """*parent* is the scope in which names that this one does not bind are looked up."""
        self.node = node
        self.parent = parent
        self.imports: dict[str, str] = {}
        """What a name was imported as, with its module: ``os.uname``."""
        self._bound: Counter[str] = Counter()
        self._values: dict[str, ast.AST] = {}
        if not isinstance(node, (ast.Module, ast.ClassDef)):
            self._bound.update(argument.arg for argument in _arguments(node.args))
        for inner in own_nodes(node.body):
            bind = self._BINDING.get(type(inner))
            if bind is not None:
                bind(self, inner)
        if isinstance(node, ast.Module):  # what a function declares global may change at any time
            for inner in all_nodes(node):
                if isinstance(inner, (ast.Global, ast.Subscript, ast.Attribute)):
                    self._bind_global(inner)

    def _bind_global(self, node: ast.Global | ast.Subscript | ast.Attribute) -> None:
        if isinstance(node, ast.Global):
            self._bound.update(node.names)
        else:
            self._bind_changed(node)

    def _bind_changed(self, node: ast.Subscript | ast.Attribute) -> None:
        """A dictionary or list that is changed is not what its literal says."""
        changed = (
            node.attr in _CHANGING
            if isinstance(node, ast.Attribute)
            else not isinstance(node.ctx, ast.Load)
        )
        if changed and isinstance(node.value, ast.Name):
            self._bound[node.value.id] += 1

    def _bind_name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._bound[node.id] += 1

    def _bind_assignment(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._values.update(_pairs(target, node.value))

    def _bind_value(self, node: ast.AnnAssign | ast.NamedExpr) -> None:
        if node.value is not None:
            self._values.update(_pairs(node.target, node.value))

    def _bind_definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self._bound[node.name] += 1
        self._values[node.name] = node

    def _bind_import(self, node: ast.Import | ast.ImportFrom) -> None:
        imported = dict(_imported(node))
        self._bound.update(imported.keys())
        self.imports.update(imported)

    def _bind_outer(self, node: ast.Global | ast.Nonlocal) -> None:
        self._bound.update(2 * node.names)

    def _bind_named(self, node: ast.AST) -> None:
        """Handlers and patterns."""
        for name in (getattr(node, "name", None), getattr(node, "rest", None)):
            if isinstance(name, str):
                self._bound[name] += 1

    _BINDING: ClassVar[Mapping[type[ast.AST], Callable[[NameScope, Any], None]]] = {
        ast.Name: _bind_name,
        ast.Subscript: _bind_changed,
        ast.Attribute: _bind_changed,
        ast.Assign: _bind_assignment,
        ast.AnnAssign: _bind_value,
        ast.NamedExpr: _bind_value,
        ast.FunctionDef: _bind_definition,
        ast.AsyncFunctionDef: _bind_definition,
        ast.ClassDef: _bind_definition,
        ast.Import: _bind_import,
        ast.ImportFrom: _bind_import,
        ast.Global: _bind_outer,
        ast.Nonlocal: _bind_outer,
        ast.ExceptHandler: _bind_named,
        ast.MatchAs: _bind_named,
        ast.MatchStar: _bind_named,
        ast.MatchMapping: _bind_named,
    }
    """What binds a name, by the kind of node: most nodes do not, and there are millions."""

    def binds(self, name: str) -> bool:
        return name in self._bound

    def home(self, name: str) -> NameScope | None:
        """The scope in which *name* is looked up; None for builtins and unknown names."""
        scope: NameScope | None = self
        while scope is not None and not scope.binds(name):
            scope = scope.parent
        return scope

    def value(self, name: str) -> ast.AST | None:
        """The only expression or function that *name* is ever bound to in this scope."""
        return self._values.get(name) if self._bound[name] == 1 else None

    def inner(self, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> NameScope:
        """The scope of *node*, which is defined in this one: methods do not see their class."""
        around = self.parent if isinstance(self.node, ast.ClassDef) else self
        return NameScope(node, around)

    def dotted(self, node: ast.AST) -> str:
        """What *node* names, as ``module.attribute``; empty where that is not certain."""
        attributes: list[str] = []
        while isinstance(node, ast.Attribute):
            attributes.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        home = self.home(node.id)
        name = node.id if home is None else home.imports.get(node.id, "")
        return ".".join([name, *reversed(attributes)]) if name else ""


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes right below *node*, as ``ast.iter_child_nodes`` gives them, in half of its time."""
    nodes: list[ast.AST] = []
    for value in vars(node).values():
        if isinstance(value, list):
            nodes += [each for each in value if isinstance(each, ast.AST)]
        elif isinstance(value, ast.AST):
            nodes.append(value)
    return nodes


def all_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """*tree* and all nodes below it."""
    pending = [tree]
    while pending:
        node = pending.pop()
        yield node
        pending += children(node)


def own_nodes(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All nodes of *body* but those inside nested functions and classes."""
    pending = list(body)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, _Nested):
            pending += children(node)
        elif not isinstance(node, ast.Lambda):
            pending += node.decorator_list


def _arguments(arguments: ast.arguments) -> Iterator[ast.arg]:
    yield from (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    yield from (extra for extra in (arguments.vararg, arguments.kwarg) if extra is not None)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Names and their values of one assignment, ``a, b = 1, 2`` included."""
    if isinstance(target, ast.Name):
        yield target.id, value
    elif (
        isinstance(target, (ast.Tuple, ast.List))
        and isinstance(value, (ast.Tuple, ast.List))
        and len(target.elts) == len(value.elts)
        and not any(isinstance(each, ast.Starred) for each in (*target.elts, *value.elts))
    ):
        for each, its in zip(target.elts, value.elts, strict=True):
            if isinstance(each, ast.Name):
                yield each.id, its


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            yield alias.asname or alias.name, f"{'.' * node.level}{node.module or ''}.{alias.name}"
        elif alias.asname:
            yield alias.asname, alias.name
        else:
            top = alias.name.partition(".")[0]
            yield top, top
