"""Lapses: evidence for a compatible service that was there, or was made, and does not count.

That a run was emulated, on a stand-in, of a part of the tests or installed without pip lies in how
it was asked for, and is none: the next run on an ARM machine makes up for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from ..inside.ran import NATIVE, PREDICTED
from .baseline import Accepted
from .evidence import ServiceEvidence, TestRun
from .verdict import MIGRATE, READY, best_run


@dataclass(frozen=True)
class Lapse:
    """One thing that takes from what a verdict rested on."""

    text: str
    least: str = READY
    """The verdict that must have been accepted for it to be a fall: what less never rested on."""
    evident: bool = False
    """Whether it is wrong with nothing to compare it with."""

    def is_fall(self, accepted: Accepted | None) -> bool:
        """Whether it is one from what was *accepted*; None where nothing was."""
        if accepted is None:
            return self.evident
        if accepted.state == MIGRATE:
            return True
        tested = accepted.grade not in ("", PREDICTED)
        return accepted.state == READY and tested and self.least == READY


def lapses(evidence: ServiceEvidence, today: date) -> Iterator[Lapse]:
    """Those of one service on the day *today*.

    Nothing is said of what fails: that is in the verdict itself.
    """
    best = best_run(evidence, today)
    if best is None:
        yield from _without_run(evidence, today)
        return
    where = best.where
    if where.asked_image and where.differences:
        told = "; ".join(where.differences)
        yield Lapse(f"the target's own image has changed: {told}", MIGRATE)
    for run in evidence.runs:
        if _carries_migrate(run) and not (where.fresh(today) and _carries_migrate(best)):
            yield Lapse(f"the native run of {_when(run.where.when)} is too long ago", MIGRATE)
    yield from _installations(evidence, today)


def _without_run(evidence: ServiceEvidence, today: date) -> Iterator[Lapse]:
    if not evidence.runs and not evidence.unasked:
        yield Lapse("no test of it ran")
    for run in evidence.runs:
        where = run.where
        if run.part:
            continue
        if not where.on_arm:
            yield Lapse(f"its tests ran on {where.machine or 'an unknown machine'}", evident=True)
        elif not run.fits:
            if where.as_asked:  # another image may well hold other versions
                yield Lapse(f"its tests prove nothing: {run.misfit}", evident=True)
        elif not where.fresh(today):
            yield Lapse(f"the run of {_when(where.when)} is too long ago", evident=True)
        elif not run.count()["passed"]:
            counts = ", ".join(f"{number} {name}" for name, number in run.count().items())
            yield Lapse(f"no test passed: {counts or 'none ran'}", evident=True)


def _carries_migrate(run: TestRun) -> bool:
    """Whether *run* would do for ``migrate``, were it made today."""
    return run.where.grade == NATIVE and run.where.as_asked and run.fits and run.passed


def _installations(evidence: ServiceEvidence, today: date) -> Iterator[Lapse]:
    if evidence.matrix is None:
        return
    on_arm = [install for install in evidence.installs if install.where.on_arm]
    fitting = [install for install in on_arm if install.fits(evidence.matrix)]
    if not fitting:
        missing = ", ".join(name for i in on_arm[-1:] for name in i.missing(evidence.matrix)[:5])
        told = f"the installed packages differ from what it deploys: {missing}"
        if not missing:
            told = "no record of what was installed on ARM64"
        yield Lapse(told, MIGRATE)
    references = [i.where for i in fitting if i.reference and i.where.as_asked]
    if references and not any(where.fresh(today) for where in references):
        last = max(where.when for where in references)
        yield Lapse(f"pip's reference installation of {_when(last)} is too long ago", MIGRATE)


def _when(time: str) -> str:
    return time or "an unknown time"
