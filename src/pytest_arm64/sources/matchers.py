"""What the rules can look for in a module: a matcher for each kind of rule."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping

from .budget import UnreadableSourceError
from .evaluate import MISSING, texts
from .module import EXITS, SourceModule, Statement, parsed, taken_arm
from .names import NameScope
from .rules import LONGEST_TEXT, Rule

Matcher = Callable[[Rule, SourceModule], Iterator[ast.AST]]
_REFUSES, _SKIPS = "refuses", "skips"
_SKIPPING = ("pytest.skip", "pytest.xfail")
# An extension that cannot be imported often has a substitute.
_NO_REFUSAL = ("ImportError", "ModuleNotFoundError", "StopIteration")
_LONGEST_CONDITION = 500


def _refusals(_: Rule, module: SourceModule) -> Iterator[ast.AST]:
    """Where ARM64 ends with an error and x86 does not."""
    for step in module.steps:
        if step.handled:
            continue
        if isinstance(step.node, ast.Assert):
            test = step.node.test
            on_arm = module.arm.truth(test, step.scope)
            if on_arm is False and module.x86.truth(test, step.scope) is not False:
                yield step.node
        elif _only_on_arm(step) == _REFUSES:
            yield step.node
        for node in step.nodes:
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
                entry, on_x86 = (m.value(node, step.scope) for m in (module.arm, module.x86))
                if entry is MISSING and isinstance(on_x86, str):
                    yield node


def _skipped_tests(rule: Rule, module: SourceModule) -> Iterator[ast.AST]:
    """Tests that are skipped, or expected to fail, on ARM64 and not on x86."""
    for step in module.steps:
        if _only_on_arm(step) == _SKIPS:
            yield step.node
        for node in step.nodes:
            if isinstance(node, ast.Call) and step.scope.dotted(node.func) in rule.calls:
                unless = step.scope.dotted(node.func).endswith("Unless")
                named = (word.value for word in node.keywords if word.arg == "condition")
                test = _condition(next(iter((*node.args, *named)), None))
                if test is None:
                    continue
                on_arm, on_x86 = (m.truth(test, step.scope) for m in (module.arm, module.x86))
                if on_arm is (not unless) and on_x86 is not on_arm:
                    yield node


def _condition(test: ast.expr | None) -> ast.expr | None:
    """The condition of a marker, which pytest also takes as text."""
    if not isinstance(test, ast.Constant) or not isinstance(test.value, str):
        return test
    try:
        tree = parsed(test.value[:_LONGEST_CONDITION].strip().encode())
    except UnreadableSourceError:
        return None
    first = tree.body[0] if tree.body else None
    return first.value if isinstance(first, ast.Expr) else None


def _x86_defaults(rule: Rule, module: SourceModule) -> Iterator[ast.AST]:
    """Where every machine but x86_64 gets a name of x86."""
    for step in module.steps:
        for node in step.nodes:
            if _chooses(node, step.scope, module):
                value = module.arm.value(node, step.scope)
                if isinstance(value, str) and rule.has_text(value):
                    yield node
        on_arm, on_x86 = taken_arm(step.arms), taken_arm(step.arms, x86=True)
        if on_arm is not None and on_x86 is not None and on_arm is not on_x86:
            for statement in on_arm.body:
                if isinstance(statement, (ast.Assign, ast.Return)) and statement.value:
                    value = module.arm.value(statement.value, step.scope)
                    if isinstance(value, str) and rule.has_text(value):
                        yield statement


def _chooses(node: ast.AST, scope: NameScope, module: SourceModule) -> bool:
    """Whether *node* is an expression that chooses by the machine."""
    if isinstance(node, ast.IfExp):
        known = module.arm.truth(node.test, scope) is not None
        return known and any(_of_machine(part, scope, module) for part in ast.walk(node.test))
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "get"
        and len(node.args) == 2
    ):
        return _of_machine(node.args[0], scope, module)
    return False


def _of_machine(node: ast.AST, scope: NameScope, module: SourceModule) -> bool:
    """Whether *node* is a text that names the machine."""
    on_arm = module.arm.value(node, scope)
    return isinstance(on_arm, str) and on_arm != module.x86.value(node, scope)


def _named_in_calls(rule: Rule, module: SourceModule) -> Iterator[ast.AST]:
    """Calls of functions of the rule with a text of the rule, where nothing near names ARM."""
    for step in module.steps:
        for node in step.nodes:
            if (
                isinstance(node, ast.Call)
                and _is_called(node.func, rule, step.scope)
                and any(_fits(rule, text, module) for text in _arguments(node, step.scope, module))
                and not module.names_arm(step.scope)
                and not module.names_arm(module.top)
            ):
                yield node


def _is_called(function: ast.expr, rule: Rule, scope: NameScope) -> bool:
    method = f".{function.attr}" if isinstance(function, ast.Attribute) else None
    return scope.dotted(function) in rule.calls or method in rule.calls


def _arguments(call: ast.Call, scope: NameScope, module: SourceModule) -> Iterator[str]:
    for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
        yield from texts(argument, scope, module.budget)


def _fits(rule: Rule, text: str, module: SourceModule) -> bool:
    """Whether *rule* looks for *text*, of which each character is a place where it may begin."""
    module.budget.spend(min(len(text), LONGEST_TEXT) ** 2 // 300)
    return rule.has_text(text)


def _read_flags(rule: Rule, module: SourceModule) -> Iterator[ast.AST]:
    """Where /proc/cpuinfo is searched for what only x86 writes there."""
    files: dict[NameScope, ast.AST] = {}
    sought: set[NameScope] = set()
    for step in module.steps:
        for node in step.nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if node.value == "/proc/cpuinfo":
                    files.setdefault(step.scope, node)
                elif rule.has_text(node.value):
                    sought.add(step.scope)
    for scope, node in files.items():
        if scope in sought and not module.names_arm(scope):
            yield node


def _computed_types(rule: Rule, module: SourceModule) -> Iterator[ast.AST]:
    """Where something is computed in a type of the rule; a mere check for it does not count."""
    for step in module.steps:
        for node in step.nodes:
            if not isinstance(node, ast.Call):
                continue
            used = [node.func, *(word.value for word in node.keywords if word.arg == "dtype")]
            if isinstance(node.func, ast.Attribute) and node.func.attr == "astype":
                used += node.args[:1]
            if any(_is_type(each, rule, step.scope) for each in used):
                yield node


def _is_type(node: ast.expr, rule: Rule, scope: NameScope) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and rule.has_text(node.value)
    return scope.dotted(node) in rule.calls


def _only_on_arm(step: Statement) -> str:
    """How ARM64, and not x86, ends at this step: with an error, or by skipping a test."""
    if step.left_on_x86:
        return _ending(step.node, step.scope)
    taken = taken_arm(step.arms)
    if taken is None or taken is taken_arm(step.arms, x86=True):
        return ""
    endings = (_ending(statement, step.scope) for statement in taken.body)
    return next((ending for ending in endings if ending), "")


def _ending(node: ast.stmt, scope: NameScope) -> str:
    if isinstance(node, ast.Raise) and node.exc is not None:
        error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        name = scope.dotted(error).rpartition(".")[2]
        return "" if name in _NO_REFUSAL else _SKIPS if name == "SkipTest" else _REFUSES
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        function = node.value.func
        name = scope.dotted(function)
        if name in _SKIPPING or getattr(function, "attr", "") == "skipTest":
            return _SKIPS
        return _REFUSES if name in EXITS else ""
    return ""


_BUILDS = re.compile(r"\bExtension\(|\bext_modules\b|extra_compile_args|\bC(XX)?FLAGS\b")
_ASKS = re.compile(r"(?i)check|supports?|has|try|test|probe|flag")


def _build_flags(rule: Rule, module: SourceModule) -> Iterator[ast.AST]:
    """Compiler options of the rule that a build script always gives."""
    if not any(map(_BUILDS.search, module.lines)) or module.names_arm(module.top):
        return
    for step in module.steps:
        if not step.certain or isinstance(step.scope.node, ast.ClassDef):
            continue
        asked = {
            id(inner)
            for node in step.nodes
            if isinstance(node, ast.Call) and _asks(node.func)
            for argument in node.args
            for inner in ast.walk(argument)
        }
        for node in step.nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                module.budget.spend()
                option = node.value.startswith("-") and rule.has_text(node.value)
                if option and id(node) not in asked and not module.names_arm(step.scope):
                    yield node


def _asks(function: ast.expr) -> bool:
    """Whether *function* may be one that asks the compiler."""
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return _ASKS.search(name) is not None


MATCHERS: Mapping[str, Matcher] = {
    "refusal": _refusals,
    "skipped-test": _skipped_tests,
    "x86-default": _x86_defaults,
    "named-in-call": _named_in_calls,
    "cpuinfo": _read_flags,
    "computed-type": _computed_types,
    "build-flags": _build_flags,
}
