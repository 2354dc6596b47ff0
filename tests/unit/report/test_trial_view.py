"""What a report shows of changes that were tried: page, Markdown, JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources

import jsonschema
import pytest

from pytest_arm64.config.changes import read_changes
from pytest_arm64.decide.evidence import ServiceEvidence
from pytest_arm64.decide.trials import Effect, Trial, TrialSide
from pytest_arm64.report.document import Report
from pytest_arm64.report.markdown import report_markdown
from pytest_arm64.report.merge import merge
from pytest_arm64.report.page import html_page
from pytest_arm64.report.trial_view import trial_views
from unit.decide.made import EMULATED, MOVABLE, NATIVE, WHEEL, service

BROKEN = Effect("breaks", "test_it.py::test_<a>", "passed", "failed", text="E: <why>|")
VALUE = Effect("differs", "test_it.py::test_b", "", "within policy", value="score")


def tried(*effects: Effect, problems: tuple[str, ...] = ()) -> Trial:
    return Trial(
        read_changes(["triton==3.5.0", "numpy=other", "absent==1"]),
        (
            TrialSide("amd64", replace(NATIVE, machine="x86_64"), 178, 100, (VALUE,)),
            TrialSide("arm64", EMULATED, 177, 100, effects),
        ),
        ("triton",),
        problems,
    )


def report(*trials: Trial) -> Report:
    evidence: ServiceEvidence = service(WHEEL, MOVABLE, trials=trials, runs=(), installs=())
    return Report("al2023-python3.12", "2026-11-23T12:00:00+00:00", (evidence,))


def test_predicted_and_tried_stand_side_by_side() -> None:
    (view,) = trial_views(report(tried()).services[0])
    assert [(change.change, change.predicted) for change in view.changes] == [
        (
            "triton==3.5.0",
            "triton 3.1.0: blocker; triton 3.5.0 has a usable wheel: change triton==3.1.0",
        ),
        ("numpy=other", "numpy 2.1.3: wheel"),
        ("absent==1", "not among the deployed packages"),
    ]
    assert [(side.side.words, side.grade) for side in view.sides] == [
        ("differs 1, 178 tests and 100 goldens equal", "x86"),
        ("177 tests and 100 goldens equal", "emulated"),
    ]


@pytest.mark.parametrize(
    ("trial", "word"),
    [(tried(), "equal"), (tried(BROKEN), "breaks"), (tried(problems=("gone",)), "incomplete")],
)
def test_page_and_markdown_show_a_trial(trial: Trial, word: str) -> None:
    page, text = html_page(report(trial)), report_markdown(report(trial))
    assert f">{word}</span></h3>" in page
    assert "177 tests and 100 goldens equal" in page
    assert "| change | predicted | tried on x86 | tried on ARM64 |" in text
    assert "177 tests and 100 goldens equal" in text
    assert ("broken by a change" in page) is (word == "breaks")
    assert "test_<a>" not in page
    assert ("incomplete: gone" in text) is (word == "incomplete")


def test_the_json_is_that_of_its_schema_and_is_read_back() -> None:
    written = report(tried(BROKEN), tried())
    data = json.loads(json.dumps(written.to_json()))
    schema = resources.files("pytest_arm64.resources") / "report-1.schema.json"
    jsonschema.validate(data, json.loads(schema.read_text("utf-8")))
    assert Report.from_json(data) == written
    assert data["services"][0]["trials"][0]["sound"] is False


def test_a_report_of_an_earlier_version_has_no_trials() -> None:
    data = json.loads(json.dumps(report().to_json()))
    del data["services"][0]["trials"]
    assert Report.from_json(data).services[0].trials == ()


def test_merged_reports_have_the_trials_of_all() -> None:
    first, second = report(tried(BROKEN)), replace(report(tried()), made_at="2026-11-24T00:00:00")
    merged = merge([first, second, first], "2026-11-24T12:00:00+00:00")
    assert merged.services[0].trials == (tried(BROKEN), tried())
