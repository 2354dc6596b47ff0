"""Gates: findings shown as tests, each a node id and a synthetic report, never an item."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from .silent import CellResult


@dataclass(frozen=True)
class Gate:
    """One finding; *text* is empty where there is nothing to complain of."""

    nodeid: str
    location: tuple[str, int | None, str]
    text: str = ""
    seconds: float = 0.0


def cell_gate(result: CellResult) -> Gate:
    """The gate of a further core: its own failures, and whatever makes it incomplete."""
    bad = [test for test in result.tests.values() if test.bad]
    lines = list(result.problems)
    if bad:
        lines.append(f"{len(bad)} of {len(result.tests)} tests fail on {result.planned.name}:")
    for test in bad:
        lines += ["", f"{test.outcome.upper()} {test.nodeid}", test.text]
    return Gate(
        nodeid=f"arm64::repository::{result.planned.name}",
        location=("pyproject.toml", None, result.planned.name),
        text="\n".join(lines),
        seconds=sum(test.seconds for test in result.tests.values()),
    )


def emit(config: pytest.Config, gate: Gate) -> None:
    """Report *gate* through the ordinary hooks."""
    hook = config.hook
    hook.pytest_runtest_logstart(nodeid=gate.nodeid, location=gate.location)
    for when in ("setup", "call", "teardown"):
        failed = when == "call" and bool(gate.text)
        report = pytest.TestReport(
            nodeid=gate.nodeid,
            location=gate.location,
            keywords={"arm64": 1},
            outcome="failed" if failed else "passed",
            longrepr=gate.text if failed else None,
            when=when,
            duration=gate.seconds if when == "call" else 0,
        )
        hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=gate.nodeid, location=gate.location)
