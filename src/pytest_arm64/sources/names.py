"""The names of a module: what each scope binds, and which expression a name stands for."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator

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
            self._bind(inner)
            self._bound.update(_changed(inner))
        if isinstance(node, ast.Module):  # what a function declares global may change at any time
            for inner in ast.walk(node):
                if isinstance(inner, ast.Global):
                    self._bound.update(inner.names)
                else:
                    self._bound.update(_changed(inner))

    def _bind(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            self._bound[node.id] += 1
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._values.update(_pairs(target, node.value))
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
            self._values.update(_pairs(node.target, node.value))
        elif isinstance(node, (*Function, ast.ClassDef)):
            self._bound[node.name] += 1
            self._values[node.name] = node
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            imported = dict(_imported(node))
            self._bound.update(imported.keys())
            self.imports.update(imported)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            self._bound.update(2 * node.names)
        elif not isinstance(node, ast.alias):  # handlers and patterns
            names = (getattr(node, field, None) for field in ("name", "rest"))
            self._bound.update(name for name in names if isinstance(name, str))

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


def _changed(node: ast.AST) -> Iterator[str]:
    """The name of a dictionary or list that *node* changes: it is not what its literal says."""
    stored = isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load)
    called = isinstance(node, ast.Attribute) and node.attr in _CHANGING
    owner = getattr(node, "value", None) if stored or called else None
    if isinstance(owner, ast.Name):
        yield owner.id


def own_nodes(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All nodes of *body* but those inside nested functions and classes."""
    pending = list(body)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, _Nested):
            pending.extend(ast.iter_child_nodes(node))
        elif not isinstance(node, ast.Lambda):
            pending.extend(node.decorator_list)


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
