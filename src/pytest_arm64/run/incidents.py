"""What kept tests from being run: read from the session that was mirrored, never from its text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from ..decide.evidence import (
    COLLECTION,
    DEATH,
    DESELECTED,
    NO_TESTS,
    STOPPED,
    Incident,
    TestOutcome,
)
from ..inside.frames import StopReason
from ..mirror.reconcile import Ledger
from .part_session import NestedRun

_LONGEST = 300
_STOPS = {
    "Exit": "the session stopped itself",
    "Failed": "the session stopped early",
    "Interrupted": "the session was interrupted",
    "KeyboardInterrupt": "the session was interrupted",
    "UsageError": "the session refused its arguments",
}


@dataclass(frozen=True)
class Ended:
    """How one mirrored session ended."""

    stop: StopReason | None
    ledger: Ledger
    deselected: int
    problems: tuple[str, ...]

    @classmethod
    def of(cls, run: NestedRun) -> Ended | None:
        """That of *run*; None where it has no session."""
        if run.session is None:
            return None
        mirror = run.session.mirror
        return cls(mirror.stop, mirror.ledger, len(mirror.deselected), tuple(run.problems))


def collection_incident(report: pytest.CollectReport) -> Incident:
    """What *report*, of a file that could not be collected, has to say."""
    lines = [line for line in report.longreprtext.splitlines() if line.strip()]
    reasons = [line[1:].strip() for line in lines if line.startswith("E ")]
    reason = (reasons[-1:] or lines[-1:] or ["it could not be collected"])[0]
    return Incident(COLLECTION, one_line(reason), report.nodeid.partition("::")[0])


def incidents(
    ended: Ended, collection: Sequence[Incident], tests: Sequence[TestOutcome]
) -> Iterator[Incident]:
    """What kept tests of a session from being run.

    Args:
        ended: how it ended.
        collection: the files that could not be collected.
        tests: those of its tests that have run.
    """
    yield from collection
    stop, ledger = ended.stop, ended.ledger
    if stop is not None and not (collection and stop.kind == "Interrupted"):
        yield Incident(STOPPED, stop_words(stop))
    elif stop is None and ledger.final is None:
        problem = (ended.problems or ("the session never came to its end",))[0]
        yield Incident(DEATH, one_line(problem))
    elif not tests and not collection:
        yield _nothing_ran(ended)
    elif not collection and not any(test.bad or test.outcome == "passed" for test in tests):
        yield Incident(NO_TESTS, f"no test passed: {_counts(tests)}")


def _nothing_ran(ended: Ended) -> Incident:
    if ended.deselected:
        number = ended.deselected
        return Incident(DESELECTED, f"all tests were deselected: {number} of {number}")
    collected = ended.ledger.collected.total()
    text = f"no test was called: {collected} collected" if collected else "no test was collected"
    return Incident(NO_TESTS, text)


def _counts(tests: Sequence[TestOutcome]) -> str:
    outcomes = [test.outcome for test in tests]
    return ", ".join(f"{outcomes.count(name)} {name}" for name in dict.fromkeys(outcomes))


def stop_words(stop: StopReason) -> str:
    """Why a session ended early, in one line."""
    what = _STOPS.get(stop.kind, "the session ended with an internal error")
    return one_line(f"{what}: {'; '.join(stop.arguments) or stop.message}")


def one_line(text: str) -> str:
    """The first line of *text*, of bounded length."""
    return (text.strip().splitlines() or [""])[0][:_LONGEST]
