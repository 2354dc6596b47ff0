"""The gate: what is judged beyond the packages' states, and what of it fails a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from ..advisories.database import KNOWN_DEFECT
from ..audit.matrix import WheelMatrix
from .allowances import Allowance
from .baseline import Accepted, Baseline, grave_defects
from .evidence import Finding, ServiceEvidence
from .lost_evidence import Lapse, lapses
from .package_verdicts import NEW, REPORT
from .questions import NOT_EVALUATED, QUESTIONS, YES
from .verdict import FINDING, INCOMPLETE, VERDICTS, Verdict

VERDICT, BOUNDARY, ABI = "decision:verdict", "decision:boundary", "abi:"
"""Names among a service's gates; a colon is in no package's name."""
TRIAL = "decision:trial"
DECISIONS = (VERDICT, BOUNDARY, TRIAL)
_RENEW = (
    "collect the evidence again, or accept what is left: pytest-arm64 report DIR --write-baseline"
)


@dataclass(frozen=True)
class Judgement:
    """One thing that was judged of a service."""

    service: str
    name: str
    """``decision:verdict``, ``decision:boundary``, ``abi:`` and a package, or ``advisory:``, a
    package and an id."""
    state: str
    text: str = ""
    """What is wrong and what to do; empty where nothing is wrong."""
    cause: str = ""
    verdict: str = ""
    """With its grade, of a decision."""
    grade: str = ""
    """Of the evidence of a compatible service: what later runs are held against."""
    lapses: tuple[Lapse, ...] = ()
    """Of a compatible service: what no longer counts, and fails those who had it."""
    incomplete: bool = False
    """Whether not all tests of the service have run, which no baseline excuses."""
    elsewhere: bool = False
    """Whether something is wrong, all of which gates of the service's packages say."""

    @property
    def nodeid(self) -> str:
        """``arm64::<service>::<name>``"""
        return f"arm64::{self.service}::{self.name}"


def decision(
    evidence: ServiceEvidence,
    verdict: Verdict,
    today: date,
    tolerated: Collection[str] = (),
    failing: Collection[str] = (),
) -> Judgement:
    """The judgement on a service's verdict, or on its boundary where it has one.

    Args:
        evidence: the service's.
        verdict: what it led to.
        today: the day by which evidence is old.
        tolerated: packages that are not green and fail nothing; where nothing else is in the way,
            nothing is wrong.
        failing: names of the service's gates that were seen to fail; where nothing else is wrong,
            the judgement says no more than where that is told.
    """
    state = verdict.boundary
    if state is not None:
        lines = () if state.sound else (*state.reasons[1:], f"→ {state.next_step}")
        told = ", ".join(state.states)
        text = "\n".join(lines)
        return Judgement(verdict.service, BOUNDARY, told, text, told, verdict.label)
    cause = verdict.reasons[0] if verdict.reasons else ""
    judgement = Judgement(
        verdict.service, VERDICT, verdict.verdict, cause=cause, verdict=verdict.label
    )
    if verdict.compatible:
        found = tuple(lapses(evidence, today))
        return replace(judgement, grade=verdict.grade, lapses=found)
    if _only(evidence, verdict, tolerated):
        return judgement
    if _only(evidence, verdict, {*tolerated, *failing}, failing):
        return replace(judgement, elsewhere=True)
    lines = (verdict.label, *verdict.reasons, f"→ {verdict.next_step}")
    incomplete = any(reason.kind == INCOMPLETE for reason in verdict.because)
    return replace(judgement, text="\n".join(lines), incomplete=incomplete)


def _only(
    evidence: ServiceEvidence,
    verdict: Verdict,
    packages: Collection[str],
    failing: Collection[str] = (),
) -> bool:
    """Whether nothing but *packages* and files of *failing* gates is in the way, and no test."""
    wheels = verdict.answers[0]
    if wheels.answer == NOT_EVALUATED and evidence.matrix and evidence.matrix.problems:
        return False
    missing = () if wheels.answer == YES else wheels.packages
    return set(missing) <= set(packages) and all(
        (missing and reason.kind in QUESTIONS)
        or (reason.kind == FINDING and ABI + reason.subject in failing)
        for reason in verdict.because
    )


