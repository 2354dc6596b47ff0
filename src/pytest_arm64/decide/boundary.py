"""Declared boundaries: what stays on x86, whether it is isolated, and when to look again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ..audit.matrix import BLOCKER, SOURCE, UNKNOWN, WheelMatrix
from ..config.declared_boundary import Boundary
from .evidence import ServiceEvidence
from .plain_markdown import plain
from .questions import YES, Answer

HOLDS, OVERDUE, LEAKS, REASON_GONE = "holds", "review overdue", "leaks", "reason may have gone"


@dataclass(frozen=True)
class BoundaryState:
    """A boundary as it is found on one day."""

    boundary: Boundary
    states: tuple[str, ...]
    """What is to be said of it; ``holds`` alone where nothing is wrong."""
    reasons: tuple[str, ...]
    next_step: str

    @property
    def sound(self) -> bool:
        """Whether nothing fails a run: isolated, and its review not overdue."""
        return not {OVERDUE, LEAKS} & set(self.states)


def examine(evidence: ServiceEvidence, wheels: Answer, today: date) -> BoundaryState | None:
    """The boundary of a service today; None where none is declared.

    Args:
        evidence: the service's.
        wheels: the answer to the first question about it.
        today: the day by which a review is overdue.
    """
    boundary = evidence.boundary
    if boundary is None:
        return None
    states, reasons, steps = [], [f"declared: {boundary.reason}"], []
    if boundary.review is not None and today > boundary.review:
        states.append(OVERDUE)
        reasons.append(f"its review was due on {boundary.review}")
        steps.append("review the boundary and set a new date")
    if evidence.leaks:
        states.append(LEAKS)
        reasons += evidence.leaks
        steps.append("take what belongs behind the boundary out of the other services")
    if wheels.answer == YES:
        states.append(REASON_GONE)
        reasons.append("every package that it deploys has an ARM64 wheel now")
        steps.append("run its tests on ARM64 without the boundary: it may be ready to migrate")
    step = "; ".join(steps) or f"migratable when {boundary.migratable_when}"
    return BoundaryState(boundary, tuple(states) or (HOLDS,), tuple(reasons), step)


def fenced(boundary: Boundary, matrix: WheelMatrix | None) -> frozenset[str]:
    """The packages that belong behind *boundary*: those it names, and those without a wheel."""
    rows = matrix.deployed if matrix is not None else ()
    return frozenset(boundary.packages) | {
        row.name for row in rows if row.state in (SOURCE, BLOCKER, UNKNOWN)
    }


def leaks(
    service: str,
    boundary: Boundary,
    matrices: Mapping[str, WheelMatrix],
    imports: Mapping[str, Iterable[tuple[str, str]]],
    modules: Iterable[str] = (),
) -> Iterator[str]:
    """Where other services use what belongs behind the boundary of *service*, in words.

    Args:
        service: whose boundary it is.
        boundary: the boundary.
        matrices: of all services, by name.
        imports: by service, what its deployed code imports: the top-level module, and where.
        modules: top-level modules of the service's own code.
    """
    packages = fenced(boundary, matrices.get(service))
    for other, matrix in matrices.items():
        if other == service:
            continue
        for row in matrix.deployed:
            if row.name in packages:
                way = " → ".join(row.path)
                yield f"{other} deploys {row.name} {row.version}" + (f" ({way})" if way else "")
    behind = {name.replace("-", "_"): name for name in packages} | {name: name for name in modules}
    for other, found in imports.items():
        if other == service:
            continue
        for module, place in found:
            if module in behind:
                yield f"{other} imports {module} ({place})"


def decision_record(
    services: Sequence[tuple[ServiceEvidence, BoundaryState]], *, made: date
) -> str:
    """The boundaries as a decision record in Markdown."""
    lines = ["# What stays on x86, and why", "", f"As found on {made}.", ""]
    if not services:
        lines.append("No boundary is declared: everything is meant to run on ARM64.")
    for evidence, state in services:
        boundary = state.boundary
        fence = sorted(fenced(boundary, evidence.matrix))
        lines += [
            f"## {plain(evidence.name)}",
            "",
            f"- **Decision:** stays on x86_64. State today: {', '.join(state.states)}.",
            f"- **Reason:** {plain(boundary.reason)}",
            f"- **Migratable when:** {plain(boundary.migratable_when)}",
            f"- **Review:** {boundary.review or 'no date'}",
            f"- **Behind the boundary:** {', '.join(map(plain, fence)) or 'no package'}",
            f"- **Next step:** {plain(state.next_step)}",
            "",
        ]
        lines += [f"  - {plain(reason)}" for reason in state.reasons[1:]]
        if state.reasons[1:]:
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"
