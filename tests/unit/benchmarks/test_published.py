"""The comparer of `benchmarks/published.py`, and the list that it reads."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from benchmarks.published import Comparison, Suite, compare, read_outcomes, read_suites, table
from packaging.requirements import Requirement
from packaging.version import Version

SUITES = read_suites()


def junit(*cases: tuple[str, str]) -> str:
    """A JUnit file of tests by name and what is in them."""
    rows = "".join(
        f'<testcase file="t.py" classname="t.TestA" name="{name}">{inside}</testcase>'
        for name, inside in cases
    )
    return f"<testsuites><testsuite>{rows}</testsuite></testsuites>"


@pytest.mark.parametrize(
    ("inside", "outcome"),
    [
        ("", "passed"),
        ("<system-out>failure</system-out>", "passed"),
        ("<failure/>", "failure"),
        ("<error/>", "error"),
        ("<failure/><error/>", "failure+error"),
        ('<skipped type="pytest.skip"/>', "skipped"),
        ('<skipped type="pytest.xfail"/>', "xfailed"),
    ],
)
def test_each_outcome_of_a_junit_file_is_recognised(inside: str, outcome: str) -> None:
    assert read_outcomes(junit(("a", inside))) == {"t.py::t.TestA::a": Counter([outcome])}


def test_a_name_that_is_there_twice_counts_twice() -> None:
    found = read_outcomes(junit(("a", ""), ("a", ""), ("a", "<failure/>")))
    assert found == {"t.py::t.TestA::a": Counter(passed=2, failure=1)}


def test_equal_outcomes_do_not_differ() -> None:
    outcomes = read_outcomes(junit(("a", ""), ("b", "<failure/>"), ("b", "")))
    assert compare(outcomes, outcomes) == Comparison(3, 3, ())


def test_a_test_that_differs_or_is_on_one_side_only_is_named() -> None:
    x86 = read_outcomes(junit(("same", ""), ("differs", ""), ("only_x86", "")))
    arm64 = read_outcomes(junit(("same", ""), ("differs", "<error/>"), ("only_arm64", "")))
    assert compare(x86, arm64) == Comparison(
        4,
        1,
        (
            ("t.py::t.TestA::differs", "passed", "error"),
            ("t.py::t.TestA::only_arm64", "missing", "passed"),
            ("t.py::t.TestA::only_x86", "passed", "missing"),
        ),
    )


def test_a_test_that_ran_more_often_on_one_side_differs() -> None:
    once, twice = read_outcomes(junit(("a", ""))), read_outcomes(junit(("a", ""), ("a", "")))
    (difference,) = compare(once, twice).different
    assert difference[1:] == ("passed", "2 passed")


def finished(folder: Path, suite: str, side: str, report: str | None) -> None:
    """One side of *suite* as a run leaves it."""
    place = folder / suite
    place.mkdir(exist_ok=True)
    (place / f"{side}.json").write_text(json.dumps({"code": 0, "seconds": 2.4}))
    if report is not None:
        (place / f"{side}.xml").write_text(report)


def test_the_table_shows_a_difference_with_its_reason_or_as_unexplained(tmp_path: Path) -> None:
    finished(tmp_path, "one", "x86", junit(("a", ""), ("b", ""), ("c", "")))
    finished(tmp_path, "one", "arm64", junit(("a", "<failure/>"), ("b", "<failure/>"), ("c", "")))
    suite = Suite("one", "1.0", "pure", differences={"*::a": "root may write everywhere"})
    lines = list(table([suite], tmp_path))
    assert lines[2] == (
        "| one | 1.0 | pure | 3 | 1 | 1: root may write everywhere; 1: UNEXPLAINED | 2 s | 2 s |"
    )
    assert lines[3:] == ["", "one: t.py::t.TestA::b: x86 passed, ARM64 failure"]


def test_a_suite_that_ran_nothing_is_not_equal(tmp_path: Path) -> None:
    finished(tmp_path, "one", "x86", None)
    finished(tmp_path, "one", "arm64", None)
    assert list(table([Suite("one", "1.0", "pure")], tmp_path))[3:] == ["", "one: nothing ran"]


def test_a_suite_that_ran_on_one_side_is_not_in_the_table(tmp_path: Path) -> None:
    finished(tmp_path, "one", "x86", junit(("a", "")))
    assert len(list(table([Suite("one", "1.0", "pure")], tmp_path))) == 2


@pytest.mark.parametrize("suite", SUITES, ids=[suite.name for suite in SUITES])
def test_the_list_has_what_a_run_needs(suite: Suite) -> None:
    assert re.fullmatch(r"[a-z0-9-]+", suite.name)
    assert str(Version(suite.version)) == suite.version
    assert suite.kind
    assert all(Requirement(line).name for line in suite.requires)
    assert all((suite.differences or {"": "none"}).values())
