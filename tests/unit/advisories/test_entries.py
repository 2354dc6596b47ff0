"""Reading advisories: those that are shipped, and files of strangers."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from pytest_arm64.advisories.database import shipped_advisories
from pytest_arm64.advisories.entries import (
    EFFECTS,
    MOST_ENTRIES,
    NOT_REPRODUCED,
    read_advisories,
)
from pytest_arm64.config._toml import loads
from pytest_arm64.errors import SettingsError
from unit.advisories.made_advisories import entry

# OSV's schema as https://github.com/ossf/osv-schema has it in validation/schema.json, commit
# 51b8156b of 2026-07-01 (Apache-2.0).
SCHEMA = json.loads((Path(__file__).parents[2] / "data" / "osv.json").read_text("utf-8"))
FOLDER = resources.files("pytest_arm64.resources").joinpath("advisories")
FILES = sorted(file.name for file in FOLDER.iterdir() if file.name.endswith(".json"))


@pytest.mark.parametrize("name", FILES)
def test_every_shipped_file_is_valid_by_the_schema_of_osv(name: str) -> None:
    data = json.loads(FOLDER.joinpath(name).read_text("utf-8"))
    jsonschema.Draft202012Validator(SCHEMA).validate(data)
    assert f"{data['id']}.json" == f"x_{name}"
    datetime.fromisoformat(data["modified"].replace("Z", "+00:00"))
    assert data["references"], "a fact needs a source"


def test_the_shipped_advisories_are_what_they_promise() -> None:
    entries = shipped_advisories().entries
    assert len(entries) >= 60
    assert len({entry.id for entry in entries}) == len(entries)
    assert {entry.effect for entry in entries} <= set(EFFECTS)
    for advisory in entries:
        compile(advisory.reproducer, advisory.id, "exec")


def test_what_is_said_to_be_reproduced_is_installed_by_a_test() -> None:
    path = Path(__file__).parents[2] / "data" / "released-wheels.toml"
    wheels = {w["name"]: w["version"] for w in loads(path.read_text("utf-8"))["wheels"]}
    entries = shipped_advisories().entries
    reproduced = [e for e in entries if not e.reproduced.startswith(NOT_REPRODUCED)]
    assert len(reproduced) >= 26
    for advisory in reproduced:
        # What has a verification is installed by the test of `advisories verify --all`.
        if advisory.verification is None:
            (name,) = advisory.packages
            assert any(Version(wheels[name]) in item for item in advisory.affected), advisory.id


def test_what_is_known_of_no_fix_says_so() -> None:
    for advisory in shipped_advisories().entries:
        fixes = [i.fixed for item in advisory.affected for i in item.intervals]
        if not any(fixes):
            assert "no fixed release" in advisory.details.lower() or "Only the listed" in (
                advisory.details
            )


def read(data: object) -> Any:
    return read_advisories(json.dumps(data).encode(), "ours.json")


def test_a_file_holds_one_entry_or_several() -> None:
    assert [a.id for a in read(entry("OURS-1"))] == ["OURS-1"]
    assert [a.id for a in read([entry("x_OURS-1"), entry("OURS-2")])] == ["OURS-1", "OURS-2"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": "no id"}, "is not an id"),
        ({"id": "A-" + "1" * 99}, "longer than 60"),
        ({"summary": ""}, "summary is not a text"),
        ({"summary": "s" * 9000}, "longer than 8000"),
        ({"affected": []}, "affected is empty"),
        ({"affected": "zed"}, "affected is not a list"),
        ({"affected": [1]}, "affected is not an object"),
        ({"affected": [{"package": {"ecosystem": "npm", "name": "a"}}]}, "must be PyPI"),
        ({"affected": [{"package": {"ecosystem": "PyPI", "name": "a"}}]}, "neither ranges nor"),
        ({"references": [{"type": "WEB", "url": "javascript:1"}]}, "not a web address"),
        ({"database_specific": {}}, "effect is missing"),
        ({"database_specific": {"effect": "bad"}}, "effect must be one of"),
        ({"database_specific": {"effect": "abort", "condition": {"core": []}}}, "'cores'"),
        ({"database_specific": {"effect": "abort", "condition": {"page-sizes": [1]}}}, "4096"),
        ({"database_specific": {"effect": "abort", "condition": {"libc": "bionic"}}}, "musl"),
        ({"database_specific": {"effect": "abort", "condition": {"targets": ["moon"]}}}, "lambda"),
        ({"database_specific": {"effect": "abort", "condition": {"use": 1}}}, "use is not a text"),
        (
            {
                "database_specific": {
                    "effect": "abort",
                    "reproducer": "import zed",
                    "verify": {"affected": "2.1", "passes": "3.0", "target": "moon"},
                }
            },
            "verify: there is no target 'moon'",
        ),
    ],
)
def test_an_invalid_entry_is_refused_with_file_number_and_reason(
    change: dict[str, object], reason: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        read([entry("OURS-1"), {**entry("OURS-2"), **change}])
    assert str(caught.value).startswith("ours.json: entry 2: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([{"fixed": "1"}], "no introduced event"),
        ([{"introduced": "1"}, {"introduced": "2"}], "nothing between"),
        ([{"introduced": "2"}, {"fixed": "1"}], "before any introduced"),
        ([{"introduced": "one"}], "is not a version"),
        ([{"introduced": "1", "fixed": "2"}], "one key"),
        ([{"introduced": "1"}, {"limit": "2"}], "unknown event"),
        ([{"introduced": "1" * 5000}], "is not a version"),
    ],
)
def test_events_that_make_no_range_are_refused(events: list[dict[str, str]], reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        read(entry(events=events))


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"1", b'{"id": NaN}', b"[[]]"]
)
def test_what_is_no_advisory_is_refused(content: bytes) -> None:
    with pytest.raises(SettingsError, match=r"ours\.json"):
        read_advisories(content, "ours.json")


def test_the_number_of_entries_is_bounded() -> None:
    with pytest.raises(SettingsError, match="more than"):
        read([{}] * (MOST_ENTRIES + 1))


def test_an_id_that_is_there_twice_is_refused() -> None:
    with pytest.raises(SettingsError, match="entry 2: the id OURS-1 is there twice"):
        read([entry("OURS-1"), entry("x_OURS-1")])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(st.sampled_from(sorted(entry())), json_values)
def test_no_value_of_a_key_does_anything_but_be_refused(key: str, value: object) -> None:
    with suppress(SettingsError):
        read({**entry(), key: value})
