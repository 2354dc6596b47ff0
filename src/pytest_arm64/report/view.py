"""What of a report is shown, in the order and the words of a reader; for page and Markdown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from ..audit.matrix import BLOCKER, DEPLOY, PURE, SOURCE, STATES, UNKNOWN, WHEEL, Row
from ..decide.boundary import fenced
from ..decide.evidence import (
    Build,
    Finding,
    ServiceEvidence,
    TestOutcome,
    TestRun,
    grade_words,
)
from ..decide.verdict import BUILD, MIGRATE, READY, REPLACE, STAY, UNDECIDED, VERDICTS, Verdict
from ..inside.counted import counted
from ..inside.ran import Ran
from .document import Report
from .matrix_output import explanation
from .plots import Plot, plots
from .runtime_view import (
    CostView,
    GoldenView,
    HotSpotsView,
    SubjectView,
    cost_problem,
    cost_views,
    golden_views,
    hot_spots_view,
    subject_views,
)
from .trial_view import TrialView, trial_views
from .weight_output import WeightRow, weight_lines, weight_rows

FAILURES_SHOWN = 50
STATE_TONES = {PURE: "good", WHEEL: "good", SOURCE: "warn", UNKNOWN: "warn", BLOCKER: "bad"}
_TONES = {
    MIGRATE: "good",
    READY: "good",
    BUILD: "warn",
    REPLACE: "warn",
    STAY: "bad",
    UNDECIDED: "warn",
}


@dataclass(frozen=True)
class Seen:
    """The state in which one installation had a package."""

    state: str
    grade: str


@dataclass(frozen=True)
class RowView:
    """One package of one service."""

    row: Row
    observed: tuple[Seen, ...]
    lines: tuple[str, ...]
    loaded: bool = False
    """Whether a process of its tests had one of its libraries loaded."""

    @property
    def state(self) -> str:
        return self.row.state

    @property
    def green(self) -> bool:
        return self.row.green

    @property
    def differs(self) -> bool:
        green = (PURE, WHEEL)
        return any(
            seen.state != self.row.state and not (seen.state in green and self.row.state in green)
            for seen in self.observed
        )


@dataclass(frozen=True)
class RunView:
    """One run of one service's tests."""

    run: TestRun
    counts: str
    grade: str
    where: str
    shown: tuple[TestOutcome, ...]
    hidden: int


@dataclass(frozen=True)
class PlaceView:
    """Something that was installed, built or run, and on what: the provenance of evidence."""

    what: str
    where: Ran
    grade: str


@dataclass(frozen=True)
class BuildView:
    """One build from source."""

    build: Build
    grade: str


@dataclass(frozen=True)
class Card:
    """One service."""

    id: str
    verdict: Verdict
    tone: str
    grade: str
    tests: str
    tests_grade: str
    cost: str
    monthly_cost: float | None
    rows: tuple[RowView, ...]
    runs: tuple[RunView, ...]
    findings: tuple[Finding, ...]
    fence: tuple[str, ...]
    problem: str
    base: str
    """Folder that its paths are relative to, itself relative to the repository."""
    group: str
    target: str
    """What it is deployed on; empty where all are deployed on the same."""
    builds: tuple[BuildView, ...]
    places: tuple[PlaceView, ...]
    goldens: tuple[GoldenView, ...]
    subjects: tuple[SubjectView, ...]
    plots: tuple[Plot, ...]
    hot_spots: HotSpotsView | None
    costs: tuple[CostView, ...]
    cost_problem: str
    weight: tuple[str, ...]
    """The sums, and what the target's limits say of them."""
    largest: tuple[WeightRow, ...]
    trials: tuple[TrialView, ...]

    @property
    def marks(self) -> tuple[tuple[str, str], ...]:
        """What is wrong behind a folded card, each with its tone."""
        failed = sum(len(run.shown) + run.hidden for run in self.runs)
        goldens = sum(not golden.result.ok for golden in self.goldens)
        over = sum(subject.over for subject in self.subjects)
        broken = sum(len(view.trial.breaks) for view in self.trials)
        graves = sum(finding.grave for finding in self.findings)
        counted = (
            (failed, "failed"),
            (goldens, "golden differs" if goldens == 1 else "goldens differ"),
            (graves, "grave finding" if graves == 1 else "grave findings"),
            (over, "over budget"),
            (broken, "broken by a change"),
        )
        return tuple((f"{number} {word}", "bad") for number, word in counted if number)


