"""The audit's part of a session: its header, its findings as gates, and what is reported only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from ..audit.verdicts import REPORT
from ..report.matrix import printable, summary_words
from .arguments import GATE
from .gates import Gate, positional, selected

if TYPE_CHECKING:
    from ..audit.assess import Assessment

_SHOWN = 10


class Findings:
    """Registered beside the host's plugin, where something was audited."""

    def __init__(self, config: pytest.Config, assessment: Assessment) -> None:
        self._config = config
        self._assessment = assessment
        self._verdicts = list(assessment.verdicts())

    @property
    def records(self) -> dict[str, Any]:
        """What the fixtures inside tell."""
        return {"matrices": [matrix.to_json() for matrix in self._assessment.matrices]}

    def gates(self) -> list[Gate]:
        """The selected ones; a run that reports only has none, unless it names them."""
        named = any(arg.startswith(GATE) for arg in positional(self._config))
        if self._config.option.collectonly or (self._assessment.policy == REPORT and not named):
            return []
        found = [
            Gate(
                verdict.nodeid,
                (verdict.file, verdict.line - 1 if verdict.line else None, verdict.nodeid),
                "\n".join(map(printable, verdict.text.splitlines())) if verdict.failed else "",
            )
            for verdict in self._verdicts
        ]
        return list(selected(found, self._config))

    def pytest_report_header(self) -> list[str]:
        if self._assessment.problem:
            return [f"arm64: audit: not evaluated: {printable(self._assessment.problem)}"]
        return [
            f"arm64: audit of {matrix.service} for {matrix.target}: "
            + printable(summary_words(matrix))
            for matrix in self._assessment.matrices
        ]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        lines = [*self._reported(), *self._assessment.reminders()]
        for line in lines[:_SHOWN]:
            terminalreporter.line(f"arm64: {printable(line)}")
        if len(lines) > _SHOWN:
            terminalreporter.line(f"arm64: {len(lines) - _SHOWN} more, see: pytest-arm64 audit")

    def _reported(self) -> Iterator[str]:
        """What is not green and is no gate."""
        for matrix in self._assessment.matrices:
            yield from (f"audit of {matrix.service}: {problem}" for problem in matrix.problems)
        if self._assessment.policy == REPORT:
            for verdict in self._verdicts:
                if verdict.text:
                    yield f"audit: {'; '.join(verdict.text.splitlines()[:2])}"
