"""Two reports compared: what is better, worse, new and gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..decide.evidence import ServiceEvidence
from ..decide.questions import states
from ..decide.verdict import VERDICTS, Verdict
from ..inside.ran import GRADES
from .document import Report

BETTER, WORSE, OTHER = "better", "worse", "other"
_PACKAGE_ORDER = ("pure", "wheel", "source", "blocker", "unknown")


@dataclass(frozen=True)
class ReportChange:
    """One difference."""

    service: str
    what: str
    """``service``, ``verdict``, ``grade``, ``package`` or ``test``."""
    name: str
    before: str
    after: str
    direction: str

    @property
    def text(self) -> str:
        subject = f"{self.service}: {self.name}" if self.name else self.service
        return f"{subject}: {self.before or 'absent'} → {self.after or 'absent'}"


def changes(before: Report, after: Report) -> tuple[ReportChange, ...]:
    """What changed between two reports, what got worse first."""
    found = list(_changes(before, after))
    order = (WORSE, BETTER, OTHER)
    return tuple(sorted(found, key=lambda change: (order.index(change.direction), change.service)))


def _changes(before: Report, after: Report) -> Iterator[ReportChange]:
    old = {s.name: (s, v) for s, v in zip(before.services, before.verdicts, strict=True)}
    new = {s.name: (s, v) for s, v in zip(after.services, after.verdicts, strict=True)}
    for name in sorted(old.keys() - new.keys()):
        yield ReportChange(name, "service", "", old[name][1].label, "", OTHER)
    for name in sorted(new.keys() - old.keys()):
        yield ReportChange(name, "service", "", "", new[name][1].label, OTHER)
    for name in sorted(old.keys() & new.keys()):
        yield from _verdicts(old[name][1], new[name][1])
        yield from _packages(before, after, old[name][0], new[name][0])
        yield from _tests(old[name][0], new[name][0])


def _verdicts(old: Verdict, new: Verdict) -> Iterator[ReportChange]:
    if old.label == new.label:
        return
    ranks = [(VERDICTS.index(v.verdict), -GRADES.index(v.grade), v.stand_in) for v in (old, new)]
    direction = BETTER if ranks[1] < ranks[0] else WORSE
    what = "verdict" if old.verdict != new.verdict else "grade"
    yield ReportChange(new.service, what, "", old.label, new.label, direction)


def _packages(
    before: Report, after: Report, old: ServiceEvidence, new: ServiceEvidence
) -> Iterator[ReportChange]:
    first, second = _versions(before, old), _versions(after, new)
    for name in sorted(first.keys() | second.keys()):
        a, b = first.get(name), second.get(name)
        if a == b:
            continue
        direction = OTHER
        if a is not None and b is not None and a[1] != b[1]:
            ranks = [_PACKAGE_ORDER.index(state) for _, state in (a, b)]
            direction = BETTER if ranks[1] < ranks[0] else WORSE
        elif a is None and b is not None and b[1] in _PACKAGE_ORDER[2:]:
            direction = WORSE
        yield ReportChange(
            new.name, "package", name, " ".join(a) if a else "", " ".join(b) if b else "", direction
        )


def _versions(report: Report, service: ServiceEvidence) -> dict[str, tuple[str, str]]:
    if service.matrix is None:
        return {}
    found = states(service, report.day)
    return {row.name: (row.version, found[row.name]) for row in service.matrix.deployed}


def _tests(old: ServiceEvidence, new: ServiceEvidence) -> Iterator[ReportChange]:
    first, second = _outcomes(old), _outcomes(new)
    for nodeid in sorted(first.keys() & second.keys()):
        a, b = first[nodeid], second[nodeid]
        if a != b:
            bad = ("failed", "error")
            direction = WORSE if b in bad else BETTER if a in bad else OTHER
            yield ReportChange(new.name, "test", nodeid, a, b, direction)


def _outcomes(service: ServiceEvidence) -> dict[str, str]:
    runs = sorted(service.runs, key=lambda run: run.where.when)
    return {test.nodeid: test.outcome for run in runs for test in run.tests}
