"""Whether a skip, an expected failure or a hook depends on the machine: read from its source.

Python has evaluated a condition before pytest sees it. Its text is still there: in the decorators
of a test, in the ``if`` around a call of ``pytest.skip``, in the reason that a person reads.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from functools import lru_cache

from .bound_stdlib import originals

_NAMES = (
    r"(?<![A-Za-z0-9])(?:(?i:aarch64|arm64|arm_?v[789]\w{0,3}|is_arm|on_arm|x86(?:[_-]?64)?|amd64"
    r"|i[3-6]86|avx\d{0,3}f?|neon|graviton\d?)|ARM|SSE[\d.]{0,3}|SVE2?)(?![A-Za-z0-9])"
)
_ASKED = r"|\bmachine\(\)|\.machine\b|\buname\(\)|\bprocessor\(\)|\bget_platform\(\)"
_REASON, _CODE = _NAMES, _NAMES + _ASKED
_OTHER_SYSTEM = r"(?i)darwin|mac_?os|\bosx|win32|windows|\bcygwin|\bbsd"
_OUR_FIXTURES = r"arm64_(?:golden|measure|matrix|install|abi|container|target)"
_SKIPPING = ("skip", "xfail")
_MOST_SOURCE = 4_000_000
"""Characters of a file; longer ones are generated."""
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DECORATED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def reason_names_machine(reason: str) -> bool:
    """Whether *reason*, of a skip or an expected failure, speaks of a machine."""
    return _names(_REASON, _compiled(_OUR_FIXTURES).sub("", reason))


def line_depends_on_machine(path: str, line: int, reason: str) -> bool:
    """Whether what happened at *line* of the file *path*, from 1, depends on the machine.

    That is a skip or an expected failure with that *reason*: of a mark of the test that begins
    there, or of a call within an ``if``.
    """
    module = _module(path)
    return module is not None and any(
        _names(_CODE, text) for text in _conditions(module, line, reason)
    )


def function_depends_on_machine(path: str, line: int) -> bool:
    """Whether the function around *line* of the file *path* names a machine or asks for it."""
    module = _module(path)
    if module is None:
        return False
    functions = [node for node in _around(module, line) if isinstance(node, _FUNCTIONS)]
    return any(_names(_CODE, text) for node in functions[-1:] for text in _texts(module, node))


def assignment_depends_on_machine(path: str, names: Collection[str]) -> bool:
    """Whether the module at *path* gives one of *names* a value only on some machines."""
    module = _module(path)
    return module is not None and any(
        _names(_CODE, text)
        for statement in ast.walk(module)
        if isinstance(statement, ast.stmt) and _changes(statement, names)
        for condition in _choices(module, statement)
        for text in _texts(module, condition)
    )


def _choices(module: ast.Module, statement: ast.stmt) -> Iterator[ast.expr]:
    """The conditions that *statement* depends on, and those within it."""
    for node in (*_around(module, statement.lineno), *ast.walk(statement)):
        if isinstance(node, (ast.If, ast.IfExp)):
            yield node.test


# Most runs skip nothing: they need none of the patterns.
_compiled = lru_cache(None)(re.compile)


def _names(pattern: str, text: str) -> bool:
    if _compiled(_OTHER_SYSTEM).search(text) and " or " not in text:
        return False  # of a machine with another system, which this one is not
    return _compiled(pattern).search(text) is not None


@lru_cache(maxsize=256)
def _module(path: str) -> ast.Module | None:
    """The syntax of a file; None where it cannot be read."""
    try:
        with originals.open(path, encoding="utf-8") as file:
            return ast.parse(file.read(_MOST_SOURCE))
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _conditions(module: ast.Module, line: int, reason: str) -> Iterator[str]:
    around = _around(module, line)
    functions = [place for place, node in enumerate(around) if isinstance(node, _FUNCTIONS)]
    innermost = functions[-1] if functions else 0
    for node in around[innermost:]:
        if isinstance(node, ast.If):
            yield from _texts(module, node.test)
    begun = around[innermost] if functions else None
    if isinstance(begun, _FUNCTIONS) and line <= begun.lineno:
        for mark in _marks(module, around):
            if _may_have_said(mark, reason):
                yield from _texts(module, _without_reason(mark))


def _marks(module: ast.Module, around: Collection[ast.stmt]) -> Iterator[ast.expr]:
    """What skips the test within *around*, or expects it to fail: decorators and ``pytestmark``."""
    bodies, marks = [module.body], []
    for node in around:
        if isinstance(node, _DECORATED):
            marks += node.decorator_list
            bodies.append(node.body)
    for body in bodies:
        for statement in body:
            if isinstance(statement, ast.Assign) and _changes(statement, ("pytestmark",)):
                marks.append(statement.value)
    for mark in marks:
        parts = list(_resolved(module, mark))
        if isinstance(mark, ast.Name) and len(parts) == 1:
            yield mark  # imported: what it is, only its name says
        for part in parts:
            yield from _skipping_calls(part)


def _skipping_calls(node: ast.AST) -> Iterator[ast.Call]:
    """Calls within *node* of ``skipif``, ``xfail``, ``unittest.skipIf`` and their like."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call):
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            if name.startswith(_SKIPPING):
                yield call


