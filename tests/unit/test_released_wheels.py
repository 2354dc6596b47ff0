"""The list of released wheels that are wrong on ARM64 alone: complete, and the same in the docs."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.version import Version

from pytest_arm64.config._toml import loads
from pytest_arm64.inside.options import CORES

TESTS = Path(__file__).parents[1]
DATA = loads((TESTS / "data/released-wheels.toml").read_text("utf-8"))
WHEELS, NOT_SHOWN = DATA["wheels"], DATA["not-shown"]
ALWAYS = {"name", "version", "core", "seen", "says", "cause", "source"}


def test_there_are_at_least_twenty_each_listed_once() -> None:
    names = [(wheel["name"], wheel["version"]) for wheel in WHEELS]
    assert len(names) == len(set(names)) >= 20


@pytest.mark.parametrize("wheel", WHEELS, ids=lambda wheel: wheel["name"])
def test_each_says_what_is_wrong_where_and_who_says_so(wheel: dict[str, str]) -> None:
    installed = set() if wheel["seen"] == "audit" else {"group", "test"}
    assert set(wheel) == ALWAYS | installed
    assert str(Version(wheel["version"])) == wheel["version"]
    assert wheel["core"] in ("any", *CORES)
    assert wheel["seen"] in ("test", "core", "compiled-file", "audit")
    assert wheel["source"].startswith("https://")
    if installed:
        compile(wheel["test"], wheel["name"], "exec")


def test_what_emulation_does_not_show_is_in_no_other_list() -> None:
    found = {f"{wheel['name']} {wheel['version']}" for wheel in WHEELS}
    not_shown = [release for entry in NOT_SHOWN for release in entry["releases"]]
    assert not found & set(not_shown)
    assert all(entry["why"] for entry in NOT_SHOWN)


def test_the_documentation_lists_the_same() -> None:
    page = (TESTS.parent / "docs/conformance.md").read_text("utf-8")
    for wheel in WHEELS:
        core = "every Graviton" if wheel["core"] == "any" else wheel["core"]
        row = f"| {wheel['name']} {wheel['version']} | {core} | {wheel['cause']} |"
        assert row in page, row
    for entry in NOT_SHOWN:
        assert f"| {', '.join(entry['releases'])} | {entry['why']} |" in page
