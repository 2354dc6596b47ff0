"""Ways to a green that is not, by records: baselines, allowances, merges and what is old."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from pytest_arm64.decide.baseline import Accepted, Baseline
from pytest_arm64.decide.evidence import INCIDENTS, Incident, ServiceEvidence, TestRun
from pytest_arm64.decide.gate import VERDICT, complaint, decision
from pytest_arm64.decide.package_verdicts import ALL, NEW
from pytest_arm64.decide.verdict import MIGRATE, READY, UNDECIDED, VERDICTS, decide
from pytest_arm64.errors import ReportError
from pytest_arm64.inside.ran import PREDICTED
from pytest_arm64.report.document import Report
from pytest_arm64.report.merge import merge
from unit.decide import made

BEFORE, NOW = "2026-11-22T10:00:00+00:00", "2026-11-23T10:00:00+00:00"
LATER = replace(made.NATIVE, when=NOW)


def incident(kind: str) -> tuple[Incident, ...]:
    return (Incident(kind, "it happened", "tests/test_it.py"),)


def of(*runs: TestRun, **how: object) -> ServiceEvidence:
    return made.service(runs=runs, **how)


def report(service: ServiceEvidence, when: str, target: str = made.TARGET) -> Report:
    return Report(target, when, (service,))


def merged(*reports: Report) -> ServiceEvidence:
    (service,) = merge(reports, NOW).services
    return service


@pytest.mark.parametrize("kind", INCIDENTS)
@pytest.mark.parametrize("accepted", [None, *VERDICTS])
def test_no_baseline_and_no_allowance_excuses_an_incident(kind: str, accepted: str | None) -> None:
    service = of(made.run(incidents=incident(kind)))
    verdict = decide(service, made.TODAY)
    assert verdict.verdict == UNDECIDED
    allowed = [row.name for row in service.matrix.deployed] if service.matrix else []
    judgement = decision(service, verdict, made.TODAY, allowed, allowed)
    findings = {("api", made.TARGET, VERDICT): Accepted(accepted)} if accepted else {}
    for policy in (NEW, ALL):
        assert complaint(judgement, policy, Baseline({}, findings), made.TARGET)


GREEN = made.run()
OTHER_LOCK = replace(made.WHEEL, version="2.2.0")
STOPPED = incident("stopped")
UNDECIDED_WAYS: dict[str, Callable[[], ServiceEvidence]] = {
    "the newer run stopped": lambda: merged(
        report(of(GREEN), BEFORE), report(of(made.run(LATER, incidents=STOPPED)), NOW)
    ),
    "the native run stopped, and a newer emulated one is green": lambda: merged(
        report(of(made.run(incidents=STOPPED)), BEFORE),
        report(of(made.run(replace(made.EMULATED, when=NOW))), NOW),
    ),
    "the newer run failed": lambda: merged(
        report(of(GREEN), BEFORE), report(of(made.run(LATER, "passed", "failed")), NOW)
    ),
    "the native run failed, and a newer emulated one is green": lambda: merged(
        report(of(made.run(made.NATIVE, "failed")), BEFORE),
        report(of(made.run(replace(made.EMULATED, when=NOW), "passed")), NOW),
    ),
    "a part failed, and the whole is older": lambda: merged(
        report(of(GREEN), BEFORE), report(of(made.run(LATER, "failed", part="-k x")), NOW)
    ),
    "one shard of two has an incident": lambda: merged(
        report(of(shard("a", "b")), BEFORE),
        report(of(replace(shard("b", "a"), incidents=STOPPED)), NOW),
    ),
    "it never came to its end": lambda: of(made.run(problems=("it never said so",))),
}
NO_EVIDENCE: dict[str, Callable[[], ServiceEvidence]] = {
    "of another lock": lambda: merged(
        report(of(GREEN), BEFORE), report(made.service(OTHER_LOCK, runs=(), installs=()), NOW)
    ),
    "of x86": lambda: of(made.run(replace(made.NATIVE, machine="x86_64"))),
    "of another environment": lambda: of(made.run(fits=False, misfit="numpy 1.26")),
    "of a part": lambda: of(made.run(part="-k x")),
    "too old": lambda: of(made.run(replace(made.NATIVE, when="2026-05-01T10:00:00+00:00"))),
    "without a time": lambda: of(made.run(replace(made.NATIVE, when=""))),
    "of skipped tests": lambda: of(made.run(made.NATIVE, "skipped", "skipped")),
    "of expected failures": lambda: of(made.run(made.NATIVE, "xfailed", "xpassed")),
    "of one shard": lambda: of(shard("a", "b")),
    "of shards of different suites": lambda: merged(
        report(of(shard("a", "b")), BEFORE), report(of(shard("b", "a", "c")), NOW)
    ),
    "of what stays on x86": lambda: of(made.run(bounded=True, part="boundary")),
}


def shard(ran: str, *left_out: str) -> TestRun:
    """A run of one test, by ``-k``, that names all others."""
    run = made.run(made.NATIVE, "passed", part="-k", left_out=left_out)
    return replace(run, tests=(replace(run.tests[0], nodeid=ran),))


@pytest.mark.parametrize("way", UNDECIDED_WAYS)
def test_a_green_run_beside_it_decides_nothing(way: str) -> None:
    assert decide(UNDECIDED_WAYS[way](), made.TODAY).verdict == UNDECIDED


@pytest.mark.parametrize("way", NO_EVIDENCE)
def test_a_run_that_proves_nothing_is_no_evidence(way: str) -> None:
    verdict = decide(NO_EVIDENCE[way](), made.TODAY)
    assert verdict.verdict != MIGRATE
    assert verdict.tests is None
    assert verdict.grade == PREDICTED


def test_what_all_of_this_is_compared_with_is_ready() -> None:
    assert decide(of(GREEN), made.TODAY).verdict == MIGRATE
    assert decide(of(GREEN), made.TODAY + timedelta(days=91)).verdict == READY
    both = merged(report(of(shard("a", "b")), BEFORE), report(of(shard("b", "a")), NOW))
    assert decide(both, made.TODAY).verdict == MIGRATE


def test_reports_of_different_targets_are_never_one() -> None:
    with pytest.raises(ReportError, match="different targets"):
        merge([report(of(GREEN), BEFORE), report(of(GREEN), NOW, "lambda-python3.13")], NOW)
