"""Holds records against a test's budget: time on native ARM only, allocations everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..ran import Ran
from .budget import Budget, shown_bytes, shown_seconds
from .record import COLD_START, OPEN, OVER, WITHIN, BudgetVerdict, Record


def judged(record: Record, budget: Budget, where: Ran) -> Record:
    """*record* with its verdicts; a cold start is told and not judged."""
    if record.kind == COLD_START:
        return record
    return replace(record, verdicts=tuple(_verdicts(record, budget, where)))


def _verdicts(record: Record, budget: Budget, where: Ran) -> Iterator[BudgetVerdict]:
    if budget.latency is not None:
        value = record.latency.median
        why = _no_verdict_on_time(record, where)
        outcome = OPEN if why else _compared(value, budget.latency)
        yield BudgetVerdict("latency", budget.latency, value, outcome, why)
    if budget.memory is None:
        return
    if record.memory is None:
        why = f"{record.kind} measures no memory"
        yield BudgetVerdict("memory", budget.memory, None, OPEN, why)
        return
    outcome = _compared(record.memory.peak, budget.memory)
    why = ""
    if outcome == WITHIN and not record.memory.complete:
        why = "of what tracemalloc sees: Python and NumPy; install memray for native libraries"
    yield BudgetVerdict("memory", budget.memory, record.memory.peak, outcome, why)


def _compared(value: float, limit: float) -> str:
    return WITHIN if value <= limit else OVER


def _no_verdict_on_time(record: Record, where: Ran) -> str:
    if where.emulated:
        return "emulated time proves nothing"
    if not where.native_arm:
        return f"{where}: only native ARM is judged"
    return record.disturbed


def overruns(records: Iterable[Record]) -> list[str]:
    """A sentence for each limit that was passed."""
    return [
        f"{record.name}: {_overrun(verdict, record)}"
        for record in records
        for verdict in record.verdicts
        if verdict.outcome == OVER
    ]


def _overrun(verdict: BudgetVerdict, record: Record) -> str:
    if verdict.what == "latency":
        found = record.latency
        return (
            f"median latency {shown_seconds(found.median)} is over the budget of "
            f"{shown_seconds(verdict.limit)} (p95 {shown_seconds(found.p95)}, "
            f"{found.count} rounds, {found.outliers} outliers)"
        )
    assert record.memory is not None
    return (
        f"peak heap {shown_bytes(record.memory.peak)} is over the budget of "
        f"{shown_bytes(verdict.limit)} ({record.memory.tool})"
    )
