"""The backlog: what to change first, by how many services and how much spend it frees."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..audit.matrix import Row
from .evidence import ServiceEvidence
from .questions import NO, replacement
from .verdict import INCOMPLETE, Verdict

PACKAGE = "package"


@dataclass(frozen=True)
class WorkItem:
    """One change."""

    package: str
    version: str
    action: str
    """What to do, in words; that nothing is known, where it is so."""
    services: tuple[str, ...]
    """All that the package stands in the way of."""
    frees: tuple[str, ...]
    """Those of them in whose way nothing else stands."""
    monthly_cost: float
    """US dollars a month of the services that it frees, where their cost is known."""
    certain: bool
    """Whether it is known what would do."""
    kind: str = PACKAGE
    """``package``, or ``incomplete`` for what kept tests from being run."""

    @property
    def title(self) -> str:
        """What it is about, in a few words."""
        return f"{self.package} {self.version}" if self.kind == PACKAGE else "incomplete run"


def backlog(
    evidence: Sequence[ServiceEvidence], verdicts: Sequence[Verdict]
) -> tuple[WorkItem, ...]:
    """The changes that free services, the most rewarding first.

    Services behind a declared boundary are meant to stay, and are left out.
    """
    by_name = {service.name: service for service in evidence}
    rows: dict[tuple[str, str], Row] = {}
    held: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    counts: dict[str, int] = {}
    for verdict in verdicts:
        matrix = by_name[verdict.service].matrix
        wheels = verdict.answers[0]
        if verdict.boundary is not None or wheels.answer != NO or matrix is None:
            continue
        counts[verdict.service] = len(wheels.packages)
        for row in matrix.deployed:
            if row.name in wheels.packages:
                key = (row.name, _action(row))
                rows.setdefault(key, row)
                held[key].append(verdict.service)
    found = []
    for key, services in held.items():
        frees = tuple(name for name in services if counts[name] == 1)
        cost = sum(by_name[name].monthly_cost or 0.0 for name in frees)
        certain = bool(replacement(rows[key]))
        found.append(
            WorkItem(
                package=key[0],
                version=rows[key].version,
                action=key[1],
                services=tuple(services),
                frees=frees,
                monthly_cost=cost,
                certain=certain,
            )
        )
    return tuple(sorted([*_incomplete(by_name, verdicts), *found], key=_rank))


def _incomplete(
    evidence: Mapping[str, ServiceEvidence], verdicts: Sequence[Verdict]
) -> Iterator[WorkItem]:
    """A change for each service that nothing but an incomplete run keeps undecided."""
    for verdict in verdicts:
        if verdict.because and all(reason.kind == INCOMPLETE for reason in verdict.because):
            name = verdict.service
            yield WorkItem(
                package="",
                version="",
                action=f"have all tests of {name} run: {verdict.because[0].text}",
                services=(name,),
                frees=(name,),
                monthly_cost=evidence[name].monthly_cost or 0.0,
                certain=True,
                kind=INCOMPLETE,
            )


def _rank(item: WorkItem) -> tuple[bool, int, float, int, str, str]:
    freed = len(item.frees) if item.certain else 0
    return (
        not item.certain,
        -freed,
        -item.monthly_cost,
        -len(item.services),
        item.package,
        item.version,
    )


def _action(row: Row) -> str:
    if row.remedy is not None:
        return row.remedy.text
    return row.detail or f"no wheel for {row.name} {row.version}, and nothing is known instead"
