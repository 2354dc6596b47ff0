"""How a case is judged: its verdict against the expected one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from .case import Case

Conform = Callable[[Case], None]


@pytest.fixture
def conform(arm64_golden: Any, request: pytest.FixtureRequest) -> Conform:
    """Computes a case and compares it; a verdict worse than the expected one fails."""

    def judge(case: Case) -> None:
        __tracebackhide__ = True
        value = arm64_golden.outcome(case.compute) if case.call else case.compute()
        found = arm64_golden.judge(value, **case.policy)
        if not found.leaves:
            return  # the reference side computes, and nothing is compared there
        verdict = found.verdict
        hints = [hint for leaf in found.leaves for hint in leaf.hints]
        told = {
            "case": case.name,
            "verdict": verdict.value,
            "expected": case.expect,
            "hints": list(dict.fromkeys(hints)),
        }
        request.node.user_properties.append(("arm64_conformance", json.dumps(told)))
        if not found.ok and verdict.value == "golden missing":
            pytest.fail(f"no x86 value to compare {case.name} with", pytrace=False)
        expected = type(verdict)(case.expect)
        if verdict.rank > max(expected.rank, _allowed(type(verdict))):
            pytest.fail(
                f"{case.name}: {verdict.value}, expected {case.expect}\n"
                f"  cause known: {case.cause}\n  reference: {case.reference}\n"
                + arm64_golden.explained(found, case.policy),
                pytrace=False,
            )

    return judge


def _allowed(verdicts: Any) -> int:
    """Rank up to which a verdict is no finding, whatever was expected."""
    rank: int = verdicts("nan/zero sign only").rank
    return rank
