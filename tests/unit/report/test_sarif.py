"""SARIF: kept to the standard's own schema, of the audit and of the report."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_arm64.advisories.database import KnownDefect
from pytest_arm64.audit.matrix import WheelMatrix
from pytest_arm64.report.document import Report
from pytest_arm64.report.sarif import code_quality, report_sarif, sarif
from pytest_arm64.sources.findings import CodeFinding
from pytest_arm64.sources.scan import CodeScan
from unit.decide import made
from unit.report.made_reports import MADE_AT, golden, hostile, ordinary, shown

# The standard's schema, "sarif-2.1.0-rtm.5", as SchemaStore published it on 2022-10-24.
SCHEMA = Path(__file__).parents[2] / "data" / "sarif-2.1.0.json"


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft4Validator:
    return jsonschema.Draft4Validator(json.loads(SCHEMA.read_text("utf-8")))


def results(report: Report) -> list[Any]:
    document: Any = report_sarif(report)
    found: list[Any] = document["runs"][0]["results"]
    return found


@pytest.mark.parametrize("report", [ordinary(), shown(), hostile(), Report("t", MADE_AT, ())])
def test_a_report_keeps_to_the_standard(schema: jsonschema.Draft4Validator, report: Report) -> None:
    told = json.loads(json.dumps(report_sarif(report)))
    schema.validate(told)
    (run,) = told["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in run["results"]} <= rules
    marks = [result["partialFingerprints"]["arm64/v1"] for result in run["results"]]
    assert len(set(marks)) == len(marks)
    assert not schema.is_valid({**told, "version": "2.0"})


@pytest.mark.parametrize(
    ("defect", "level"),
    [
        (KnownDefect("A-1", "abort", "ends", grave=True), "error"),
        (KnownDefect("A-1", "abort", "ends", "it runs on neoverse-n1"), "warning"),
        (KnownDefect("A-1", "slow", "slow"), "note"),
    ],
)
def test_a_known_defect_is_a_result_of_its_own(
    schema: jsonschema.Draft4Validator, defect: KnownDefect, level: str
) -> None:
    row = replace(made.WHEEL, advisories=(defect,))
    document: Any = sarif([WheelMatrix("s", "t", (row,), manifest="uv.lock")])
    schema.validate(document)
    (result,) = document["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("arm64/known-defect", level)
    assert "A-1" in result["message"]["text"]


def test_an_audit_keeps_to_the_standard(schema: jsonschema.Draft4Validator) -> None:
    rows = (made.BLOCKER, made.SOURCE, made.UNKNOWN, made.WHEEL)
    finding = CodeFinding("refuses-arm", "a b.py", 1, "if x:", "what", "fix", "high")
    twice = CodeScan("s", (finding, replace(finding, line=2)))
    matrix = WheelMatrix("s", "t", rows, ("broken",), manifest="uv.lock")
    document: Any = json.loads(json.dumps(sarif([matrix], [twice])))
    schema.validate(document)
    found = document["runs"][0]["results"]
    marks = [result["partialFingerprints"]["arm64/v1"] for result in found]
    assert len(set(marks)) == len(marks) == 6


def test_a_package_is_told_at_the_line_that_asks_for_it() -> None:
    below = replace(made.service(made.BLOCKER), base="services/my api")
    (first, *_) = results(Report(made.TARGET, MADE_AT, (below,)))
    assert (first["ruleId"], first["level"]) == ("arm64/blocker", "error")
    place = first["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "services/my%20api/requirements.txt"},
        "region": {"startLine": 2},
    }


def test_what_a_sound_boundary_declares_is_a_note_and_one_that_leaks_an_error() -> None:
    worker = made.service(made.BLOCKER, runs=(), installs=(), boundary=made.BOUNDARY)
    assert [
        (r["ruleId"], r["level"]) for r in results(Report(made.TARGET, MADE_AT, (worker,)))
    ] == [("arm64/blocker", "note")]
    leaking = replace(worker, leaks=("api deploys decord 0.6.0",))
    found = results(Report(made.TARGET, MADE_AT, (leaking,)))
    assert [(r["ruleId"], r["level"]) for r in found] == [
        ("arm64/blocker", "error"),
        ("arm64/boundary", "error"),
    ]
    assert "api deploys decord" in found[1]["message"]["text"]


def test_what_tests_found_is_told_at_their_files() -> None:
    service = replace(
        made.service(),
        runs=(made.run(made.NATIVE, "failed", "passed"),),
        goldens=(golden(), golden(name="fine", ok=True)),
        findings=(made.finding(), made.finding(text="all is well", grave=False)),
        builds=(made.build(succeeded=False),),
    )
    found = {
        (r["ruleId"], r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        for r in results(Report(made.TARGET, MADE_AT, (service,)))
    }
    assert found == {
        ("arm64/test", "test_it.py"),
        ("arm64/golden", "tests/test_scale.py"),
        ("arm64/finding", "pyproject.toml"),
        ("arm64/build", "pyproject.toml"),
    }


def test_every_rule_leads_to_a_page_about_it() -> None:
    document: Any = report_sarif(ordinary())
    driver = document["runs"][0]["tool"]["driver"]
    assert driver["informationUri"] == "https://pytest-arm64.readthedocs.io"
    docs = Path(__file__).parents[3] / "docs"
    for rule in driver["rules"]:
        page, _, anchor = rule["helpUri"].rpartition("/")[2].partition("#")
        text = (docs / page.replace(".html", ".md")).read_text("utf-8")
        headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        assert not anchor or anchor in {re.sub(r"\W+", "-", h.lower()) for h in headings}, rule


@pytest.mark.parametrize("report", [ordinary(), shown(), hostile()])
def test_code_quality_has_the_same_results(report: Report) -> None:
    # The keys that GitLab needs, and its severities. Source: its documentation of code quality
    # reports, "Code Quality report format", read 2026-11-30.
    entries: Any = json.loads(json.dumps(code_quality(report)))
    assert len(entries) == len(results(report))
    assert len({entry["fingerprint"] for entry in entries}) == len(entries)
    for entry in entries:
        assert entry["description"]
        assert entry["check_name"].startswith("arm64/")
        assert entry["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert entry["location"]["path"]
        assert entry["location"]["lines"]["begin"] >= 1


@pytest.mark.parametrize("name", ["[log in](https://example.org)", "x](y", "[a][b](1)"])
def test_no_name_becomes_a_link(name: str) -> None:
    run = made.run(made.NATIVE, "failed")
    bad = replace(run.tests[0], nodeid=f"test_it.py::test[{name}]")
    service = replace(
        made.service(), runs=(replace(run, tests=(bad,)),), findings=(made.finding(text=name),)
    )
    found = results(Report(made.TARGET, MADE_AT, (service,)))
    assert len(found) == 2
    assert not [r for r in found if "](" in r["message"]["text"]]
