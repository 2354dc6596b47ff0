"""The value that an expression has on a Linux machine, as far as it follows from the code."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from .budget import StepBudget
from .names import NameScope

ARM, X86 = "aarch64", "x86_64"
UNKNOWN: Final = object()
"""The value does not follow from the code."""
MISSING: Final = object()
"""A dictionary has no such key: the look-up raises KeyError."""
_LONGEST = 2000
"""Characters or elements of a value: longer ones are unknown."""
_SCALARS = (str, int, float, bool, type(None))
_METHODS = ("lower", "upper", "strip", "casefold", "startswith", "endswith", "split")


class _Table(NamedTuple):
    """A dictionary whose keys are all known."""

    entries: Mapping[object, ast.expr]
    scope: NameScope


class Machine:
    """Evaluates expressions as on Linux on one kind of machine; nothing is executed."""

    def __init__(self, name: str, budget: StepBudget) -> None:
        self.name = name
        self._budget = budget
        uname = ("Linux", "host", UNKNOWN, UNKNOWN, name, name)
        self._calls: dict[str, object] = {
            "platform.machine": name,
            "platform.processor": name,
            "platform.system": "Linux",
            "platform.uname": uname,
            "os.uname": uname[:5],
            "sysconfig.get_platform": f"linux-{name}",
            "distutils.util.get_platform": f"linux-{name}",
        }
        self._names: dict[str, object] = {"sys.platform": "linux", "os.name": "posix"}
        self._values: dict[tuple[NameScope, str], object] = {}

    def truth(self, node: ast.expr, scope: NameScope) -> bool | None:
        """Whether *node* holds; None where that is not known."""
        return _truth(self.value(node, scope))

    def value(self, node: ast.AST, scope: NameScope) -> object:
        """The value of *node*, ``UNKNOWN`` or ``MISSING``.

        Raises:
            UnreadableSourceError: the budget is spent: tables of tables double with each.
        """
        self._budget.spend()
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        value = method(node, scope) if method is not None else UNKNOWN
        too_long = isinstance(value, (str, tuple)) and len(value) > _LONGEST
        return UNKNOWN if too_long else value

    def _constant(self, node: ast.Constant, _: NameScope) -> object:
        return node.value if isinstance(node.value, _SCALARS) else UNKNOWN

    def _name(self, node: ast.Name, scope: NameScope) -> object:
        home = scope.home(node.id)
        if home is None:
            return UNKNOWN
        if node.id in home.imports:
            return self._names.get(scope.dotted(node), UNKNOWN)
        key = (home, node.id)
        if key not in self._values:
            self._values[key] = UNKNOWN  # where it leads to itself
            value = home.value(node.id)
            if isinstance(value, ast.expr):
                self._values[key] = self.value(value, home)
        return self._values[key]

    def _attribute(self, node: ast.Attribute, scope: NameScope) -> object:
        name = scope.dotted(node)
        if name in self._names:
            return self._names[name]
        index = {"sysname": 0, "system": 0, "machine": 4, "processor": 5}.get(node.attr)
        value = self.value(node.value, scope) if index is not None else UNKNOWN
        if index is not None and isinstance(value, tuple) and len(value) > index:
            return value[index]
        return UNKNOWN

    def _call(self, node: ast.Call, scope: NameScope) -> object:
        name = scope.dotted(node.func)
        if name in self._calls:
            return self._calls[name]
        if isinstance(node.func, ast.Attribute):
            return self._method(node.func, node, scope)
        if isinstance(node.func, ast.Name) and not node.args and not node.keywords:
            return self._own_function(node.func, scope)
        return UNKNOWN

    def _own_function(self, name: ast.Name, scope: NameScope) -> object:
        """What a function of the module gives that does nothing but return something."""
        home = scope.home(name.id)
        function = home.value(name.id) if home is not None else None
        if home is None or not isinstance(function, ast.FunctionDef):
            return UNKNOWN
        key = (home, f"{name.id}()")
        if key not in self._values:
            self._values[key] = UNKNOWN
            *before, last = function.body
            if isinstance(last, ast.Return) and last.value and all(map(is_text, before)):
                self._values[key] = self.value(last.value, home.inner(function))
        return self._values[key]

    def _method(self, method: ast.Attribute, node: ast.Call, scope: NameScope) -> object:
        owner = self.value(method.value, scope)
        arguments = [self.value(argument, scope) for argument in node.args]
        if node.keywords or any(map(_opaque, arguments)):
            return UNKNOWN
        if isinstance(owner, _Table) and method.attr == "get" and 1 <= len(arguments) <= 2:
            value = self._entry(owner, arguments[0])
            return (*arguments, None)[1] if value is MISSING else value
        if isinstance(owner, str) and method.attr in _METHODS:
            try:
                value = getattr(owner, method.attr)(*arguments)
            except (TypeError, ValueError):
                return UNKNOWN
            return tuple(value) if isinstance(value, list) else value
        return UNKNOWN

    def _entry(self, table: _Table, key: object) -> object:
        try:
            value = table.entries.get(key)
        except TypeError:
            return UNKNOWN
        return MISSING if value is None else self.value(value, table.scope)

    def _subscript(self, node: ast.Subscript, scope: NameScope) -> object:
        owner = self.value(node.value, scope)
        if isinstance(node.slice, ast.Slice):
            return self._part(owner, node.slice, scope)
        key = self.value(node.slice, scope)
        if _opaque(key):
            return UNKNOWN
        if isinstance(owner, _Table):
            return self._entry(owner, key)
        if (
            isinstance(owner, (str, tuple))
            and isinstance(key, int)
            and -len(owner) <= key < len(owner)
        ):
            return owner[key]
        return UNKNOWN

    def _part(self, owner: object, part: ast.Slice, scope: NameScope) -> object:
        first, last = (self.value(e, scope) if e else None for e in (part.lower, part.upper))
        if not isinstance(owner, str) or part.step is not None:
            return UNKNOWN
        if not isinstance(first, (int, type(None))) or not isinstance(last, (int, type(None))):
            return UNKNOWN
        return owner[first:last]

    def _dict(self, node: ast.Dict, scope: NameScope) -> object:
        entries: dict[object, ast.expr] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            known = self.value(key, scope) if key is not None else UNKNOWN
            if not isinstance(known, _SCALARS):
                return UNKNOWN
            entries[known] = value
        return _Table(entries, scope)

    def _tuple(self, node: ast.Tuple | ast.List | ast.Set, scope: NameScope) -> object:
        if len(node.elts) > _LONGEST:
            return UNKNOWN
        values = [self.value(element, scope) for element in node.elts]
        return tuple(value if isinstance(value, _SCALARS) else UNKNOWN for value in values)

    _list = _set = _tuple

    def _unaryop(self, node: ast.UnaryOp, scope: NameScope) -> object:
        if isinstance(node.op, ast.Not):
            truth = self.truth(node.operand, scope)
            return UNKNOWN if truth is None else not truth
        value = self.value(node.operand, scope)
        return -value if isinstance(node.op, ast.USub) and isinstance(value, int) else UNKNOWN

    def _boolop(self, node: ast.BoolOp, scope: NameScope) -> object:
        decisive = isinstance(node.op, ast.Or)
        value: object = UNKNOWN
        unknown = False
        for each in node.values:
            value = self.value(each, scope)
            truth = _truth(value)
            if truth is decisive:
                return decisive if unknown else value
            unknown = unknown or truth is None
        return UNKNOWN if unknown else value

    def _ifexp(self, node: ast.IfExp, scope: NameScope) -> object:
        truth = self.truth(node.test, scope)
        if truth is None:
            return UNKNOWN
        return self.value(node.body if truth else node.orelse, scope)

    def _namedexpr(self, node: ast.NamedExpr, scope: NameScope) -> object:
        return self.value(node.value, scope)

    def _compare(self, node: ast.Compare, scope: NameScope) -> object:
        if len(node.ops) != 1:
            return UNKNOWN
        left, right = self.value(node.left, scope), self.value(node.comparators[0], scope)
        return _compared(left, node.ops[0], right)

    def _joinedstr(self, node: ast.JoinedStr, scope: NameScope) -> object:
        return self._joined(node.values, scope)

    def _formattedvalue(self, node: ast.FormattedValue, scope: NameScope) -> object:
        plain = node.conversion == -1 and node.format_spec is None
        return self.value(node.value, scope) if plain else UNKNOWN

    def _binop(self, node: ast.BinOp, scope: NameScope) -> object:
        return (
            self._joined((node.left, node.right), scope)
            if isinstance(node.op, ast.Add)
            else UNKNOWN
        )

    def _joined(self, nodes: Sequence[ast.expr], scope: NameScope) -> object:
        texts = [self.value(node, scope) for node in nodes]
        return "".join(map(str, texts)) if all(isinstance(t, str) for t in texts) else UNKNOWN


def _truth(value: object) -> bool | None:
    return None if _opaque(value) or isinstance(value, _Table) else bool(value)


def _opaque(value: object) -> bool:
    return value is UNKNOWN or value is MISSING


def is_text(node: ast.AST) -> bool:
    """Whether *node* is a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _compared(left: object, how: ast.cmpop, right: object) -> object:
    negated = isinstance(how, (ast.NotEq, ast.NotIn, ast.IsNot))
    if _opaque(left) or _opaque(right):
        return UNKNOWN
    if isinstance(how, (ast.In, ast.NotIn)):
        within = _within(left, right)
        return within if within is UNKNOWN else bool(within) is not negated
    if isinstance(how, (ast.Eq, ast.NotEq)):
        scalars = isinstance(left, _SCALARS) and isinstance(right, _SCALARS)
        return (left == right) is not negated if scalars else UNKNOWN
    if isinstance(how, (ast.Is, ast.IsNot)) and right is None:
        return (left is None) is not negated
    return UNKNOWN


