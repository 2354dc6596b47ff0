"""Each rule by its own examples."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pytest_arm64.errors import SettingsError
from pytest_arm64.sources.languages import language_of
from pytest_arm64.sources.matchers import MATCHERS
from pytest_arm64.sources.native.matchers import MATCHERS as NATIVE
from pytest_arm64.sources.reader import findings_in
from pytest_arm64.sources.rules import Rule, all_rules, rule_named

MATCHING = [(rule, example) for rule in all_rules() for example in rule.matches]
HARMLESS = [(rule, example) for rule in all_rules() for example in rule.harmless]
DEFAULT = {"python": "a.py", "c": "a.c", "cython": "a.pyx", "rust": "a.rs", "cmake": "a.cmake"}


def found_in(example: str, rule: Rule, rules: Sequence[Rule]) -> list[str]:
    """The rules that find something; an example may begin with the name of its file."""
    named = re.match(r"(?:#|//) file: (\S+)\n", example)
    path = named[1] if named is not None else DEFAULT[rule.languages[0]]
    language = language_of(path)
    assert language is not None
    assert language.name in rule.languages
    assert rule.may_match(example.encode()), "the example should be parsed at all"
    return [finding.rule for finding in findings_in(example.encode(), path, rules)]


@pytest.mark.parametrize(("rule", "example"), MATCHING, ids=lambda value: getattr(value, "id", ""))
def test_a_rule_finds_one_place_in_each_matching_example(rule: Rule, example: str) -> None:
    assert found_in(example, rule, [rule]) == [rule.id]


@pytest.mark.parametrize(("rule", "example"), MATCHING, ids=lambda value: getattr(value, "id", ""))
def test_no_other_rule_finds_anything_in_a_matching_example(rule: Rule, example: str) -> None:
    assert set(found_in(example, rule, all_rules())) == {rule.id}


@pytest.mark.parametrize(("rule", "example"), HARMLESS, ids=lambda value: getattr(value, "id", ""))
def test_no_rule_finds_anything_in_a_harmless_example(rule: Rule, example: str) -> None:
    assert found_in(example, rule, all_rules()) == []


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.id)
def test_a_rule_is_complete(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.id)
    assert rule.kind in {*MATCHERS, *NATIVE, "build-flags", "lines", "rust"}
    assert re.compile(rule.text)
    assert rule.confidence in ("high", "medium", "low")
    assert rule.matches
    assert len(rule.harmless) >= 2
    assert rule.references
    assert all(urlsplit(reference).scheme == "https" for reference in rule.references)
    assert rule.what[0].islower() or rule.what.startswith("/")
    assert rule.why.endswith(".")
    assert rule.fix.endswith(".")


@pytest.mark.parametrize(
    "change",
    [
        'NAMES["aarch64"] = "arm64"',
        'NAMES.update(aarch64="arm64")',
        'NAMES |= {"aarch64": "arm64"}',
        'def add():\n    NAMES["aarch64"] = "arm64"',
        'def add():\n    NAMES.setdefault("aarch64", "arm64")',
        "def add():\n    global NAMES\n    NAMES = {}",
        "for NAMES in tables: pass",
        'del NAMES["x86_64"]',
    ],
)
def test_a_table_that_is_changed_is_unknown(change: str) -> None:
    text = 'import platform\nNAMES = {{"x86_64": "amd64"}}\n{}\nname = NAMES[platform.machine()]\n'
    for line, count in ((change, 0), ("pass", 1)):
        assert len(findings_in(text.format(line).encode(), "a.py", all_rules())) == count


def test_a_rule_explains_itself() -> None:
    rule = rule_named("refuses-arm")
    text = rule.explanation()
    for part in (rule.id, rule.what, rule.why, rule.fix, *rule.references, "raise RuntimeError"):
        assert part in text


def test_a_rule_that_does_not_exist_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(
        SettingsError, match=r"no rule 'refuse-arm' \(did you mean 'refuses-arm'\?\)"
    ):
        rule_named("refuse-arm")


def test_the_documented_table_is_that_of_the_rules() -> None:
    text = (Path(__file__).parents[3] / "docs" / "audit.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (.+) \| (high|medium|low) \|$", text, re.MULTILINE)
    assert rows == [(rule.id, rule.what, rule.confidence) for rule in all_rules()]
