"""Decisions and compiled files as gates: what fails by which policy, and against a baseline."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pytest_arm64.cli import main
from pytest_arm64.decide.assessment import Assessment
from pytest_arm64.decide.baseline import Accepted, Baseline, read_baseline
from pytest_arm64.decide.evidence import ServiceEvidence
from pytest_arm64.decide.gate import Judgement, complaint, decision, of_findings
from pytest_arm64.decide.package_verdicts import ALL, NEW, REPORT
from pytest_arm64.decide.verdict import READY, REPLACE, STAY, UNDECIDED, decide
from pytest_arm64.report.document import Report, write_report
from unit.decide import made

MADE_AT = "2026-11-23T12:00:00+00:00"
CAUSE = "missing-system-library"
ABI = "missing-system-library: lib/cv2.so: libGL.so.1 is nowhere"


def judged(
    evidence: ServiceEvidence, *tolerated: str, days: int = 0, failing: Collection[str] = ()
) -> Judgement:
    today = made.TODAY + timedelta(days=days)
    return decision(evidence, decide(evidence, today), today, tolerated, failing)


def failing(judgement: Judgement, policy: str = ALL, known: str | None = None) -> bool:
    findings = {("api", made.TARGET, judgement.name): Accepted(known)} if known is not None else {}
    return bool(complaint(judgement, policy, Baseline({}, findings), made.TARGET))


def test_a_compatible_service_passes_and_says_why_it_is_no_better() -> None:
    found = judged(made.service(runs=(made.run(made.EMULATED),)))
    assert (found.nodeid, found.state) == ("arm64::api::decision:verdict", READY)
    assert found.cause == "the tests ran emulated, not on an ARM machine"
    assert found.verdict == "ready, pending a native run (emulated)"
    assert not failing(found)


@pytest.mark.parametrize(
    ("evidence", "state", "line"),
    [
        (made.service(made.MOVABLE), REPLACE, "triton: release 3.5.0 has a wheel"),
        (made.service(made.BLOCKER), STAY, "decord: no release can be used"),
        (made.service(runs=(made.run(made.NATIVE, "failed"),)), UNDECIDED, "1 test failed"),
    ],
)
def test_any_other_verdict_fails_with_its_reasons(
    evidence: ServiceEvidence, state: str, line: str
) -> None:
    found = judged(evidence)
    assert found.state == state
    assert line in found.text
    assert "\n→ " in found.text
    assert (failing(found), failing(found, REPORT)) == (True, False)


def test_what_its_packages_gates_tolerate_fails_no_verdict() -> None:
    service = made.service(made.SOURCE, made.MOVABLE)
    assert failing(judged(service, "hnswlib"))
    assert not failing(judged(service, "hnswlib", "triton"))
    failed = (made.run(made.NATIVE, "failed"),)
    assert failing(judged(made.service(runs=failed), "numpy", "six"))
    assert failing(judged(made.service(made.SOURCE, runs=failed), "hnswlib"))
    assert failing(judged(made.service(made.SOURCE, findings=(made.finding(),)), "hnswlib"))
    accepted = made.service(made.UNKNOWN, installs=())
    assert (failing(judged(accepted)), failing(judged(accepted, "secret"))) == (True, False)


def test_what_gates_of_its_packages_fail_for_is_not_told_again() -> None:
    cv2 = made.finding(text=ABI, package="cv2", cause=CAUSE)
    source = made.service(made.SOURCE, made.WHEEL)
    loads = made.service(findings=(cv2,))
    both = made.service(made.SOURCE, made.WHEEL, findings=(cv2,))
    for evidence, failing_gates in (
        (source, ["hnswlib"]),
        (loads, ["abi:cv2"]),
        (both, ["hnswlib", "abi:cv2"]),
    ):
        found = judged(evidence, failing=failing_gates)
        assert (found.elsewhere, found.text) == (True, "")
        # A gate that is deselected tells nothing.
        for left in range(len(failing_gates)):
            found = judged(evidence, failing=failing_gates[:left])
            assert (found.elsewhere, failing(found)) == (False, True)
    assert judged(both, "hnswlib", failing=["abi:cv2"]).elsewhere
    failed = made.service(made.SOURCE, runs=(made.run(made.NATIVE, "failed"),))
    assert failing(judged(failed, failing=["hnswlib"]))
    assert failing(judged(replace(loads, matrix=None), failing=["abi:cv2"]))


def test_what_is_not_known_for_certain_is_never_tolerated() -> None:
    doubtful = made.service(replace(made.WHEEL, doubt="setup.py is a program"))
    assert doubtful.matrix is not None
    known = Assessment((doubtful.matrix,), ALL)
    assert known.tolerated("api") == set()
    assert failing(judged(doubtful, *known.tolerated("api")))
    unread = replace(doubtful.matrix, problems=("line 3",), packages=(made.UNKNOWN,))
    assert failing(judged(replace(doubtful, matrix=unread), "secret", failing=["secret"]))


@pytest.mark.parametrize(
    ("known", "fails_"), [(None, True), (READY, True), (REPLACE, False), (STAY, False), ("?", True)]
)
def test_with_a_baseline_only_what_is_worse_fails(known: str | None, fails_: bool) -> None:
    assert failing(judged(made.service(made.MOVABLE)), NEW, known) is fails_


def test_a_boundary_is_judged_instead_of_its_verdict() -> None:
    sound = made.service(made.BLOCKER, boundary=made.BOUNDARY)
    assert judged(sound).name == "decision:boundary"
    assert not failing(judged(sound))
    leaking = replace(sound, leaks=("web deploys decord 0.6.0",))
    found = judged(leaking)
    assert (found.state, found.text.splitlines()[0]) == ("leaks", "web deploys decord 0.6.0")
    assert failing(found)
    assert failing(found, NEW, "holds")
    assert not failing(found, NEW, "leaks")
    overdue = judged(sound, days=400)
    assert (overdue.state, failing(overdue)) == ("review overdue", True)


def test_a_boundary_whose_reason_has_gone_is_told_and_passes() -> None:
    found = judged(made.service(boundary=made.BOUNDARY))
    assert (found.state, failing(found)) == ("reason may have gone", False)


def test_compiled_files_are_judged_by_package() -> None:
    findings = (
        made.finding(
            text=ABI, package="opencv-python", remedy="dnf install mesa-libGL", cause=CAUSE
        ),
        made.finding(text=ABI.replace("cv2", "gapi"), package="opencv-python", cause=CAUSE),
        made.finding(text="wrong-architecture: vendor/a.so: x86_64", path="vendor/a.so"),
        made.finding(text="3 compiled files were read", grave=False),
        made.finding(kind="golden", text="hash differs"),
    )
    first, second = of_findings("api", findings)
    assert first.nodeid == "arm64::api::abi:a.so"
    assert (second.nodeid, second.state) == (
        "arm64::api::abi:opencv-python",
        "missing-system-library",
    )
    assert second.text.splitlines()[-1] == "→ dnf install mesa-libGL"
    assert failing(second)
    assert not failing(second, NEW, "missing-system-library")
    assert failing(second, NEW, "page-size")


def test_a_report_that_was_accepted_fails_nothing_until_something_is_worse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    service = made.service(
        made.MOVABLE, findings=(made.finding(text=ABI, package="cv2", cause=CAUSE),)
    )
    boundary = replace(made.service(made.BLOCKER, boundary=made.BOUNDARY), name="vlm")
    write_report(Report(made.TARGET, MADE_AT, (service, boundary)), tmp_path / "out")
    assert main(["report", "out", "--write-baseline"]) == 0
    known = read_baseline(tmp_path)
    assert known is not None
    assert known.findings == {
        ("api", made.TARGET, "decision:verdict"): Accepted(REPLACE),
        ("api", made.TARGET, "abi:cv2"): Accepted("missing-system-library"),
        ("vlm", made.TARGET, "decision:boundary"): Accepted("holds"),
    }
    assert known.packages["api", made.TARGET, "deploy", "triton"] == ("blocker", "3.1.0")
    for one in (judged(service), *of_findings("api", service.findings)):
        assert not complaint(one, NEW, known, made.TARGET)
    assert complaint(judged(made.service(made.BLOCKER)), NEW, known, made.TARGET)
    # What is accepted of one target says nothing of another.
    assert complaint(judged(service), NEW, known, "lambda-python3.12")


def test_the_baseline_of_an_audit_keeps_what_a_report_had_told(tmp_path: Path) -> None:
    from pytest_arm64.decide.baseline import write_baseline

    found = made.matrix(made.MOVABLE)
    verdict = {("api", made.TARGET, "decision:verdict"): Accepted(READY, "emulated")}
    write_baseline(tmp_path, [found], findings=verdict)
    write_baseline(tmp_path, [made.matrix(service="web")])
    known = read_baseline(tmp_path)
    assert known is not None
    assert known.findings == verdict
    write_baseline(tmp_path, [found], findings={})
    assert read_baseline(tmp_path).findings == {}  # type: ignore[union-attr]