def cards(report: Report) -> tuple[Card, ...]:
    """A card for each service, in the order of the report."""
    targets = report.has_several_targets
    return tuple(
        _card(f"service-{number}", service, verdict, report.target_of(service) if targets else "")
        for number, (service, verdict) in enumerate(
            zip(report.services, report.verdicts, strict=True), 1
        )
    )


def _card(identity: str, service: ServiceEvidence, verdict: Verdict, target: str) -> Card:
    boundary = service.boundary
    costs = tuple(cost_views(service))
    tests = verdict.tests
    sound = verdict.boundary is not None and verdict.boundary.sound
    return Card(
        id=identity,
        verdict=verdict,
        tone="dull" if sound else _TONES[verdict.verdict],
        grade=grade_words(verdict.grade, stand_in=verdict.stand_in),
        tests=str(tests) if tests is not None else "",
        tests_grade=grade_words(tests.grade, stand_in=tests.stand_in) if tests is not None else "",
        cost=money(service.monthly_cost) if service.monthly_cost is not None else "not configured",
        monthly_cost=service.monthly_cost,
        rows=tuple(_rows(service)),
        runs=tuple(map(_run, service.runs)),
        findings=tuple(sorted(service.findings, key=lambda finding: not finding.grave)),
        fence=tuple(sorted(fenced(boundary, service.matrix))) if boundary is not None else (),
        problem=service.problem,
        base=service.base,
        group=service.group,
        target=target,
        builds=tuple(
            BuildView(build, grade_words(build.where.grade, stand_in=build.where.stand_in))
            for build in sorted(service.builds, key=lambda build: build.succeeded)
        ),
        places=tuple(_places(service)),
        goldens=tuple(golden_views(service)),
        subjects=tuple(subject_views(service)),
        plots=tuple(plots(service)),
        hot_spots=hot_spots_view(service),
        costs=costs,
        cost_problem=cost_problem(service, costs),
        weight=tuple(weight_lines(service.matrix)) if service.matrix is not None else (),
        largest=weight_rows(service.matrix) if service.matrix is not None else (),
        trials=tuple(trial_views(service)),
    )


def _places(service: ServiceEvidence) -> Iterator[PlaceView]:
    for install in service.installs:
        how = f"installed by {install.installer or 'an unknown installer'}"
        yield _place(f"{how} in {install.seconds:.0f} s", install.where)
    for run in service.runs:
        yield _place(counted(len(run.tests), "test"), run.where)


def _place(what: str, where: Ran) -> PlaceView:
    return PlaceView(what, where, grade_words(where.grade, stand_in=where.stand_in))


def _rows(service: ServiceEvidence) -> Iterator[RowView]:
    if service.matrix is None:
        return
    order = {state: number for number, state in enumerate(STATES)}
    runs = (run for run in service.runs if run.fits)
    loaded = {canonicalize_name(one.package) for run in runs for one in run.mapped if one.package}
    rows = service.matrix.packages
    seen = _seen(service)
    for row in sorted(rows, key=lambda r: (r.scope != DEPLOY, r.scope, order[r.state], r.name)):
        counts = row.scope == DEPLOY and not row.installs_in_vain
        observed = tuple(seen.get((row.name, row.version), ())) if counts else ()
        yield RowView(row, observed, tuple(explanation(row)), row.name in loaded)


def _seen(service: ServiceEvidence) -> dict[tuple[str, str], dict[Seen, None]]:
    """How packages were installed, by name and version, each state and grade once."""
    seen: defaultdict[tuple[str, str], dict[Seen, None]] = defaultdict(dict)
    for install in service.installs:
        grade = grade_words(install.where.grade, stand_in=install.where.stand_in)
        for package in install.packages:
            seen[package.name, package.version][Seen(package.state, grade)] = None
    return dict(seen)


