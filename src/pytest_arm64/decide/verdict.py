"""The verdict on a service: from its three answers, its tests and its boundary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from ..binary.record import UNKNOWN
from ..inside.ran import NATIVE, PREDICTED
from ..records import Layout
from .boundary import BoundaryState, examine
from .evidence import (
    Evidence,
    Install,
    ServiceEvidence,
    TestOutcome,
    TestRun,
    grade_words,
    weakest,
)
from .executed_code import places_in_words
from .questions import (
    BUILDS,
    NO,
    NOT_EVALUATED,
    NOT_NEEDED,
    QUESTIONS,
    REPLACEABLE,
    WHEELS,
    YES,
    Answer,
    ask,
)

MIGRATE = "migrate"
READY = "ready, pending a native run"
BUILD = "build-from-source"
REPLACE = "replace"
STAY = "stay-on-x86"
UNDECIDED = "undecided"
VERDICTS = (MIGRATE, READY, BUILD, REPLACE, STAY, UNDECIDED)
COMPATIBLE = (MIGRATE, READY)
"""The verdicts that count as running on ARM64 in the headline."""
_SHOWN = 5


TESTS, INCOMPLETE, FINDING = "tests", "incomplete", "finding"
LACKING, DISCOUNTED, FENCED = "lacking", "discounted", "boundary"


@dataclass(frozen=True)
class Reason:
    """Why a verdict is no better."""

    kind: str
    """The question that it answers, ``tests``, ``incomplete``, ``finding``, ``lacking``,
    ``discounted`` or ``boundary``."""
    text: str
    subject: str = ""
    """The package or file that a finding is about."""


@dataclass(frozen=True)
class Verdict:
    """What is to be done with a service, and what that rests on."""

    JSON: ClassVar[Layout] = Layout(computed=("label", "reasons"))

    service: str
    verdict: str
    grade: str
    """Of the evidence that carries it: the weakest that it cannot do without."""
    stand_in: bool
    answers: tuple[Answer, Answer, Answer]
    because: tuple[Reason, ...]
    """Why it is this and no better verdict, the gravest first."""
    tests: Evidence | None = None
    """What the tests say, where any ran that count."""
    boundary: BoundaryState | None = None
    next_step: str = ""
    code: str = ""
    """How much of its code assumes x86, and how much of that its tests executed on ARM64."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons in words."""
        return tuple(reason.text for reason in self.because)

    @property
    def compatible(self) -> bool:
        return self.verdict in COMPATIBLE

    @property
    def label(self) -> str:
        """The verdict with the grade of its evidence: never one without the other."""
        return f"{self.verdict} ({grade_words(self.grade, stand_in=self.stand_in)})"


def decide(evidence: ServiceEvidence, today: date) -> Verdict:
    """The verdict on one service, by what was known on the day *today*."""
    answers = ask(evidence, today)
    wheels, builds, replaceable = answers
    no_wheel, replacing = Reason(WHEELS, wheels.text), Reason(REPLACEABLE, replaceable.text)
    best = best_run(evidence, today)
    broken = tuple(_broken(evidence, today))
    state = examine(evidence, wheels, today)
    # What is in the way was told by the matrix, whatever was tested besides.
    grade, stand_in = _grade_of(answers), False
    if state is not None:
        verdict, step = STAY, state.next_step
        reasons = tuple(Reason(FENCED, text) for text in state.reasons)
    elif wheels.answer == YES and broken:
        verdict, reasons, step = UNDECIDED, broken, "fix what fails on ARM64, then run again"
        if all(reason.kind == INCOMPLETE for reason in broken):
            step = "run all of its tests: the reasons above prevented it"
        grade, stand_in = _grade_of_failures(evidence, today)
    elif wheels.answer == YES:
        lacking = tuple(Reason(LACKING, text) for text in _lacking(evidence, best, today))
        verdict = READY if lacking else MIGRATE
        discounted = (Reason(DISCOUNTED, text) for text in _discounted(evidence, today))
        reasons = (*lacking, *discounted) if lacking else ()
        step = _towards_migrate(best) if lacking else "deploy on ARM64"
        grade = best.where.grade if best is not None else PREDICTED
        stand_in = best is not None and best.where.stand_in
    elif wheels.answer == NOT_EVALUATED:
        verdict, reasons = UNDECIDED, (Reason(WHEELS, f"wheels: {wheels.text}"), *broken)
        step = "make the wheel matrix complete: pytest-arm64 audit shows what is unknown"
    elif builds.answer == YES:
        verdict, reasons = BUILD, (no_wheel, Reason(BUILDS, builds.text), *broken)
        step = "build these wheels once, in the target's image, and keep them"
    elif replaceable.answer == YES:
        verdict, reasons = REPLACE, (no_wheel, replacing, *broken)
        step = replaceable.text
        if replaceable.grade != PREDICTED:
            # It was seen: that a release has no wheel is no doubt about the one that was tried.
            step = f"make the change, then run again without --arm64-try: {replaceable.text}"
            grade = replaceable.grade
            stand_in = any(seen.stand_in for seen in replaceable.evidence)
    elif builds.answer == NO and replaceable.answer == NO:
        verdict, reasons = STAY, (no_wheel, replacing, *broken)
        step = "declare the boundary: why it stays, and what would change that"
    else:
        verdict = UNDECIDED
        reasons = (no_wheel, Reason(BUILDS, builds.text), replacing, *broken)
        open_ = [a for a in answers if a.answer == NOT_EVALUATED]
        step = "; ".join(f"{QUESTIONS[a.question]} {a.text}" for a in open_)
    return Verdict(
        service=evidence.name,
        verdict=verdict,
        grade=grade,
        stand_in=stand_in,
        answers=answers,
        because=reasons,
        tests=_told(best) if best is not None else None,
        boundary=state,
        next_step=step,
        code=places_in_words(evidence.code, evidence.code_problem),
    )


