"""What a change does to tests and golden values: two sessions, compared."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.run.trial_effects import Compared, compared, suspects
from pytest_arm64.run.unseen_session import Outcome

OUTCOMES = ("passed", "skipped", "xfailed", "xpassed", "failed", "error")


def ended(
    name: str, outcome: str = "passed", text: str = "", **values: tuple[str, bool]
) -> Outcome:
    listed = [{"name": n, "class": c, "ok": ok} for n, (c, ok) in values.items()]
    told = (("arm64_golden", json.dumps({"values": listed})),) if values else ()
    return Outcome(f"test_a.py::{name}", outcome, text, user_properties=told)


def side(before: list[Outcome], after: list[Outcome], *, alike: bool = True) -> Compared:
    return compared(
        {test.nodeid: test for test in before}, {test.nodeid: test for test in after}, alike=alike
    )


def words(comparison: Compared) -> list[str]:
    return [str(effect) for effect in comparison.effects]


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        ("passed", "passed", ""),
        ("skipped", "skipped", ""),
        ("failed", "failed", ""),
        ("passed", "failed", "breaks test_a.py::a: passed → failed: ValueError: why"),
        ("skipped", "error", "breaks test_a.py::a: skipped → error: ValueError: why"),
        ("failed", "passed", "fixes test_a.py::a: failed → passed"),
        ("error", "xfailed", "fixes test_a.py::a: error → xfailed"),
        ("passed", "skipped", "differs test_a.py::a: passed → skipped"),
        ("failed", "error", "differs test_a.py::a: failed → error: ValueError: why"),
    ],
)
def test_an_outcome_is_broken_mended_or_other(before: str, after: str, effect: str) -> None:
    text = "E   ValueError: why"
    comparison = side([ended("a", before, text)], [ended("a", after, text)])
    assert words(comparison) == ([effect] if effect else [])
    assert comparison.tests == (before == after == "passed")


def test_a_failure_for_another_reason_differs() -> None:
    comparison = side(
        [ended("a", "failed", "E   KeyError: 'a' at 0x7f00aa00bb")],
        [ended("a", "failed", "E   TypeError: b")],
    )
    assert words(comparison) == ["differs test_a.py::a: failed → failed: TypeError: b"]


def test_tests_that_are_not_collected_are_broken_and_new_ones_differ() -> None:
    comparison = side([ended("gone"), ended("sick", "failed")], [ended("new")])
    assert words(comparison) == [
        "breaks test_a.py::gone: passed → not collected",
        "differs test_a.py::sick: failed → not collected",
        "differs test_a.py::new: not collected → passed",
    ]
    assert list(suspects(comparison)) == []


def test_a_file_that_can_be_imported_again_is_a_gain() -> None:
    file = Outcome("test_a.py", "error", "E   ImportError: no")
    comparison = side([file], [ended("a")])
    assert words(comparison)[0] == "fixes test_a.py: error → collected"


def test_a_file_that_cannot_be_imported_any_more_is_broken() -> None:
    file = Outcome("test_a.py", "error", "E   ImportError: no")
    comparison = side([ended("a")], [file])
    assert "breaks test_a.py: not collected → error: ImportError: no" in words(comparison)
    assert list(suspects(comparison)) == []


def test_a_golden_value_is_the_effect_instead_of_its_test() -> None:
    comparison = side(
        [ended("a"), ended("b")],
        [
            ended("a", "failed", x=("integer/cast", False), y=("identical", True)),
            ended("b", x=("within policy", True)),
        ],
    )
    assert words(comparison) == [
        "breaks golden 'x' of test_a.py::a: equal → integer/cast",
        "differs golden 'x' of test_a.py::b: equal → within policy",
    ]
    assert (comparison.tests, comparison.goldens) == (1, 1)
    assert list(suspects(comparison)) == ["test_a.py::a", "test_a.py::b"]


def test_of_another_architecture_a_value_within_its_policy_is_equal() -> None:
    comparison = side([ended("b")], [ended("b", x=("within policy", True))], alike=False)
    assert comparison == Compared((), 1, 1)


def test_a_value_that_is_only_judged_breaks_a_test_that_passes() -> None:
    comparison = side([ended("a")], [ended("a", x=("value differs", False))], alike=False)
    assert [effect.kind for effect in comparison.effects] == ["breaks"]
    assert comparison.tests == 0


def test_a_flaky_test_has_no_effect() -> None:
    before, after = {"t::a": Outcome("t::a", "passed")}, {"t::a": Outcome("t::a", "failed")}
    assert compared(before, after, alike=True, flaky={"t::a"}) == Compared((), 0, 0)


OUTCOME = st.builds(Outcome, st.just(""), st.sampled_from(OUTCOMES), st.sampled_from(["", "E  a"]))
SESSION = st.dictionaries(st.sampled_from("abcd"), OUTCOME).map(
    lambda tests: {name: replace(test, nodeid=name) for name, test in tests.items()}
)


@given(SESSION)
def test_a_session_beside_itself_has_no_effect(session: dict[str, Outcome]) -> None:
    passed = sum(test.outcome == "passed" for test in session.values())
    assert compared(session, session, alike=True) == Compared((), passed, 0)


@given(SESSION, SESSION)
def test_what_breaks_one_way_is_no_break_the_other_way(
    one: dict[str, Outcome], other: dict[str, Outcome]
) -> None:
    there = {e.test for e in compared(one, other, alike=True).effects if e.kind == "breaks"}
    back = {e.test for e in compared(other, one, alike=True).effects if e.kind == "fixes"}
    collected = {name for name in there if name in one and name in other}
    assert collected <= back
