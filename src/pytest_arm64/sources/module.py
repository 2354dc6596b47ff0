"""A parsed module: the statements that Linux on ARM64 reaches, and where others branch off."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .budget import StepBudget, UnreadableSourceError
from .evaluate import ARM, X86, Machine, is_text
from .names import Function, NameScope, children

_Block = Sequence[ast.stmt]
_HANDLING = ("raises", "suppress", "assertRaises", "assertRaisesRegex")
_PATCHING = re.compile(r"\b(monkeypatch|mocker|mock|patch|setattr)\b")
_NAMES_ARM = re.compile(r"aarch64|arm64|\barm\b|armv\d|AARCH64|ARM64")
_BLOCKS = (ast.stmt, ast.excepthandler, ast.match_case)
_DULL = (ast.Name, ast.expr_context, ast.operator, ast.cmpop)
_ENDS = (ast.Return, ast.Raise, ast.Continue, ast.Break)
EXITS = frozenset(["sys.exit", "exit", "quit", "os._exit", "os.abort"])


@dataclass(frozen=True)
class Arm:
    """One way of an ``if`` chain or a ``match``, and whether it is the one that is taken."""

    on_arm: bool | None
    on_x86: bool | None
    body: _Block


@dataclass(frozen=True)
class Statement:
    """A statement that may be reached on ARM64."""

    node: ast.stmt
    scope: NameScope
    handled: bool
    """Whether something around it handles exceptions."""
    arms: tuple[Arm, ...] = ()
    """Of an ``if`` chain or a ``match``; the last one is what happens otherwise, if anything."""
    nodes: tuple[ast.AST, ...] = ()
    """Its expressions that ARM64 may reach; blocks in it are steps of their own."""
    left_on_x86: bool = False
    """Whether an ``if`` just before it, which ARM64 does not enter, is where x86 leaves."""
    certain: bool = True
    """Whether no condition around it, in its scope, is unknown."""


class SourceModule:
    """One file, parsed and walked; nothing of it is executed."""

    def __init__(self, source: bytes, budget: StepBudget) -> None:
        """Raises UnreadableSourceError."""
        self.budget = budget
        self.tree = parsed(source)
        self.lines = source.decode("utf-8", "replace").splitlines()
        self.arm, self.x86 = Machine(ARM, budget), Machine(X86, budget)
        self.top = NameScope(self.tree)
        self._texts: dict[NameScope, str] = {}
        self._naming: dict[NameScope, bool] = {}
        self.steps = tuple(self._scope(self.top))
        """Those that are judged: not the ones of functions that play another machine."""

    def names_arm(self, scope: NameScope) -> bool:
        """Whether the code of *scope* names ARM anywhere."""
        if scope not in self._naming:
            self._naming[scope] = _NAMES_ARM.search(self._text(scope)) is not None
        return self._naming[scope]

    def _text(self, scope: NameScope) -> str:
        """The source of a function, or of a module without its functions."""
        if scope not in self._texts:
            self._texts[scope] = "\n".join(self._lines_of(scope.node))
        return self._texts[scope]

    def _lines_of(self, node: ast.AST) -> Iterator[str]:
        if isinstance(node, (*Function, ast.ClassDef)):
            yield from self.lines[node.lineno - 1 : node.end_lineno]
            return
        inside: set[int] = set()
        for function in self.tree.body:
            if isinstance(function, (*Function, ast.ClassDef)):
                inside.update(range(function.lineno - 1, function.end_lineno or 0))
        yield from (line for number, line in enumerate(self.lines) if number not in inside)

    def _scope(self, scope: NameScope) -> Iterator[Statement]:
        if not isinstance(scope.node, Function) or not _PATCHING.search(self._text(scope)):
            yield from self._block(scope.node.body, scope, handled=False)

    def _block(
        self, body: _Block, scope: NameScope, *, handled: bool, certain: bool = True
    ) -> Iterator[Statement]:
        left_on_x86 = False
        for node in body:
            arms = tuple(self._arms(node, scope))
            nodes = tuple(self._expressions(node, scope))
            yield Statement(node, scope, handled, arms, nodes, left_on_x86, certain)
            taken = taken_arm(arms)
            if taken is not None:
                yield from self._block(taken.body, scope, handled=handled, certain=certain)
                if ends(taken.body, scope):
                    return
                left_on_x86 = _leaves(arms, scope) or (left_on_x86 and not taken.body)
                continue
            left_on_x86 = False
            yield from self._inside(node, arms, scope, handled=handled, certain=certain)
            if isinstance(node, _ENDS):
                return

    def _inside(
        self,
        node: ast.stmt,
        arms: tuple[Arm, ...],
        scope: NameScope,
        *,
        handled: bool,
        certain: bool,
    ) -> Iterator[Statement]:
        if isinstance(node, (*Function, ast.ClassDef)):
            yield from self._scope(scope.inner(node))
            return
        for arm in arms:
            if arm.on_arm is not False:
                yield from self._block(arm.body, scope, handled=handled, certain=False)
        if arms:
            return
        inner = handled or _handles(node)
        for field, block in ast.iter_fields(node):
            if field == "handlers":
                for handler in block:
                    yield from self._block(handler.body, scope, handled=handled, certain=False)
            elif field in ("body", "orelse", "finalbody") and isinstance(block, list):
                caught = inner if field == "body" else handled
                yield from self._block(block, scope, handled=caught, certain=certain)

    def _expressions(self, statement: ast.stmt, scope: NameScope) -> Iterator[ast.AST]:
        if is_text(statement):
            return
        pending = [n for n in children(statement) if not isinstance(n, _BLOCKS)]
        while pending:
            node = pending.pop()
            if isinstance(node, _DULL):
                continue
            yield node
            if isinstance(node, ast.IfExp):
                truth = self.arm.truth(node.test, scope)
                pending.append(node.test)
                pending += [node.body] * (truth is not False) + [node.orelse] * (truth is not True)
            elif isinstance(node, ast.BoolOp):
                pending += self._evaluated(node, scope)
            else:
                pending += children(node)

    def _evaluated(self, node: ast.BoolOp, scope: NameScope) -> Iterator[ast.expr]:
        """The operands up to the one that decides."""
        decisive = isinstance(node.op, ast.Or)
        for value in node.values:
            yield value
            if self.arm.truth(value, scope) is decisive:
                return

    def _arms(self, node: ast.stmt, scope: NameScope) -> Iterator[Arm]:
        """All ways of a branch, in order; after one that is taken for sure, none is."""
        if isinstance(node, ast.Match):
            yield from self._cases(node, scope)
            return
        while isinstance(node, ast.If):
            yield Arm(self.arm.truth(node.test, scope), self.x86.truth(node.test, scope), node.body)
            if len(node.orelse) != 1 or not isinstance(node.orelse[0], ast.If):
                yield Arm(True, True, node.orelse)
                return
            (node,) = node.orelse

    def _cases(self, match: ast.Match, scope: NameScope) -> Iterator[Arm]:
        for case in match.cases:
            on_arm, on_x86 = (
                _matches(case, machine.value(match.subject, scope), machine, scope)
                for machine in (self.arm, self.x86)
            )
            yield Arm(on_arm, on_x86, case.body)
        yield Arm(True, True, [])


def parsed(source: bytes) -> ast.Module:
    """The syntax tree of *source*.

    Raises:
        UnreadableSourceError: the source cannot be parsed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UnreadableSourceError(type(error).__name__) from None