def _may_have_said(mark: ast.expr, reason: str) -> bool:
    """Whether *mark* gives that *reason*, or none that can be read."""
    given = [k.value for k in getattr(mark, "keywords", ()) if k.arg == "reason"]
    texts = [value.value for value in given if isinstance(value, ast.Constant)]
    return not texts or reason in texts


def _without_reason(mark: ast.expr) -> ast.expr:
    """*mark* less its reason, which was read on its own."""
    if not isinstance(mark, ast.Call):
        return mark
    return ast.Call(mark.func, mark.args, [k for k in mark.keywords if k.arg != "reason"])


def _texts(module: ast.Module, node: ast.AST) -> Iterator[str]:
    """The text of *node*, and of what the module assigns to the names in it."""
    return map(_unparsed, _resolved(module, node))


def _resolved(module: ast.Module, node: ast.AST) -> Iterator[ast.AST]:
    """*node*, and what the module assigns to the names in it."""
    values: dict[str, ast.expr] = {
        target.id: statement.value
        for statement in module.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        names = [each.id for each in ast.walk(current) if isinstance(each, ast.Name)]
        waiting += [values.pop(name) for name in dict.fromkeys(names) if name in values]


def _changes(statement: ast.stmt, names: Collection[str]) -> bool:
    """Whether *statement* assigns one of *names*, or calls a method of it."""
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, (ast.AugAssign, ast.AnnAssign)):
        targets = [statement.target]
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        called = statement.value.func
        targets = [called.value] if isinstance(called, ast.Attribute) else []
    return any(isinstance(target, ast.Name) and target.id in names for target in targets)


def _around(module: ast.Module, line: int) -> list[ast.stmt]:
    """The statements that *line* is in, the outermost first."""
    around: list[ast.stmt] = []
    below = _statements(module)
    while (node := next((s for s in below if _has(s, line)), None)) is not None:
        around.append(node)
        below = _statements(node)
    return around


def _statements(node: ast.AST) -> Iterator[ast.stmt]:
    """The statements right below *node*; those of an ``except`` or a ``case`` too."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child
        elif not isinstance(child, ast.expr):
            yield from _statements(child)


def _has(statement: ast.stmt, line: int) -> bool:
    return _first_line(statement) <= line <= (statement.end_lineno or 0)


def _first_line(statement: ast.stmt) -> int:
    decorators = statement.decorator_list if isinstance(statement, _DECORATED) else []
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _unparsed(node: ast.AST) -> str:
    try:
        return ast.unparse(node)
    except (RecursionError, ValueError):
        return ""