def of_findings(service: str, findings: Iterable[Finding]) -> Iterator[Judgement]:
    """A judgement on each package with a compiled file that cannot be loaded."""
    for package, found in _by_package(findings).items():
        kinds = ", ".join(dict.fromkeys(finding.cause or finding.kind for finding in found))
        lines = [finding.text for finding in found]
        lines += dict.fromkeys(f"→ {finding.remedy}" for finding in found if finding.remedy)
        yield Judgement(service, ABI + package, kinds, "\n".join(lines), kinds)


def of_advisories(
    matrix: WheelMatrix, accepted: Collection[Allowance], today: date
) -> Iterator[Judgement]:
    """A judgement on each known defect that surely applies, and ends the process or misleads.

    Args:
        matrix: of one service.
        accepted: what a team has accepted, by id.
        today: the day by which allowances expire.
    """
    for name, row, defect in grave_defects(matrix):
        allowance = next((a for a in accepted if a.covers(matrix.service, defect.id)), None)
        lines = [f"{row.name} {row.version} has a known defect, {defect.id}: {defect.summary}"]
        if defect.fixed:
            lines.append(f"→ move to {row.name} {defect.fixed}")
        lines += [f"→ pytest-arm64 advisories show {defect.id}"]
        if row.path:
            lines.append("from " + " → ".join(row.path))
        tolerated = allowance is not None and not allowance.expired(today)
        if allowance is not None and not tolerated:
            lines.append(allowance.told(today))
        text = "" if tolerated else "\n".join(lines)
        yield Judgement(matrix.service, name, defect.effect, text, KNOWN_DEFECT)


def _by_package(findings: Iterable[Finding]) -> Mapping[str, Sequence[Finding]]:
    """What keeps compiled files from being loaded, by package, or by file where none is known."""
    groups: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.grave and finding.kind == "abi":
            groups[finding.subject].append(finding)
    return dict(sorted(groups.items()))


def complaint(judgement: Judgement, policy: str, baseline: Baseline | None, target: str) -> str:
    """What of *judgement* fails a run by *policy*; empty where nothing does.

    Args:
        judgement: what was judged.
        policy: ``report``, ``new`` or ``all``.
        baseline: what was accepted, for ``new``.
        target: the target's name.
    """
    if policy == REPORT:
        return ""
    accepted = None
    if policy == NEW and baseline is not None:
        accepted = baseline.finding(judgement.service, target, judgement.name)
    if judgement.text:
        excused = not judgement.incomplete and accepted and not _worse(judgement, accepted)
        return "" if excused else judgement.text
    fallen = [lapse.text for lapse in judgement.lapses if lapse.is_fall(accepted)]
    if not fallen:
        return ""
    was = ""
    if accepted is not None:
        was = f"; {accepted.state}{f' ({accepted.grade})' if accepted.grade else ''} was accepted"
    return "\n".join([f"{judgement.verdict}{was}", *fallen, f"→ {_RENEW}"])


def _worse(judgement: Judgement, accepted: Accepted) -> bool:
    known = accepted.state
    if judgement.name != VERDICT:
        return known != judgement.state
    return known not in VERDICTS or VERDICTS.index(judgement.state) > VERDICTS.index(known)


def complaints(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """One line for each service that is neither compatible nor behind a sound boundary."""
    for verdict in verdicts:
        state = verdict.boundary
        if state is None:
            if not verdict.compatible:
                why = verdict.reasons[0] if verdict.reasons else verdict.next_step
                yield f"{verdict.service}: {verdict.label}: {why}"
        elif not state.sound:
            yield f"{verdict.service}: boundary: {', '.join(state.states)}: " + "; ".join(
                state.reasons[1:]
            )
