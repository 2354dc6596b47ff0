"""The audit's part of a session: its header, its findings as gates, and what is reported only."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from ..decide.assessment import MACHINE
from ..decide.collect import abi_findings
from ..decide.evidence import Finding, ServiceEvidence
from ..decide.gate import BOUNDARY, Judgement, complaint, decision, of_advisories, of_findings
from ..decide.package_verdicts import NEW, REPORT, PackageVerdict
from ..inside.ran import Ran
from ..report.matrix_output import printable, summary_words
from .arguments import GATE, positional
from .gates import Gate, selected

if TYPE_CHECKING:
    from ..decide import verdict as decide
    from ..decide.assessment import Assessment
    from .place import Place

_SHOWN = 10


class Findings:
    """Registered beside the host's plugin, where something was audited."""

    def __init__(self, config: pytest.Config, assessment: Assessment) -> None:
        self._config = config
        self._abi: dict[str, list[Finding]] = {}
        self._shown_services: dict[str, set[str]] = {}
        self._failing: set[str] = set()
        """Node ids of gates that were shown and fail."""
        self.assessment = assessment

    def add(self, assessment: Assessment, place: Place, service: str) -> None:
        """Take what was observed at *place*, where *service* is installed."""
        observed = {**self.assessment.observed, **assessment.observed}
        self.assessment = replace(self.assessment, observed=observed)
        if place.abi is not None and place.ran.machine == MACHINE:
            self._abi[self._named(service)] = list(abi_findings(place.abi, Ran()))

    def records(self, service: str) -> dict[str, object]:
        """What the fixtures inside tell where *service* is installed; all, where it is none."""
        matrices = self.assessment.matrices
        own = [matrix for matrix in matrices if matrix.service == service] or matrices
        return {"matrices": [matrix.to_json() for matrix in own]}

    def gates(self, service: str, waiting: Collection[str]) -> list[Gate]:
        """The selected ones of *service*, and of all that neither had nor await their own turn.

        A run that reports only has none, unless it names them.
        """
        if self._config.option.collectonly or not self.judging:
            return []
        wanted = self._config.option.arm64_service
        if service not in self._shown_services:
            names = {matrix.service for matrix in self.assessment.matrices}
            names = {n for n in names if n not in waiting and (not wanted or n in wanted)}
            self._shown_services[service] = names - {
                n for earlier in self._shown_services.values() for n in earlier
            }
        names = self._shown_services[service]
        gates = [self._gate(v) for v in self.assessment.verdicts() if v.service in names]
        gates += [self._judged(defect) for defect in self._defects() if defect.service in names]
        for name in names & self._abi.keys():
            gates += map(self._judged, of_findings(name, self._abi[name]))
        shown = list(selected(gates, self._config))
        self._failing.update(gate.nodeid for gate in shown if gate.text)
        return shown

    def nodeids(self) -> list[str]:
        """Of all gates that are known by now, whether they are selected or not."""
        packages = [verdict.nodeid for verdict in self.assessment.verdicts()]
        files = [
            printable(judgement.nodeid)
            for service, findings in self._abi.items()
            for judgement in of_findings(service, findings)
        ]
        return packages + [defect.nodeid for defect in self._defects()] + files

    def _defects(self) -> Iterator[Judgement]:
        """Known defects of all services that are not declared to stay on x86."""
        assessment = self.assessment
        for matrix in assessment.matrices:
            if matrix.service not in assessment.bounded:
                yield from of_advisories(matrix, assessment.accepted_defects, assessment.today)

    def decided(self, evidence: ServiceEvidence, verdict: decide.Verdict, today: date) -> Gate:
        """The gate of the verdict on a service, after those of its packages.

        What those tolerate is no fault, and what they fail for is not told again.
        """
        service = self._named(verdict.service)
        prefix = f"{GATE}{service}::"
        failing = {n.removeprefix(prefix) for n in self._failing if n.startswith(prefix)}
        assessment = self.assessment
        tolerated = assessment.tolerated(service)
        accepted = assessment.baseline if assessment.policy == NEW else None
        if accepted is not None and accepted.finding(service, self._target(service), BOUNDARY):
            tolerated = frozenset()  # what was accepted was accepted behind that boundary
        judgement = decision(evidence, verdict, today, tolerated, failing)
        return self._judged(replace(judgement, service=service), failing)

    def _judged(self, judgement: Judgement, failing: Collection[str] = ()) -> Gate:
        assessment = self.assessment
        nodeid = printable(judgement.nodeid)  # a file of a wheel may be called anything
        see = ", ".join(f"{GATE}{judgement.service}::{name}" for name in sorted(failing))
        target = self._target(judgement.service)
        return Gate(
            nodeid,
            ("pyproject.toml", None, nodeid),
            _plain(complaint(judgement, assessment.policy, assessment.baseline, target)),
            properties=_properties(
                *(judgement.service, target, judgement.state),
                *(judgement.cause, judgement.verdict),
            ),
            elsewhere=_plain(f"{judgement.verdict}, see {see}") if judgement.elsewhere else "",
        )

    @property
    def judging(self) -> bool:
        """Whether findings are gates of this run."""
        named = any(arg.startswith(GATE) for arg in positional(self._config.option))
        return self.assessment.policy != REPORT or named

    def _target(self, service: str) -> str:
        """What *service* is deployed on, as far as it was audited."""
        matrices = self.assessment.matrices
        every = matrices[0].target if matrices else ""
        return next((matrix.target for matrix in matrices if matrix.service == service), every)

    def _named(self, service: str) -> str:
        """As the audit calls *service*: the only one has another name there."""
        matrices = self.assessment.matrices
        return matrices[0].service if len(matrices) == 1 else service

    def _gate(self, verdict: PackageVerdict) -> Gate:
        return Gate(
            verdict.nodeid,
            (verdict.file, verdict.line - 1 if verdict.line else None, verdict.nodeid),
            _plain(verdict.text) if verdict.failed else "",
            properties=_properties(
                *(verdict.service, self._target(verdict.service)),
                *(verdict.state, verdict.row.cause),
            ),
        )

    def pytest_report_header(self) -> list[str]:
        if self.assessment.problem:
            return [f"arm64: audit: not evaluated: {printable(self.assessment.problem)}"]
        return [
            f"arm64: audit of {matrix.service} for {matrix.target}: "
            + printable(summary_words(matrix))
            for matrix in self.assessment.matrices
        ]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        lines = [*self._reported(), *self.assessment.reminders()]
        for line in lines[:_SHOWN]:
            terminalreporter.line(f"arm64: {printable(line)}")
        if len(lines) > _SHOWN:
            terminalreporter.line(f"arm64: {len(lines) - _SHOWN} more, see: pytest-arm64 audit")

    def _reported(self) -> Iterator[str]:
        """What is not green and is no gate."""
        for matrix in self.assessment.matrices:
            yield from (f"audit of {matrix.service}: {problem}" for problem in matrix.problems)
        if self.assessment.policy == REPORT:
            for verdict in self.assessment.verdicts():
                if verdict.text:
                    yield f"audit: {'; '.join(verdict.text.splitlines()[:2])}"
            for defect in self._defects():
                if defect.text:
                    yield f"audit: {defect.text.splitlines()[0]}"


def _plain(text: str) -> str:
    return "\n".join(map(printable, text.splitlines()))


def _properties(
    service: str, target: str, state: str, cause: str, verdict: str = ""
) -> tuple[tuple[str, str], ...]:
    properties = (
        *(("service", service), ("target", target)),
        *(("state", state), ("cause", cause), ("verdict", verdict)),
    )
    return tuple((f"arm64.{name}", printable(value)) for name, value in properties if value)