def taken_arm(arms: Sequence[Arm], *, x86: bool = False) -> Arm | None:
    """The way that is taken for sure; None where that is not known, or there is no branch."""
    for arm in arms:
        taken = arm.on_x86 if x86 else arm.on_arm
        if taken is None:
            return None
        if taken:
            return arm
    return None


def ends(body: _Block, scope: NameScope) -> bool:
    """Whether nothing after *body* is reached."""
    return any(isinstance(node, _ENDS) or _exits(node, scope) for node in body)


def _exits(node: ast.stmt, scope: NameScope) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and scope.dotted(node.value.func) in EXITS
    )


def _leaves(arms: Sequence[Arm], scope: NameScope) -> bool:
    """Whether x86 does not come out of a branch that ARM64 only passes."""
    on_x86 = taken_arm(arms, x86=True)
    on_arm = taken_arm(arms)
    return bool(on_arm and on_x86 and on_x86 is not on_arm and not on_arm.body) and ends(
        on_x86.body if on_x86 else (), scope
    )


def _handles(node: ast.stmt) -> bool:
    """Whether *node* handles exceptions of its body."""
    if getattr(node, "handlers", None):
        return True
    calls = (item.context_expr for item in getattr(node, "items", ()))
    functions = (call.func for call in calls if isinstance(call, ast.Call))
    return any(getattr(f, "attr", getattr(f, "id", "")) in _HANDLING for f in functions)


def _matches(
    case: ast.match_case, value: object, machine: Machine, scope: NameScope
) -> bool | None:
    fits = _fits(case.pattern, value, machine, scope)
    return fits if fits is False or case.guard is None else None


def _fits(pattern: ast.pattern, value: object, machine: Machine, scope: NameScope) -> bool | None:
    if isinstance(pattern, ast.MatchAs) and pattern.pattern is None:
        return True
    if isinstance(pattern, ast.MatchOr):
        each = [_fits(option, value, machine, scope) for option in pattern.patterns]
        return True if True in each else None if None in each else False
    if isinstance(pattern, ast.MatchValue) and isinstance(value, str):
        wanted = machine.value(pattern.value, scope)
        return wanted == value if isinstance(wanted, str) else None
    return None