def _within(left: object, right: object) -> object:
    if isinstance(right, str):
        return left in right if isinstance(left, str) else UNKNOWN
    if isinstance(right, tuple):
        return left in right or (UNKNOWN if UNKNOWN in right else False)
    if isinstance(right, _Table):
        return left in right.entries if isinstance(left, _SCALARS) else UNKNOWN
    return UNKNOWN


def texts(node: ast.AST, scope: NameScope, budget: StepBudget) -> Iterator[str]:
    """The literal pieces of text that *node* is put together from, names followed.

    Raises:
        UnreadableSourceError: *budget* is spent.
    """
    pending = [(node, scope)]
    for _ in range(_LONGEST):  # lists of names of lists of names do not end
        if not pending:
            return
        node, scope = pending.pop()
        budget.spend()
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                yield node.value
        elif isinstance(node, ast.Name):
            home = scope.home(node.id)
            value = home.value(node.id) if home is not None else None
            if home is not None and isinstance(value, ast.expr):
                pending.append((value, home))
        elif isinstance(node, ast.JoinedStr):
            yield "".join(_literal(part) for part in node.values)
            parts = (part for part in node.values if isinstance(part, ast.FormattedValue))
            pending += ((part.value, scope) for part in parts)
        elif isinstance(node, (ast.BinOp, ast.List, ast.Tuple, ast.Starred)):
            pending += ((child, scope) for child in ast.iter_child_nodes(node))
        elif isinstance(node, ast.Call):
            owner = [node.func.value] if isinstance(node.func, ast.Attribute) else []
            children = (*owner, *node.args, *(keyword.value for keyword in node.keywords))
            pending += ((child, scope) for child in children)


def _literal(part: ast.expr) -> str:
    literal = isinstance(part, ast.Constant) and isinstance(part.value, str)
    return str(part.value) if isinstance(part, ast.Constant) and literal else "{}"
