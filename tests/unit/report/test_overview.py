"""The sum adds up, the savings are a range with what it assumes, each word of ours is explained."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.audit.matrix import STATES
from pytest_arm64.decide.evidence import ServiceEvidence
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
from pytest_arm64.inside.ran import GRADES
from pytest_arm64.report.document import Report
from pytest_arm64.report.overview import SavingsRange, arithmetic, in_the_way, savings_range
from pytest_arm64.report.terms import TERMS, grade_tooltip
from pytest_arm64.report.view import cards
from unit.decide import made
from unit.report.made_reports import ARM, MADE_AT, X86, measured, ordinary

TODAY = date(2026, 11, 23)


def judged(*words: str) -> str:
    verdict = decide(made.service(), TODAY)
    return arithmetic([replace(verdict, verdict=word) for word in words])


def test_the_parts_of_a_sum_are_named_as_one_says_them() -> None:
    assert judged(*[READY] * 18, *[BUILD] * 5, *[REPLACE] * 4, *[STAY] * 7, *[UNDECIDED] * 6) == (
        "40 services: 18 ready, 9 need a fix, 7 stay on x86, 6 undecided"
    )
    assert judged(MIGRATE, BUILD, STAY) == "3 services: 1 ready, 1 needs a fix, 1 stays on x86"
    assert judged(UNDECIDED) == "1 service: 1 undecided"
    assert judged() == "0 services"


@given(st.lists(st.sampled_from(VERDICTS)))
def test_the_parts_add_up_to_the_whole(words: list[str]) -> None:
    whole, _, parts = judged(*words).partition(": ")
    numbers = [int(part.split()[0]) for part in parts.split(", ") if part]
    assert sum(numbers) == int(whole.split()[0]) == len(words)


def test_what_is_in_the_way_is_said_in_few_words() -> None:
    assert in_the_way(decide(made.service(), TODAY)) == ""
    run = made.run(made.NATIVE, "failed", "failed")
    broken = decide(made.service(runs=(run,)), TODAY)
    assert in_the_way(broken).startswith("2 tests failed (native): test_it.py::test_0")
    two = decide(made.service(made.MOVABLE), TODAY)
    assert in_the_way(two) == "no usable ARM64 wheel: triton 3.1.0 (and 1 more)"
    bounded = decide(made.service(made.BLOCKER, boundary=made.BOUNDARY), TODAY)
    assert in_the_way(bounded) == "declared: CUDA inference"


def priced(**how: object) -> ServiceEvidence:
    values = {"memory": 512 * 2**20, "measured": (measured(X86, 0.02), measured(ARM, 0.02)), **how}
    return replace(made.service(), **values)  # type: ignore[arg-type]


def ranged(*services: ServiceEvidence) -> SavingsRange | None:
    named = [replace(service, name=f"s{number}") for number, service in enumerate(services)]
    shown = cards(Report(made.TARGET, MADE_AT, tuple(named)))
    return savings_range((s, c.verdict, c.costs) for s, c in zip(named, shown, strict=True))


def test_savings_are_none_without_a_native_measurement() -> None:
    assert ranged(made.service()) is None
    assert ranged(priced(monthly_cost=None)) is None
    assert ranged(priced(boundary=made.BOUNDARY)) is None


def test_savings_reach_from_the_call_that_saves_least_to_the_one_that_saves_most() -> None:
    two = (
        *(measured(X86, 0.02), measured(ARM, 0.02)),
        *(replace(measured(X86, 0.02), test="t.py::test_slow"),),
        *(replace(measured(ARM, 0.06), test="t.py::test_slow"),),
    )
    found = ranged(priced(measured=two), priced(), made.service())
    assert found is not None
    assert found.low < 0 < found.high  # one call costs more on ARM64
    assert (found.services, found.without, found.cost) == (("s0", "s1"), 1, Decimal(200))
    assert "1 more service has no estimate" in found.text
    assert found.text.startswith("-$")
    assert any(text.startswith("s0: the whole bill behaves like") for text in found.assumptions), (
        found.assumptions
    )
    assert any("a GB-second is" in text for text in found.assumptions)


def test_an_assumed_time_on_arm_is_among_the_assumptions() -> None:
    found = ranged(priced(measured=(measured(X86, 0.02),)))
    assert found is not None
    assert found.low == found.high > 0
    assert any("ARM was not measured" in text for text in found.assumptions)


def test_every_word_of_ours_has_a_meaning() -> None:
    assert {*VERDICTS, *STATES, *GRADES} <= set(TERMS)
    assert grade_tooltip("emulated, on a stand-in").startswith("emulated: seen on an emulated")
    assert "does not certify" in grade_tooltip("emulated, on a stand-in")
    assert grade_tooltip("back end") == ""


@pytest.mark.parametrize("word", sorted(TERMS))
def test_a_meaning_is_one_short_line(word: str) -> None:
    assert 10 < len(TERMS[word]) < 100
    assert "\n" not in TERMS[word]


def test_an_ordinary_report_is_summed_up() -> None:
    report = ordinary()
    assert arithmetic(report.verdicts) == "3 services: 1 ready, 1 stays on x86, 1 undecided"
