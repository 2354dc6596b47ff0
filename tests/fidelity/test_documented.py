"""The examples of ``docs/fixtures.md`` in a plain pytest: they pass, or say why they cannot."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from documented import examples
from fidelity.harness import Case


def test_in_a_plain_pytest_the_documented_examples_pass_or_say_why_not(tmp_path: Path) -> None:
    case = Case(tmp_path / "case", {**dict(examples("fixtures.md")), "pytest.ini": "[pytest]\n"})
    result = case.native([])
    assert result.code == 0, result.text
    found = {}
    for test in ElementTree.parse(tmp_path / "case" / "junit.xml").iter("testcase"):
        skipped = test.find("skipped")
        found[test.get("name")] = "" if skipped is None else str(skipped.get("message"))
    passed = [name for name, why in found.items() if not why]
    assert passed == [
        "test_hashes_on_every_machine",
        "test_latency",
        "test_checksum",
        "test_page_size",
    ]
    assert all("pytest" in why or "matrix" in why for why in found.values() if why), found
