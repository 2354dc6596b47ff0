"""Verdicts: every path to each of them, and that nothing unanswered ever becomes a yes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.audit.matrix import Row
from pytest_arm64.config.targets import find_target
from pytest_arm64.decide.assessment import Assessment
from pytest_arm64.decide.evidence import Finding, ServiceEvidence
from pytest_arm64.decide.questions import NO, NOT_EVALUATED, NOT_NEEDED, YES, states
from pytest_arm64.decide.verdict import (
    BUILD,
    MIGRATE,
    READY,
    REPLACE,
    STAY,
    UNDECIDED,
    VERDICTS,
    decide,
)
from pytest_arm64.environment.record import Installed, InstallRecord
from pytest_arm64.inside.ran import GRADES, Ran
from unit.decide import made
from unit.decide.made import TODAY
from unit.support import ran

OTHER_RUN = made.run(replace(made.NATIVE, machine="x86_64"))
OLD = replace(made.NATIVE, when="2026-06-01T10:00:00+00:00")
PATHS: dict[str, tuple[ServiceEvidence, str, str, tuple[str, str, str]]] = {
    "native on what was asked": (made.service(), MIGRATE, "native", (YES, NOT_NEEDED, NOT_NEEDED)),
    "emulated": (
        made.service(runs=(made.run(made.EMULATED),)),
        READY,
        "emulated",
        (YES, NOT_NEEDED, NOT_NEEDED),
    ),
    "stand-in": (
        made.service(runs=(made.run(made.STAND_IN),)),
        READY,
        "emulated",
        (YES, NOT_NEEDED, NOT_NEEDED),
    ),
    "nothing ran": (made.service(runs=()), READY, "predicted", (YES, NOT_NEEDED, NOT_NEEDED)),
    "tests on x86 alone": (
        made.service(runs=(OTHER_RUN,)),
        READY,
        "predicted",
        (YES, NOT_NEEDED, NOT_NEEDED),
    ),
    "no reference install": (
        made.service(installs=()),
        READY,
        "native",
        (YES, NOT_NEEDED, NOT_NEEDED),
    ),
    "a need of a compiled file that no fact answers": (
        made.service(
            findings=(
                Finding(
                    *("abi", "not-evaluated: a/ext.so: whether libodd.so.1 is there", False),
                    made.NATIVE,
                    cause="not-evaluated",
                    path="a/ext.so",
                ),
            )
        ),
        READY,
        "native",
        (YES, NOT_NEEDED, NOT_NEEDED),
    ),
    "a test fails": (
        made.service(runs=(made.run(made.NATIVE, "passed", "failed"),)),
        UNDECIDED,
        "native",
        (YES, NOT_NEEDED, NOT_NEEDED),
    ),
    "incomplete run": (
        made.service(runs=(made.run(problems=("2 tests never finished",)),)),
        UNDECIDED,
        "native",
        (YES, NOT_NEEDED, NOT_NEEDED),
    ),
    "no matrix": (
        made.service(matrix=None, problem="no file says it"),
        UNDECIDED,
        "predicted",
        (NOT_EVALUATED, NOT_EVALUATED, NOT_EVALUATED),
    ),
    "unknown package": (
        made.service(made.WHEEL, made.UNKNOWN),
        UNDECIDED,
        "predicted",
        (NOT_EVALUATED, NOT_EVALUATED, NOT_EVALUATED),
    ),
    "builds twice": (
        made.service(made.SOURCE, builds=made.twice()),
        BUILD,
        "native",
        (NO, YES, NOT_NEEDED),
    ),
    "pure sources": (
        made.service(made.FROM_SOURCE),
        MIGRATE,
        "native",
        (YES, NOT_NEEDED, NOT_NEEDED),
    ),
    "pure sources that do not build": (
        made.service(
            made.FROM_SOURCE,
            builds=(made.build(package="docopt", version="0.6.2", succeeded=False),),
        ),
        UNDECIDED,
        "predicted",
        (NO, NO, NOT_EVALUATED),
    ),
    "builds once": (
        made.service(made.SOURCE, builds=(made.build(),)),
        UNDECIDED,
        "predicted",
        (NO, NOT_EVALUATED, NOT_EVALUATED),
    ),
    "builds on a stand-in": (
        made.service(made.SOURCE, builds=made.twice(made.STAND_IN)),
        UNDECIDED,
        "predicted",
        (NO, NOT_EVALUATED, NOT_EVALUATED),
    ),
    "does not build": (
        made.service(made.SOURCE, builds=(*made.twice(), made.build(succeeded=False))),
        UNDECIDED,
        "predicted",
        (NO, NO, NOT_EVALUATED),
    ),
    "a pin can move": (made.service(made.MOVABLE), REPLACE, "predicted", (NO, NO, YES)),
    "a pin is held by others": (
        made.service(made.HELD),
        UNDECIDED,
        "predicted",
        (NO, NO, NOT_EVALUATED),
    ),
    "nothing helps": (made.service(made.BLOCKER), STAY, "predicted", (NO, NO, NO)),
    "one builds, one can move": (
        made.service(made.SOURCE, made.MOVABLE, builds=made.twice()),
        REPLACE,
        "predicted",
        (NO, NO, YES),
    ),
    "declared": (
        made.service(made.BLOCKER, boundary=made.BOUNDARY),
        STAY,
        "predicted",
        (NO, NO, NO),
    ),
}


@pytest.mark.parametrize("path", PATHS)
def test_every_path_leads_to_its_verdict(path: str) -> None:
    evidence, verdict, grade, answers = PATHS[path]
    found = decide(evidence, TODAY)
    assert tuple(answer.answer for answer in found.answers) == answers
    assert (found.verdict, found.grade) == (verdict, grade), found.reasons
    assert found.next_step
    assert bool(found.reasons) is (verdict != MIGRATE)


def test_every_verdict_is_reached() -> None:
    assert {verdict for _, verdict, _, _ in PATHS.values()} == set(VERDICTS)


def test_a_verdict_on_a_stand_in_says_so() -> None:
    found = decide(made.service(runs=(made.run(made.STAND_IN),)), TODAY)
    assert found.label == "ready, pending a native run (emulated, on a stand-in)"
    assert any("debian 12" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    ("what", "word"),
    [
        ({"installs": (made.install(made.STAND_IN),)}, "reference"),
        ({"installs": (replace(made.install(), installer="plan 0.1"),)}, "reference"),
        ({"installs": (made.install(OLD),)}, "reference"),
        ({"installs": (made.install(found=made.matrix(made.WHEEL)),)}, "reference"),
        ({"runs": (made.run(OLD),)}, "too long ago"),
        ({"runs": (made.run(fits=False, misfit="numpy is another"),)}, "numpy is another"),
        ({"runs": (made.run(part="-k quick"),)}, "-k quick"),
        ({"runs": (made.run(made.NATIVE, "skipped", "xfailed"),)}, "no test passed"),
        ({"runs": (OTHER_RUN,)}, "not ARM64"),
        (
            {"runs": (made.run(replace(made.NATIVE, asked_image=False)),)},
            "did not run on the requested target",
        ),
    ],
)
def test_what_keeps_a_service_from_migrating_is_named(what: dict[str, Any], word: str) -> None:
    found = decide(made.service(**what), TODAY)
    assert found.verdict == READY
    assert any(word in reason for reason in found.reasons), found.reasons


def test_what_fails_under_emulation_alone_is_the_emulators() -> None:
    emulated = made.run(made.EMULATED, "passed", "failed")
    assert decide(made.service(runs=(emulated,)), TODAY).verdict == UNDECIDED
    assert decide(made.service(runs=(emulated, made.run())), TODAY).verdict == MIGRATE
    skipped = made.run(made.NATIVE, "passed", "skipped")
    assert decide(made.service(runs=(emulated, skipped)), TODAY).verdict == UNDECIDED


def test_what_fails_with_other_versions_is_a_doubt_until_all_ran_with_those_deployed() -> None:
    other = made.run(made.STAND_IN, "passed", "failed", fits=False, misfit="it had numpy 1")
    found = decide(made.service(runs=(other,)), TODAY)
    assert (found.verdict, found.label) == (UNDECIDED, "undecided (emulated, on a stand-in)")
    assert found.reasons[0].startswith("1 test failed (emulated, on a stand-in)")
    assert "it had numpy 1" in found.reasons[1]
    part = made.run(made.NATIVE, "passed", part="-k quick")
    assert decide(made.service(runs=(other, part)), TODAY).verdict == UNDECIDED
    assert decide(made.service(runs=(other, made.run(made.EMULATED))), TODAY).verdict == READY
    assert decide(made.service(runs=(other, made.run())), TODAY).verdict == MIGRATE


def test_a_death_is_told_apart_from_a_failure() -> None:
    run = made.run(made.EMULATED, "passed", "failed")
    died = replace(run.tests[1], text="killed by SIGILL", died=True)
    found = decide(made.service(runs=(replace(run, tests=(run.tests[0], died)),)), TODAY)
    assert found.reasons[0].startswith("1 test killed their process (emulated)")


def test_a_grave_finding_stops_what_the_tests_let_pass() -> None:
    found = decide(made.service(findings=(made.finding(),)), TODAY)
    assert (found.verdict, found.reasons) == (UNDECIDED, ("abi: libfoo.so needs GLIBC_2.38",))
    assert decide(made.service(findings=(made.finding(grave=False),)), TODAY).verdict == MIGRATE


def test_what_was_observed_on_the_target_beats_what_was_predicted() -> None:
    built = made.service(installs=(made.install(numpy="source"),))
    assert decide(built, TODAY).answers[0].packages == ("numpy",)
    elsewhere = made.service(installs=(made.install(), made.install(made.STAND_IN, numpy="source")))
    assert decide(elsewhere, TODAY).answers[0].answer == YES
    better = made.matrix(replace(made.SOURCE))
    found = made.service(made.SOURCE, installs=(made.install(found=better, hnswlib="wheel"),))
    assert decide(found, TODAY).answers[0].answer == YES


def test_an_installation_says_nothing_of_the_programs_in_a_wheel() -> None:
    installs = (made.install(found=made.matrix(made.X86_INSIDE), selenium="pure"),)
    evidence = made.service(made.X86_INSIDE, installs=installs)
    assert states(evidence, TODAY) == {"selenium": "blocker"}
    assert decide(evidence, TODAY).answers[0].packages == ("selenium",)
    package = Installed("selenium", "4.48.0", "deploy", "pure", "s.whl", "", "", requested=True)
    record = InstallRecord((package,), "plan", "2026-11-22T10:00:00+00:00", 1.0)
    target = find_target("al2023-python3.12", {})
    observed = Assessment((made.matrix(made.X86_INSIDE),), policy="all").installed(
        "api", target, ran(), record
    )
    assert [(v.state, v.failed) for v in observed.verdicts()] == [("blocker", True)]


WHERES = st.builds(
    Ran,
    target=st.just(made.TARGET),
    machine=st.sampled_from(["aarch64", "x86_64", ""]),
    emulated=st.booleans(),
    stand_in=st.booleans(),
    differences=st.sampled_from([(), ("glibc 2.36, not 2.34",)]),
    asked_image=st.booleans(),
    when=st.sampled_from(["2026-11-22T10:00:00+00:00", "2026-01-01T00:00:00+00:00", "", "then"]),
)
ROWS = st.lists(
    st.sampled_from([made.WHEEL, made.PURE, made.SOURCE, made.BLOCKER, made.MOVABLE, made.UNKNOWN]),
    unique_by=lambda row: row.name,
    max_size=4,
)
OUTCOMES = st.lists(
    st.sampled_from(["passed", "failed", "error", "skipped", "xfailed", "xpassed"]), max_size=3
)


@st.composite
def services(draw: st.DrawFn) -> ServiceEvidence:
    rows = tuple(draw(ROWS))
    found = replace(made.matrix(), packages=rows, problems=draw(st.sampled_from([(), ("gap",)])))
    runs = tuple(
        made.run(where, *outcomes, fits=fits, problems=problems)
        for where, outcomes, fits, problems in draw(
            st.lists(
                st.tuples(WHERES, OUTCOMES, st.booleans(), st.sampled_from([(), ("cut",)])),
                max_size=3,
            )
        )
    )
    return ServiceEvidence(
        "api",
        matrix=draw(st.sampled_from([None, found, found])),
        installs=tuple(made.install(w, found) for w in draw(st.lists(WHERES, max_size=2))),
        builds=tuple(
            made.build(w, ok) for w, ok in draw(st.lists(st.tuples(WHERES, st.booleans())))
        ),
        runs=runs,
        findings=tuple(made.finding(w) for w in draw(st.lists(WHERES, max_size=1))),
        boundary=draw(st.sampled_from([None, None, made.BOUNDARY])),
    )


@given(services())
def test_migrate_needs_everything(evidence: ServiceEvidence) -> None:
    found = decide(evidence, TODAY)
    if found.verdict != MIGRATE:
        return
    assert evidence.matrix is not None
    assert evidence.matrix.complete
    assert found.answers[0].answer == YES
    assert evidence.boundary is None
    green = [r for r in evidence.runs if r.passed and r.fits and r.where.grade == "native"]
    assert any(r.where.as_asked and r.where.fresh(TODAY) for r in green)
    assert any(i.where.as_asked and i.fits(evidence.matrix) for i in evidence.installs)


@given(services())
def test_an_unanswered_question_is_never_a_yes(evidence: ServiceEvidence) -> None:
    found = decide(evidence, TODAY)
    answers = [answer.answer for answer in found.answers]
    if found.compatible:
        assert answers == [YES, NOT_NEEDED, NOT_NEEDED]
    if found.verdict == BUILD:
        assert answers == [NO, YES, NOT_NEEDED]
    if found.verdict == REPLACE:
        assert (answers[0], answers[2]) == (NO, YES)
    if found.verdict == STAY and evidence.boundary is None:
        assert answers == [NO, NO, NO]


@given(services())
def test_the_grade_is_never_better_than_the_best_evidence(evidence: ServiceEvidence) -> None:
    found = decide(evidence, TODAY)
    wheres = [
        *(run.where for run in evidence.runs),
        *(install.where for install in evidence.installs),
        *(build.where for build in evidence.builds),
        *(finding.where for finding in evidence.findings),
    ]
    best = max((GRADES.index(where.grade) for where in wheres), default=0)
    assert GRADES.index(found.grade) <= best


@given(services(), st.integers(100, 2000))
def test_age_takes_verdicts_away_and_gives_none(evidence: ServiceEvidence, days: int) -> None:
    later = decide(evidence, TODAY + timedelta(days=days))
    assert later.verdict != MIGRATE
    assert later.grade == "predicted"


@given(services())
def test_the_same_evidence_gives_the_same_verdict(evidence: ServiceEvidence) -> None:
    turned = replace(evidence, builds=evidence.builds[::-1], installs=evidence.installs[::-1])
    assert decide(evidence, TODAY).verdict == decide(turned, TODAY).verdict


def test_evidence_from_tomorrow_is_a_time_zone_and_from_next_month_a_mistake() -> None:
    where = replace(made.NATIVE, when="2026-11-24T01:00:00+00:00")
    assert where.fresh(TODAY)
    assert not replace(where, when="2026-12-24T01:00:00+00:00").fresh(TODAY)
    assert not where.fresh(date(2027, 11, 23))


@pytest.mark.parametrize(
    ("row", "state", "counted"),
    [
        (made.SOURCE, "pure", "pure"),
        (made.SOURCE, "source", "source"),
        (made.SOURCE, "wheel", "source"),
        (made.WHEEL, "pure", "wheel"),
    ],
)
def test_a_wheel_for_any_machine_that_was_built_on_a_stand_in_counts(
    row: Row, state: str, counted: str
) -> None:
    rows = made.matrix(row)
    installs = (made.install(made.STAND_IN, rows, **{row.name: state}),)
    evidence = made.service(row, installs=installs)
    assert states(evidence, TODAY) == {row.name: counted}
    other = replace(installs[0], packages=(replace(installs[0].packages[0], version="9"),))
    assert states(replace(evidence, installs=(other,)), TODAY) == {row.name: row.state}


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("pure", "built without its compiled part: it is pure Python and slow"),
        ("wheel", "as wheel"),
    ],
)
def test_a_build_that_fell_back_to_pure_python_says_so(state: str, words: str) -> None:
    row = replace(made.SOURCE, pure_fallback=True)
    installs = (made.install(made.NATIVE, made.matrix(row), hnswlib=state),)
    first = decide(made.service(row, installs=installs), TODAY).answers[0]
    assert any(words in evidence.text for evidence in first.evidence)


@pytest.mark.parametrize(
    ("state", "version", "observed"),
    [("pure", "0.8.0", "pure"), ("source", "0.8.0", None), ("pure", "0.9.0", None)],
)
def test_what_a_stand_in_installed_says_one_thing_of_the_target(
    state: str, version: str, observed: str | None
) -> None:
    package = Installed("hnswlib", version, "deploy", state, "h.tar.gz", "", "", requested=True)
    record = InstallRecord((package,), "plan", "2026-11-22T10:00:00+00:00", 1.0)
    assessment = Assessment((made.matrix(made.SOURCE),))
    target = find_target("al2023-python3.12", {})
    elsewhere = assessment.installed("api", target, ran(os="debian 12", glibc="2.36"), record)
    assert elsewhere.observed.get("api", {}).get("hnswlib") == observed
    x86 = assessment.installed("api", target, ran(machine="x86_64"), record)
    assert x86.observed == {}