def best_run(evidence: ServiceEvidence, today: date) -> TestRun | None:
    """The green run with the strongest evidence; None where no green one counts."""
    green = [run for run in _counting(evidence, today) if run.passed]
    return max(green, key=_strength, default=None)


def _counting(evidence: ServiceEvidence, today: date) -> list[TestRun]:
    """Runs that prove anything about the service on ARM64, the weakest first."""
    return [run for run in _on_arm(evidence, today) if run.fits]


def _on_arm(evidence: ServiceEvidence, today: date) -> list[TestRun]:
    """Runs on ARM64, the weakest first, and before these those of another environment."""
    found = [run for run in evidence.runs if run.where.on_arm and run.where.fresh(today)]
    return sorted(found, key=_strength)


def _strength(run: TestRun) -> tuple[bool, bool, bool, str]:
    """Of what is deployed, native, on the asked image, late: each counts before what follows."""
    return (run.fits, not run.where.emulated, run.where.as_asked, run.where.when)


def _discounted(evidence: ServiceEvidence, today: date) -> Iterator[str]:
    """Why runs that were made do not count, and why none was made."""
    if evidence.unasked and not evidence.runs:
        yield f"its tests were not selected: {evidence.unasked}"
    for run in evidence.runs:
        if run.bounded:
            continue  # it is meant to be elsewhere
        which = f"a run on {run.where.machine or 'an unknown machine'}"
        if not run.where.on_arm:
            yield f"{which} does not count: it was not ARM64"
        elif not run.fits:
            yield f"{which} does not count: {run.misfit}"
        elif not run.where.fresh(today):
            yield f"{which} of {run.where.when or 'an unknown time'} does not count: too long ago"
        elif not run.count()["passed"]:
            yield f"{which} does not count: no test passed"
        elif run.part:
            yield f"{which} does not count: it ran only a part of the tests ({run.part})"


def failures(evidence: ServiceEvidence, today: date) -> list[tuple[TestRun, TestOutcome]]:
    """Tests that fail in the strongest run that did not skip them.

    What fails under emulation and passes on an ARM machine is the emulator's. What fails with
    other versions than are deployed is a doubt until all tests have run with these.
    """
    last: dict[str, tuple[TestRun, TestOutcome]] = {}
    runs = _counting(evidence, today)
    if all(run.part or not run.whole for run in runs):
        runs = _on_arm(evidence, today)
    for run in runs:
        for test in run.tests:
            if test.outcome != "skipped":
                last[test.nodeid] = (run, test)
    return [(run, test) for run, test in last.values() if test.bad]


