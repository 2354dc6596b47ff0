"""How a case is judged: its verdict against the expected one; and what became of each library."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from .case import IDENTICAL, LIBRARIES, SIGN, Case, deployed, version_of

Conform = Callable[[Case], None]
PROPERTY = "arm64_conformance"
"""Name under which a report says what became of its case."""
STARTED, NOT_DEPLOYED, RAN = "started", "not deployed", "ran"


@pytest.fixture
def conform(arm64_golden: Any, request: pytest.FixtureRequest) -> Conform:
    """Computes a case and compares it; a verdict worse than the expected one fails."""

    def judge(case: Case) -> None:
        __tracebackhide__ = True
        about = {"case": case.name, "library": case.library, "expected": case.expect}
        properties = request.node.user_properties
        properties.append((PROPERTY, json.dumps({**about, "state": STARTED})))

        def report(**more: Any) -> None:
            properties[-1] = (PROPERTY, json.dumps({**about, **more}))

        if not deployed(case.library):
            report(state=NOT_DEPLOYED)
            pytest.skip(f"{case.library} is not deployed")
        value = arm64_golden.outcome(case.compute) if case.call else case.compute()
        comparison = arm64_golden.judge(value, **case.policy)
        if not comparison.leaves:
            report(state=RAN, verdict=IDENTICAL, hints=[])
            return  # the reference side computes, and nothing is compared there
        verdict = comparison.verdict
        hints = [hint for leaf in comparison.leaves for hint in leaf.hints]
        if not comparison.ok and verdict.value == "golden missing":
            pytest.fail(f"no x86 value to compare {case.name} with", pytrace=False)
        report(state=RAN, verdict=verdict.value, hints=list(dict.fromkeys(hints)))
        if _worse(verdict, case.expect):
            pytest.fail(
                f"{case.name}: {verdict.value}, expected {case.expect}\n"
                f"  cause known: {case.cause}\n  reference: {case.reference}\n"
                + arm64_golden.explained(comparison, case.policy),
                pytrace=False,
            )

    return judge


def _worse(verdict: Any, expected: str) -> bool:
    """Whether *verdict* is worse than *expected*; another sign of zero or NaN never is."""
    classes = type(verdict)
    allowed = max(classes(expected).rank, classes(SIGN).rank)
    return bool(verdict.rank > allowed)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say per library how many cases ran, and warn of a deployed one of which none did."""
    by_library: dict[str, Counter[str]] = {}
    for report in (report for listed in terminalreporter.stats.values() for report in listed):
        if getattr(report, "when", "") == "call":
            _count(by_library, report)
    for library in sorted(by_library, key=list(LIBRARIES).index):
        counts = by_library[library]
        none_ran = not counts[RAN] and not counts[NOT_DEPLOYED]
        text = summary(library, version_of(library), counts)
        text = f"warning: {text}" if none_ran else text
        terminalreporter.line(f"arm64 conformance: {text}", yellow=none_ran)


def _count(by_library: dict[str, Counter[str]], report: pytest.TestReport) -> None:
    """Add the case that *report* is of, if it is of one."""
    for name, value in report.user_properties:
        if name != PROPERTY:
            continue
        case = json.loads(str(value))
        counts = by_library.setdefault(case["library"], Counter())
        counts["cases"] += 1
        counts[case["state"]] += 1
        if report.failed:
            counts["worse"] += 1
        elif case.get("verdict", IDENTICAL) != IDENTICAL:
            counts["differ"] += 1


def summary(library: str, version: str, counts: Counter[str]) -> str:
    """One line on the cases of *library*."""
    if counts[NOT_DEPLOYED]:
        return f"{library}: not deployed, {counts[NOT_DEPLOYED]} cases not run"
    return (
        f"{' '.join(filter(None, (library, version)))}: {counts[RAN]} of {counts['cases']} ran, "
        f"{counts['differ']} differ as known, {counts['worse']} worse"
    )