def _run(run: TestRun) -> RunView:
    counts = ", ".join(f"{number} {outcome}" for outcome, number in sorted(run.count().items()))
    return RunView(
        run=run,
        counts=counts,
        grade=grade_words(run.where.grade, stand_in=run.where.stand_in),
        where=where_words(run.where),
        shown=run.bad[:FAILURES_SHOWN],
        hidden=max(0, len(run.bad) - FAILURES_SHOWN),
    )


def tally(shown: Sequence[Card]) -> Iterator[tuple[int, str, str]]:
    """How many services have each verdict, in the order of the verdicts, and its gravest tone."""
    for verdict in VERDICTS:
        tones = [card.tone for card in shown if card.verdict.verdict == verdict]
        if tones:
            yield len(tones), verdict, "bad" if "bad" in tones else tones[0]


def where_words(where: Ran) -> str:
    """Provenance in one line."""
    identity = where.digest or where.image_id
    parts = [
        f"{where.machine or 'unknown machine'}, {'emulated' if where.emulated else 'native'}",
        where.core,
        f"qemu {where.emulator}" if where.emulator else "",
        f"Python {where.python}" if where.python else "",
        f"glibc {where.glibc}" if where.glibc else "",
        f"image {where.image}" if where.image else "",
        identity[:19],
        "; ".join(where.differences),
        "limited as a Lambda function" if where.limits else "",
        where.when,
    ]
    return ", ".join(part for part in parts if part)


def caveats(report: Report) -> Iterator[str]:
    """What keeps the evidence of this report from being the last word."""
    if report.incomplete:
        yield f"Incomplete run: {report.incomplete}"
    good = [v for v in report.verdicts if v.compatible]
    if any(v.stand_in for v in good):
        yield (
            "Some verdicts rest on a stand-in image. That shows that the machinery works; it "
            f"certifies nothing about {report.target}."
        )
    if any(v.grade == "emulated" for v in good):
        yield (
            "Some verdicts rest on emulated runs. They were not seen on an ARM machine. "
            "Emulation on x86 has the memory order of x86: races that ARM allows in threaded "
            "extensions do not show."
        )
    if any(v.grade == "predicted" for v in good):
        yield "Some verdicts are predicted from an index alone: nothing was installed or run."
    yield from report.notes


def not_evaluated(report: Report, shown: Sequence[Card]) -> Iterator[str]:
    """Questions that this report, with its cards *shown*, does not answer, by service."""
    for verdict in report.verdicts:
        for answer in verdict.answers:
            if answer.answer == "not evaluated":
                yield f"{verdict.service}: {answer.question}: {answer.text}"
    untested = [v.service for v in report.verdicts if v.tests is None and v.boundary is None]
    if untested:
        yield f"no conclusive ARM64 test run: {', '.join(untested)}"
    kinds = {finding.kind for service in report.services for finding in service.findings}
    if "abi" not in kinds:
        yield "compiled files (ABI): no scan in this report"
    if "golden" not in kinds:
        yield "golden outputs: no comparison with x86 in this report"
    services = report.services
    if not any(service.measured for service in services):
        yield "latency and memory: no measurement in this report"
    elif not any(m.where.native_arm for service in services for m in service.measured):
        yield "latency on ARM: nothing was measured on an ARM machine"
    if not any(service.profiles for service in services):
        yield "hot spots: no tests were profiled (--arm64-profile)"
    unpriced = {c.verdict.service: c.cost_problem for c in shown if c.verdict.boundary is None}
    for problem in dict.fromkeys(filter(None, unpriced.values())):
        names = ", ".join(name for name, told in unpriced.items() if told == problem)
        yield f"savings for {names}, not estimated: {problem}"


def money(amount: float) -> str:
    """US dollars without cents."""
    return f"${amount:,.0f}"
