"""Places that assume x86, with what the tests executed of them: in words, merged, as work."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_arm64.decide.backlog import CODE, PACKAGE, backlog
from pytest_arm64.decide.executed_code import BRANCH, X86Place, places_in_words, together
from pytest_arm64.decide.verdict import READY, decide
from unit.decide import made
from unit.decide.made import TODAY

TAKEN = X86Place("app.py", 3, BRANCH, arm=True, executed=True)
NEVER = X86Place("app.py", 9, BRANCH, arm=False, executed=False)
LIBRARY = X86Place("app.py", 14, "x86-library", executed=False)
C = X86Place("fast.c", 2, BRANCH, arm=False)


@pytest.mark.parametrize(
    ("places", "problem", "words"),
    [
        ((), "", ""),
        ((), "Python 3.11 has no sys.monitoring", ""),
        ((TAKEN,), "", "1 branch for x86, none of them without a way for ARM64"),
        (
            (TAKEN, NEVER, LIBRARY),
            "",
            "2 branches for x86, 1 of them without a way for ARM64, 1 place that assumes x86, "
            "2 never executed by the tests on ARM64",
        ),
        (
            (replace(LIBRARY, executed=None), LIBRARY),
            "a process died and did not say",
            "2 places that assume x86, 1 never executed by the tests on ARM64, 1 not measured "
            "(a process died and did not say)",
        ),
        (
            (C,),
            "",
            "1 branch for x86, 1 of them without a way for ARM64, 1 not measured (not in Python)",
        ),
    ],
)
def test_places_in_words(places: tuple[X86Place, ...], problem: str, words: str) -> None:
    assert places_in_words(places, problem) == words


def test_what_one_shard_executed_was_executed() -> None:
    unknown = replace(NEVER, executed=None)
    other = replace(NEVER, executed=True)
    assert together([[NEVER, TAKEN], [other, TAKEN]]) == (other, TAKEN)
    assert together([[other], [NEVER, C], []]) == (other, C)
    assert together([[unknown], [unknown]]) == (unknown,)
    assert together([[unknown], [NEVER]]) == (NEVER,)
    assert together([[], []]) == ()


def test_a_place_that_is_gone_in_the_newest_report_is_gone() -> None:
    assert together([[TAKEN, NEVER], [NEVER]]) == (NEVER,)


def test_the_verdict_says_it_and_stays_what_it_is() -> None:
    plain = made.service()
    verdict = decide(replace(plain, code=(NEVER,)), TODAY)
    assert verdict.code == (
        "1 branch for x86, 1 of them without a way for ARM64, 1 never executed by the tests on "
        "ARM64"
    )
    assert replace(verdict, code="") == decide(plain, TODAY)


def test_what_was_never_executed_is_the_last_piece_of_work() -> None:
    services = [
        replace(made.service(made.MOVABLE), name="a", code=(NEVER, LIBRARY, TAKEN)),
        replace(made.service(), name="b", code=(TAKEN, C)),
        replace(made.service(), name="c", code=(replace(NEVER, executed=None),)),
    ]
    items = backlog(services, [decide(service, TODAY) for service in services], TODAY)
    assert [(item.kind, item.services) for item in items] == [(PACKAGE, ("a",)), (CODE, ("a",))]
    assert items[-1].action == (
        "2 places that assume x86 were never executed by the tests on ARM64: have tests reach "
        "app.py:9, app.py:14"
    )
    assert (items[-1].count, items[-1].title) == (2, "code that assumes x86")


def test_code_does_not_keep_an_emulated_run_from_being_ready() -> None:
    service = replace(made.service(), code=(NEVER,))
    runs = tuple(replace(run, where=made.EMULATED) for run in service.runs)
    assert decide(replace(service, runs=runs), TODAY).verdict == READY
