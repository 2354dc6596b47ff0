"""The table of what was measured: a line for each subject and cell, below the results."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ..inside.measure.record import Measured, Record
    from ..inside.ran import Ran

_PROPERTY = "arm64_measure"  # as in measure/record.py, which only a run with measurements needs


class MeasureSummary:
    """Collects measurements from reports, of workers and mirrored sessions as well."""

    def __init__(self) -> None:
        self._measured: list[Measured] = []

    def add(self, measured: Iterable[Measured]) -> None:
        """Measurements of a cell that nobody sees."""
        self._measured += measured

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call":
            return
        for name, value in report.user_properties:
            if name == _PROPERTY:
                self._measured += _read(value)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._measured:
            for line in measurement_lines(self._measured):
                terminalreporter.line(line)


def _read(value: object) -> Iterator[Measured]:
    from ..inside.measure.record import Measured

    if isinstance(value, str):
        try:
            yield Measured.decode(value)
        except ValueError:
            return  # a property of somebody else's


_HEADS = ("", "median", "p95", "spread", "CPU", "peak heap", "allocations")


def measurement_lines(measured: Sequence[Measured]) -> Iterator[str]:
    """The table, and below it what each verdict is or why there is none."""
    places = list(dict.fromkeys(one.where for one in measured))
    for number, where in enumerate(places, 1):
        yield f"arm64 measure: [{number}] {where}{_meaning(where)}"
    rows: list[tuple[str, ...]] = [_HEADS]
    for title, sides in _subjects(measured).items():
        rows.append((title,))
        rows += [(f"  [{places.index(where) + 1}]", *_cells(record)) for where, record in sides]
    yield from _aligned(rows)
    yield from _told(measured)


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Columns to the right; a row of one text is a line of its own."""
    columns = [
        max(map(len, column)) for column in zip(*(r for r in rows if len(r) > 1), strict=True)
    ]
    for first, *others in rows:
        cells = (f"  {text:>{width}}" for text, width in zip(others, columns[1:], strict=False))
        yield f"{first:{columns[0]}}{''.join(cells)}".rstrip()


def _meaning(where: Ran) -> str:
    if where.emulated:
        return ": times say nothing, counts of allocations do"
    if not where.native_arm:
        return ": measured, no verdict on time"
    return ""


def _subjects(measured: Sequence[Measured]) -> Mapping[str, list[tuple[Ran, Record]]]:
    found: dict[str, list[tuple[Ran, Record]]] = {}
    for one in measured:
        for record in one.records:
            kind = "" if record.kind == "call" else f" ({record.kind})"
            found.setdefault(f"{one.test}: {record.name}{kind}", []).append((one.where, record))
    return found


def _cells(record: Record) -> tuple[str, ...]:
    from ..inside.measure.budget import shown_bytes, shown_seconds
    from ..inside.measure.summary import summarise

    latency, memory = record.latency, record.memory
    return (
        shown_seconds(latency.median),
        shown_seconds(latency.p95),
        f"{latency.relative_spread:.0%}",
        shown_seconds(summarise(record.cpu).median) if record.cpu else "-",
        shown_bytes(memory.peak) if memory else "-",
        f"{memory.allocations:,}" if memory and memory.allocations is not None else "-",
    )


def _told(measured: Sequence[Measured]) -> Iterator[str]:
    """What became of the budgets; those without a verdict by their reason."""
    open_ones: Counter[str] = Counter()
    for one in measured:
        for record in one.records:
            if record.disturbed:
                yield f"  {one.test}: {record.name}: {record.disturbed}: its times say nothing"
            for verdict in record.verdicts:
                if verdict.outcome == "not evaluated":
                    open_ones[f"{verdict.what} not evaluated: {verdict.why}"] += 1
                else:
                    why = f" {verdict.why}" if verdict.why else ""
                    name = f"{one.test}: {record.name}"
                    yield f"  {name}: {verdict.outcome} its budget of {verdict.what}{why}"
    for reason, count in open_ones.items():
        yield f"  {count} budget{'s' if count > 1 else ''} of {reason}"
