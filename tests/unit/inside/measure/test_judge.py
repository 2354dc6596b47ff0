"""Verdicts: time on native ARM only, allocations everywhere, and a reason where there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_arm64.inside.measure.budget import Budget
from pytest_arm64.inside.measure.judge import judged, overruns
from pytest_arm64.inside.measure.memory import Memory
from pytest_arm64.inside.measure.record import (
    BENCHMARK,
    CALL,
    COLD_START,
    OPEN,
    OVER,
    WITHIN,
    Record,
)
from pytest_arm64.inside.ran import Ran

NATIVE = Ran("aarch64", "Neoverse-N1", emulated=False, stand_in=False)
EMULATED = Ran("aarch64", "graviton2 (qemu neoverse-n1)", emulated=True, stand_in=False)
X86 = Ran("x86_64", "", emulated=False, stand_in=False)
PLAIN = Ran("aarch64", "", emulated=None)
RECORD = Record("f", CALL, wall=(0.2,) * 5, memory=Memory(2000, 10, "memray"))
TIGHT = Budget(latency=0.1, memory=1000)
WIDE = Budget(latency=0.3, memory=3000)


@pytest.mark.parametrize(
    ("where", "budget", "latency", "memory"),
    [
        (NATIVE, TIGHT, OVER, OVER),
        (NATIVE, WIDE, WITHIN, WITHIN),
        (EMULATED, TIGHT, OPEN, OVER),
        (EMULATED, WIDE, OPEN, WITHIN),
        (X86, TIGHT, OPEN, OVER),
        (X86, WIDE, OPEN, WITHIN),
        (PLAIN, TIGHT, OPEN, OVER),
        (PLAIN, WIDE, OPEN, WITHIN),
    ],
)
def test_what_is_evidence_where(where: Ran, budget: Budget, latency: str, memory: str) -> None:
    found = {v.what: v for v in judged(RECORD, budget, where).verdicts}
    assert (found["latency"].outcome, found["memory"].outcome) == (latency, memory)
    assert (latency == OPEN) == bool(found["latency"].why)


def test_emulated_is_said_wherever_there_is_no_verdict() -> None:
    verdict = judged(RECORD, Budget(latency=1), EMULATED).verdicts[0]
    assert verdict.why == "emulated time proves nothing"


def test_exactly_on_the_limit_is_within() -> None:
    found = judged(RECORD, Budget(latency=0.2, memory=2000), NATIVE).verdicts
    assert [v.outcome for v in found] == [WITHIN, WITHIN]


def test_a_disturbed_time_is_no_evidence() -> None:
    record = replace(RECORD, disturbed="coverage is at work")
    verdict = judged(record, Budget(latency=0.1), NATIVE).verdicts[0]
    assert (verdict.outcome, verdict.why) == (OPEN, "coverage is at work")


def test_what_nobody_measured_is_open() -> None:
    record = replace(RECORD, kind=BENCHMARK, memory=None)
    verdict = judged(record, Budget(memory=10**9), NATIVE).verdicts[0]
    assert (verdict.outcome, verdict.why) == (OPEN, "pytest-benchmark measures no memory")


def test_a_part_of_the_memory_can_exceed_a_budget_but_not_prove_it_kept() -> None:
    record = replace(RECORD, memory=Memory(2000, None, "tracemalloc"))
    assert judged(record, TIGHT, NATIVE).verdicts[1].outcome == OVER
    verdict = judged(record, WIDE, NATIVE).verdicts[1]
    assert verdict.outcome == WITHIN
    assert "of what tracemalloc sees" in verdict.why


def test_a_cold_start_is_told_and_not_judged() -> None:
    record = Record("service", COLD_START, wall=(9.0,))
    assert judged(record, TIGHT, NATIVE) == record


def test_overruns_are_sentences() -> None:
    assert overruns([judged(RECORD, TIGHT, NATIVE)]) == [
        "f: median latency 200 ms is over the budget of 100 ms (p95 200 ms, 5 rounds, 0 outliers)",
        "f: peak heap 2 kB is over the budget of 1 kB (memray)",
    ]
    assert overruns([judged(RECORD, WIDE, NATIVE)]) == []
