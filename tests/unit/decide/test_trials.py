"""The verdict's third question, answered by what was tried."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_arm64.config.changes import Change
from pytest_arm64.decide.evidence import ServiceEvidence
from pytest_arm64.decide.trials import Effect, Trial, TrialSide
from pytest_arm64.decide.verdict import READY, REPLACE, STAY, UNDECIDED, Verdict, decide
from pytest_arm64.inside.ran import Ran
from unit.decide.made import (
    BLOCKER,
    EMULATED,
    MOVABLE,
    NATIVE,
    PURE,
    SOURCE,
    STAND_IN,
    TODAY,
    WHEEL,
    service,
)

X86 = replace(NATIVE, machine="x86_64")
BROKEN = Effect("breaks", "test_it.py::test_a", "passed", "failed", text="ValueError: why")


def trial(
    *names: str,
    where: Ran = NATIVE,
    arm: tuple[Effect, ...] = (),
    x86: tuple[Effect, ...] = (),
    version: str = "3.5.0",
    tests: int = 178,
    **how: object,
) -> Trial:
    name = names[0] if names else "triton"
    return Trial(
        changes=(Change(name, f"{name}=={version}"),),
        sides=(
            TrialSide("amd64", X86, 178, 100, x86),
            TrialSide("arm64", where, tests, 100, arm),
        ),
        names=names or ("triton",),
        **how,  # type: ignore[arg-type]
    )


def tried(*trials: Trial, rows: tuple = (WHEEL, MOVABLE)) -> Verdict:  # type: ignore[type-arg]
    return decide(service(*rows, trials=trials, runs=(), installs=()), TODAY)


def test_what_was_tried_answers_with_what_was_seen() -> None:
    predicted, seen = tried(), tried(trial())
    assert predicted.label == "replace (predicted)"
    assert seen.verdict == REPLACE
    assert seen.answers[2].text == "tried triton==3.5.0: 178 tests and 100 goldens equal"
    assert seen.label == "replace (native)"
    assert "run again without --arm64-try" in seen.next_step
    assert "on x86 178 tests and 100 goldens equal" in str(seen.answers[2].evidence[0])


def test_the_grade_is_that_of_the_run_on_arm() -> None:
    assert tried(trial(where=EMULATED)).label == "replace (emulated)"
    assert tried(trial(where=STAND_IN)).label == "replace (emulated, on a stand-in)"


@pytest.mark.parametrize("on", ["arm", "x86"])
def test_a_change_that_breaks_something_takes_the_prediction_back(on: str) -> None:
    verdict = tried(trial(**{on: (BROKEN,)}))  # type: ignore[arg-type]
    assert verdict.verdict == UNDECIDED
    where = "ARM64" if on == "arm" else "x86"
    text = f"tried triton==3.5.0: breaks 1 on {where}: test_it.py::test_a"
    assert verdict.answers[2].text == text
    assert text in verdict.next_step


def test_a_trial_shows_what_no_prediction_could() -> None:
    rows = (WHEEL, replace(BLOCKER, remedy=None))
    assert tried(rows=rows).verdict == STAY
    seen = tried(trial("decord", version="0.7"), rows=rows)
    assert seen.verdict == REPLACE
    assert seen.answers[2].text == "tried decord==0.7: 178 tests and 100 goldens equal"


def test_one_trial_answers_for_several_packages_and_is_named_once() -> None:
    rows = (WHEEL, MOVABLE, replace(BLOCKER, remedy=None))
    verdict = tried(trial("triton", "decord"), rows=rows)
    assert verdict.answers[2].text == "tried triton==3.5.0: 178 tests and 100 goldens equal"
    assert len(verdict.answers[2].evidence) == 1


def test_with_packages_that_were_not_tried_the_answer_is_as_weak_as_they_are() -> None:
    rows = (WHEEL, MOVABLE, replace(MOVABLE, name="other"))
    verdict = tried(trial(), rows=rows)
    assert verdict.label == "replace (predicted)"
    assert "other: release 3.5.0 has a wheel" in verdict.answers[2].text


@pytest.mark.parametrize(
    "counts_not",
    [
        trial(problems=("the session inside ended",)),
        trial(part="test_one.py"),
        trial(tests=0),
        trial("another"),
        trial(where=X86),
        trial(where=replace(NATIVE, when="2020-01-01T00:00:00+00:00")),
    ],
)
def test_what_proves_nothing_leaves_the_prediction(counts_not: Trial) -> None:
    verdict = tried(counts_not)
    assert verdict.label == "replace (predicted)"
    assert verdict.answers[2].text == "triton: release 3.5.0 has a wheel"


def test_of_the_same_change_the_last_trial_counts_and_of_several_the_one_that_works() -> None:
    later = replace(NATIVE, when="2026-11-23T10:00:00+00:00")
    assert tried(trial(), trial(where=later, arm=(BROKEN,))).verdict == UNDECIDED
    assert tried(trial(arm=(BROKEN,)), trial(where=later)).verdict == REPLACE
    other = trial(where=later, arm=(BROKEN,), version="3.6.0")
    assert tried(trial(), other).answers[2].text.startswith("tried triton==3.5.0: 178")


def test_a_trial_is_no_run_of_what_is_deployed() -> None:
    evidence: ServiceEvidence = service(WHEEL, PURE, trials=(trial(),), runs=(), installs=())
    assert decide(evidence, TODAY).label == f"{READY} (predicted)"


def test_what_builds_reliably_needs_no_replacement() -> None:
    from unit.decide.made import twice

    evidence = service(WHEEL, SOURCE, trials=(trial("hnswlib"),), builds=twice(), runs=())
    assert decide(evidence, TODAY).answers[2].answer == "not needed"


def test_the_result_says_why_a_trial_is_not_complete() -> None:
    assert trial(part="test_a.py").result == (
        "incomplete: only a part of the tests ran (test_a.py)"
    )
    assert trial(problems=("gone\nmore",)).result == "incomplete: gone"
    assert trial(tests=0).result == "incomplete: no test passed on ARM64"
    assert trial(tests=1).sides[1].words == "1 test and 100 goldens equal"
