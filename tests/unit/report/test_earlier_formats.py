"""Reports of earlier versions: their sentences become the fields that decisions read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from pytest_arm64.decide.evidence import X86_BOUNDARY, TestOutcome
from pytest_arm64.decide.verdict import decide
from pytest_arm64.report.document import Report
from pytest_arm64.report.earlier_formats import completed
from unit.decide import made
from unit.report.made_reports import MADE_AT
from unit.support import JSON

LATER = ("own", "cause", "path", "died", "bounded", "incidents", "because")


def without(data: Any) -> Any:
    """*data* as an earlier version wrote it."""
    if isinstance(data, dict):
        # Rows always had a cause, and rows and loaded libraries a path.
        known = () if "grave" in data else ("cause", "path")
        return {k: without(v) for k, v in data.items() if k in known or k not in LATER}
    return [without(entry) for entry in data] if isinstance(data, list) else data


def test_an_earlier_report_leads_to_the_same_verdicts() -> None:
    died = TestOutcome(
        "t.py::a", "failed", text="the process that ran this test died: SIGILL", died=True
    )
    services = (
        made.service(made.MOVABLE),
        replace(made.service(made.HELD), name="held"),
        replace(made.service(runs=(replace(made.run(), tests=(died,)),)), name="dies"),
        replace(
            made.service(
                findings=(
                    made.finding(
                        text="abi-mismatch: a/b.so: needs GLIBC_2.38",
                        cause="abi-mismatch",
                        path="a/b.so",
                    ),
                )
            ),
            name="loads",
        ),
        replace(
            made.service(runs=(made.run(), made.run(bounded=True, part=X86_BOUNDARY))), name="x86"
        ),
    )
    report = Report(made.TARGET, MADE_AT, services)
    data = json.loads(json.dumps(report.to_json()))
    assert Report.from_json(data) == report
    assert Report.from_json(without(data)) == report
    assert [v.verdict for v in report.verdicts] == [
        "replace",
        "undecided",
        "undecided",
        "undecided",
        "migrate",
    ]


@pytest.mark.parametrize("text", ["", "the process that ran this test died: SIGILL"])
def test_what_a_report_says_itself_is_left_as_it_is(text: str) -> None:
    run = replace(made.run(), tests=(TestOutcome("t.py::a", "failed", text=text),))
    report = Report(made.TARGET, MADE_AT, (made.service(runs=(run,)),))
    assert Report.from_json(json.loads(json.dumps(report.to_json()))) == report
    assert "killed" not in decide(report.services[0], report.day).reasons[0]


@given(JSON)
def test_anything_is_passed_on(data: Any) -> None:
    completed(data)
    for services in (data, [data], [{"runs": data}], [{"findings": [data]}]):
        completed({"services": services})
    completed({"services": [{"matrix": {"packages": [{"remedy": data}]}}]})