def _broken(evidence: ServiceEvidence, today: date) -> Iterator[Reason]:
    """What speaks against the service on ARM64."""
    bad = failures(evidence, today)
    for died, words in ((True, "killed their process"), (False, "failed")):
        found = [(run, test) for run, test in bad if test.died is died]
        if found:
            names = ", ".join(test.blamed for _, test in found[:_SHOWN])
            run = found[0][0]
            grade = grade_words(run.where.grade, stand_in=run.where.stand_in)
            plural = "tests" if len(found) > 1 else "test"
            yield Reason(TESTS, f"{len(found)} {plural} {words} ({grade}): {names}")
            if not run.fits:
                yield Reason(TESTS, f"that run proves only this: {run.misfit}")
    failing = {test.nodeid for _, test in bad}
    values = [value for value in evidence.goldens if not value.ok and value.test in failing]
    if values:
        names = ", ".join(f"{v.test}: {v.name} ({v.label})" for v in values[:_SHOWN])
        plural = "values differ" if values[1:] else "value differs"
        yield Reason(TESTS, f"{len(values)} {plural} from x86: {names}")
    for run in _incomplete(evidence, today):
        for incident in run.incidents[:_SHOWN]:
            where = f"{incident.path}: " if incident.path else ""
            yield Reason(INCOMPLETE, f"incomplete run: {where}{incident.text}", incident.path)
        for problem in run.problems[:_SHOWN]:
            yield Reason(INCOMPLETE, f"incomplete run: {problem}")
    for finding in evidence.findings:
        if finding.grave and finding.where.fresh(today):
            subject = finding.subject if finding.kind == "abi" else ""
            yield Reason(FINDING, f"{finding.kind}: {finding.text}", subject)


def _incomplete(evidence: ServiceEvidence, today: date) -> list[TestRun]:
    """The strongest run, if not all of its tests have run: weaker ones do not make up for it."""
    return [run for run in _on_arm(evidence, today)[-1:] if not run.whole]


def _grade_of_failures(evidence: ServiceEvidence, today: date) -> tuple[str, bool]:
    places = [run.where for run, _ in failures(evidence, today)]
    places += [run.where for run in _incomplete(evidence, today)]
    places += [finding.where for finding in evidence.findings if finding.grave]
    best = max(places, key=lambda where: (not where.emulated, not where.stand_in))
    return best.grade, best.stand_in


def _lacking(evidence: ServiceEvidence, best: TestRun | None, today: date) -> Iterator[str]:
    """What is missing before the verdict may be ``migrate``; empty if nothing is."""
    if best is None:
        yield "no complete and green test run of this service on ARM64"
        return
    if best.where.grade != NATIVE:
        yield "the tests ran emulated, not on an ARM machine"
    if best.where.stand_in:
        yield f"they ran on a stand-in ({best.where.os}), not on {best.where.target}"
    elif not best.where.as_asked:
        told = "; ".join(best.where.differences) or f"the image was {best.where.image}"
        yield f"they did not run on the requested target: {told}"
    open_ = [f for f in evidence.findings if f.cause == UNKNOWN and f.where.fresh(today)]
    if open_:
        files = ", ".join(dict.fromkeys(finding.path for finding in open_[:_SHOWN]))
        yield f"{len(open_)} needs of compiled files are not evaluated: {files}"
    if not any(_is_reference(install, evidence, today) for install in evidence.installs):
        yield "no reference installation by pip of what is deployed, on the image that was asked"


def _is_reference(install: Install, evidence: ServiceEvidence, today: date) -> bool:
    where = install.where
    return (
        install.reference
        and evidence.matrix is not None
        and install.fits(evidence.matrix)
        and where.on_arm
        and where.as_asked
        and where.fresh(today)
    )


def _towards_migrate(best: TestRun | None) -> str:
    if best is None:
        return "run its tests: pytest --arm64"
    if best.where.stand_in or not best.where.as_asked:
        return "run its tests on the target's own image, on an ARM machine"
    return "run its tests on an ARM machine: pytest --arm64 --arm64-require-native"


def _told(run: TestRun) -> Evidence:
    counts = [f"{number} {outcome}" for outcome, number in sorted(run.count().items())]
    counts += map(str, run.omitted)
    core = f" on {run.where.core}" if run.where.core else ""
    return Evidence(f"tests{core}: {', '.join(counts)}", run.where.grade, run.where.stand_in)


def _grade_of(answers: tuple[Answer, ...]) -> str:
    """The weakest grade among the answers that were needed; what is open is a prediction."""
    return weakest(tuple(a.grade for a in answers if a.answer != NOT_NEEDED))
