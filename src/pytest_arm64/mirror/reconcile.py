"""No false green: what was collected must have been reported, and the end must be an end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

COMPLETE_STATUSES = (0, 1, 5)
"""Exit statuses of a session that ran what it had: passed, failed, nothing to run."""


@dataclass
class Ledger:
    """Book-keeping of one session inside, over all the processes that it took."""

    collected: Counter[str] = field(default_factory=Counter)
    finished: Counter[str] = field(default_factory=Counter)
    decided: set[str] = field(default_factory=set)
    """Running tests with a report that tells their outcome."""
    complete: bool = False
    """Whether the collection and the loop over the tests have come to their ends."""
    faults: list[str] = field(default_factory=list)
    """What came where it cannot come."""
    failures: int = 0
    """Failed reports, of tests and of collection."""
    distributed: bool = False
    """Whether pytest-xdist runs inside, which may run one test on each of its workers."""
    status: int | None = None
    """Exit status that the session told; None without a finish frame."""
    changed: int | None = None
    """The status that a hook of the project has made of it."""
    exit_code: int | None = None
    """Exit status that the process told after the session."""
    reason: str | None = None
    """Why it stopped early: name of the exception."""
    collect_only: bool = False
    """Whether it was to collect and run nothing."""

    def missing(self) -> Counter[str]:
        """Tests that were collected and never finished."""
        return Counter() if self.collect_only else self.collected - self.finished

    def surplus(self) -> Counter[str]:
        """Tests that finished and were never collected, or more often than they were."""
        return self.finished - self.collected

    @property
    def final(self) -> int | None:
        """What the session inside has come to: its process has the last word."""
        return self.changed if self.exit_code is None else self.exit_code

    def problems(self) -> list[str]:
        """Why this session must not count as passed beyond what its reports say."""
        problems = list(dict.fromkeys(self.faults))
        if self.status in COMPLETE_STATUSES and self.reason is None and not self.complete:
            problems.append("the session inside never said that its tests were over")
        if self.status is None and self.exit_code is None:
            problems.append("the session inside never said that it was over")
        elif self.status is None and self.exit_code in COMPLETE_STATUSES:
            problems.append(
                f"the process inside ended with {self.exit_code} without a session's end"
            )
        if self.changed is not None and self.exit_code not in (None, self.changed):
            problems.append(
                f"the session inside ended with status {self.changed} and its process with "
                f"{self.exit_code}"
            )
        if self.status == 0 and self.failures:
            problems.append(f"the session inside says 0 and {self.failures} failures were reported")
        if self.status in COMPLETE_STATUSES and self.reason is None and self.missing():
            problems.append(f"{sum(self.missing().values())} collected tests were never reported")
        if self.surplus() and not self.distributed:
            problems.append(
                f"{sum(self.surplus().values())} tests were reported more often than collected"
            )
        if self.status == 5 and self.finished:
            problems.append("the session inside says that it ran no test, and tests were reported")
        return problems


def together(statuses: Iterable[int], *, complete: bool) -> int:
    """The exit status of several sessions: the gravest; 5 only if none of them had a test."""
    distinct = set(statuses)
    grave = distinct - {0, 5}
    if grave:
        return max(grave)
    if not complete:
        return 1
    return 5 if distinct == {5} else 0
