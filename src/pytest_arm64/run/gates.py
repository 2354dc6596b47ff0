"""Gates: findings shown as tests, each a node id and a synthetic report, never an item."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import pytest

from ..config.suggestions import suggestion
from ..decide.evidence import Finding, TestOutcome
from ..decide.gate import DECISIONS
from ..errors import SettingsError
from ..inside.golden.report_property import PROPERTY
from ..inside.ran import Ran
from ..mirror.pytest_internals import compiled_expression
from ..wording import first_of
from .arguments import GATE, positional
from .cells import Role
from .differences import Here, common_failure, difference
from .parts import RunPart
from .unseen_session import CellResult
from .usage import as_usage_error

_LISTED = 40
"""Of how many gates the ids are listed where a name is wrong."""
_Outcome = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True)
class Gate:
    """One finding; *text* is empty where there is nothing to complain of."""

    nodeid: str
    location: tuple[str, int | None, str]
    text: str = ""
    seconds: float = 0.0
    properties: tuple[tuple[str, object], ...] = ()
    """What its report carries for other plugins and the JUnit file: state, cause, verdict."""
    elsewhere: str = ""
    """Which other gates say what is wrong; empty where none does. Such a gate is skipped."""


def cell_gate(result: CellResult, service: str, x86: CellResult | None = None) -> Gate:
    """The gate of a further core of *service*: its own failures, and whatever makes it incomplete.

    Beside *x86*, the reference of a comparison, what fails there in the same way is no finding of
    the core, and what merely comes out otherwise is one.
    """
    core = result.planned.name
    failures, common = {}, 0
    for nodeid, test in result.tests.items():
        here = Here(test.outcome, test.text)
        there = x86.tests.get(nodeid) if x86 is not None else None
        if x86 is not None and common_failure(here, there):
            common += 1
            continue
        emulated = bool(result.ran.emulated)
        finding = difference(here, there, emulated=emulated) if x86 is not None else ""
        if test.bad or finding:
            failures[nodeid] = "\n".join(
                part for part in (f"{test.outcome.upper()} {nodeid}", finding, test.text) if part
            )
    lines = list(result.problems)
    if failures:
        word = "fail" if x86 is None else "fail or differ"
        count = f"{len(failures)} of {len(result.tests)} tests {word} on {core}"
        lines.append(f"{count}, first {next(iter(failures))}")
    for text in failures.values():
        lines += ["", text]
    if failures and common:
        lines += ["", f"{common} more fail on linux/amd64 in the same way: no finding of this core"]
    return Gate(
        nodeid=f"{GATE}{service}::{core}",
        location=("pyproject.toml", None, core),
        text="\n".join(lines),
        seconds=sum(test.seconds for test in result.tests.values()),
        properties=tuple(
            prop for t in result.tests.values() for prop in t.user_properties if prop[0] == PROPERTY
        ),
    )


def core_findings(
    results: Iterable[CellResult], tests: Iterable[TestOutcome], where: Ran
) -> Iterator[Finding]:
    """For the verdict: those of *tests*, which ran at *where*, that fail on another core alone."""
    passed = {test.nodeid for test in tests if not test.bad}
    for result in results:
        failed = [t.nodeid for t in result.tests.values() if t.bad and t.nodeid in passed]
        if result.planned.role is Role.FURTHER and failed:
            word = "tests fail" if failed[1:] else "test fails"
            text = f"{len(failed)} {word} on {result.planned.name} alone: {first_of(failed, 3)}"
            yield Finding("core", text, grave=True, where=replace(where, core=result.ran.core))


def emit(config: pytest.Config, gate: Gate) -> None:
    """Report *gate* through the ordinary hooks."""
    hook = config.hook
    hook.pytest_runtest_logstart(nodeid=gate.nodeid, location=gate.location)
    for when in ("setup", "call", "teardown"):
        outcome, shown = _result(gate if when == "call" else replace(gate, text="", elsewhere=""))
        report = pytest.TestReport(
            nodeid=gate.nodeid,
            location=gate.location,
            keywords={"arm64": 1},
            outcome=outcome,
            longrepr=shown,
            when=when,
            duration=gate.seconds if when == "call" else 0,
            user_properties=list(gate.properties),
        )
        hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=gate.nodeid, location=gate.location)


def emit_after_the_tests(session: pytest.Session, gates: Sequence[Gate]) -> None:
    """Report *gates* that are known only when the tests of *session* are over."""
    session.testscollected += len(gates)
    reporter: pytest.TerminalReporter | None = session.config.pluginmanager.getplugin(
        "terminalreporter"
    )
    if reporter is not None:
        reporter.ensure_newline()  # else pytest tells the last line's progress again
    for gate in gates:
        emit(session.config, gate)


def _result(gate: Gate) -> tuple[_Outcome, Any]:
    """Outcome and what is told of it, as pytest keeps it in a report."""
    if gate.text:
        return "failed", gate.text
    if gate.elsewhere:
        file, line, _ = gate.location
        return "skipped", (file, (line or 0) + 1, f"Skipped: {gate.elsewhere}")
    return "passed", None


def selected(gates: Sequence[Gate], config: pytest.Config) -> Iterator[Gate]:
    """Those of *gates* that the command line selects.

    ``-k``, ``-m`` and ``--deselect`` select as they do among tests. Where single tests are
    named, a gate runs only if it is named too.
    """
    option = config.option
    named = named_gates(config)
    single = [arg for arg in positional(config.option) if "::" in arg]
    by_keyword, by_mark = _matcher(option.keyword), _matcher(option.markexpr)
    deselected = tuple(option.deselect or ())
    for gate in gates:
        if single and not any(_below(gate.nodeid, name) for name in named):
            continue
        if not by_keyword(partial(_is_in, gate.nodeid.lower().split("::"))):
            continue
        if by_mark(lambda mark: mark == "arm64") and not gate.nodeid.startswith(deselected or "\0"):
            yield gate


def _is_in(words: Sequence[str], keyword: str) -> bool:
    return any(keyword.lower() in word for word in words)


def _below(nodeid: str, name: str) -> bool:
    return nodeid == name or nodeid.startswith(name.rstrip(":") + "::")


def _matcher(expression: str) -> Callable[[Callable[[str], bool]], bool]:
    if not expression:
        return lambda match: True  # noqa: ARG005
    try:
        compiled = compiled_expression(expression)
    except Exception:  # noqa: BLE001  (the session inside tells the user what is wrong with it)
        return lambda match: False  # noqa: ARG005

    def evaluate(match: Callable[[str], bool]) -> bool:
        # pytest 8.3 also passes the keyword arguments of a mark.
        return bool(compiled(lambda name, /, **_: match(name)))

    return evaluate


def named_gates(config: pytest.Config) -> list[str]:
    """The ids of gates, or what they begin with, that the command line names."""
    return [arg for arg in positional(config.option) if arg.startswith(GATE)]


def gates_alone(config: pytest.Config) -> bool:
    """Whether nothing but gates is named."""
    named = positional(config.option)
    return bool(named) and named == named_gates(config)


def is_of_service(name: str, owner: str) -> bool:
    """Whether *name* is that of a gate of the service *owner*, or of all its gates."""
    return _below(name, f"{GATE}{owner}")


def refuse_unknown_services(config: pytest.Config, parts: Sequence[RunPart]) -> None:
    """Refuse gates of a service that has none of the *parts* of this run.

    Raises:
        SettingsError: one is named.
    """
    owners = list(dict.fromkeys(part.owner for part in parts))
    for name in named_gates(config):
        every = name.rstrip(":") == GATE.rstrip(":")
        if not every and not any(is_of_service(name, owner) for owner in owners):
            service = name.removeprefix(GATE).partition("::")[0]
            raise SettingsError(
                f"{name}: this run has no service {service!r}{suggestion(service, owners)}",
                next_step=f"services here: {', '.join(owners)}",
            )


def refuse_unknown_before(
    config: pytest.Config, part: RunPart, waiting: Collection[str], nodeids: Sequence[str]
) -> None:
    """Refuse gates that will not be there, as far as that is known before the tests of *part*.

    Args:
        config: has the ids that were named.
        part: what runs next.
        waiting: services of the parts that follow, whose gates are not known yet.
        nodeids: the gates that are known.

    Raises:
        pytest.UsageError: one is named.
    """
    named = [
        name
        for name in named_gates(config)
        if not any(is_of_service(name, owner) for owner in waiting)
    ]
    cores = [cell.name for cell in part.cells if cell.role is Role.FURTHER]
    with as_usage_error():
        refuse_unknown(named, nodeids, after_the_tests=(*DECISIONS, *cores))


def refuse_unknown(
    named: Sequence[str], nodeids: Sequence[str], after_the_tests: Collection[str] = ()
) -> None:
    """Refuse a name that no gate has.

    Args:
        named: ids of gates, or what they begin with.
        nodeids: the gates that are known.
        after_the_tests: last parts of the ids of gates that are not known yet.

    Raises:
        SettingsError: one of *named* selects none of them.
    """
    for name in named:
        last = name.rpartition("::")[2]
        if last in after_the_tests or any(_below(nodeid, name) for nodeid in nodeids):
            continue
        if last in DECISIONS:
            raise SettingsError(
                f"{name} is decided after the tests, and none would run",
                next_step="name tests too, or run without naming gates",
            )
        close = difflib.get_close_matches(name, nodeids, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        shown = list(nodeids[:_LISTED])
        if len(nodeids) > _LISTED:
            shown.append(f"and {len(nodeids) - _LISTED} more")
        raise SettingsError(
            f"this run has no gate {name}{hint}",
            next_step="\n    ".join(["choose among its gates:", *shown])
            if nodeids
            else "no gate exists, because nothing was audited: name tests",
        )
