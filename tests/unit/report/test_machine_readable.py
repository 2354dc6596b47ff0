"""JSON and SARIF: what other programs rely on."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.advisories.database import KnownDefect
from pytest_arm64.advisories.entries import EFFECTS
from pytest_arm64.audit import causes
from pytest_arm64.audit.matrix import STATES, Remedy, Row, WheelMatrix
from pytest_arm64.report.code_output import code_json
from pytest_arm64.report.matrix_output import document
from pytest_arm64.report.sarif import sarif
from pytest_arm64.sources.findings import CodeFinding
from pytest_arm64.sources.scan import CodeScan

FILE = resources.files("pytest_arm64.resources").joinpath("wheel-matrix-1.schema.json")
SCHEMA: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
CAUSES = sorted(
    value
    for name, value in vars(causes).items()
    if name.isupper() and isinstance(value, str) and value not in (*STATES, "deploy", "sdist")
)

names = st.from_regex(r"[a-z0-9]{1,4}(-[a-z0-9]{1,3})?", fullmatch=True)
texts = st.text(max_size=12)
remedies = st.builds(Remedy, texts, texts, texts, st.booleans(), st.tuples(texts))
defects = st.builds(
    KnownDefect, texts, st.sampled_from(EFFECTS), texts, texts, texts, texts, st.booleans()
)
rows = st.builds(
    Row,
    name=names,
    version=texts,
    state=st.sampled_from(STATES),
    path=st.lists(texts, max_size=3).map(tuple),
    cause=st.sampled_from(["", *CAUSES]),
    remedy=st.none() | remedies,
    scope=st.sampled_from(["deploy", "test", "build"]),
    hashes=st.sampled_from([(), ("sha256:" + "a" * 64,)]),
    advisories=st.lists(defects, max_size=2).map(tuple),
)
matrices = st.lists(
    st.builds(
        WheelMatrix,
        texts,
        texts,
        st.lists(rows, max_size=4).map(tuple),
        st.lists(texts, max_size=1).map(tuple),
        notes=st.lists(texts, max_size=1).map(tuple),
    ),
    min_size=1,
    max_size=3,
)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$defs"]["cause"]["enum"] == sorted(["", *CAUSES])


@given(matrices)
def test_every_document_fits_the_schema(found: list[WheelMatrix]) -> None:
    told = json.loads(json.dumps(document(found)))
    jsonschema.validate(told, SCHEMA)
    for matrix, data in zip(found, told.get("matrices", [told]), strict=True):
        assert WheelMatrix.from_json(data) == matrix


def test_code_fits_the_schema() -> None:
    finding = CodeFinding("refuses-arm", "a.py", 1, "if x:", "what", "fix", "high")
    scans = [CodeScan("s", (finding,), 1, 2, 3, 4), CodeScan("t")]
    told = document([WheelMatrix("s", "t", (Row("a", "1", "pure"),))])
    data = json.loads(json.dumps({**told, "code": code_json(scans)}))
    jsonschema.validate(data, SCHEMA)
    data["code"][0]["findings"][0]["confidence"] = "certain"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, SCHEMA)


@pytest.mark.parametrize(
    "change", [{"format": 2}, {"packages": [{"name": "a"}]}, {"ready": "yes"}, {"counts": {"x": 1}}]
)
def test_the_schema_refuses_what_is_none(change: dict[str, Any]) -> None:
    good = json.loads(json.dumps(document([WheelMatrix("s", "t", (Row("a", "1", "pure"),))])))
    jsonschema.validate(good, SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**good, **change}, SCHEMA)


@pytest.mark.parametrize("data", [{}, {"format": 2}, {"format": 1}, {"format": 1, "service": 1}])
def test_a_damaged_document_is_no_matrix(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"matrix"):
        WheelMatrix.from_json(data)


def test_sarif_has_a_result_with_place_for_each_finding() -> None:
    blocker = Row(
        "zed",
        "1.0",
        "blocker",
        ("dir name/requirements.txt:3", "zed 1.0"),
        cause="x86-only",
        detail="why\x1b",
        remedy=Remedy("do this"),
    )
    unknown = Row("you", "", "unknown", ("requirements.txt", "you"), cause="unreadable")
    matrix = WheelMatrix(
        "api", "t", (blocker, unknown, Row("a", "1", "pure")), ("broken",), manifest="uv.lock"
    )
    document: Any = sarif([matrix])
    (run,) = document["runs"]
    problem, first, second = run["results"]
    assert first["ruleId"] == "arm64/blocker"
    assert first["level"] == "error"
    assert first["message"]["text"] == "zed 1.0 (blocker, x86-only): why?. do this [api on t]"
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "dir%20name/requirements.txt"},
        "region": {"startLine": 3},
    }
    assert "region" not in second["locations"][0]["physicalLocation"]
    place = problem["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert (problem["message"]["text"], place) == ("broken [api on t]", "uv.lock")
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in run["results"]} <= rules
