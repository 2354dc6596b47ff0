"""report.json: its schema, the way there and back, and everything that is no report."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_arm64.decide.questions import QUESTIONS
from pytest_arm64.decide.verdict import VERDICTS
from pytest_arm64.errors import ReportError
from pytest_arm64.report.document import FORMAT, NAME, SCHEMA, Report, read_report, write_report
from unit.decide import made
from unit.report.made_reports import MADE_AT, hostile, ordinary, shown
from unit.support import JSON, attempt, is_plain_text

SHIPPED = json.loads((resources.files("pytest_arm64.resources") / SCHEMA).read_text("utf-8"))


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(SHIPPED)
    return jsonschema.Draft202012Validator(SHIPPED)


def as_json(report: Report) -> Any:
    return json.loads(json.dumps(report.to_json()))


REPORTS = {
    "ordinary": ordinary(),
    "shown": shown(),
    "hostile": hostile(),
    "empty": Report(made.TARGET, MADE_AT, ()),
    "built": Report(made.TARGET, MADE_AT, (made.service(made.SOURCE, builds=made.twice()),)),
    "unknown": Report(made.TARGET, MADE_AT, (made.service(matrix=None, installs=()),)),
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_keeps_to_the_shipped_schema_and_comes_back(
    schema: jsonschema.Draft202012Validator, name: str
) -> None:
    data = as_json(REPORTS[name])
    schema.validate(data)
    assert Report.from_json(data) == REPORTS[name]
    assert as_json(Report.from_json(data)) == data


def test_the_schema_knows_every_word_and_no_other(
    schema: jsonschema.Draft202012Validator,
) -> None:
    definitions = SHIPPED["$defs"]
    verdict = definitions["verdict"]["properties"]
    assert set(verdict["verdict"]["enum"]) == set(VERDICTS)
    assert set(definitions["answer"]["properties"]["question"]["enum"]) == set(QUESTIONS)
    assert SHIPPED["properties"]["format"] == {
        "const": FORMAT,
        "description": "Grows when a reader of the former format would go wrong.",
    }
    data = as_json(ordinary())
    data["services"][0]["verdict"]["verdict"] = "probably"
    assert not schema.is_valid(data)
    assert not schema.is_valid({**as_json(ordinary()), "surprise": 1})


def test_the_headline_counts_services_and_money() -> None:
    report = ordinary()
    assert report.headline.text == "1 of 3 services compatible with ARM64 (native)"
    assert report.headline.spend == "$100 of $200 a month (50 %), 1 without a configured cost"
    assert Report(made.TARGET, MADE_AT, ()).headline.text == (
        "0 of 0 services compatible with ARM64"
    )


def test_the_headline_tells_each_grade() -> None:
    weak = replace(made.service(runs=(made.run(made.STAND_IN),)), name="weak")
    both = Report(made.TARGET, MADE_AT, (made.service(), weak))
    assert both.headline.text == (
        "2 of 2 services compatible with ARM64 (1 native; 1 emulated, on a stand-in)"
    )
    assert (both.headline.grade, both.headline.stand_in) == ("emulated", True)


def test_services_of_a_group_are_counted_beside_the_others_and_paid_with_them() -> None:
    api = replace(made.service(), name="api-2", group="back end")
    worker = replace(made.service(made.BLOCKER), name="worker", group="batch")
    head = Report(made.TARGET, MADE_AT, (made.service(), api, worker)).headline
    assert head.line == (
        "1 of 1 service compatible with ARM64 (native); "
        "besides: back end: 1 of 1 (native), batch: 0 of 1; $200 of $300 a month (67 %)"
    )
    alone = Report(made.TARGET, MADE_AT, (api, worker)).headline
    assert alone.text == "1 of 2 services compatible with ARM64 (native)"


def test_verdicts_are_made_from_the_evidence_and_not_believed() -> None:
    data = as_json(ordinary())
    data["services"][2]["verdict"]["verdict"] = "migrate"
    data["headline"]["compatible"] = 3
    assert Report.from_json(data).headline.compatible == 1


def test_written_and_read_again(tmp_path: Path) -> None:
    path = write_report(ordinary(), tmp_path / "new" / "folder")
    assert path.name == NAME
    assert read_report(path) == read_report(path.parent) == ordinary()
    assert [entry.name for entry in path.parent.iterdir()] == [NAME]
    assert path.read_text("utf-8") == write_report(ordinary(), tmp_path).read_text("utf-8")


def test_pages_of_an_earlier_report_do_not_speak_for_the_new_one(tmp_path: Path) -> None:
    rendered = ("report.html", "report.md")
    for name in (*rendered, "other.html"):
        (tmp_path / name).write_text("all is well", "utf-8")
    # Files in a folder without a report are somebody else's.
    write_report(ordinary(), tmp_path)
    assert all((tmp_path / name).exists() for name in rendered)
    write_report(ordinary(), tmp_path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["other.html", NAME]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b'{"format": 2}',
        b'{"format": 1}',
        b'{"format": 1, "services": 3}',
        b'{"format": 1, "services": [], "target": "t", "made_at": "then"}',
        b'{"format": 1, "services": [3], "target": "t", "made_at": "2026-01-01"}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_report_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(ReportError) as caught:
        read_report(tmp_path)
    assert is_plain_text(caught.value)


def test_what_is_not_there_or_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="No such file"):
        read_report(tmp_path / "absent")
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match="cannot be written"):
        write_report(ordinary(), tmp_path / "file")


@pytest.mark.parametrize(
    "change",
    [
        {"state": "fine"},
        {"cost": -1.0},
        {"cost": float("nan")},
        {"outcome": "great"},
        {"twice": True},
        {"picture": "AAAA"},
        {"picture": 'iVBORw0KGg" onload="x'},
        {"kind": "surprise"},
        {"wall": [-1.0]},
        {"wall": []},
        {"seconds": float("inf")},
        {"tool": "guess"},
    ],
)
def test_what_types_do_not_tell_is_checked(change: dict[str, Any]) -> None:
    data = as_json(shown())
    service = data["services"][1]
    picture = service["goldens"][0]["pictures"][0]
    if "picture" in change:
        picture["png"] = change["picture"]
    if "kind" in change:
        picture["kind"] = change["kind"]
    if "wall" in change:
        service["measured"][0]["records"][0]["wall"] = change["wall"]
    for key in ("seconds", "tool"):
        if key in change:
            service["profiles"][0][key] = change[key]
    if "state" in change:
        service["matrix"]["packages"][0]["state"] = change["state"]
    if "cost" in change:
        service["monthly_cost"] = change["cost"]
    if "outcome" in change:
        service["runs"][0]["tests"][0]["outcome"] = change["outcome"]
    if "twice" in change:
        data["services"].append(service)
    with pytest.raises(ValueError, match=r"such|cost|twice|picture|sample|profile|duration|finite"):
        Report.from_json(data)


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    entries = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in entries:
        if isinstance(value, (dict, list)):
            found += places(value, (*path, key))
        else:
            found.append((*path, key))
    return found


PLACES = places(as_json(shown()))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(PLACES), JSON)
def test_any_value_anywhere_is_read_or_refused(place: tuple[Any, ...], value: Any) -> None:
    data = as_json(shown())
    here = data
    for key in place[:-1]:
        here = here[key]
    here[place[-1]] = value
    found = attempt(ValueError, lambda: Report.from_json(data))
    if isinstance(found, Report):
        assert found.headline.compatible <= 4
        json.dumps(found.to_json())
