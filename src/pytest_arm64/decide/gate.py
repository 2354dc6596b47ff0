"""The gate: what is judged beyond the packages' states, and what of it fails a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from ..audit.baseline import Baseline
from ..audit.verdicts import NEW, REPORT
from .evidence import Finding
from .verdict import VERDICTS, Verdict

VERDICT, BOUNDARY, ABI = "decision:verdict", "decision:boundary", "abi:"
"""Names among a service's gates; a colon is in no package's name."""


@dataclass(frozen=True)
class Judgement:
    """One thing that was judged of a service."""

    service: str
    name: str
    """``decision:verdict``, ``decision:boundary``, or ``abi:`` and a package."""
    state: str
    text: str = ""
    """What is wrong and what to do; empty where nothing is wrong."""
    cause: str = ""
    verdict: str = ""
    """With its grade, of a decision."""

    @property
    def nodeid(self) -> str:
        """``arm64::<service>::<name>``"""
        return f"arm64::{self.service}::{self.name}"


def decision(verdict: Verdict, tolerated: Collection[str] = ()) -> Judgement:
    """The judgement on a service's verdict, or on its boundary where it has one.

    Where nothing but *tolerated* packages is in the way, nothing is wrong.
    """
    state = verdict.boundary
    if state is not None:
        lines = () if state.sound else (*state.reasons[1:], f"→ {state.next_step}")
        told = ", ".join(state.states)
        text = "\n".join(lines)
        return Judgement(verdict.service, BOUNDARY, told, text, told, verdict.label)
    cause = verdict.reasons[0] if verdict.reasons else ""
    lines = (verdict.label, *verdict.reasons, f"→ {verdict.next_step}")
    passes = verdict.compatible or _only(verdict, tolerated)
    text = "" if passes else "\n".join(lines)
    return Judgement(verdict.service, VERDICT, verdict.verdict, text, cause, verdict.label)


def _only(verdict: Verdict, packages: Collection[str]) -> bool:
    """Whether nothing but some of *packages* is in the way, and no test or finding besides."""
    wheels = verdict.answers[0]
    told = {f"wheels: {wheels.text}", *(answer.text for answer in verdict.answers)}
    return (
        bool(wheels.packages)
        and set(wheels.packages) <= set(packages)
        and set(verdict.reasons) <= told
    )


def of_findings(service: str, findings: Iterable[Finding]) -> Iterator[Judgement]:
    """A judgement on each package with a compiled file that cannot be loaded."""
    groups: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.grave and finding.kind == "abi":
            path = finding.text.partition(": ")[2].partition(": ")[0]
            groups[finding.package or PurePosixPath(path).name].append(finding)
    for package, found in sorted(groups.items()):
        kinds = ", ".join(dict.fromkeys(one.text.partition(":")[0] for one in found))
        lines = [one.text for one in found]
        lines += dict.fromkeys(f"→ {one.remedy}" for one in found if one.remedy)
        yield Judgement(service, ABI + package, kinds, "\n".join(lines), kinds)


def fails(judgement: Judgement, policy: str, baseline: Baseline | None, target: str) -> bool:
    """Whether *judgement* fails a run by *policy*: ``report``, ``new`` or ``all``."""
    if not judgement.text or policy == REPORT:
        return False
    if policy != NEW or baseline is None:
        return True
    known = baseline.finding(judgement.service, target, judgement.name)
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
