"""Gates as synthetic reports: findings of the audit among the results, never collected items."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.mark.expression import Expression

from ..report.matrix import printable, summary_words
from .arguments import GATE
from .reports import failed_report, passed_report

if TYPE_CHECKING:
    from ..audit.assess import Assessment
    from ..audit.gates import Gate

_SHOWN = 10


class GateKeeper:
    """Header, reports and summary of one run's audit; registered beside the host's plugin."""

    def __init__(self, config: pytest.Config, assessment: Assessment) -> None:
        self._config = config
        self._assessment = assessment
        self._gates: list[Gate] = list(assessment.gates())
        self.failures = 0

    @property
    def alone(self) -> bool:
        """Whether nothing but gates was asked for."""
        named = positional(self._config)
        return bool(named) and all(arg.startswith(GATE) for arg in named)

    def pytest_report_header(self) -> list[str]:
        if self._assessment.problem:
            return [f"arm64: audit: not evaluated: {printable(self._assessment.problem)}"]
        return [
            f"arm64: audit of {matrix.service} for {matrix.target}: "
            + printable(summary_words(matrix))
            for matrix in self._assessment.matrices
        ]

    def report(self, session: pytest.Session) -> None:
        """Emit a report for each selected gate.

        A run that reports only has none, unless it names them.
        """
        named = any(arg.startswith(GATE) for arg in positional(self._config))
        if self._config.option.collectonly or (self._assessment.policy == "report" and not named):
            return
        chosen = list(selected(self._gates, self._config))
        session.testscollected += len(chosen)
        for gate in chosen:
            self._emit(gate)
            if session.shouldfail:  # -x, --maxfail
                return

    def _emit(self, gate: Gate) -> None:
        hook = self._config.hook
        location = (gate.file, gate.line - 1 if gate.line else None, gate.nodeid)
        text = printable_lines(gate.text)
        hook.pytest_runtest_logstart(nodeid=gate.nodeid, location=location)
        for when in ("setup", "call", "teardown"):
            if when == "call" and gate.failed:
                report = failed_report(gate.nodeid, location, text)
                self.failures += 1
            else:
                report = passed_report([gate.nodeid, None, when, None, 0.0, 0.0, 0.0], location, {})
                if when == "call" and text:
                    report.sections.append(("arm64", text))
            hook.pytest_runtest_logreport(report=report)
        hook.pytest_runtest_logfinish(nodeid=gate.nodeid, location=location)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        lines = [*self._findings(), *self._assessment.reminders()]
        for line in lines[:_SHOWN]:
            terminalreporter.line(f"arm64: {printable(line)}")
        if len(lines) > _SHOWN:
            terminalreporter.line(f"arm64: {len(lines) - _SHOWN} more, see: pytest-arm64 audit")

    def _findings(self) -> Iterator[str]:
        """What is not green and was not reported as a gate."""
        for matrix in self._assessment.matrices:
            yield from (f"audit of {matrix.service}: {problem}" for problem in matrix.problems)
        if self._assessment.policy == "report":
            for gate in self._gates:
                if gate.text:
                    yield f"audit: {'; '.join(gate.text.splitlines()[:2])}"


def selected(gates: Sequence[Gate], config: pytest.Config) -> Iterator[Gate]:
    """Those of *gates* that the command line selects.

    ``-k``, ``-m`` and ``--deselect`` select as they do among tests. Where single tests are
    named, a gate runs only if it is named too.
    """
    option = config.option
    named = [arg for arg in positional(config) if arg.startswith(GATE)]
    single = [arg for arg in positional(config) if "::" in arg]
    by_keyword, by_mark = _matcher(option.keyword), _matcher(option.markexpr)
    deselected = tuple(option.deselect or ())
    for gate in gates:
        if single and not any(_below(gate.nodeid, name) for name in named):
            continue
        if not by_keyword(partial(_is_in, gate.nodeid.lower().split("::"))):
            continue
        if by_mark(lambda mark: mark == "arm64") and not gate.nodeid.startswith(deselected or "\0"):
            yield gate


def positional(config: pytest.Config) -> list[str]:
    """The arguments that name files, folders and node ids."""
    return [str(arg) for arg in getattr(config.option, "file_or_dir", None) or ()]


def _is_in(words: Sequence[str], keyword: str) -> bool:
    return any(keyword.lower() in word for word in words)


def _below(nodeid: str, name: str) -> bool:
    return nodeid == name or nodeid.startswith(name.rstrip(":") + "::")


def _matcher(expression: str) -> Callable[[Callable[[str], bool]], bool]:
    if not expression:
        return lambda match: True  # noqa: ARG005
    try:
        compiled = Expression.compile(expression)
    except Exception:  # noqa: BLE001  (the session inside tells the user what is wrong with it)
        return lambda match: False  # noqa: ARG005

    def evaluate(match: Callable[[str], bool]) -> bool:
        # pytest 8.3 also passes the keyword arguments of a mark.
        return bool(compiled.evaluate(lambda name, /, **_: match(name)))

    return evaluate


def printable_lines(text: str) -> str:
    """*text* without what a terminal would obey, its lines kept."""
    return "\n".join(map(printable, text.splitlines()))
